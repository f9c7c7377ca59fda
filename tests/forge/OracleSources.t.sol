// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {ChainlinkSource} from "../../contracts/oracle/ChainlinkSource.sol";
import {IPriceSource} from "../../contracts/oracle/IPriceSource.sol";
import {UniswapV3TwapSource} from "../../contracts/oracle/UniswapV3TwapSource.sol";
import {TestDecimals, TestFeed, TestPool} from "./OracleFeeds.sol";

contract OracleChainlinkSourceTest is Test {
    address private constant TOKEN = address(1);

    TestFeed private feed;
    ChainlinkSource private source;

    function setUp() public {
        vm.warp(1_750_000_000);
        feed = new TestFeed(8, 3000e8);
        source = _source(feed, address(0));
    }

    function _source(TestFeed from, address sequencer) private returns (ChainlinkSource) {
        return new ChainlinkSource(TOKEN, address(0), address(from), 1 hours, 10e18, 100_000e18, 0.005e18, sequencer);
    }

    function test_answersTheFeedAtItsDeviation() public view {
        (uint256 price, uint256 halfWidth, uint256 updatedAt) = source.read();
        assertEq(price, 3000e18);
        assertEq(halfWidth, 15e18);
        assertEq(updatedAt, block.timestamp);
    }

    function testFuzz_anyDecimals(uint8 decimals) public {
        decimals = uint8(bound(decimals, 0, 36));
        (uint256 price,,) = _source(new TestFeed(decimals, int256(3000 * 10 ** uint256(decimals))), address(0)).read();
        assertEq(price, 3000e18);
    }

    function test_tooManyDecimals() public {
        TestFeed odd = new TestFeed(37, 1);
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.TooManyDecimals.selector, 37, 36));
        _source(odd, address(0));
    }

    function test_stale() public {
        uint256 posted = block.timestamp;
        skip(1 hours);
        source.read();
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.Stale.selector, posted, 1 hours));
        source.read();
    }

    /// @dev 0.5% x sqrt(1 + age / 1 h): roots from mpmath.
    function test_theHalfWidthGrowsWithTheRootOfAge() public {
        uint256[4] memory ages = [uint256(0), 15 minutes, 30 minutes, 1 hours];
        uint256[4] memory roots =
            [uint256(1e18), 1118033988749894848, 1224744871391589049, 1414213562373095049];
        uint256 start = block.timestamp;
        for (uint256 i = 0; i < ages.length; i++) {
            vm.warp(start + ages[i]);
            (uint256 price, uint256 halfWidth, uint256 updatedAt) = source.read();
            assertEq(price, 3000e18);
            assertApproxEqAbs(halfWidth, 15 * roots[i], 20);
            assertGe(halfWidth, 15 * (roots[i] - 1), "rounded up");
            assertEq(updatedAt, start);
        }
    }

    function testFuzz_anOlderReadingIsNeverNarrower(uint256 first, uint256 second) public {
        first = bound(first, 0, 1 hours);
        second = bound(second, first, 1 hours);
        uint256 start = block.timestamp;
        vm.warp(start + first);
        (, uint256 narrow,) = source.read();
        vm.warp(start + second);
        (, uint256 wide,) = source.read();
        assertGe(wide, narrow);
    }

    function test_boundsAreInside() public {
        feed.set(10e8, block.timestamp);
        source.read();
        feed.set(10e8 - 1, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.OutOfBounds.selector, 10e18 - 1e10, 10e18, 100_000e18));
        source.read();
        feed.set(100_001e8, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.OutOfBounds.selector, 100_001e18, 10e18, 100_000e18));
        source.read();
    }

    function test_zeroAnswer() public {
        feed.set(0, block.timestamp);
        _expectBad();
    }

    function test_negativeAnswer() public {
        feed.set(-1, block.timestamp);
        _expectBad();
        feed.set(type(int256).min, block.timestamp);
        _expectBad();
    }

    function test_absurdAnswerCannotOverflow() public {
        feed.set(type(int256).max, block.timestamp);
        _expectBad();
    }

    function test_roundNotFinished() public {
        feed.set(3000e8, 0);
        _expectBad();
    }

    function test_roundNotStarted() public {
        feed.setStartedAt(0);
        _expectBad();
    }

    function test_noRoundAtAll() public {
        feed.setRounds(0, 0);
        _expectBad();
    }

    function test_answerOfAnEarlierRound() public {
        feed.setRounds(8, 7);
        _expectBad();
    }

    function test_answerFromTheFuture() public {
        feed.set(3000e8, block.timestamp + 1);
        _expectBad();
    }

    function _expectBad() private {
        vm.expectRevert(IPriceSource.BadReading.selector);
        source.read();
    }

    function test_sequencerDown() public {
        TestFeed uptime = new TestFeed(0, 1);
        source = _source(feed, address(uptime));
        _expectSequencer(false, block.timestamp);
    }

    function test_sequencerJustBack() public {
        TestFeed uptime = new TestFeed(0, 0);
        source = _source(feed, address(uptime));
        uint256 back = block.timestamp;
        _expectSequencer(true, back);
        skip(1 hours);
        feed.set(3000e8, block.timestamp);
        _expectSequencer(true, back);
        skip(1);
        source.read();
    }

    function test_uptimeFeedWithoutARound() public {
        TestFeed uptime = new TestFeed(0, 0);
        uptime.set(0, 0);
        source = _source(feed, address(uptime));
        _expectSequencer(true, 0);
    }

    function _expectSequencer(bool up, uint256 since) private {
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.SequencerNotSettled.selector, up, since, 1 hours));
        source.read();
    }

    function test_refusesBadConfiguration() public {
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.BadMaxAge.selector, 0, 2 days));
        new ChainlinkSource(TOKEN, address(0), address(feed), 0, 1, 2, 0, address(0));
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.BadBounds.selector, 2, 2));
        new ChainlinkSource(TOKEN, address(0), address(feed), 1, 2, 2, 0, address(0));
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.BadBounds.selector, 0, 2));
        new ChainlinkSource(TOKEN, address(0), address(feed), 1, 0, 2, 0, address(0));
        uint256 over = uint256(type(uint128).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.BadBounds.selector, 1, over));
        new ChainlinkSource(TOKEN, address(0), address(feed), 1, 1, over, 0, address(0));
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.BadMaxAge.selector, 2 days + 1, 2 days));
        new ChainlinkSource(TOKEN, address(0), address(feed), 2 days + 1, 1, 2, 0, address(0));
        vm.expectRevert(abi.encodeWithSelector(ChainlinkSource.BadDeviation.selector, 0.1e18, 0.1e18));
        new ChainlinkSource(TOKEN, address(0), address(feed), 1, 1, 2, 0.1e18, address(0));
    }
}

contract OracleUniswapV3TwapSourceTest is Test {
    address private weth = address(new TestDecimals(18));
    address private usdc = address(new TestDecimals(6));
    uint128 private constant LIQUIDITY = 1e18;
    /// @dev 1.0001^-196256 x 1e12 at 1e18, from mpmath at 60 digits: USDC (6 decimals) per WETH (18).
    uint256 private constant PRICE = 3000104290406328548377;

    function setUp() public {
        vm.warp(1_750_000_000);
    }

    function _direct(uint256 floor) private returns (UniswapV3TwapSource, TestPool) {
        TestPool pool = new TestPool(weth, usdc, -196_256, LIQUIDITY);
        return (new UniswapV3TwapSource(weth, usdc, address(pool), 600, floor, 0.003e18), pool);
    }

    function test_priceInEitherDirection() public {
        (UniswapV3TwapSource source,) = _direct(1);
        (uint256 price, uint256 halfWidth, uint256 updatedAt) = source.read();
        assertApproxEqRel(price, PRICE, 10, "direct");
        assertEq(halfWidth, (price * 3 + 999) / 1000);
        assertEq(updatedAt, block.timestamp);

        TestPool turned = new TestPool(usdc, weth, 196_256, LIQUIDITY);
        (price,,) = new UniswapV3TwapSource(weth, usdc, address(turned), 600, 1, 0.003e18).read();
        assertApproxEqRel(price, PRICE, 10, "turned");
        (price,,) = new UniswapV3TwapSource(usdc, weth, address(turned), 600, 1, 0.003e18).read();
        assertApproxEqRel(price, 1e36 / PRICE, 1e4, "of USDC in WETH");
    }

    function testFuzz_everyTickIsAPriceOrATypedError(int24 tick, uint32 window) public {
        tick = int24(bound(tick, -887_272, 887_272));
        window = uint32(bound(window, 300, 1 days));
        TestPool pool = new TestPool(usdc, usdc, tick, LIQUIDITY);
        UniswapV3TwapSource source = new UniswapV3TwapSource(usdc, usdc, address(pool), window, 1, 0);
        if (tick < -414_000) {
            try source.read() {} catch (bytes memory reason) {
                assertEq(bytes4(reason), IPriceSource.BadReading.selector);
            }
        } else {
            source.read();
        }
    }

    function test_liquidityFloorIsTheHarmonicMean() public {
        (UniswapV3TwapSource source, TestPool pool) = _direct(LIQUIDITY * 99 / 100);
        source.read();
        pool.set(-196_256, LIQUIDITY / 2);
        vm.expectPartialRevert(UniswapV3TwapSource.TooLittleLiquidity.selector);
        source.read();
    }

    function test_nobodyInRangeForAMoment() public {
        (UniswapV3TwapSource source, TestPool pool) = _direct(2);
        pool.set(-196_256, 1);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.TooLittleLiquidity.selector, 1, 2));
        source.read();
    }

    function test_aPoolThatFailsOtherwise() public {
        (UniswapV3TwapSource source, TestPool pool) = _direct(1);
        vm.mockCallRevert(address(pool), abi.encodeWithSelector(TestPool.observe.selector), "");
        vm.expectRevert(IPriceSource.BadReading.selector);
        source.read();
        vm.mockCallRevert(
            address(pool), abi.encodeWithSelector(TestPool.observe.selector), abi.encodeWithSignature("Error(string)", "LOK")
        );
        vm.expectRevert(IPriceSource.BadReading.selector);
        source.read();
    }

    function test_historyTooShort() public {
        (UniswapV3TwapSource source, TestPool pool) = _direct(1);
        pool.remember(599);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.HistoryTooShort.selector, 600));
        source.read();
    }

    function test_refusesBadConfiguration() public {
        (, TestPool pool) = _direct(1);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.NotThePair.selector, address(pool), weth, weth));
        new UniswapV3TwapSource(weth, weth, address(pool), 600, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.BadWindow.selector, 299, 300, 1 days));
        new UniswapV3TwapSource(weth, usdc, address(pool), 299, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.BadWindow.selector, 1 days + 1, 300, 1 days));
        new UniswapV3TwapSource(weth, usdc, address(pool), 1 days + 1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.BadHalfWidth.selector, 0.1e18, 0.1e18));
        new UniswapV3TwapSource(weth, usdc, address(pool), 600, 1, 0.1e18);
        address odd = address(new TestDecimals(19));
        pool = new TestPool(odd, usdc, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3TwapSource.TooManyDecimals.selector, 19, 18));
        new UniswapV3TwapSource(odd, usdc, address(pool), 600, 1, 0);
    }
}
