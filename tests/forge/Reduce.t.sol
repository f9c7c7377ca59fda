// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IRiskGuard, Limits, Range} from "../../contracts/guard/IRiskGuard.sol";
import {IVenueActs} from "../../contracts/guard/IVenueActs.sol";
import {VenueWitness} from "../../contracts/guard/VenueWitness.sol";
import {IVault, VenueConfig} from "../../contracts/IVault.sol";
import {VenueSet} from "../../contracts/VenueSet.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {MarginCase} from "./doubles/MarginCase.sol";

/// @notice Reductions and freed margin, by the guardian and by the keeper, with and without a price.
contract ReduceTest is MarginCase {
    function _reduce(uint256 fraction, uint256 limitPrice) private {
        vm.prank(guardian);
        vault.reduce(address(perp), 0, fraction, limitPrice);
    }

    function _keeperReduce(uint256 fraction, uint256 limitPrice) private {
        vm.prank(keeper);
        vault.keeperReduce(address(perp), 0, fraction, limitPrice);
    }

    function test_TheGuardianReducesAtAnyTimeAndPaysFromItsOwnBucket() public {
        perp.set(3_000e18, 2_980e18, 0);
        _reduce(0.5e18, 0);
        assertEq(perp.size(), 5e18);
        (uint256 level,) = guard.budget(address(vault));
        assertEq(level, 0);
    }

    function test_AReductionMayNotLoseMoreThanItsBound() public {
        // 0.5% of a million; five ETH sold 1,010 under our price.
        perp.set(3_000e18, 1_990e18, 0);
        vm.expectPartialRevert(IRiskGuard.BudgetExceeded.selector);
        _reduce(0.5e18, 0);
        _reduce(0.4e18, 0);
        vm.expectPartialRevert(IRiskGuard.BudgetExceeded.selector);
        _reduce(0.4e18, 0);
        // What it cost comes back with time alone.
        skip(1 days);
        _reduce(0.4e18, 0);
    }

    function test_AReductionNeedsNoOtherVenue() public {
        venue.setMode(Mode.Reverts);
        vols.set(0, 0);
        _reduce(1e18, 0);
        assertEq(perp.size(), 0);
    }

    function test_TheKeeperReducesOnlyWhileTheVaultIsUnpriced() public {
        vm.expectRevert(IVenueActs.Priced.selector);
        _keeperReduce(0.5e18, 0);
        venue.setMode(Mode.Reverts);
        _keeperReduce(0.5e18, 0);
        assertEq(perp.size(), 5e18);
    }

    function test_WhatTheKeeperReducesFillsTheBucketOfItsCalls() public {
        _blind();
        perp.set(3_000e18, 2_900e18, 0);
        _keeperReduce(0.1e18, 2_900e18);
        // An ETH sold 100 under the venue's mark, which the truth may be 29% of 3,000 above: 970 of a million.
        (uint256 level,) = guard.budget(address(vault));
        assertApproxEqAbs(level, 0.00097e18, 1e12);
        perp.set(3_000e18, 2_000e18, 0);
        vm.expectPartialRevert(VenueWitness.FarLimit.selector);
        _keeperReduce(0.5e18, 2_000e18);
    }

    /// @notice The venue's mark is pushed to where the thief buys: what is sold there counts at the top of the band all the same.
    function test_AMarkThatWasPushedSellsNothingCheap() public {
        _blind();
        perp.set(2_200e18, 2_200e18, 0);
        perp.setIndex(3_800e18);
        // By the mark nothing is lost; by the band 1,670 an ETH.
        vm.expectPartialRevert(IRiskGuard.LossTooLarge.selector);
        _keeperReduce(0.5e18, 2_150e18);
        _keeperReduce(0.1e18, 2_150e18);
        (uint256 level,) = guard.budget(address(vault));
        assertApproxEqAbs(level, 0.00167e18, 1e12);
    }

    function test_AShortThatIsClosedCountsAtTheBottomOfTheBand() public {
        _rebalance(address(hedge), _trade(0, 0, _delta(0)));
        _rebalance(address(perp), abi.encodeCall(perp.order, (eth, -20e18, 0, false)));
        _rebalance(address(hedge), _trade(0, 0, _delta(10e18)));
        skip(4 hours);
        _blind();
        perp.set(3_200e18, 3_200e18, 0);
        // The truth may be 9% of 3,000 lower than the last accepted: 470 under the mark.
        _keeperReduce(0.1e18, 3_270e18);
        (uint256 level,) = guard.budget(address(vault));
        assertApproxEqAbs(level, 0.00047e18, 1e13);
    }

    function test_ASaleWithoutAPriceKeepsNearTheLastAcceptedOne() public {
        _blind();
        // A day and more after the last: 5% and 1% an hour, at most 50%.
        uint256 band = 0.05e18 + 0.01e18 * 24;
        vm.expectRevert(abi.encodeWithSelector(VenueWitness.FarLimit.selector, 0, 3_000e18, band));
        _reduce(0.5e18, 0);
        vm.expectRevert(abi.encodeWithSelector(VenueWitness.FarLimit.selector, 2_129e18, 3_000e18, band));
        _reduce(0.5e18, 2_129e18);
        _reduce(0.5e18, 2_130e18);
        skip(30 days);
        _reduce(0.5e18, 1_500e18);
    }

    function test_ABuyWithoutAPriceKeepsNearTheLastAcceptedOne() public {
        _rebalance(address(hedge), _trade(0, 0, _delta(0)));
        _rebalance(address(perp), abi.encodeCall(perp.order, (eth, -20e18, 0, false)));
        _rebalance(address(hedge), _trade(0, 0, _delta(10e18)));
        skip(4 hours);
        _blind();
        uint256 band = 0.09e18;
        vm.expectRevert(abi.encodeWithSelector(VenueWitness.FarLimit.selector, 3_271e18, 3_000e18, band));
        _reduce(0.5e18, 3_271e18);
        vm.expectRevert(abi.encodeWithSelector(VenueWitness.FarLimit.selector, 0, 3_000e18, band));
        _reduce(0.5e18, 0);
        _reduce(0.5e18, 3_270e18);
        assertEq(perp.size(), -5e18);
    }

    function test_WithoutAPriceTheCostIsWhatTheUnitLost() public {
        _blind();
        perp.set(3_000e18, 2_500e18, 0);
        // Five ETH sold 500 under the venue's mark are 2,500, inside 0.5% of NAV.
        _reduce(0.5e18, 2_400e18);
        vm.expectPartialRevert(IRiskGuard.BudgetExceeded.selector);
        _reduce(1e18, 2_400e18);
    }

    function test_AVenueThatGrowsInsteadIsRefused() public {
        perp.setGrows();
        vm.expectRevert(
            abi.encodeWithSelector(VenueWitness.Grew.selector, address(perp), eth, int256(10e18), int256(15e18))
        );
        _reduce(0.5e18, 0);
        _blind();
        vm.expectPartialRevert(VenueWitness.Grew.selector);
        _reduce(0.5e18, 2_900e18);
    }

    /// @notice A one-wei reduction is one wei: it licenses no trade beside it, nor a growth of anything.
    function test_AOneWeiReductionLicensesNothing() public {
        _blind();
        _keeperReduce(1, 2_900e18);
        assertEq(perp.size(), 10e18 - 10);
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        _rebalance(address(perp), abi.encodeCall(perp.order, (eth, 5e18, 0, false)));
    }

    function test_MarginIsFreedWhileUnpricedDownToMinimumHealth() public {
        _blind();
        uint256 idle = usdc.balanceOf(address(vault));
        vm.prank(keeper);
        assertEq(vault.keeperFree(address(perp), 0, 200e6, 0), 200e6);
        assertEq(usdc.balanceOf(address(vault)), idle + 200e6);
        // 1.8 x 1,875 = 3,375.
        vm.prank(keeper);
        vm.expectPartialRevert(IRiskGuard.UnitUnhealthy.selector);
        vault.keeperFree(address(perp), 0, 26e6, 0);
        vm.prank(guardian);
        vault.free(address(perp), 0, 25e6, 0);
        assertEq(vault.totalAssets(), 1_000_000e6);
    }

    function test_MarginThatIsLostOnTheWayIsCharged() public {
        perp.set(3_000e18, 3_000e18, 0.5e18);
        vm.prank(keeper);
        vault.keeperFree(address(perp), 0, 200e6, 0);
        (uint256 level,) = guard.budget(address(vault));
        assertApproxEqAbs(level, 0.0001e18, 1e12);
    }

    function test_AFrozenVenueIsStillReducedAndFreed() public {
        vm.startPrank(guardian);
        acts.freeze(address(perp));
        vault.free(address(perp), 0, 100e6, 0);
        vault.reduce(address(perp), 0, 1e18, 0);
        vm.stopPrank();
    }

    function test_EachIsItsRolesAlone() public {
        bytes[4] memory calls = [
            abi.encodeCall(vault.reduce, (address(perp), 0, 1e18, 0)),
            abi.encodeCall(vault.free, (address(perp), 0, 1, 0)),
            abi.encodeCall(vault.keeperReduce, (address(perp), 0, 1e18, 0)),
            abi.encodeCall(vault.keeperFree, (address(perp), 0, 1, 0))
        ];
        for (uint256 i; i < 4; ++i) {
            address other = i < 2 ? keeper : guardian;
            vm.prank(other);
            (bool done, bytes memory answer) = address(vault).call(calls[i]);
            assertFalse(done);
            assertEq(answer, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, other));
        }
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyActs.selector, address(this)));
        guard.tipped(address(vault), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyActs.selector, address(this)));
        guard.toppedUp(address(vault), address(perp), 1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyActs.selector, address(this)));
        guard.eased(address(vault), address(perp), 1, 1, 1, false);
    }

    function test_TheReduceBoundHasAFloorAndACeiling() public {
        vm.expectRevert();
        guard.setMaxLossPerReduce(0.0049e18);
        vm.expectRevert();
        guard.setMaxLossPerReduce(0.11e18);
        guard.setMaxLossPerReduce(0.05e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 0.06e18, 0.05e18));
        guard.lowerMaxLossPerReduce(0.06e18);
        guard.lowerMaxLossPerReduce(0.01e18);
        assertEq(guard.maxLossPerReduce(), 0.01e18);
    }

    /// @notice Every setter at the extreme that forbids most: topping up, reducing, freeing and leaving go on.
    function test_NoSetterBlocksTopUpReduceFreeOrExit() public {
        guard.lowerMaxLossPerCall(0);
        guard.lowerMaxLossPerDay(guard.DAY_FLOOR());
        guard.setMaxLossPerReduce(guard.REDUCE_FLOOR());
        guard.setMaxTurnover(0);
        Range memory nothing;
        guard.setLimits(eth, Limits(nothing, nothing, nothing, nothing));
        acts.lowerTip(0, 0);
        bytes32[4] memory ids =
            [guard.venueId(address(perp)), guard.protocolId("margin"), guard.tokenId(eth), guard.expiryId(eth, 0)];
        for (uint256 i; i < 4; ++i) {
            guard.lowerCap(ids[i], 0, 0);
        }
        vault.tightenVenue(address(perp), VenueConfig(0, 2e18, 2e18, 1.01e18));

        perp.set(3_000e18, 2_990e18, 0.0005e18);
        assertEq(_topUp(140e6), 139.93e6);
        vm.expectPartialRevert(IVault.PastTarget.selector);
        _topUp(100e6);
        _reduce(0.5e18, 0);
        vm.prank(guardian);
        vault.free(address(perp), 0, 100e6, 0);
        _blind();
        _keeperFreeFails();
        _reduce(0.5e18, 2_900e18);
        uint256 most = vault.maxRedeem(alice);
        vm.prank(alice);
        vault.redeem(most, alice, alice);
    }

    /// @dev The keeper's own losses have no room left, which is what the setter is for; a loss of nothing passes.
    function _keeperFreeFails() private {
        vm.prank(keeper);
        vm.expectPartialRevert(IRiskGuard.LossTooLarge.selector);
        vault.keeperFree(address(perp), 0, 10e6, 0);
        perp.set(3_000e18, 2_990e18, 0);
        vm.prank(keeper);
        vault.keeperFree(address(perp), 0, 10e6, 0);
    }

    function test_TighteningAVenueNeverLetsMoreIn() public {
        VenueConfig[4] memory looser = [
            VenueConfig(0.16e18, 1.8e18, 3e18, 1.3e18),
            VenueConfig(0.15e18, 1.8e18, 3.1e18, 1.3e18),
            VenueConfig(0.15e18, 1.8e18, 3e18, 1.4e18),
            VenueConfig(0.15e18, 1.7e18, 3e18, 1.3e18)
        ];
        for (uint256 i; i < 4; ++i) {
            vm.expectPartialRevert(IRiskGuard.NotLower.selector);
            vault.tightenVenue(address(perp), looser[i]);
        }
        vault.tightenVenue(address(perp), VenueConfig(0.1e18, 1.9e18, 2.5e18, 1.2e18));
        assertEq(vault.venueConfig(address(perp)).cap, 0.1e18);
        vm.expectRevert(abi.encodeWithSelector(VenueSet.CriticalTooLow.selector, 1e18, 1.01e18));
        vault.tightenVenue(address(perp), VenueConfig(0.1e18, 1.9e18, 2.5e18, 1e18));
        vm.expectRevert(abi.encodeWithSelector(VenueSet.CriticalTooLow.selector, 0, 1.01e18));
        vault.configureVenue(address(perp), VenueConfig(0.1e18, 0, 0, 0));
    }
}
