// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {Coarse} from "../../contracts/nav/Coarse.sol";

/// @notice Numbers in few bits: in the layout of a mark, 17, 54 and 56 of mantissa.
contract CoarseTest is Test {
    using Coarse for uint256;

    function pack(uint256 number, uint256 bits, bool up) external pure returns (uint256) {
        return up ? number.packUp(bits) : number.pack(bits);
    }

    function testFuzz_DownIsWithinAPartAndFitsItsBits(uint256 number, uint256 seed) public pure {
        uint256 bits = _bits(seed);
        number = _sized(number, seed, bits + 127);
        uint256 packed = number.pack(bits);
        assertEq(packed >> (bits + 7), 0, "too many bits");
        uint256 back = packed.unpack(bits);
        assertLe(back, number);
        assertLe(number - back, number >> (bits - 1));
        if (number >> bits == 0) assertEq(back, number);
    }

    function testFuzz_UpIsWithinAPartAndFitsItsBits(uint256 number, uint256 seed) public pure {
        uint256 bits = _bits(seed);
        number = _sized(number, seed, bits + 126);
        uint256 packed = number.packUp(bits);
        assertEq(packed >> (bits + 7), 0, "too many bits");
        uint256 back = packed.unpack(bits);
        assertGe(back, number);
        assertLe(back - number, number >> (bits - 1));
        if (number >> bits == 0) assertEq(back, number);
    }

    /// @notice A mantissa of ones that is rounded up takes one more of exponent, not another number.
    function testFuzz_UpCarriesIntoTheExponent(uint256 seed, uint256 shift) public pure {
        uint256 bits = _bits(seed);
        shift = bound(shift, 1, 126);
        uint256 number = (((1 << bits) - 1) << shift) + 1;
        assertEq(number.packUp(bits).unpack(bits), 1 << (bits + shift));
    }

    function testFuzz_WhatDoesNotFitIsRefused(uint256 number, uint256 seed, bool up) public {
        uint256 bits = _bits(seed);
        number = bound(number, 1 << (bits + 127), type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Coarse.TooLarge.selector, number));
        this.pack(number, bits, up);
        number = (1 << (bits + 127)) - 1;
        vm.expectRevert(abi.encodeWithSelector(Coarse.TooLarge.selector, number));
        this.pack(number, bits, true);
    }

    function _bits(uint256 seed) private pure returns (uint256) {
        return [uint256(17), 54, 56][seed % 3];
    }

    /// @dev Of any number of bits up to `most`.
    function _sized(uint256 number, uint256 seed, uint256 most) private pure returns (uint256) {
        return number >> (256 - (seed >> 8) % (most + 1));
    }
}
