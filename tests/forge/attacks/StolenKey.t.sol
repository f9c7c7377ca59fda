// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Missing} from "./MutantGuard.sol";
import {ThiefCase} from "./ThiefCase.sol";

/// @notice What a stolen keeper key costs in a day: at most `maxLossPerDay` + `maxLossPerCall` of the highest low NAV meanwhile. And the
/// proof that this campaign would notice: with any one check of the guard that bounds losses gone, it finds more.
contract StolenKeyTest is ThiefCase {
    /// @notice The days of `make test`; `make fuzz` sets FOUNDRY_FUZZ_RUNS and tries a twentieth as many.
    uint256 private constant DAYS = 12;
    /// @dev For the wei that amounts in the asset's decimals are rounded by.
    uint256 private constant DUST = 1e15;

    function test_ADayCostsAtMostItsBound() public {
        vm.pauseGasMetering();
        uint256 trials = vm.envOr("FOUNDRY_FUZZ_RUNS", uint256(0)) / 20;
        if (trials < DAYS) trials = DAYS;
        uint256 most;
        for (uint256 seed; seed < trials; ++seed) {
            uint256 state = vm.snapshotState();
            _build(Missing.Nothing);
            (int256 profit, uint256 bound_) = _day(seed);
            vm.revertToState(state);
            assertLe(profit, int256(bound_ + DUST), "extracted more than the bound");
            if (profit > 0 && uint256(profit) * 1e18 / bound_ > most) most = uint256(profit) * 1e18 / bound_;
        }
        emit log_named_decimal_uint("the most of the bound that was extracted", most, 18);
        // A thief that never came near its bound would have tried nothing.
        assertGt(most, 0.5e18);
    }

    function test_TheDaysAreNotDaysOfRefusals() public {
        vm.pauseGasMetering();
        _build(Missing.Nothing);
        for (uint256 seed; seed < 6; ++seed) {
            _day(seed);
        }
        for (uint256 i; i < 7; ++i) {
            emit log_named_uint("succeeded", done[i]);
        }
        assertGt(done[0] * done[1] * done[2] * done[3] * done[4] * done[5] * done[6], 0);
    }

    /// @notice The go-between by itself opens no hole.
    function test_MutantWithoutAnythingMissing() public {
        assertEq(_found(Missing.NothingBehindIt), false);
    }

    function test_MutantWithoutTheLossOfMid() public {
        _assertFound(Missing.Loss);
    }

    function test_MutantWithoutCorners() public {
        _assertFound(Missing.Corners);
    }

    function test_MutantWithoutTheBoundOnACall() public {
        _assertFound(Missing.PerCall);
    }

    function test_MutantWithoutTheBucket() public {
        _assertFound(Missing.Bucket);
    }

    function _assertFound(Missing missing) private {
        assertTrue(_found(missing));
    }

    function _found(Missing missing) private returns (bool) {
        vm.pauseGasMetering();
        for (uint256 seed; seed < DAYS; ++seed) {
            uint256 state = vm.snapshotState();
            _build(missing);
            (int256 profit, uint256 bound_) = _day(seed);
            vm.revertToState(state);
            if (profit > int256(bound_ + DUST)) return true;
        }
        return false;
    }
}
