// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Coarse: numbers in few bits
/// @notice A mantissa and a power of two: `pack` keeps the first `bits` bits of a number under 2^(bits + 127) and a 7-bit exponent above
/// them. `packUp` rounds up, for bounds; `pack` rounds down, off by less than one part in 2^(bits - 1). Both give numbers under 2^bits
/// back as they were.
library Coarse {
    /// @notice The number does not fit.
    error TooLarge(uint256 number);

    function pack(uint256 number, uint256 bits) internal pure returns (uint256) {
        uint256 exponent = _exponent(number, bits);
        return (exponent << bits) | (number >> exponent);
    }

    function packUp(uint256 number, uint256 bits) internal pure returns (uint256) {
        uint256 exponent = _exponent(number, bits);
        uint256 mantissa = number >> exponent;
        if (mantissa << exponent != number) ++mantissa;
        if (mantissa >> bits == 0) return (exponent << bits) | mantissa;
        if (exponent == 127) revert TooLarge(number);
        return ((exponent + 1) << bits) | (mantissa >> 1);
    }

    function unpack(uint256 packed, uint256 bits) internal pure returns (uint256) {
        unchecked {
            return (packed & ((1 << bits) - 1)) << (packed >> bits);
        }
    }

    function _exponent(uint256 number, uint256 bits) private pure returns (uint256 exponent) {
        if (number >> bits == 0) return 0;
        exponent = Math.log2(number) + 1 - bits;
        if (exponent > 127) revert TooLarge(number);
    }
}
