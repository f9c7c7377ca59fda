// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";

import {ChainlinkSource} from "../../contracts/oracle/ChainlinkSource.sol";
import {IPriceOracle} from "../../contracts/oracle/IPriceOracle.sol";
import {IPriceSource} from "../../contracts/oracle/IPriceSource.sol";
import {OracleAdapter} from "../../contracts/oracle/OracleAdapter.sol";
import {TestDecimals, TestFeed} from "./OracleFeeds.sol";

/// @notice WETH and WBTC with two dollar feeds each, USDC with one. A test is one transaction, so a pin lasts as long as the test, until
/// the clock moves.
contract OraclePinsTest is Test {
    address private constant DOLLAR = address(0);

    address private weth = address(new TestDecimals(18));
    address private wbtc = address(new TestDecimals(8));
    address private usdc = address(new TestDecimals(6));
    address private nobody = makeAddr("nobody");

    OracleAdapter private oracle;
    TestFeed private usdcFeed;
    TestFeed private ether1;
    TestFeed private ether2;
    TestFeed private bitcoin1;
    TestFeed private bitcoin2;

    struct Answer {
        uint256 low;
        uint256 mid;
        uint256 high;
        uint256 updatedAt;
    }

    function setUp() public {
        vm.warp(1_750_000_000);
        oracle = new OracleAdapter(usdc, address(new AccessManager(address(this))));
        (usdcFeed, ether1, ether2) = (new TestFeed(8, 1e8), new TestFeed(8, 3000e8), new TestFeed(8, 3006e8));
        (bitcoin1, bitcoin2) = (new TestFeed(8, 90_000e8), new TestFeed(8, 90_090e8));
        vm.warp(block.timestamp + 60);
        address[] memory one = new address[](1);
        one[0] = _source(usdc, usdcFeed, 0.0025e18);
        oracle.configure(usdc, one, 1, 0.02e18);
        oracle.configure(weth, _pair(weth, ether1, ether2), 1, 0.05e18);
        oracle.configure(wbtc, _pair(wbtc, bitcoin1, bitcoin2), 1, 0.05e18);
    }

    function _source(address token, TestFeed feed, uint256 deviation) private returns (address) {
        return address(new ChainlinkSource(token, DOLLAR, address(feed), 1 hours, 1e12, 1e24, deviation, address(0)));
    }

    function _pair(address token, TestFeed a, TestFeed b) private returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (_source(token, a, 0.005e18), _source(token, b, 0.005e18));
    }

    function _quote(address token) private view returns (Answer memory a) {
        (a.low, a.mid, a.high, a.updatedAt) = oracle.quote(token);
    }

    function _primary(address token) private view returns (Answer memory a) {
        (a.low, a.mid, a.high, a.updatedAt) = oracle.primary(token);
    }

    function _dollars() private view returns (Answer memory a) {
        (a.low, a.mid, a.high, a.updatedAt) = oracle.assetQuote();
    }

    function _setEther(int256 price) private {
        ether1.set(price, block.timestamp);
        ether2.set(price + price / 500, block.timestamp);
    }

    function _assertSame(Answer memory a, Answer memory b) private pure {
        assertEq(abi.encode(a), abi.encode(b));
    }

    function _assertOther(Answer memory a, Answer memory b) private pure {
        assertNotEq(a.mid, b.mid);
    }

    function testFuzz_whatIsPinnedIsWhatWasAnswered(int256 first, int256 second, int256 dollar, uint256 age) public {
        ether1.set(bound(first, 2500e8, 3500e8), block.timestamp - bound(age, 0, 3000));
        ether2.set(bound(second, 2500e8, 3500e8), block.timestamp);
        usdcFeed.set(bound(dollar, 0.8e8, 1.2e8), block.timestamp - bound(age, 0, 3000) / 2);
        bytes memory quote = _answer(abi.encodeCall(oracle.quote, (weth)));
        bytes memory primary = _answer(abi.encodeCall(oracle.primary, (weth)));
        bytes memory dollars = _answer(abi.encodeCall(oracle.assetQuote, ()));
        oracle.pin(weth);
        assertEq(_answer(abi.encodeCall(oracle.quote, (weth))), quote);
        assertEq(_answer(abi.encodeCall(oracle.primary, (weth))), primary);
        assertEq(_answer(abi.encodeCall(oracle.assetQuote, ())), dollars);
    }

    /// @dev An error is an answer too.
    function _answer(bytes memory call) private view returns (bytes memory answer) {
        (, answer) = address(oracle).staticcall(call);
    }

    function test_aNewRoundCountsInTheNextTransaction() public {
        (Answer memory quote, Answer memory primary) = (_quote(weth), _primary(weth));
        vm.prank(nobody);
        oracle.pin(weth);
        _setEther(3100e8);
        _assertSame(_quote(weth), quote);
        _assertSame(_primary(weth), primary);
        oracle.pin(weth);
        _assertSame(_quote(weth), quote);
        vm.warp(block.timestamp + 1);
        _assertOther(_quote(weth), quote);
        _assertOther(_primary(weth), primary);
    }

    function test_aPinOfOneTokenLeavesAnotherAsItIs() public {
        Answer memory ethers = _quote(weth);
        Answer memory bitcoins = _quote(wbtc);
        oracle.pin(weth);
        _setEther(3100e8);
        bitcoin1.set(93_000e8, block.timestamp);
        bitcoin2.set(93_090e8, block.timestamp);
        _assertSame(_quote(weth), ethers);
        _assertOther(_quote(wbtc), bitcoins);
    }

    function test_theAssetsDollarPriceIsOneForAllThatIsPinned() public {
        (Answer memory dollars, Answer memory bitcoins, Answer memory first) = (_dollars(), _quote(wbtc), _primary(wbtc));
        oracle.pin(weth);
        usdcFeed.set(0.9e8, block.timestamp);
        _assertSame(_dollars(), dollars);
        _assertSame(_quote(wbtc), bitcoins);
        _assertSame(_primary(wbtc), first);
        oracle.pin(wbtc);
        _assertSame(_quote(wbtc), bitcoins);
    }

    function test_theAssetIsPinnedInDollars() public {
        Answer memory dollars = _dollars();
        oracle.pin(usdc);
        usdcFeed.set(0.9e8, block.timestamp);
        _assertSame(_dollars(), dollars);
        Answer memory own = _quote(usdc);
        assertEq(own.low, 1e18);
        assertEq(own.high, 1e18);
    }

    function test_pinAllPinsWhatHasAPrice() public {
        address[] memory all = new address[](4);
        (all[0], all[1], all[2], all[3]) = (weth, makeAddr("unknown"), usdc, wbtc);
        bitcoin1.set(0, block.timestamp);
        bitcoin2.set(0, block.timestamp);
        Answer memory ethers = _quote(weth);
        oracle.pinAll(all);
        _setEther(3100e8);
        bitcoin1.set(93_000e8, block.timestamp);
        _assertSame(_quote(weth), ethers);
        // It had no price then, and has one now.
        assertEq(_quote(wbtc).mid, 93_000e18);
    }

    function test_whatHasNoPriceIsNotPinned() public {
        ether1.set(6000e8, block.timestamp);
        ether2.set(6000e8, block.timestamp);
        oracle.pin(weth);
        vm.expectPartialRevert(IPriceOracle.BreakerTripped.selector);
        oracle.quote(weth);
        vm.expectPartialRevert(IPriceOracle.BreakerTripped.selector);
        oracle.primary(weth);
        _setEther(3000e8);
        assertEq(_quote(weth).mid, 3003e18);
    }

    /// @dev A first source that refuses, or that the breaker stops alone, is no primary price, pinned or not.
    function test_aPrimaryThatRefusesIsNotPinned() public {
        ether1.set(0, block.timestamp);
        oracle.pin(weth);
        assertEq(_quote(weth).mid, 3006e18);
        vm.expectRevert(IPriceSource.BadReading.selector);
        oracle.primary(weth);
        ether1.set(3010e8, block.timestamp);
        assertEq(_quote(weth).mid, 3006e18);
        assertEq(_primary(weth).mid, 3010e18);
    }

    function test_pokeSeesTheSourcesAndLeavesThePin() public {
        Answer memory quote = _quote(weth);
        vm.warp(block.timestamp + 1 hours);
        ether1.set(3000e8, block.timestamp);
        ether2.set(3006e8, block.timestamp);
        usdcFeed.set(1e8, block.timestamp);
        quote = _quote(weth);
        oracle.pin(weth);
        ether1.set(3300e8, block.timestamp);
        ether2.set(3306e8, block.timestamp);
        usdcFeed.set(1.1e8, block.timestamp);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).level, 3303e18 * 10 / uint256(11));
        _assertSame(_quote(weth), quote);
    }

    function test_pokeCountsARoundBeyondThePin() public {
        oracle.pin(weth);
        _setEther(6000e8);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 1);
        assertEq(_quote(weth).mid, 3003e18);
    }

    function test_configureDropsPins() public {
        oracle.pin(weth);
        oracle.pin(wbtc);
        address[] memory list = new address[](1);
        list[0] = _source(weth, ether2, 0.005e18);
        oracle.configure(weth, list, 1, 0.05e18);
        bitcoin2.set(92_000e8, block.timestamp);
        assertEq(_quote(weth).mid, 3006e18);
        assertEq(_quote(wbtc).mid, 91_000e18);
    }

    function test_removingATokenDropsItsPin() public {
        oracle.pin(weth);
        oracle.configure(weth, new address[](0), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, weth));
        oracle.quote(weth);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, weth));
        oracle.primary(weth);
    }

    function test_configuringTheAssetDropsPins() public {
        oracle.pin(weth);
        oracle.configure(usdc, new address[](0), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.UnknownToken.selector, usdc));
        oracle.quote(weth);
    }

    function test_setJumpDropsPins() public {
        ether1.set(3600e8, block.timestamp);
        ether2.set(3600e8, block.timestamp);
        oracle.pin(weth);
        oracle.setJump(weth, 0.1e18);
        vm.expectPartialRevert(IPriceOracle.BreakerTripped.selector);
        oracle.quote(weth);
    }

    /// @dev A round with the first source's update between two pins: each token's low after it is at most its high before it.
    function testFuzz_entryIsFairOnEitherSideOfAnUpdate(int256 next) public {
        Answer memory before = _quote(weth);
        oracle.pin(weth);
        usdcFeed.set(bound(next, 0.9975e8, 1.0025e8), block.timestamp);
        _assertSame(_quote(weth), before);
        vm.warp(block.timestamp + 1);
        Answer memory afterwards = _quote(weth);
        assertLe(afterwards.low, before.high);
        assertLe(before.low, afterwards.high);
    }

    function test_tooLittleGasPinsNothing() public {
        ether1.set(0, block.timestamp);
        address[] memory list = new address[](1);
        list[0] = weth;
        vm.expectPartialRevert(IPriceOracle.GasTooLow.selector);
        oracle.pinAll{gas: 190_000}(list);
        ether1.set(3100e8, block.timestamp);
        ether2.set(3100e8, block.timestamp);
        assertEq(_quote(weth).mid, 3100e18);
    }

    function test_aPinnedQuoteCostsNextToNothing() public {
        oracle.pin(weth);
        oracle.quote(weth);
        assertLe(vm.lastCallGas().gasTotalUsed, 1_500);
        oracle.primary(weth);
        assertLe(vm.lastCallGas().gasTotalUsed, 1_500);
        oracle.pin(weth);
        assertLe(vm.lastCallGas().gasTotalUsed, 1_500);
    }
}
