// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Slice} from "../../contracts/oracle/VolSlice.sol";
import {VolOracleCase} from "./doubles/VolOracleCase.sol";

/// @notice What a post costs in the steady state: the slice stood before, fresh neighbours on both sides, two signatures. Each
///         call is a transaction of its own, its storage cold, and the 21,000 and calldata count.
/// forge-config: default.isolate = true
contract VolOracleGasTest is VolOracleCase {
    /// @dev The contract's promise.
    uint256 private constant MOST = 180_000;

    function _steady(uint256 spread) private {
        for (uint256 i; i < spread; ++i) {
            _post(_smile(expiry + uint64(i * 7 days), 0.75e18));
        }
        skip(1 hours);
        for (uint256 i; i < spread; ++i) {
            _post(_smile(expiry + uint64(i * 7 days), 0.75e18));
        }
        skip(1 hours);
    }

    function _spent(Slice memory s) private returns (uint256) {
        bytes[] memory signatures = _sign(s);
        oracle.post(s, signatures);
        return vm.lastCallGas().gasTotalUsed;
    }

    function test_gasOfAPostBetweenTwoNeighbours() public {
        _steady(3);
        oracle.check(_smile(expiry + 7 days, 0.755e18));
        emit log_named_uint("check", vm.lastCallGas().gasTotalUsed);
        uint256 spent = _spent(_smile(expiry + 7 days, 0.755e18));
        emit log_named_uint("post", spent);
        assertLe(spent, MOST);
    }

    function test_gasOfAPostAmongElevenExpiries() public {
        _steady(11);
        uint256 spent = _spent(_smile(expiry + 42 days, 0.755e18));
        emit log_named_uint("post", spent);
        assertLe(spent, MOST);
    }

    function test_gasOfARead() public {
        _steady(3);
        skip(1 hours);
        oracle.vol(ETH, expiry, 2200e18);
        emit log_named_uint("vol", vm.lastCallGas().gasTotalUsed);
        _post(_smile(expiry, 0.755e18));
        oracle.vol(ETH, expiry, 2200e18);
        emit log_named_uint("vol with the slice before it", vm.lastCallGas().gasTotalUsed);
    }
}
