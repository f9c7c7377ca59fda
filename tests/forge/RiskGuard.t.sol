// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IRiskGuard, Limits, Measure, Range} from "../../contracts/guard/IRiskGuard.sol";
import {PricePoint, Valuation, VenueValue, VolPoint} from "../../contracts/guard/IValuer.sol";
import {LossBudget} from "../../contracts/guard/LossBudget.sol";
import {RiskGuard} from "../../contracts/guard/RiskGuard.sol";
import {Exposure, Greeks} from "../../contracts/venues/IVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

contract RiskGuardTest is VaultCase {
    uint64 private constant EXPIRY = 2_000_000_000;
    int256 private constant NAV = 1_000_000e18;

    /// @dev A million dollars with these netted Greeks of ETH; delta 1e18 is 0.3% of NAV.
    function _book(int256 mid, Greeks memory g) private view returns (Valuation memory v) {
        v.priced = true;
        v.low = v.mid = v.high = mid;
        v.exposures = new Exposure[](1);
        v.exposures[0] = Exposure(eth, EXPIRY, g);
        v.prices = new PricePoint[](1);
        v.prices[0] = PricePoint(eth, 2_985e18, 3_000e18, 3_015e18, block.timestamp);
        v.vols = new VolPoint[](1);
        v.vols[0] = VolPoint(eth, EXPIRY, 0.73e18, 0.75e18, 0.78e18, block.timestamp);
        v.venues = new VenueValue[](1);
        v.venues[0] = VenueValue(address(venue), true, 0, 0, 0);
    }

    function _at(int256 delta) private view returns (Valuation memory) {
        return _book(NAV, Greeks(delta, 0, 0, 0));
    }

    /// @dev A day after the last, so that the bucket is empty.
    function _check(Valuation memory before, Valuation memory afterwards) private returns (uint256) {
        skip(1 days);
        vm.prank(address(judge));
        return guard.check(address(vault), before, afterwards, new address[](0), new int256[](0));
    }

    function _expectDelta(int256 delta) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskGuard.LimitBreached.selector, eth, Measure.Delta, delta * 3_000 * 1e18 / NAV, -0.05e18, 0.05e18
            )
        );
    }

    function test_LossIsChargedAgainstLowNavBefore() public {
        Valuation memory before = _at(0);
        assertEq(_check(before, _book(NAV - 2_500e18, Greeks(0, 0, 0, 0))), 2_500e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, 2_500e18 + 1, 2_500e18));
        _check(before, _book(NAV - 2_500e18 - 1, Greeks(0, 0, 0, 0)));
    }

    function test_LossCountsTheCornersOfWhatWasTaken() public view {
        // 10 ETH at 3,000 +- 15: the price may be 15 lower. Vega of -100 loses at the high vol, +100 at the low.
        assertEq(guard.cornerLoss(_at(0), _at(10e18)), 150e18);
        assertEq(guard.cornerLoss(_at(0), _book(NAV, Greeks(0, 0, -100e18, 0))), 3e18);
        assertEq(guard.cornerLoss(_at(0), _book(NAV, Greeks(0, 0, 100e18, 0))), 2e18);
        assertEq(guard.cornerLoss(_at(0), _book(NAV, Greeks(0, -0.1e18, 0, 0))), 11.25e18);
        assertEq(guard.cornerLoss(_at(0), _book(NAV + 150e18, Greeks(10e18, 0, 0, 0))), 0);
    }

    function test_LossOfLongGammaIsAtItsVertex() public view {
        // delta 1, gamma 0.2: worst at x = -5, inside the interval, where 1 x 5 - 0.1 x 25 = 2.5 is lost.
        assertEq(guard.cornerLoss(_at(0), _book(NAV, Greeks(1e18, 0.2e18, 0, 0))), 2.5e18);
    }

    function test_LossCountsWiderVenues() public view {
        Valuation memory wide = _at(0);
        wide.venues[0].halfWidth = 9e18;
        assertEq(guard.cornerLoss(_at(0), wide), 9e18);
        assertEq(guard.cornerLoss(wide, _at(0)), 0);
    }

    function testFuzz_CornerLossBoundsTheTrueLoss(
        int72[3] memory before,
        int72[3] memory change,
        int80 midChange,
        uint256 price,
        uint256 vol
    ) public view {
        Valuation memory a = _book(NAV, Greeks(before[0], before[1], before[2], 0));
        Valuation memory b = _book(
            NAV + midChange,
            Greeks(int256(before[0]) + change[0], int256(before[1]) + change[1], int256(before[2]) + change[2], 0)
        );
        int256 x = int256(bound(price, 2_985e18, 3_015e18)) - 3_000e18;
        int256 y = int256(bound(vol, 0.73e18, 0.78e18)) - 0.75e18;
        int256 trueLoss = _worth(a, x, y) - _worth(b, x, y);
        // Each of `_worth`'s six divisions may cut off a wei.
        assertLe(trueLoss, int256(guard.cornerLoss(a, b)) + 6);
    }

    function _worth(Valuation memory v, int256 x, int256 y) private pure returns (int256) {
        Greeks memory g = v.exposures[0].greeks;
        return v.mid + g.delta * x / 1e18 + g.gamma * x * x / 2e36 + g.vega * y / 1e18;
    }

    function test_InsideTheLimitsAnythingGoes() public {
        _check(_at(-16e18), _at(16e18));
    }

    function test_OutOfTheLimitsIsRefusedWithBothNumbers() public {
        _expectDelta(17e18);
        _check(_at(0), _at(17e18));
    }

    function test_ABreachMustShrinkByATenth() public {
        // Limit 16.67 ETH. From 26.67 (b = 0.6) a tenth less is 25.67 (b = 0.54).
        Valuation memory before = _at(26.666e18);
        _check(before, _at(25.6e18));
        _expectDelta(25.8e18);
        _check(before, _at(25.8e18));
        _check(before, before);
    }

    function test_ABreachMayNotCrossToTheOtherSide() public {
        _check(_at(40e18), _at(-16e18));
        _expectDelta(-18e18);
        _check(_at(40e18), _at(-18e18));
    }

    function test_TheLargestBreachOverItsLimitDecides() public {
        Greeks memory both = Greeks(20e18, 0, -90_000e18, 0);
        Valuation memory before = _book(NAV, both);
        // Vega at -900 of -750 is 0.2 over, delta at 20 of 16.67 is 0.2 over: b falls only where both do.
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _check(before, _book(NAV, Greeks(0, 0, -89_000e18, 0)));
        _check(before, _book(NAV, Greeks(18e18, 0, -80_000e18, 0)));
    }

    function test_ABookWhoseOptionsCannotTradeMayStillBeHedged() public {
        Valuation memory before = _book(NAV, Greeks(20e18, 0, -90_000e18, 0));
        _check(before, _book(NAV, Greeks(0, 0, -90_000e18, 0)));
        _check(before, _book(NAV, Greeks(-5e18, 0, -90_000e18, 0)));
        // Cash that moves between venues leaves the book as it was.
        _check(before, before);
        // Delta from inside its limit to its other end is no hedge.
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _check(_book(NAV, Greeks(5e18, 0, -90_000e18, 0)), _book(NAV, Greeks(-6e18, 0, -90_000e18, 0)));
    }

    function test_HedgingMayNotMoveABreachOtherThanBackInside() public {
        Valuation memory before = _book(NAV, Greeks(20e18, 0, -90_000e18, 0));
        // Vega a little nearer, delta mended: what is breached and was moved must shrink by a tenth.
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskGuard.LimitBreached.selector, eth, Measure.Vega, -899e18, -750e18, type(int256).max
            )
        );
        _check(before, _book(NAV, Greeks(0, 0, -89_900e18, 0)));
    }

    function test_ABreachOfATinyLimitGivesOthersNoRoom() public {
        // A retired token is limited to nothing; a stranger's dollar of it is a breach beyond any measure.
        address retired = makeAddr("retired");
        Limits memory nothing;
        guard.setLimits(retired, nothing);
        Valuation memory before = _withDust(0, retired, 1e18);
        vm.expectRevert(
            abi.encodeWithSelector(IRiskGuard.LimitBreached.selector, eth, Measure.Delta, 0.3e18, -0.05e18, 0.05e18)
        );
        _check(before, _withDust(100e18, retired, 0.5e18));
        // Selling the dust is mending, beside which nothing else may leave its limits.
        _check(before, _withDust(0, retired, 0.5e18));
        _check(before, _withDust(16e18, retired, 0.5e18));
        _expectDelta(17e18);
        _check(before, _withDust(17e18, retired, 0.5e18));
        // Room that another measure's breach gives is none to a limit of zero.
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _check(_withDust(40e18, retired, 0), _withDust(0, retired, 1e18));
    }

    /// @dev A book with `delta` of ETH and `dust` whole tokens of another, worth a dollar each.
    function _withDust(int256 delta, address token, int256 dust) private view returns (Valuation memory v) {
        v = _at(delta);
        Exposure memory first = v.exposures[0];
        PricePoint memory price = v.prices[0];
        (v.exposures, v.prices) = (new Exposure[](2), new PricePoint[](2));
        (v.exposures[0], v.prices[0]) = (first, price);
        v.exposures[1] = Exposure(token, 0, Greeks(dust, 0, 0, 0));
        v.prices[1] = PricePoint(token, 1e18, 1e18, 1e18, block.timestamp);
    }

    function test_GammaVegaAndThetaAreInReportingUnits() public {
        // -0.12 x 3,000^2 / 100 = -10,800
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskGuard.LimitBreached.selector, eth, Measure.Gamma, -10_800e18, -10_000e18, type(int256).max
            )
        );
        _check(_at(0), _book(NAV, Greeks(0, -0.12e18, 0, 0)));
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskGuard.LimitBreached.selector, eth, Measure.Theta, -300e18, -200e18, type(int256).max
            )
        );
        _check(_at(0), _book(NAV, Greeks(0, 0, 0, -109_500e18)));
    }

    function test_PendingOrdersCountFilledAndUnfilled() public {
        Valuation memory v = _at(-10e18);
        v.pending = _delta(-8e18);
        _expectDelta(-18e18);
        _check(_at(-10e18), v);
        v = _at(-18e18);
        v.pending = _delta(10e18);
        _expectDelta(-18e18);
        _check(_at(0), v);
    }

    function test_WhatExpiresWithinADayCountsThereAndGone() public {
        // 60 ETH of delta in options hedged by as much: fine with them, 18% of NAV without.
        Valuation memory v = _at(0);
        v.exposures = new Exposure[](2);
        v.exposures[0] = Exposure(eth, EXPIRY, Greeks(60e18, 0, 0, 0));
        v.exposures[1] = Exposure(eth, 0, Greeks(-60e18, 0, 0, 0));
        _check(_at(0), v);
        vm.warp(EXPIRY - 2 days - 1);
        _check(_at(0), v);
        _expectDelta(-60e18);
        _check(_at(0), v);
        // What is gone for good may not hide what is left.
        v.exposures[1].greeks.delta = -5e18;
        _expectDelta(55e18);
        _check(_at(0), v);
    }

    function test_OppositePendingOrdersDoNotHideEachOther() public {
        Valuation memory v = _at(0);
        v.pending = new Exposure[](2);
        v.pending[0] = _delta(20e18)[0];
        v.pending[1] = _delta(-20e18)[0];
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _check(_at(0), v);
        _check(v, _at(0));
    }

    function test_ATokenWithoutLimitsIsRefusedUnlessZero() public {
        address other = makeAddr("other");
        Valuation memory v = _at(0);
        v.exposures[0].underlying = v.prices[0].underlying = v.vols[0].underlying = other;
        _check(_at(0), v);
        v.exposures[0].greeks.delta = 1e18;
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NoLimits.selector, other));
        _check(_at(0), v);
    }

    function test_ATokenWithoutLimitsThatAStrangerSentStopsNothing() public {
        address sent = makeAddr("sent");
        Valuation memory before = _withDust(10e18, sent, 1e18);
        _check(before, _withDust(0, sent, 1e18));
        _check(before, _withDust(0, sent, 0.5e18));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NoLimits.selector, sent));
        _check(before, _withDust(0, sent, 2e18));
    }

    function test_UnpricedIsRefused() public {
        Valuation memory blind = _at(0);
        blind.priced = false;
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        _check(blind, _at(0));
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        _check(_at(0), blind);
    }

    function test_CapsBindWhatGrew() public {
        Valuation memory before = _at(0);
        Valuation memory v = _at(0);
        v.venues[0].mid = 500_000e18;
        _check(before, v);
        v.venues[0].mid = 500_001e18;
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.CapExceeded.selector, address(venue), 500_001e18, 500_000e18));
        _check(before, v);
        before.venues[0].mid = 600_000e18;
        _check(before, v);
    }

    function test_SettersAreRestrictedCheckedAndLogged() public {
        Limits memory l = _limits();
        address stranger = makeAddr("stranger");
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        guard.setLimits(eth, l);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        guard.setMaxLossPerCall(0);
        vm.stopPrank();

        vm.expectEmit(address(guard));
        emit IRiskGuard.LimitsSet(eth, l);
        guard.setLimits(eth, l);
        vm.expectEmit(address(guard));
        emit IRiskGuard.MaxLossPerCallSet(0.01e18);
        guard.setMaxLossPerCall(0.01e18);
        assertEq(guard.limits(eth).gamma.min, -10_000e18);
        assertEq(guard.underlyings().length, 1);

        l.vega = Range(1, 2);
        vm.expectRevert(abi.encodeWithSelector(RiskGuard.RangeWithoutZero.selector, 1, 2));
        guard.setLimits(eth, l);
        vm.expectRevert(abi.encodeWithSelector(LossBudget.AboveCeiling.selector, 0.03e18, 0.02e18));
        guard.setMaxLossPerCall(0.03e18);
        for (uint160 i = 1; i < 16; ++i) {
            guard.setLimits(address(i), _limits());
        }
        vm.expectRevert(abi.encodeWithSelector(RiskGuard.TooManyUnderlyings.selector, 16));
        guard.setLimits(address(99), _limits());
    }

    function testFuzz_LimitsAreKeptAsTheyWereSet(int256[8] memory x) public {
        // As wide as limits get, and now and then beyond.
        for (uint256 i; i < 8; ++i) {
            x[i] >>= uint8(uint256(x[i])) % 200;
        }
        for (uint256 i; i < 8; i += 2) {
            (x[i], x[i + 1]) = (x[i] > 0 ? ~x[i] : x[i], x[i + 1] < 0 ? ~x[i + 1] : x[i + 1]);
        }
        Limits memory set = Limits(Range(x[0], x[1]), Range(x[2], x[3]), Range(x[4], x[5]), Range(x[6], x[7]));
        guard.setLimits(eth, set);
        Limits memory kept = guard.limits(eth);
        Range[4] memory was = [set.delta, set.gamma, set.vega, set.theta];
        Range[4] memory is_ = [kept.delta, kept.gamma, kept.vega, kept.theta];
        for (uint256 m; m < 4; ++m) {
            assertEq(is_[m].min, _kept(was[m].min));
            assertEq(is_[m].max, _kept(was[m].max));
        }
    }

    /// @dev What is beyond 2^119 stands for no limit.
    function _kept(int256 x) private pure returns (int256) {
        if (x >= 2 ** 119 - 1) return type(int256).max;
        return x <= -(2 ** 119) ? type(int256).min : x;
    }

    function testFuzz_NeverOverflowsOnWhatTheValuerLetsThrough(int256[4] memory g, int256 nav, uint256 price) public {
        for (uint256 i; i < 4; ++i) {
            g[i] = bound(g[i], -8 * int256(2 ** 108), 8 * int256(2 ** 108));
        }
        Valuation memory v = _book(bound(nav, -int256(2 ** 111), int256(2 ** 111)), Greeks(g[0], g[1], g[2], g[3]));
        price = bound(price, 1, 2 ** 100);
        v.prices[0] = PricePoint(eth, 0, price, 2 ** 100, 0);
        guard.cornerLoss(_at(0), v);
        vm.prank(address(judge));
        try guard.check(address(vault), v, v, new address[](0), new int256[](0)) {}
        catch (bytes memory reason) {
            assertNotEq(bytes4(reason), bytes4(0x4e487b71), "panic");
        }
    }
}
