// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {CornerLoss} from "../../../contracts/guard/CornerLoss.sol";
import {Range} from "../../../contracts/guard/IRiskGuard.sol";
import {LimitRule} from "../../../contracts/guard/LimitRule.sol";

/// @notice The guard's pure rules, on every point of a small lattice and on random points of the whole domain. A solver does not finish
/// on their 256-bit products and divisions.
contract PureRulesTest is Test {
    int256 private constant WAD = 1e18;
    /// @dev A step of the lattice, a tenth: what is exact in tenths is exact.
    int256 private constant TENTH = 1e17;

    /// @notice The charge is at least the loss anywhere in the interval, and at most a rounding more than the loss somewhere in it.
    function test_WorstIsTheWorstOfALattice() public {
        vm.pauseGasMetering();
        for (int256 delta = -4; delta <= 4; ++delta) {
            for (int256 gamma = -4; gamma <= 4; ++gamma) {
                for (uint256 down; down <= 3; ++down) {
                    for (uint256 up; up <= 3; ++up) {
                        _onTheLattice(delta * WAD, gamma * WAD, down, up);
                    }
                }
            }
        }
    }

    /// @notice The same at random sizes, up to those that the valuer lets through.
    function testFuzz_WorstBoundsTheLossAnywhere(int256 delta, int256 gamma, uint256 down, uint256 up, int256 x)
        public
        pure
    {
        delta = bound(delta, -2 ** 108, 2 ** 108);
        gamma = bound(gamma, -2 ** 60, 2 ** 60);
        down = bound(down, 0, 1e24);
        up = bound(up, 0, 1e24);
        x = bound(x, -int256(down), int256(up));
        int256 loss = -(delta * x / WAD) - gamma * x / WAD * x / (2 * WAD);
        // Three divisions of the reference each truncate by less than one, the inner one times x.
        int256 slack = 3 + (x < 0 ? -x : x) / WAD;
        assertGe(int256(CornerLoss.worst(delta, gamma, down, up)) + slack, loss);
    }

    /// @notice A breach never shrinks with the distance, is none inside, and one side's at a time for a single value.
    function testFuzz_ABreachIsMonotone(int256 value, int256 farther, int256 min, int256 max) public pure {
        int256 most = 2 ** 180;
        (min, max) = (bound(min, -most, most), bound(max, -most, most));
        vm.assume(min <= max);
        value = bound(value, -most, most);
        farther = bound(farther, value, most);
        Range memory range = Range(min, max);
        (uint256 below, uint256 above) = LimitRule.breaches(value, value, range);
        (uint256 belowFarther, uint256 aboveFarther) = LimitRule.breaches(farther, farther, range);
        assertGe(aboveFarther, above);
        assertLe(belowFarther, below);
        assertTrue(below == 0 || above == 0);
        if (value >= min && value <= max) assertEq(below + above, 0);
    }

    function _onTheLattice(int256 delta, int256 gamma, uint256 down, uint256 up) private pure {
        int256 charged = int256(CornerLoss.worst(delta, gamma, down * 1e18, up * 1e18));
        int256 worst;
        for (int256 x = -int256(down) * WAD; x <= int256(up) * WAD; x += TENTH) {
            int256 loss = -(delta * x / WAD) - gamma * x / WAD * x / (2 * WAD);
            if (loss > worst) worst = loss;
        }
        assertGe(charged, worst);
        // The vertex may lie between two points, where the parabola is at most gamma (TENTH / 2)^2 / 2 from them.
        assertLe(charged, worst + (gamma > 0 ? gamma / 800 : int256(0)) + 2);
    }
}
