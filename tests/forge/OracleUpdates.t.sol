// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";

import {ChainlinkSource} from "../../contracts/oracle/ChainlinkSource.sol";
import {IPriceOracle} from "../../contracts/oracle/IPriceOracle.sol";
import {IPriceSource} from "../../contracts/oracle/IPriceSource.sol";
import {OracleAdapter} from "../../contracts/oracle/OracleAdapter.sol";
import {UniswapV3TwapSource} from "../../contracts/oracle/UniswapV3TwapSource.sol";
import {TestDecimals, TestFeed, TestPool} from "./OracleFeeds.sol";

/// @notice `primary`, and fair entry: after any update of one source the low is at most the high before it.
contract OracleUpdatesTest is Test {
    uint256 private constant DEVIATION = 0.005e18;
    uint256 private constant USDC_DEVIATION = 0.0025e18;
    uint256 private constant MAX_AGE = 1 hours;

    address private weth = address(new TestDecimals(18));
    address private usdc = address(new TestDecimals(6));

    OracleAdapter private oracle;
    TestFeed private usdcFeed;
    TestFeed[] private feeds;
    address[] private sources;

    function setUp() public {
        vm.warp(1_750_000_000);
        oracle = new OracleAdapter(usdc, address(new AccessManager(address(this))));
        usdcFeed = new TestFeed(8, 1e8);
        _configure(usdc, _one(_source(usdc, usdcFeed, USDC_DEVIATION)), 0.2e18);
        for (uint256 i = 0; i < 3; i++) {
            feeds.push(new TestFeed(8, 3000e8));
            sources.push(_source(weth, feeds[i], DEVIATION));
        }
        _configure(weth, sources, 0.2e18);
    }

    function _source(address token, TestFeed feed, uint256 deviation) private returns (address) {
        return address(
            new ChainlinkSource(token, address(0), address(feed), MAX_AGE, 1e12, 1e30, deviation, address(0))
        );
    }

    function _one(address source) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = source;
    }

    function _configure(address token, address[] memory list, uint256 maxWidth) private {
        oracle.configure(token, list, 1, maxWidth);
    }

    function test_primaryIsTheFirstSourceAlone() public {
        feeds[1].set(3300e8, block.timestamp);
        feeds[2].set(2900e8, block.timestamp);
        (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) = oracle.primary(weth);
        assertEq(mid, 3000e18);
        assertEq(low, uint256(2985e18) * 10_000 / 10_025);
        assertEq(high, uint256(3015e18) * 10_000 / 9975 + 1);
        assertEq(updatedAt, block.timestamp);
    }

    function test_primaryOfTheAssetIsOne() public view {
        (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) = oracle.primary(usdc);
        assertEq(low, 1e18);
        assertEq(mid, 1e18);
        assertEq(high, 1e18);
        assertEq(updatedAt, block.timestamp);
    }

    /// @dev One source configured: both functions answer the same, whatever the ages.
    function testFuzz_primaryIsQuoteWhereThereIsOneSource(uint256 price, uint256 dollar, uint256 age, uint256 dollarAge)
        public
    {
        _configure(weth, _one(sources[0]), 0.2e18);
        skip(3650 days); // or the breaker of the asset, which `primary` does not read, stops `quote` alone
        feeds[0].set(int256(bound(price, 1, 1e20)), block.timestamp - bound(age, 0, MAX_AGE));
        usdcFeed.set(int256(bound(dollar, 0.01e8, 100e8)), block.timestamp - bound(dollarAge, 0, MAX_AGE));
        (bool quoted, bytes memory quote) = address(oracle).staticcall(abi.encodeCall(oracle.quote, weth));
        (bool read, bytes memory primary) = address(oracle).staticcall(abi.encodeCall(oracle.primary, weth));
        assertEq(quoted, read);
        if (quoted) assertEq(quote, primary);
    }

    function test_primaryOfAnAssetSourceNeedsNoDollar() public {
        TestPool pool = new TestPool(weth, usdc, -196_256, 1e18);
        address[] memory list = _one(address(new UniswapV3TwapSource(weth, usdc, address(pool), 600, 1, 0.003e18)));
        _configure(weth, list, 0.02e18);
        usdcFeed.set(0, block.timestamp);
        (, uint256 mid,,) = oracle.primary(weth);
        assertApproxEqRel(mid, 3000.1e18, 1e13);
    }

    function test_primaryIsTheSourcesOwnErrorWhereItRefuses() public {
        feeds[0].set(-1, block.timestamp);
        vm.expectRevert(IPriceSource.BadReading.selector);
        oracle.primary(weth);
        uint256 posted = block.timestamp - MAX_AGE - 1;
        feeds[0].set(3000e8, posted);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.Stale.selector, posted, MAX_AGE));
        oracle.primary(weth);
        feeds[0].set(3000e8, block.timestamp);
        usdcFeed.set(1e8, posted);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.Stale.selector, posted, MAX_AGE));
        oracle.primary(weth);
    }

    function test_primaryOfAnUnknownToken() public {
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, address(5)));
        oracle.primary(address(5));
        oracle.configure(usdc, new address[](0), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, usdc));
        oracle.primary(weth);
    }

    function test_primaryTooWide() public {
        _configure(weth, sources, 0.0149e18);
        vm.expectPartialRevert(IPriceOracle.TooWide.selector);
        oracle.primary(weth);
        _configure(weth, sources, 0.0151e18);
        oracle.primary(weth);
    }

    /// @dev A reading above 128 bits, and a quotient that is, are no price; nothing overflows.
    function test_absurdReadingsOfASourceAreNoPrice() public {
        address source = sources[0];
        bytes memory read = abi.encodeCall(IPriceSource.read, ());
        vm.mockCall(source, read, abi.encode(type(uint256).max, 0, block.timestamp));
        vm.expectRevert(IPriceSource.BadReading.selector);
        oracle.primary(weth);
        vm.mockCall(source, read, abi.encode(1, type(uint256).max, block.timestamp));
        vm.expectRevert(IPriceSource.BadReading.selector);
        oracle.primary(weth);
        oracle.quote(weth);
        vm.mockCall(source, read, abi.encode(type(uint128).max, 0, block.timestamp));
        skip(3650 days); // a breaker that a cent does not trip
        feeds[1].set(3000e8, block.timestamp);
        feeds[2].set(3000e8, block.timestamp);
        usdcFeed.set(1e6, block.timestamp);
        vm.expectRevert(IPriceSource.BadReading.selector);
        oracle.primary(weth);
        (, uint256 mid,,) = oracle.quote(weth);
        assertEq(mid, 300_000e18, "the other two");
    }

    /// @dev Whatever four sources say, the answer is ordered or a typed error: nothing panics, and a poke never reverts.
    function testFuzz_noReadingPanics(uint256[4] memory prices, uint256[4] memory widths, uint256[4] memory times, uint256 later)
        public
    {
        oracle.poke(weth);
        oracle.poke(usdc);
        skip(bound(later, 0, 3650 days));
        for (uint256 i = 0; i < 4; i++) {
            address source = i < 3 ? sources[i] : oracle.configuration(usdc).sources[0];
            // Half of them near a real price, where more is reached than by a number at random.
            uint256 price = prices[i] % 2 == 0 ? prices[i] : bound(prices[i], 1, 1e22);
            uint256 width = widths[i] % 2 == 0 ? widths[i] : bound(widths[i], 0, price / 50);
            uint256 time = times[i] % 2 == 0 ? times[i] : bound(times[i], 0, block.timestamp);
            vm.mockCall(source, abi.encodeCall(IPriceSource.read, ()), abi.encode(price, width, time));
        }
        _expectOrdered(abi.encodeCall(oracle.quote, weth));
        _expectOrdered(abi.encodeCall(oracle.primary, weth));
        _expectOrdered(abi.encodeCall(oracle.assetQuote, ()));
        for (uint256 i = 0; i < 3; i++) {
            oracle.poke(weth);
            oracle.poke(usdc);
            skip(5 minutes);
        }
        _expectOrdered(abi.encodeCall(oracle.quote, weth));
    }

    function _expectOrdered(bytes memory call) private view {
        (bool answered, bytes memory answer) = address(oracle).staticcall(call);
        if (!answered) {
            assertTrue(bytes4(answer) != bytes4(keccak256("Panic(uint256)")));
            assertGe(answer.length, 4);
            return;
        }
        (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) =
            abi.decode(answer, (uint256, uint256, uint256, uint256));
        assertLe(low, mid);
        assertLe(mid, high);
        assertGt(mid, 0);
        assertLe(updatedAt, block.timestamp);
    }

    /// @dev A single feed that posts a round at its threshold, at any age of any reading.
    function testFuzz_fairEntryOfASingleFeed(uint256 price, int256 move, uint256 age, uint256 dollarAge) public {
        _configure(weth, _one(sources[0]), 0.2e18);
        skip(3650 days); // a breaker that trips on none of these
        price = bound(price, 30e8, 300_000e8);
        feeds[0].set(int256(price), block.timestamp - bound(age, 0, MAX_AGE));
        usdcFeed.set(1e8, block.timestamp - bound(dollarAge, 0, MAX_AGE));
        _expectFair(feeds[0], _moved(price, bound(move, -int256(DEVIATION), int256(DEVIATION))));
    }

    function testFuzz_fairEntryWhenTheAssetMoves(uint256 dollar, int256 move, uint256 age, uint256 dollarAge) public {
        _configure(weth, _one(sources[0]), 0.2e18);
        skip(3650 days); // a breaker that trips on none of these
        dollar = bound(dollar, 0.01e8, 100e8);
        feeds[0].set(3000e8, block.timestamp - bound(age, 0, MAX_AGE));
        usdcFeed.set(int256(dollar), block.timestamp - bound(dollarAge, 0, MAX_AGE));
        _expectFair(usdcFeed, _moved(dollar, bound(move, -int256(USDC_DEVIATION), int256(USDC_DEVIATION))));
    }

    /// @dev Where the quorum is two, an update of any size, from any age and into none at all, is fair: another source's interval stays.
    function testFuzz_fairEntryAmongSeveral(uint256[3] memory prices, uint256[3] memory ages, uint256 which, int256 update)
        public
    {
        oracle.configure(weth, sources, 2, 0.2e18);
        for (uint256 i = 0; i < 3; i++) {
            feeds[i].set(int256(bound(prices[i], 2600e8, 3000e8)), block.timestamp - bound(ages[i], 0, MAX_AGE + 600));
        }
        _expectFair(feeds[which % 3], bound(update, -1, 9000e8));
    }

    function _expectFair(TestFeed feed, int256 update) private {
        (bool before, uint256 high,) = _interval(oracle.quote);
        if (oracle.configuration(weth).sources.length == 1) assertTrue(before);
        (bool beforeOfFirst, uint256 highOfFirst,) = _interval(oracle.primary);
        feed.set(update, block.timestamp);
        (bool then,, uint256 low) = _interval(oracle.quote);
        if (before && then) assertLe(low, high);
        (bool thenOfFirst,, uint256 lowOfFirst) = _interval(oracle.primary);
        // `primary` has no other source to keep its interval where it was: only a round at the threshold is fair.
        if (feed == feeds[0] && oracle.configuration(weth).sources.length > 1) return;
        if (beforeOfFirst && thenOfFirst) assertLe(lowOfFirst, highOfFirst);
    }

    function _interval(function(address) external view returns (uint256, uint256, uint256, uint256) read)
        private
        view
        returns (bool priced, uint256 high, uint256 low)
    {
        try read(weth) returns (uint256 l, uint256, uint256 h, uint256) {
            return (true, h, l);
        } catch {}
    }

    function _moved(uint256 price, int256 move) private pure returns (int256) {
        return int256(price) * (1e18 + move) / 1e18;
    }
}
