// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {IVenueActs} from "../../contracts/guard/IVenueActs.sol";
import {IVault, VenueConfig} from "../../contracts/IVault.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {MarginCase} from "./doubles/MarginCase.sol";

/// @notice Top-ups by the keeper, and by anyone of a critical unit.
contract TopUpTest is MarginCase {
    address private immutable carol = makeAddr("carol");

    function _critical(uint256 assets) private returns (uint256 posted, uint256 tip) {
        vm.prank(carol);
        return vault.topUpCritical(address(perp), 0, assets);
    }

    /// @dev The market falls; at 2,850 equity is 2,100 of 1,781 needed, health 1.18.
    function _fallTo(uint256 price) private {
        perp.set(int256(price), int256(price), 0);
        oracle.set(eth, price - 10e18, price, price + 10e18);
    }

    /// @dev Only the venue says that it fell.
    function _markFalls() private {
        perp.set(2_850e18, 2_850e18, 0);
    }

    function test_ATopUpWorksWithoutAnyPrice() public {
        _blind();
        vols.set(0, 0);
        venue.setMode(Mode.Reverts);
        assertEq(_topUp(1_000e6), 1_000e6);
        assertEq(perp.unitHealth(0), uint256(4_600e18) * 1e18 / 1_875e18);
        assertEq(usdc.balanceOf(address(vault)), 995_400e6);
        assertEq(vault.totalAssets(), 1_000_000e6);
    }

    function test_ATopUpNeverPassesTheTarget() public {
        vm.expectPartialRevert(IVault.PastTarget.selector);
        _topUp(2_100e6);
        _topUp(2_025e6);
        vm.expectRevert(abi.encodeWithSelector(IVault.PastTarget.selector, address(perp), 0, 3e18, 3e18));
        _topUp(1);
    }

    function test_ATopUpMayNotLoseMoreThanAPercentOfItself() public {
        perp.set(3_000e18, 3_000e18, 0.02e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, 20e18, 10e18));
        _topUp(1_000e6);
        perp.set(3_000e18, 3_000e18, 0.01e18);
        _topUp(1_000e6);
        (uint256 level,) = guard.budget(address(vault));
        // 10 dollars of a million.
        assertApproxEqAbs(level, 0.00001e18, 1e10);
    }

    function test_ATopUpFillsTheBucketThenTheReserveThenIsRefused() public {
        perp.set(3_000e18, 3_000e18, 0.01e18);
        vm.prank(address(vault));
        guard.charge(address(vault), 10_000e18, 1_000_000e18);
        _topUp(1_000e6);
        (uint256 level,) = guard.reserve(address(vault));
        assertApproxEqAbs(level, 0.00001e18, 1e10);
        // Tips, each half of what is left, leave too little at last.
        for (uint256 i; i < 8; ++i) {
            vm.prank(address(acts));
            guard.tipped(address(vault), type(uint128).max, 1_000_000e18);
        }
        vm.expectPartialRevert(IRiskGuard.BudgetExceeded.selector);
        _topUp(500e6);
        // One that loses nothing always passes.
        perp.set(3_000e18, 3_000e18, 0);
        _topUp(500e6);
    }

    function test_ALeakingVenueCannotBeRefilledBeyondItsCap() public {
        vault.configureVenue(address(perp), VenueConfig(0.02e18, 1.8e18, 3e18, 1.3e18));
        uint256 posted = 3_600e6;
        bool refused;
        for (uint256 i; i < 12 && !refused; ++i) {
            vm.prank(keeper);
            try vault.topUp(address(perp), 0, 2_000e6, 0) {
                perp.leak(2_000e6);
                posted += 2_000e6;
            } catch (bytes memory reason) {
                assertEq(bytes4(reason), IRiskGuard.CapExceeded.selector);
                refused = true;
            }
            assertEq(guard.netPosted(address(vault), guard.venueId(address(perp))), posted * 1e12);
            skip(1 hours);
        }
        assertTrue(refused);
        assertLe(posted, 20_000e6);
        assertEq(usdc.balanceOf(address(vault)), 1_000_000e6 - posted);
    }

    /// @notice What a rebalance posted before a cap fell to nothing is not held against top-ups: they have a floor of their own.
    function test_NoCapBlocksATopUpAfterARebalancePosted() public {
        _rebalance(address(perp), abi.encodeCall(perp.post, (0, 12_000e6, 0)));
        vault.tightenVenue(address(perp), VenueConfig(0, 1.8e18, 3e18, 1.3e18));
        guard.lowerCap(guard.venueId(address(perp)), 0, 0);
        perp.set(1_700e18, 1_700e18, 0);
        assertEq(_topUp(100e6), 100e6);
        // The floor is one percent of a million; after a day's fall beyond that the caps hold.
        perp.set(400e18, 400e18, 0);
        assertEq(_topUp(9_890e6), 9_890e6);
        perp.set(-700e18, -700e18, 0);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.CapExceeded.selector, address(perp), 25_601e18, 0));
        _topUp(11e6);
    }

    /// @notice A tip, however large, leaves the reserve enough for another top-up that loses on its way.
    function test_ATipDoesNotStopTheNextTopUp() public {
        acts.setTip(eth, 1_000_000e18, 1_000_000e18);
        vm.fee(50_000 gwei);
        vm.prank(address(vault));
        guard.charge(address(vault), 10_000e18, 1_000_000e18);
        _fallTo(2_850e18);
        (, uint256 tip) = _critical(1_500e6);
        // Half of the reserve's 750.
        assertEq(tip, 375e6);
        _fallTo(2_700e18);
        perp.set(2_700e18, 2_700e18, 0.01e18);
        (uint256 posted,) = _critical(1_700e6);
        assertEq(posted, 1_683e6);
    }

    /// @notice Cash that a stranger settled out of a venue is still counted there: the NAV that single acts are judged by does not grow with it.
    function test_WhatAStrangerSettlesIsNotCountedTwice() public {
        _rebalance(address(venue), _trade(400_000e6, 400_000e18, _delta(0)));
        uint256 low = guard.lastLow(address(vault), usdc.balanceOf(address(vault)) * 1e12);
        venue.setBook(0, 0, _delta(0));
        usdc.mint(address(vault), 400_000e6);
        assertEq(guard.lastLow(address(vault), usdc.balanceOf(address(vault)) * 1e12), low);
    }

    function test_AFrozenVenueTakesNothingUntilItIsThawed() public {
        vm.prank(bob);
        vm.expectRevert();
        acts.freeze(address(perp));
        vm.prank(guardian);
        acts.freeze(address(perp));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.VenueFrozen.selector, address(perp)));
        _topUp(1_000e6);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.VenueFrozen.selector, address(perp)));
        _critical(1_000e6);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.VenueFrozen.selector, address(perp)));
        _rebalance(address(perp), abi.encodeCall(perp.post, (0, 1e6, 0)));
        vm.prank(guardian);
        acts.unfreeze(address(perp));
        _topUp(1_000e6);
    }

    function test_AnyoneMayTopUpWhatIsCriticalByOurPrice() public {
        _fallTo(2_850e18);
        (uint256 posted, uint256 tip) = _critical(1_500e6);
        assertEq(posted, 1_500e6);
        assertEq(tip, 0);
        vm.expectPartialRevert(IVenueActs.NotCritical.selector);
        _critical(100e6);
    }

    function test_AnyoneMayTopUpWhatTheVenueCallsCriticalForTwoBlocks() public {
        _markFalls();
        (uint256 posted,) = _critical(1_500e6);
        assertEq(posted, 0, "the first only notes it");
        (posted,) = _critical(1_500e6);
        assertEq(posted, 0, "nor does the same block count twice");
        vm.roll(1_001);
        (posted,) = _critical(1_500e6);
        assertEq(posted, 1_500e6);
    }

    function test_ANoteIsForgottenWhenTheUnitRecoversOrAgesOut() public {
        _markFalls();
        assertTrue(acts.noteCritical(address(vault), address(perp), 0));
        vm.roll(1_001);
        perp.set(3_000e18, 3_000e18, 0);
        assertFalse(acts.noteCritical(address(vault), address(perp), 0));
        _markFalls();
        (uint256 posted,) = _critical(1_500e6);
        assertEq(posted, 0);
        vm.roll(1_052);
        (posted,) = _critical(1_500e6);
        assertEq(posted, 0, "an old note proves nothing");
    }

    function test_WhatIsNotCriticalIsNotAnyonesToTopUp() public {
        vm.expectRevert(
            abi.encodeWithSelector(IVenueActs.NotCritical.selector, address(perp), 0, perp.unitHealth(0), 1.3e18)
        );
        _critical(1e6);
    }

    function test_ACriticalTopUpWorksWithoutAPriceAndPaysNoTip() public {
        acts.setTip(eth, 100e18, 100e18);
        vm.fee(50 gwei);
        _markFalls();
        _blind();
        _critical(1e6);
        vm.roll(1_001);
        (uint256 posted, uint256 tip) = _critical(1_500e6);
        assertEq(posted, 1_500e6);
        assertEq(tip, 0);
    }

    function test_ATipPaysGasAndHalfOfItOnceACooldownAndIsCharged() public {
        acts.setTip(eth, 100e18, 150e18);
        vm.fee(50 gwei);
        _fallTo(2_850e18);
        uint256 gas = gasleft();
        (, uint256 tip) = _critical(1_500e6);
        gas -= gasleft();
        assertEq(usdc.balanceOf(carol), tip);
        assertGt(tip, 0);
        // No more than 1.5 x (its gas and the constant) x 50 gwei x 2,840.
        assertLe(tip * 1e12, (gas + 100_000) * 50 gwei * 3 / 2 * 2_840);
        (uint256 level,) = guard.budget(address(vault));
        assertApproxEqAbs(level, tip * 1e6, 1e11);

        // Critical again within the hour: topped up, no second tip.
        _fallTo(2_700e18);
        (uint256 posted, uint256 second) = _critical(1_700e6);
        assertEq(posted, 1_700e6);
        assertEq(second, 0);
    }

    function test_NoTipForDustThatMendsNothing() public {
        acts.setTip(eth, 100e18, 150e18);
        vm.fee(50 gwei);
        _fallTo(2_850e18);
        for (uint256 i; i < 20; ++i) {
            (uint256 posted, uint256 tip) = _critical(1);
            assertEq(posted, 1);
            assertEq(tip, 0);
        }
    }

    function test_TipsStopAtTheirCaps() public {
        acts.setTip(eth, 5e18, 8e18);
        vm.fee(5_000 gwei);
        _fallTo(2_850e18);
        (, uint256 tip) = _critical(1_500e6);
        assertEq(tip, 5e6);
        skip(1 hours);
        _fallTo(2_700e18);
        (, tip) = _critical(1_700e6);
        assertEq(tip, 3e6);
        skip(1 hours);
        _fallTo(2_500e18);
        (, tip) = _critical(1_700e6);
        assertEq(tip, 0);
    }

    function test_TheTipIsLoweredAtOnceAndNeverRaised() public {
        acts.setTip(eth, 5e18, 8e18);
        acts.lowerTip(4e18, 8e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 5e18, 4e18));
        acts.lowerTip(5e18, 8e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 9e18, 8e18));
        acts.lowerTip(4e18, 9e18);
    }

    /// @notice However often and however much anyone tops up, and whatever the venue skims: a day costs the budget at most.
    function testFuzz_ADayOfTopUpsAndTipsCostsTheBudgetAtMost(uint256 seed) public {
        acts.setTip(eth, 500e18, 5_000e18);
        vm.fee(2_000 gwei);
        uint256 paid;
        uint256 before = usdc.balanceOf(address(vault));
        int256 cash = perp.cash();
        for (uint256 i; i < 24; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _fallTo(2_500e18 + seed % 600e18);
            perp.set(perp.mark(), perp.fill(), (seed >> 64) % 0.02e18);
            bool byKeeper = (seed >> 72) % 2 == 0;
            vm.prank(byKeeper ? keeper : carol);
            (bool done, bytes memory answer) = address(vault)
                .call(
                    byKeeper
                        ? abi.encodeCall(vault.topUp, (address(perp), 0, (seed >> 80) % 5_000e6, 0))
                        : abi.encodeCall(vault.topUpCritical, (address(perp), 0, (seed >> 80) % 5_000e6))
                );
            if (done && !byKeeper) {
                (, uint256 tip) = abi.decode(answer, (uint256, uint256));
                paid += tip;
            }
            skip(1 hours);
            vm.roll(1_001 + i);
        }
        int256 lost = int256(before - usdc.balanceOf(address(vault))) * 1e12 - (perp.cash() - cash);
        assertEq(usdc.balanceOf(carol), paid);
        // 0.25% and 0.75% of a million.
        assertLe(lost, 10_000e18);
    }
}
