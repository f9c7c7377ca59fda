// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {Valuation} from "../../contracts/guard/IValuer.sol";
import {LossBudget} from "../../contracts/guard/LossBudget.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice The bucket of losses: 0.25% a call, 0.75% a day.
contract LossBudgetTest is VaultCase {
    int256 private constant NAV = 1_000_000e18;
    uint256 private constant PER_CALL = 0.0025e18;
    uint256 private constant PER_DAY = 0.0075e18;

    /// @dev When each loss was taken, what part of NAV it was, and in asset units; and the NAV of every step.
    uint256[] private _times;
    uint256[] private _losses;
    int256[] private _navs;
    address private _acts;

    function setUp() public override {
        super.setUp();
        _acts = guard.acts();
    }

    function _worth(int256 nav) private pure returns (Valuation memory v) {
        v.priced = true;
        v.low = v.mid = v.high = nav;
    }

    function _lose(int256 nav, uint256 loss) private {
        vm.prank(address(judge));
        guard.check(address(vault), _worth(nav), _worth(nav - int256(loss)), new address[](0), new int256[](0));
    }

    function _loseOnTopUp(int256 nav, uint256 loss) private {
        vm.prank(_acts);
        guard.toppedUp(address(vault), address(venue), loss, 0, nav > 0 ? uint256(nav) : 0);
    }

    function _level() private view returns (uint256 level) {
        (level,) = guard.budget(address(vault));
    }

    function test_ACallFitsTheBucketAsWellAsTheCall() public {
        _lose(NAV, 2_000e18);
        (uint256 level, uint256 left) = guard.budget(address(vault));
        assertEq(level, 0.002e18);
        assertEq(left, 0.0005e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.BudgetExceeded.selector, 500e18 + 1, 500e18));
        _lose(NAV, 500e18 + 1);
        _lose(NAV, 500e18);
        assertEq(_level(), PER_CALL);
    }

    function test_AFullBucketLetsOnlyCallsWithoutLossPass() public {
        _lose(NAV, 2_500e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.BudgetExceeded.selector, 1, 0));
        _lose(NAV, 1);
        _lose(NAV, 0);
    }

    function test_TheBucketLeaksFourFifthsOfTheDaysLoss() public {
        _lose(NAV, 2_500e18);
        skip(6 hours);
        // 0.6% a day are 0.15% in six hours.
        assertEq(_level(), 0.001e18);
        _lose(NAV, 1_500e18);
        skip(10 hours);
        assertEq(_level(), 0);
    }

    function test_GainsNeverRefill() public {
        _lose(NAV, 2_500e18);
        vm.prank(address(judge));
        guard.check(address(vault), _worth(NAV), _worth(NAV + 50_000e18), new address[](0), new int256[](0));
        assertEq(_level(), PER_CALL);
    }

    function test_NewMoneyNeitherRefillsNorWidens() public {
        _lose(NAV, 2_500e18);
        // A hundred times the money, borrowed for one call: nothing is left of the same bucket.
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.BudgetExceeded.selector, 1e18, 0));
        _lose(100 * NAV, 1e18);
        skip(6 hours);
        (, uint256 left) = guard.budget(address(vault));
        assertEq(left, 0.0015e18);
    }

    function test_AVaultThatShrankIsNotShutByWhatItLostBefore() public {
        _lose(100 * NAV, 100_000e18);
        (, uint256 left) = guard.budget(address(vault));
        assertEq(left, 0.0015e18);
        _lose(NAV, 1_500e18);
    }

    function test_ATopUpMayFillTheReserveOnceTheBucketIsFull() public {
        _lose(NAV, 2_500e18);
        _loseOnTopUp(NAV, 700e18);
        (uint256 level, uint256 left) = guard.reserve(address(vault));
        assertEq(level, 0.0007e18);
        assertEq(left, 0.00005e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.BudgetExceeded.selector, 51e18, 50e18));
        _loseOnTopUp(NAV, 51e18);
        // No other call reaches the reserve.
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.BudgetExceeded.selector, 1e18, 0));
        _lose(NAV, 1e18);
    }

    function test_AnUnexplainedLossFillsTheBucketToTheBrimAndNoFurther() public {
        vm.startPrank(address(vault));
        vm.expectEmit(address(guard));
        emit IRiskGuard.Charged(address(vault), 1_000e18, 0.001e18);
        guard.charge(address(vault), 1_000e18, NAV);
        guard.charge(address(vault), type(uint256).max, NAV);
        assertEq(_level(), PER_CALL);
        guard.charge(address(vault), 1, 0);
        guard.charge(address(vault), 1, -NAV);
        vm.stopPrank();
        assertEq(_level(), PER_CALL);
        (uint256 reserved,) = guard.reserve(address(vault));
        assertEq(reserved, 0);
    }

    function test_AStrangerFillsItsOwnBucketAlone() public {
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyVault.selector, bob, address(vault)));
        guard.charge(address(vault), 2_500e18, NAV);
        guard.charge(bob, 2_500e18, NAV);
        assertEq(_level(), 0);
        (uint256 level,) = guard.budget(bob);
        assertEq(level, PER_CALL);
    }

    function test_ALossAtNoNavIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, 1, 0));
        _lose(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.BudgetExceeded.selector, 1, 0));
        _loseOnTopUp(-NAV, 1);
    }

    function test_LoweringIsAtOnceAndNeverRaises() public {
        guard.lowerMaxLossPerCall(0.001e18);
        guard.lowerMaxLossPerDay(0.002e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 0.001e18, 0.001e18));
        guard.lowerMaxLossPerCall(0.001e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 0.003e18, 0.002e18));
        guard.lowerMaxLossPerDay(0.003e18);
        vm.expectRevert(abi.encodeWithSelector(LossBudget.BelowFloor.selector, 0.0009e18, 0.001e18));
        guard.lowerMaxLossPerDay(0.0009e18);
        vm.expectRevert(abi.encodeWithSelector(LossBudget.BelowFloor.selector, 0, 0.001e18));
        guard.setMaxLossPerDay(0);
        vm.expectRevert(abi.encodeWithSelector(LossBudget.AboveCeiling.selector, 0.051e18, 0.05e18));
        guard.setMaxLossPerDay(0.051e18);
    }

    function test_ALowerCapacityLeavesTheLevelThatIsThere() public {
        _lose(NAV, 2_500e18);
        guard.lowerMaxLossPerCall(0.001e18);
        (uint256 level, uint256 left) = guard.budget(address(vault));
        assertEq(level, PER_CALL);
        assertEq(left, 0);
        vm.prank(address(vault));
        guard.charge(address(vault), 10_000e18, NAV);
        assertEq(_level(), PER_CALL);
    }

    function test_TheSettersAreRestricted() public {
        bytes[4] memory calls = [
            abi.encodeCall(guard.setMaxLossPerCall, (0)),
            abi.encodeCall(guard.lowerMaxLossPerCall, (0)),
            abi.encodeCall(guard.setMaxLossPerDay, (0.002e18)),
            abi.encodeCall(guard.lowerMaxLossPerDay, (0.002e18))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(bob);
            (bool done, bytes memory answer) = address(guard).call(calls[i]);
            assertFalse(done);
            assertEq(answer, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob));
        }
    }

    /// @notice Any mix of calls, top-ups, unexplained losses, money coming and going and time: no 24 hours of calls and top-ups lose
    /// more than a call's and a day's loss of the highest NAV in them.
    function testFuzz_ADayCostsAtMostACallAndADay(uint256 seed, uint8 steps) public {
        int256 nav = NAV;
        for (uint256 i; i < uint256(steps) % 96 + 32; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip((seed >> 8) % 3 == 0 ? 0 : (seed >> 16) % 8 hours);
            if ((seed >> 48) % 4 == 0) nav = int256(bound(seed >> 56, 1e18, 1e27));
            if ((seed >> 64) % 8 == 0) {
                vm.prank(address(vault));
                guard.charge(address(vault), (seed >> 72) % uint256(nav), nav);
            }
            // Mostly what is just left, sometimes at random; what is refused costs nothing.
            (, uint256 left) = guard.budget(address(vault));
            (, uint256 kept) = guard.reserve(address(vault));
            bool topUp = (seed >> 96) % 3 == 0;
            uint256 most = uint256(nav) * (topUp ? left + kept : left) / 1e18;
            uint256 loss = (seed >> 104) % 2 == 0 ? most : (seed >> 112) % (uint256(nav) / 100);
            bool done = true;
            if (topUp) {
                vm.prank(_acts);
                loss = guard.tipped(address(vault), loss, uint256(nav));
            } else {
                vm.prank(address(judge));
                try guard.check(
                    address(vault), _worth(nav), _worth(nav - int256(loss)), new address[](0), new int256[](0)
                ) {}
                catch {
                    done = false;
                }
            }
            if (loss == most) assertTrue(done, "what is left can be lost");
            _times.push(block.timestamp);
            _losses.push(done ? loss : 0);
            _navs.push(nav);
            _assertDay();
        }
    }

    function _assertDay() private view {
        uint256 lost;
        int256 highest;
        for (uint256 i = _times.length; i > 0 && block.timestamp - _times[i - 1] <= 1 days; --i) {
            lost += _losses[i - 1];
            if (_navs[i - 1] > highest) highest = _navs[i - 1];
        }
        assertLe(lost, uint256(highest) * (PER_CALL + PER_DAY) / 1e18);
    }
}
