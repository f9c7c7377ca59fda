// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Test} from "forge-std/Test.sol";

import {VolOracle} from "../../../contracts/oracle/VolOracle.sol";
import {Slice} from "../../../contracts/oracle/VolSlice.sol";

/// @notice A vol oracle with three signers of which two are needed, and smiles to sign.
abstract contract VolOracleCase is Test {
    address internal constant ETH = address(1);
    uint256 internal constant HALF = 0.02e18;
    uint256 internal constant RATE = 0.08e18;

    AccessManager internal authority;
    VolOracle internal oracle;
    uint64 internal expiry;
    /// @dev Private keys in ascending order of their addresses.
    uint256[] internal keys;

    function setUp() public virtual {
        vm.warp(1_750_000_000);
        expiry = uint64(block.timestamp + 42 days);
        authority = new AccessManager(address(this));
        oracle = _oracle();
        keys = _keys(3);
        oracle.setSigners(_addresses(keys), 2);
    }

    function _oracle() internal returns (VolOracle) {
        return new VolOracle(address(authority), HALF, RATE, 1 days, 10 minutes, 30 minutes);
    }

    /// @dev `count` keys in ascending order of their addresses.
    function _keys(uint256 count) internal pure returns (uint256[] memory sorted) {
        sorted = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            uint256 key = i + 1;
            uint256 at = i;
            for (; at > 0 && vm.addr(sorted[at - 1]) > vm.addr(key); --at) {
                sorted[at] = sorted[at - 1];
            }
            sorted[at] = key;
        }
    }

    function _addresses(uint256[] memory from) internal pure returns (address[] memory list) {
        list = new address[](from.length);
        for (uint256 i; i < from.length; ++i) {
            list[i] = vm.addr(from[i]);
        }
    }

    /// @dev A skewed smile of the present with `vol` at the money of a forward of 2,000: free of arbitrage, and the more variance the later.
    function _smile(uint64 expiry_, uint256 vol) internal view returns (Slice memory s) {
        uint256 term = (expiry_ - block.timestamp) * 1e18 / 365 days;
        int256 deviation = int256(vol * FixedPointMathLib.sqrt(term * 1e18) / 1e18);
        int256 total = deviation * deviation / 1e18;
        s.underlying = ETH;
        s.expiry = expiry_;
        s.timestamp = uint64(block.timestamp);
        s.forward = 2000e18;
        // Surface SVI with phi = 1.3 / deviation and rho = -0.3: a = w (1 - rho^2)/2, b = w phi / 2, m = -rho/phi, sigma = sqrt(1 - rho^2)/phi.
        s.a = int64(total * 0.455e18 / 1e18);
        s.b = uint64(uint256(deviation) * 0.65e18 / 1e18);
        s.rho = -0.3e18;
        s.m = int64(deviation * 0.23076923e18 / 1e18);
        s.sigma = uint64(uint256(deviation) * 0.733799386e18 / 1e18);
    }

    function _ln(uint256 quotient) internal pure returns (int256) {
        return FixedPointMathLib.lnWad(int256(quotient));
    }

    /// @dev The two signatures that the first two signers give.
    function _sign(Slice memory s) internal view returns (bytes[] memory) {
        return _sign(oracle.hash(s), 2);
    }

    function _sign(bytes32 hash, uint256 count) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](count);
        for (uint256 i; i < count; ++i) {
            (uint8 v, bytes32 r, bytes32 t) = vm.sign(keys[i], hash);
            signatures[i] = abi.encodePacked(r, t, v);
        }
    }

    function _post(Slice memory s) internal {
        bytes[] memory signatures = _sign(s);
        oracle.post(s, signatures);
    }
}
