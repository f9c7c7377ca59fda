// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IValuer} from "../../contracts/guard/IValuer.sol";
import {VenueConfig} from "../../contracts/IVault.sol";
import {IMarks} from "../../contracts/nav/IMarks.sol";
import {Marks} from "../../contracts/nav/Marks.sol";
import {Kind} from "../../contracts/venues/IVenue.sol";
import {LendingCarry} from "../../contracts/venues/lending/ILendingVenue.sol";
import {DoubleOracle} from "./doubles/DoublePrices.sol";
import {GapOracle, OptionBook, PerpBook, SpotBook} from "./doubles/BookVenues.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice A venue that has no positions and takes millions of gas to say so.
contract SlowBook is DoubleVenue {
    constructor(address vault_) DoubleVenue(vault_) {}

    function kind() external pure override returns (Kind) {
        for (uint256 i; i < 35_000; ++i) {}
        return Kind.Spot;
    }
}

/// @notice A deposit of the vault's asset that earns, or one that costs.
contract DepositBook is DoubleVenue {
    address private immutable _token;
    int256 private _yearly;

    constructor(address vault_, address token_) DoubleVenue(vault_) {
        _token = token_;
    }

    function earn(int256 yearly) external {
        _yearly = yearly;
    }

    function carried() external view returns (LendingCarry[] memory list) {
        list = new LendingCarry[](1);
        list[0] = LendingCarry(_token, _yearly);
    }

    function kind() external pure override returns (Kind) {
        return Kind.Lending;
    }
}

/// @notice Notes which tokens it was asked to pin.
contract PinOracle is GapOracle {
    address[] private _pins;

    constructor(address asset_) GapOracle(asset_) {}

    function pinAll(address[] calldata tokens) external override {
        _pins = tokens;
    }

    function pins() external view returns (address[] memory) {
        return _pins;
    }
}

/// @notice Marks carried over random books of options valued by our Black-76, a perp and spot; ETH at 3,000, the options paid in a token
/// of about a dollar.
contract MarksTest is VaultCase {
    uint256 private constant AGE = 600;
    uint256 private constant MOVE = 0.01e18;
    address private immutable susd = makeAddr("susd");

    GapOracle private gaps;
    PinOracle private pinned;
    OptionBook private options;
    PerpBook private perp;
    SpotBook private spot;
    uint256 private _seed;
    uint256 private _vol;

    struct Interval {
        int256 low;
        int256 mid;
        int256 high;
    }

    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        vols.set(0.75e18, 0.02e18);
        vm.warp(block.timestamp + 1);
        options = new OptionBook(address(vault), susd);
        perp = new PerpBook(address(vault), eth);
        spot = new SpotBook(address(vault), eth);
        VenueConfig memory config = VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18);
        vault.addVenue(address(options), config);
        vault.addVenue(address(perp), config);
        vault.addVenue(address(spot), config);
        oracle.set(susd, 0.998e18, 1e18, 1.002e18);
        _deposit(alice, 1_000_000e6);
    }

    function _oracle() internal override returns (DoubleOracle) {
        pinned = new PinOracle(address(usdc));
        gaps = pinned;
        return gaps;
    }

    function _marks() internal override returns (Marks) {
        return new Marks(AGE, MOVE, 0.02e18);
    }

    /// @notice (a) While no venue changes by itself, a full valuation lies inside the carried interval.
    function testFuzz_AFullMarkLiesInsideTheCarriedInterval(uint256 seed) public {
        _randomBook(seed);
        gaps.setGap(_signed(0.001e18));
        vault.mark();
        vm.warp(block.timestamp + _next(AGE + 1));
        // The median and the primary stray together, the gap included in the move.
        _move(eth, 3_000e18, int256(MOVE) - 0.0025e18);
        _move(susd, 1e18, int256(MOVE) - 0.0025e18);
        (bool valid, Interval memory carried) = _carried();
        assertTrue(valid, "not carried");
        Interval memory full = _full();
        assertLe(carried.low, full.low, "low");
        assertGe(carried.high, full.high, "high");
        assertLe(carried.low, carried.mid);
        assertLe(carried.mid, carried.high);
    }

    /// @notice The carry is not bought with width: where nothing moved it is the mark's, but that gammas of a month do not net.
    function testFuzz_WhereNothingMovedTheCarriedIntervalIsNearlyTheMarks(uint256 seed) public {
        _seed = seed;
        for (uint256 i; i < 3; ++i) {
            _option(2_000e18 + _next(2_500e18), uint64(30 days + _next(300 days)), _signed(50e18));
        }
        perp.set(_signed(100e18), 0, 3_000e18, 0);
        vm.warp(block.timestamp + 1);
        vault.mark();
        (bool valid, Interval memory carried) = _carried();
        assertTrue(valid);
        Interval memory full = _full();
        uint256 width = uint256(full.high - full.low);
        assertApproxEqAbs(carried.low, full.low, width / 20 + 1e15);
        assertApproxEqAbs(carried.high, full.high, width / 20 + 1e15);
        assertApproxEqAbs(carried.mid, full.mid, 1e12);
    }

    /// @notice Funding and interest move the mid either way, and widen the interval by as much, with an underlying and without one.
    function testFuzz_WhatIsEarnedMovesTheMid(int64 yearly, uint256 rate, bool held) public {
        DepositBook cash = new DepositBook(address(vault), address(usdc));
        vault.addVenue(address(cash), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        cash.earn(int256(yearly) * 1e6);
        int256 earned = int256(yearly) * 1e6 * int256(AGE / 2) / 365 days;
        if (held) {
            int256 daily = int256(rate % 0.2e18) - 0.1e18;
            perp.set(-10e18, 40_000e18, 3_000e18, daily);
            earned += 30_000 * daily * int256(AGE / 2) / 1 days;
        }
        vault.mark();
        (, Interval memory before) = _carried();
        vm.warp(block.timestamp + AGE / 2);
        (bool valid, Interval memory carried) = _carried();
        assertTrue(valid);
        uint256 amount = uint256(earned < 0 ? -earned : earned);
        assertApproxEqAbs(carried.mid - before.mid, earned, (amount >> 15) + 1e3);
        assertGe(carried.high - carried.mid + 1e3, before.high - before.mid + int256(amount));
        assertGe(carried.mid - carried.low + 1e3, before.mid - before.low + int256(amount));
    }

    /// @notice (b) The low after an oracle update inside the old interval, carried or struck, is at most the high before it.
    function testFuzz_TheLowAfterAnUpdateIsAtMostTheHighBefore(uint256 seed) public {
        _randomBook(seed);
        vault.mark();
        vm.warp(block.timestamp + _next(AGE / 2));
        (, Interval memory before) = _carried();
        (, uint256 mid,,) = oracle.quote(eth);
        // Within a quarter of a percent on both sides: the new mid lies in the old interval.
        uint256 moved = mid * uint256(1e18 + _signed(0.0025e18)) / 1e18;
        oracle.set(eth, moved * 9975 / 10_000, moved, moved * 10_025 / 10_000);
        (bool valid, Interval memory carried) = _carried();
        assertTrue(valid);
        assertLe(carried.low, before.high, "oracle, carried");
        assertLe(_full().low, before.high, "oracle, live");
        // A mark.
        vault.mark();
        (, Interval memory struck) = _carried();
        assertLe(struck.low, carried.high, "mark");
        assertLe(carried.low, struck.high, "mark, the other way");
        // A slice, by at most its half-width.
        vols.set(uint256(int256(_vol) + _signed(0.02e18)), 0.02e18);
        (valid,) = _carried();
        Interval memory full = _full();
        assertLe(full.low, struck.high, "slice");
    }

    /// @notice (c) A spot holding and the perp that hedges it.
    function testFuzz_AHedgedPairIsUnderATenthOfTheNaiveSum(uint256 size, uint256 move) public {
        size = bound(size, 1e18, 1_000e18);
        // Exit fees are no price's width; the oracle's interval is what netting removes.
        venue.setBook(0, 0, _delta(int256(size)));
        hedge.setBook(0, 0, _delta(-int256(size)));
        oracle.set(eth, 2_985e18, 3_000e18, 3_015e18);
        vault.mark();
        vm.warp(block.timestamp + 60);
        uint256 price = 3_000e18 * (1e18 - MOVE + 1 + bound(move, 0, 2 * MOVE - 2)) / 1e18;
        oracle.set(eth, price * 995 / 1000, price, price * 1005 / 1000);
        (bool valid, Interval memory carried) = _carried();
        assertTrue(valid);
        uint256 naive = 2 * size * price / 1e18 * 2 * 5 / 1000;
        assertLt(uint256(carried.high - carried.low), naive / 10);
    }

    function test_AMarkIsVoidWhenOld() public {
        vault.mark();
        vm.warp(block.timestamp + AGE);
        _assertCarried(true);
        vm.warp(block.timestamp + 1);
        _assertCarried(false);
    }

    function test_AMarkIsVoidWhenAPriceWentFar() public {
        perp.set(10e18, 0, 3_000e18, 0);
        vault.mark();
        oracle.set(eth, 3_014.8e18, 3_029.8e18, 3_044.8e18);
        _assertCarried(true);
        oracle.set(eth, 3_015.3e18, 3_030.3e18, 3_045.3e18);
        _assertCarried(false);
        oracle.set(eth, 0, 0, 0);
        _assertCarried(false);
    }

    function test_AMarkIsVoidWhenASliceIsPostedEvenInItsBlock() public {
        _option(3_000e18, 30 days, -5e18);
        vault.mark();
        _assertCarried(true);
        vols.set(0.76e18, 0.02e18);
        _assertCarried(false);
        vm.warp(block.timestamp + 1);
        vault.mark();
        _assertCarried(true);
    }

    function test_AMarkIsVoidWhenTheDollarMovesWhileOptionsAreStruckInIt() public {
        perp.set(10e18, 0, 3_000e18, 0);
        vault.mark();
        gaps.setDollar(1.0001e18);
        _assertCarried(true);
        _option(3_000e18, 30 days, -5e18);
        vault.mark();
        _assertCarried(true);
        gaps.setDollar(1.0002e18);
        _assertCarried(false);
    }

    /// @notice A settlement or a gift moves idle; an entry or exit is counted.
    function test_AMarkIsVoidWhenIdleIsNotWhatEntriesMadeIt() public {
        vault.mark();
        _deposit(bob, 1_000e6);
        _assertCarried(true);
        vm.prank(bob);
        vault.withdraw(500e6, bob, bob);
        _assertCarried(true);
        usdc.mint(address(vault), 1);
        _assertCarried(false);
    }

    function test_AnOperationStrikesAnewAndAVenueMoreOrLessVoids() public {
        vault.mark();
        _rebalance(address(venue), _trade(10_000e6, 10_000e18, _delta(3e18)));
        _assertCarried(true);
        vault.removeVenue(address(hedge));
        _assertCarried(false);
    }

    function test_NoMarkOfGreeksThatNobodyLists() public {
        venue.setBook(0, 0, _one(eth, uint64(block.timestamp + 30 days), 1e18, 1e15, 100e18, 0));
        vault.mark();
        _assertCarried(false);
    }

    function test_NoMarkNearExpiry() public {
        _option(3_000e18, uint64(AGE + 1 hours), 1e18);
        vault.mark();
        _assertCarried(true);
        _option(3_000e18, uint64(AGE + 1 hours - 1), 1e18);
        vault.mark();
        _assertCarried(false);
    }

    function test_OnlySoMuchEntersOnOneMarkAndTheRestIsPricedLive() public {
        venue.setBook(0, 0, _delta(100e18));
        vault.mark();
        // The venue lost by itself, which the carried mark does not know.
        venue.setBook(-100_000e18, 0, _delta(100e18));
        uint256 small = vault.previewDeposit(15_000e6);
        assertApproxEqRel(small, 15_000e12, 0.01e18, "carried");
        assertGt(vault.previewDeposit(25_000e6), 27_000e12, "live");
        assertEq(_deposit(bob, 15_000e6), small);
        // 2% of a low of about 985,000 is 19,700.
        assertApproxEqRel(vault.previewDeposit(4_000e6), 4_000e12, 0.01e18, "still carried");
        assertGt(vault.previewDeposit(6_000e6), 6_300e12, "no room");
    }

    function test_ALossThatNothingExplainsIsCharged() public {
        perp.set(100e18, 0, 3_000e18, 0);
        vault.mark();
        (uint256 level,) = guard.budget(address(vault));
        assertEq(level, 0);
        // A fall of the price explains a loss, whatever its size.
        vm.warp(block.timestamp + 1 hours);
        oracle.set(eth, 2_686e18, 2_700e18, 2_714e18);
        perp.set(100e18, 0, 2_700e18, 0);
        vault.mark();
        (level,) = guard.budget(address(vault));
        assertEq(level, 0);
        perp.set(100e18, -5_000e18, 2_700e18, 0);
        vault.mark();
        (level,) = guard.budget(address(vault));
        assertGt(level, 0);
    }

    /// @notice Nobody keeps a mark from being carried, and so from showing a loss, by bringing too little gas to read positions.
    function testFuzz_TooLittleGasIsNotTakenForAMarkThatCannotBeCarried(uint256 gas) public {
        vault.addVenue(address(new SlowBook(address(vault))), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        perp.set(100e18, 0, 3_000e18, 0);
        vault.mark();
        gas = bound(gas, 300_000, 8_000_000);
        try vault.mark{gas: gas}() {
            vm.warp(block.timestamp + 1);
            perp.set(100e18, -5_000e18, 3_000e18, 0);
            vault.mark();
            (uint256 level,) = guard.budget(address(vault));
            assertGt(level, 0);
        } catch (bytes memory reason) {
            if (reason.length > 0) assertEq(bytes4(reason), IValuer.GasTooLow.selector);
        }
    }

    function test_LimitsHaveCeilings() public {
        vm.expectRevert(abi.encodeWithSelector(Marks.BadLimits.selector, 1801, MOVE, 0));
        new Marks(1801, MOVE, 0);
        vm.expectRevert(abi.encodeWithSelector(Marks.BadLimits.selector, 1, 0, 0));
        new Marks(1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Marks.BadLimits.selector, 1, 0.05e18 + 1, 0));
        new Marks(1, 0.05e18 + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Marks.BadLimits.selector, 1, MOVE, 0.1e18 + 1));
        new Marks(1, MOVE, 0.1e18 + 1);
    }

    function _assertCarried(bool expected) private {
        (bool valid,) = _carried();
        assertEq(valid, expected);
    }

    /// @dev What the vault prices by, and whether that is carried, asked as the vault asks.
    function _carried() private returns (bool valid, Interval memory i) {
        (, i.low, i.mid, i.high) = vault.navView();
        IMarks.Ask memory ask = _ask();
        vm.prank(address(vault));
        (,,,, uint256 room) = marks.peek(ask);
        valid = room != type(uint256).max;
    }

    function _ask() private view returns (IMarks.Ask memory) {
        // `FeeLedger.Ledger` lies in slot 7; the flow is an int88 above 48 bits of time and rate.
        int256 flow = int88(uint88(uint256(vm.load(address(vault), bytes32(uint256(7)))) >> 48));
        return IMarks.Ask(address(oracle), address(vols), usdc.balanceOf(address(vault)) * 1e12, flow * 1e12, 0);
    }

    function _full() private view returns (Interval memory i) {
        (, i.low, i.mid, i.high) = vault.nav();
    }

    function _randomBook(uint256 seed) private {
        _seed = seed;
        uint256 count = _next(5);
        for (uint256 i; i < count; ++i) {
            _option(1_500e18 + _next(4_500e18), uint64(AGE + 1 hours + 1 + _next(1 << _next(25))), _signed(50e18));
        }
        options.setCollateral(_signed(200_000e18));
        gaps.setDollar(0.99e18 + _next(0.02e18));
        if (_next(2) == 0) perp.set(_signed(100e18), _signed(100_000e18), 2_950e18 + _next(100e18), 0);
        if (_next(2) == 0) spot.set(_next(100e18));
        _vol = 0.1e18 + _next(2e18);
        vols.set(_vol, 0.02e18);
        vm.warp(block.timestamp + 1);
        oracle.set(eth, 2_992.5e18, 3_000e18, 3_007.5e18);
        oracle.set(susd, 0.9975e18, 1e18, 1.0025e18);
    }

    function _option(uint256 strike, uint64 life, int256 size) private {
        if (size == 0) size = 1e18;
        options.add(OptionBook.Option(eth, uint64(block.timestamp) + 1 + life, strike, _next(2) == 0, size));
    }

    /// @dev Moves a price by at most `most` of it to either side, with a half-width up to a quarter of a percent.
    function _move(address token, uint256 price, int256 most) private {
        uint256 mid = price * uint256(1e18 + _signed(most)) / 1e18;
        uint256 half = mid * _next(0.0025e18) / 1e18;
        oracle.set(token, mid - half, mid, mid + half);
    }

    function _signed(int256 most) private returns (int256) {
        return int256(_next(2 * uint256(most) + 1)) - most;
    }

    function _next(uint256 range) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % range;
    }

    /// @notice What the last mark was of, carried or not, is pinned before a live valuation; nothing is where a mark is carried.
    function test_ALiveValuationPinsTheTokensOfTheLastMark() public {
        spot.set(2e18);
        vault.mark();
        // The option venue is exposed to what it is paid in even when it is empty.
        assertEq(pinned.pins().length, 1);
        assertEq(pinned.pins()[0], susd);
        _deposit(bob, 1_000e6);
        assertEq(pinned.pins().length, 1, "carried");
        vault.mark();
        assertEq(pinned.pins().length, 2);
        assertEq(pinned.pins()[1], eth);
        // Too near its expiry to be carried.
        options.add(OptionBook.Option(eth, uint64(block.timestamp + 30 minutes), 3_000e18, true, 1e18));
        vault.mark();
        pinned.pinAll(new address[](0));
        vault.mark();
        assertEq(pinned.pins().length, 2, "not carried");
    }
}
