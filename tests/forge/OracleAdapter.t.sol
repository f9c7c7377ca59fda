// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";

import {ChainlinkSource} from "../../contracts/oracle/ChainlinkSource.sol";
import {IPriceOracle} from "../../contracts/oracle/IPriceOracle.sol";
import {IPriceSource} from "../../contracts/oracle/IPriceSource.sol";
import {OracleAdapter} from "../../contracts/oracle/OracleAdapter.sol";
import {UniswapV3TwapSource} from "../../contracts/oracle/UniswapV3TwapSource.sol";
import {TestDecimals, TestFeed, TestPool} from "./OracleFeeds.sol";

/// @notice Three dollar feeds and one pool for WETH, one dollar feed for USDC.
contract OracleAdapterTest is Test {
    address private constant DOLLAR = address(0);
    uint256 private constant DEVIATION = 0.005e18;
    uint256 private constant USDC_DEVIATION = 0.0025e18;

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
        oracle.configure(usdc, _one(_feedSource(usdc, DOLLAR, usdcFeed, USDC_DEVIATION)), 1, 0.02e18);
        for (uint256 i = 0; i < 3; i++) {
            feeds.push(new TestFeed(8, 3000e8));
            sources.push(_feedSource(weth, DOLLAR, feeds[i], DEVIATION));
        }
    }

    function _feedSource(address token, address denomination, TestFeed feed, uint256 deviation)
        private
        returns (address)
    {
        return address(
            new ChainlinkSource(token, denomination, address(feed), 1 hours, 1e12, 1e24, deviation, address(0))
        );
    }

    function _poolSource() private returns (address) {
        TestPool pool = new TestPool(weth, usdc, -196_256, 1e18);
        return address(new UniswapV3TwapSource(weth, usdc, address(pool), 600, 1, 0.003e18));
    }

    function _one(address source) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = source;
    }

    function _first(uint256 count) private view returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = sources[i];
        }
    }

    function _set(int256 first, int256 second, int256 third) private {
        feeds[0].set(first, block.timestamp);
        feeds[1].set(second, block.timestamp);
        feeds[2].set(third, block.timestamp);
    }

    function test_theAssetIsOne() public view {
        (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) = oracle.quote(usdc);
        assertEq(low, 1e18);
        assertEq(mid, 1e18);
        assertEq(high, 1e18);
        assertEq(updatedAt, block.timestamp);
    }

    function test_dollarReadingsAreDividedByTheAssetsFeedAndTakeOnItsWidth() public {
        oracle.configure(weth, _first(1), 1, 0.02e18);
        (uint256 low, uint256 mid, uint256 high,) = oracle.quote(weth);
        assertEq(mid, 3000e18);
        assertApproxEqAbs(low, uint256(2985e18) * 10_000 / 10_025, 1e3);
        assertApproxEqAbs(high, uint256(3015e18) * 10_000 / 9975, 1e3);

        usdcFeed.set(0.9e8, block.timestamp);
        (, mid,,) = oracle.quote(weth);
        assertEq(mid, uint256(3000e18) * 10 / 9, "a depeg moves the quote");
        (low, mid, high,) = oracle.assetQuote();
        assertEq(mid, 0.9e18);
        assertLt(low, mid);
        assertGt(high, mid);
    }

    function test_medianOfThreeAndTheHullOfAll() public {
        oracle.configure(weth, sources, 3, 0.2e18);
        _set(2950e8, 3100e8, 3000e8);
        (uint256 low, uint256 mid, uint256 high,) = oracle.quote(weth);
        assertEq(mid, 3000e18);
        assertApproxEqAbs(low, uint256(2950e18) * 995 * 10 / 10_025, 1e3, "the lowest's own low");
        assertApproxEqAbs(high, uint256(3100e18) * 1005 * 10 / 9975, 1e3, "the highest's own high");
    }

    function test_meanOfTheMiddleTwo() public {
        oracle.configure(weth, _first(2), 2, 0.2e18);
        _set(2950e8, 3100e8, 0);
        (, uint256 mid,,) = oracle.quote(weth);
        assertEq(mid, 3025e18);
    }

    function test_assetDenominatedReadingsAreUsedAsTheyAre() public {
        oracle.configure(weth, _one(_poolSource()), 1, 0.02e18);
        usdcFeed.set(0.5e8, block.timestamp);
        (uint256 low, uint256 mid, uint256 high,) = oracle.quote(weth);
        assertApproxEqRel(mid, 3000.1e18, 1e13);
        assertApproxEqRel(mid - low, mid * 3 / 1000, 1e6);
        assertApproxEqRel(high - mid, mid * 3 / 1000, 1e6);
    }

    function test_staleSourcesAreDropped() public {
        oracle.configure(weth, sources, 2, 0.02e18);
        feeds[1].set(9999e8, block.timestamp - 1 hours - 1);
        (, uint256 mid,,) = oracle.quote(weth);
        assertEq(mid, 3000e18);
        feeds[2].set(-1, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.TooFewSources.selector, weth, 1, 2));
        oracle.quote(weth);
    }

    /// @dev One gated source is enough: the pool's average, a quorum by itself, is not asked.
    function test_noPriceWhileTheSequencerIsDownOrJustBack() public {
        TestFeed uptime = new TestFeed(0, 0);
        address[] memory both = _first(2);
        both[0] = _poolSource();
        both[1] = address(
            new ChainlinkSource(weth, DOLLAR, address(feeds[0]), 1 hours, 1e12, 1e24, DEVIATION, address(uptime))
        );
        skip(1 hours + 1);
        _set(3000e8, 3000e8, 3000e8);
        usdcFeed.set(1e8, block.timestamp);
        oracle.configure(weth, both, 1, 0.02e18);
        oracle.quote(weth);
        oracle.poke(weth);
        uint256 level = oracle.breaker(weth).levelAt;

        uptime.set(1, block.timestamp);
        _expectOutage(false, block.timestamp);
        uptime.set(0, block.timestamp);
        uint256 back = block.timestamp;
        skip(1 hours);
        _set(3000e8, 3000e8, 3000e8);
        usdcFeed.set(1e8, block.timestamp);
        _expectOutage(true, back);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).levelAt, level);
        skip(1);
        oracle.quote(weth);
    }

    function _expectOutage(bool up, uint256 since) private {
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.SequencerNotSettled.selector, up, since, 1 hours));
        oracle.quote(weth);
    }

    /// @dev A feed that reverts with as much as it can pay for costs the oracle no more than its allowance.
    function test_aSourceThatReturnsTooMuchIsDropped() public {
        oracle.configure(weth, _first(2), 1, 0.2e18);
        vm.etch(sources[0], hex"620400005ffd"); // reverts with 256 kB
        (, uint256 mid,,) = oracle.quote{gas: 500_000}(weth);
        assertEq(mid, 3000e18);
    }

    /// @dev Whatever gas a caller sends, the answer is that of all sources, or an error; never that of the sources it could pay for.
    function testFuzz_aCallerCannotChooseTheSourcesByItsGas(uint256 gas_) public {
        oracle.configure(weth, sources, 1, 0.2e18);
        _set(2900e8, 3000e8, 3050e8);
        gas_ = bound(gas_, 5_000, 400_000);
        try oracle.quote{gas: gas_}(weth) returns (uint256, uint256 mid, uint256, uint256) {
            assertEq(mid, 3000e18);
        } catch {}
        try oracle.poke{gas: gas_}(weth) {
            assertEq(oracle.breaker(weth).level, 3000e18);
        } catch {}
    }

    function test_aSourceThatBurnsItsGasIsDropped() public {
        oracle.configure(weth, _first(2), 1, 0.2e18);
        vm.etch(sources[0], hex"5b600056"); // jumps to itself for ever
        (, uint256 mid,,) = oracle.quote{gas: 500_000}(weth);
        assertEq(mid, 3000e18);
        vm.expectPartialRevert(IPriceOracle.GasTooLow.selector);
        oracle.quote{gas: 150_000}(weth);
    }

    function test_timeIsTheOldestReadings() public {
        oracle.configure(weth, _first(2), 1, 0.02e18);
        uint256 start = block.timestamp;
        skip(10 minutes);
        feeds[0].set(3000e8, block.timestamp);
        (,,, uint256 updatedAt) = oracle.quote(weth);
        assertEq(updatedAt, start);
        feeds[1].set(3000e8, block.timestamp);
        (,,, updatedAt) = oracle.quote(weth);
        assertEq(updatedAt, start, "the asset's feed counts");
        usdcFeed.set(1e8, block.timestamp);
        (,,, updatedAt) = oracle.quote(weth);
        assertEq(updatedAt, block.timestamp);
    }

    function test_withoutTheAssetsPriceOnlyItsOwnReadingsCount() public {
        address[] memory both = _first(2);
        both[1] = _poolSource();
        oracle.configure(weth, both, 1, 0.02e18);
        usdcFeed.set(1e8, 1);
        (, uint256 mid,,) = oracle.quote(weth);
        assertApproxEqRel(mid, 3000.1e18, 1e13);

        oracle.configure(weth, both, 2, 0.02e18);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.TooFewSources.selector, usdc, 0, 1));
        oracle.quote(weth);
        oracle.configure(usdc, new address[](0), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, usdc));
        oracle.quote(weth);
    }

    function test_tooWide() public {
        oracle.configure(weth, sources, 1, 0.03e18);
        oracle.quote(weth);
        _set(2950e8, 3000e8, 3050e8);
        uint256 low = uint256(2950e18) * 995 * 10 / 10_025;
        uint256 high = uint256(3050e18) * 1005 * 10 / 9975;
        try oracle.quote(weth) {
            fail();
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IPriceOracle.TooWide.selector);
            (address token, uint256 width, uint256 maximum) = _decode(reason);
            assertEq(token, weth);
            assertApproxEqAbs(width, (high - low) / 3000, 2);
            assertEq(maximum, 0.03e18);
        }
    }

    function _decode(bytes memory reason) private pure returns (address token, uint256 width, uint256 maximum) {
        assembly {
            token := mload(add(reason, 36))
            width := mload(add(reason, 68))
            maximum := mload(add(reason, 100))
        }
    }

    function test_unknownToken() public {
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, weth));
        oracle.quote(weth);
    }

    function test_configureReplacesAndRemoves() public {
        vm.expectEmit();
        emit OracleAdapter.Configured(weth, _first(2), 2, 0.02e18);
        oracle.configure(weth, _first(2), 2, 0.02e18);
        oracle.configure(weth, _first(1), 1, 0.01e18);
        OracleAdapter.Configuration memory configured = oracle.configuration(weth);
        assertEq(configured.sources.length, 1);
        assertEq(configured.quorum, 1);
        assertEq(configured.maxWidth, 0.01e18);
        oracle.configure(weth, new address[](0), 0, 0);
        assertEq(oracle.configuration(weth).sources.length, 0);
    }

    function test_configureRefuses() public {
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.BadQuorum.selector, 0, 3));
        oracle.configure(weth, sources, 0, 0.02e18);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.BadQuorum.selector, 4, 3));
        oracle.configure(weth, sources, 4, 0.02e18);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.BadMaxWidth.selector, 0, 0.2e18));
        oracle.configure(weth, sources, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.BadMaxWidth.selector, 0.2e18 + 1, 0.2e18));
        oracle.configure(weth, sources, 1, 0.2e18 + 1);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.TooManySources.selector, 6, 5));
        oracle.configure(weth, new address[](6), 1, 0.02e18);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.WrongToken.selector, sources[0], weth, usdc));
        oracle.configure(usdc, sources, 1, 0.02e18);

        address inWeth = _feedSource(usdc, weth, feeds[0], DEVIATION);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.WrongDenomination.selector, inWeth, weth));
        oracle.configure(usdc, _one(inWeth), 1, 0.02e18);
        address inItself = _feedSource(usdc, usdc, feeds[0], DEVIATION);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.WrongDenomination.selector, inItself, usdc));
        oracle.configure(usdc, _one(inItself), 1, 0.02e18);

        sources[2] = sources[0];
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.RepeatedSource.selector, sources[0]));
        oracle.configure(weth, sources, 1, 0.02e18);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        oracle.configure(weth, sources, 1, 0.02e18);
    }

    function testFuzz_ordered(uint256 first, uint256 second, uint256 third, uint256 dollar) public {
        oracle.configure(weth, sources, 1, 0.2e18);
        skip(30 days); // an allowance for the breaker that holds all of these
        _set(
            int256(bound(first, 2800e8, 3000e8)),
            int256(bound(second, 2800e8, 3000e8)),
            int256(bound(third, 2800e8, 3000e8))
        );
        usdcFeed.set(int256(bound(dollar, 0.5e8, 2e8)), block.timestamp);
        (uint256 low, uint256 mid, uint256 high,) = oracle.quote(weth);
        assertLe(low, mid);
        assertLe(mid, high);
    }
}
