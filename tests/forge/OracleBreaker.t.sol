// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";

import {ChainlinkSource} from "../../contracts/oracle/ChainlinkSource.sol";
import {IPriceOracle} from "../../contracts/oracle/IPriceOracle.sol";
import {OracleAdapter} from "../../contracts/oracle/OracleAdapter.sol";
import {TestDecimals, TestFeed} from "./OracleFeeds.sol";

/// @notice The circuit breaker on one dollar feed for WETH and one for USDC, the asset.
contract OracleBreakerTest is Test {
    uint256 private constant HOUR = 1 hours;

    address private weth = address(new TestDecimals(18));
    address private usdc = address(new TestDecimals(6));

    OracleAdapter private oracle;
    TestFeed private feed;
    TestFeed private usdcFeed;

    function setUp() public {
        vm.warp(1_750_000_000);
        oracle = new OracleAdapter(usdc, address(new AccessManager(address(this))));
        feed = new TestFeed(8, 3000e8);
        usdcFeed = new TestFeed(8, 1e8);
        _configure(weth, feed);
        _configure(usdc, usdcFeed);
        oracle.poke(weth);
    }

    function _configure(address token, TestFeed from) private {
        address[] memory sources = new address[](1);
        sources[0] = address(new ChainlinkSource(token, address(0), address(from), 2 days, 1, 1e30, 0, address(0)));
        oracle.configure(token, sources, 1, 0.02e18);
    }

    function _post(int256 answer) private {
        feed.set(answer, block.timestamp);
        usdcFeed.set(1e8, block.timestamp);
    }

    function _expectTripped(uint256 mid, uint256 level, uint256 allowance) private {
        bytes memory error = abi.encodeWithSelector(IPriceOracle.BreakerTripped.selector, weth, mid, level, allowance);
        vm.expectRevert(error);
        oracle.quote(weth);
        vm.expectRevert(error);
        oracle.primary(weth);
    }

    function _level() private view returns (uint256) {
        return oracle.breaker(weth).level;
    }

    function test_theFirstPriceSetsTheLevel() public view {
        OracleAdapter.Breaker memory breaker = oracle.breaker(weth);
        assertEq(breaker.level, 3000e18);
        assertEq(breaker.levelAt, block.timestamp);
        assertEq(breaker.jump, 0.4e18);
        assertEq(breaker.rounds, 0);
        assertEq(oracle.breaker(usdc).level, 1e18);
    }

    function test_configuringSetsTheLevelWhereThereIsAPrice() public {
        TestFeed fresh = new TestFeed(8, 5e8);
        weth = address(new TestDecimals(18));
        vm.expectEmit();
        emit OracleAdapter.LevelAccepted(weth, 5e18, false);
        _configure(weth, fresh);
        fresh.set(5000e8, block.timestamp);
        _expectTripped(5000e18, 5e18, 0.4e18);
    }

    function test_elseTheFirstPokeSetsItAndNothingTripsBefore() public {
        TestFeed fresh = new TestFeed(8, -1);
        address token = address(new TestDecimals(18));
        _configure(token, fresh);
        fresh.set(5e8, block.timestamp);
        oracle.quote(token);
        fresh.set(5000e8, block.timestamp);
        oracle.primary(token);
        assertEq(oracle.breaker(token).level, 0);
        oracle.poke(token);
        assertEq(oracle.breaker(token).level, 5000e18);
    }

    function test_aTenfoldAndAHalvedPriceTripInOneRound() public {
        _post(30_000e8);
        _expectTripped(30_000e18, 3000e18, 0.4e18);
        _post(1500e8);
        _expectTripped(1500e18, 3000e18, 0.4e18);
        skip(6 hours);
        _post(1500e8);
        _expectTripped(1500e18, 3000e18, 979795896800000000); // 0.4 x sqrt 6, the root rounded down at 1e9
        skip(16 minutes);
        _post(1500e8);
        oracle.quote(weth);
    }

    /// @dev The bounds are level x 1.4 and level / 1.4, both inside.
    function test_theAllowanceIsARatioBothWays() public {
        _post(4200e8);
        oracle.quote(weth);
        _post(4200e8 + 1);
        _expectTripped(4200e18 + 1e10, 3000e18, 0.4e18);
        _post(214285714286); // 3000 / 1.4, rounded up
        oracle.primary(weth);
        _post(214285714285);
        _expectTripped(2142.85714285e18, 3000e18, 0.4e18);
    }

    function testFuzz_theAllowanceGrowsWithTheRootOfTime(uint256 elapsed, uint256 jump) public {
        elapsed = bound(elapsed, 0, 365 days);
        jump = bound(jump, 0.01e18, 1e18);
        oracle.setJump(weth, jump);
        skip(elapsed);
        // jump^2 x hours, as the square of the allowance.
        uint256 squared = jump * jump * (elapsed < HOUR ? HOUR : elapsed) / HOUR;
        uint256 allowance = _root(squared);
        _post(int256(3000e8 * (1e18 + allowance * 999 / 1000) / 1e18));
        oracle.quote(weth);
        _post(int256(3000e8 * (1e18 + allowance * 1001 / 1000) / 1e18));
        vm.expectPartialRevert(IPriceOracle.BreakerTripped.selector);
        oracle.quote(weth);
        _post(int256(3000e8 * 1e18 / (1e18 + allowance * 999 / 1000)));
        oracle.quote(weth);
        _post(int256(3000e8 * 1e18 / (1e18 + allowance * 1001 / 1000)));
        vm.expectPartialRevert(IPriceOracle.BreakerTripped.selector);
        oracle.quote(weth);
    }

    /// @dev Bisection: independent of the contract's square root.
    function _root(uint256 squared) private pure returns (uint256 low) {
        uint256 high = 1e21;
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            (low, high) = middle * middle <= squared ? (middle, high) : (low, middle);
        }
    }

    /// @dev ETH/USDT, hourly closes of 2020-03-12 09:00 to 2020-03-13 02:00 (Binance), the worst day in six years; poked each hour.
    function test_theCrashOfMarch2020DoesNotTripIt() public {
        _crash(_march2020(), true);
    }

    function test_theCrashOfMarch2020DoesNotTripItUnpokedEither() public {
        _crash(_march2020(), false);
    }

    function _crash(int256[] memory closes, bool poked) private {
        feed = new TestFeed(8, closes[0]);
        _configureAgain();
        for (uint256 i = 0; i < closes.length; i++) {
            _post(closes[i]);
            (, uint256 mid,,) = oracle.quote(weth);
            assertEq(mid, uint256(closes[i]) * 1e10);
            if (poked) {
                oracle.poke(weth);
                assertEq(_level(), mid);
            }
            skip(HOUR);
        }
    }

    /// @dev A new token, so that the crash starts from its own first price.
    function _configureAgain() private {
        weth = address(new TestDecimals(18));
        _configure(weth, feed);
        oracle.poke(weth);
    }

    function _march2020() private pure returns (int256[] memory closes) {
        uint16[18] memory cents = [uint16(16797), 13291, 13659, 13699, 13503, 13966, 14110, 13935, 14196, 13723, 13837, 12884, 13099, 12726, 10782, 10689, 9662, 11112];
        closes = new int256[](cents.length);
        for (uint256 i = 0; i < cents.length; i++) {
            closes[i] = int256(uint256(cents[i])) * 1e6;
        }
    }

    function test_fourteenPercentInAnHourDoesNotTripIt() public {
        for (uint256 i = 0; i < 5; i++) {
            skip(HOUR);
            _post(int256(_level() * 86 / 100 / 1e10));
            oracle.quote(weth);
            oracle.poke(weth);
        }
        assertApproxEqRel(_level(), uint256(3000e18) * 86 ** 5 / 100 ** 5, 1e10);
    }

    /// @dev Poking cannot walk the level: one acceptance an hour, however often it is poked.
    function test_theLevelMovesOnceInAnInterval() public {
        uint256 start = block.timestamp;
        int256 answer = 3000e8;
        for (uint256 i = 0; i < 11; i++) {
            vm.warp(start + i * 5 minutes);
            answer = answer * 103 / 100;
            _post(answer);
            oracle.poke(weth);
            assertEq(_level(), 3000e18, "not yet");
        }
        vm.warp(start + HOUR);
        _post(answer);
        vm.expectEmit();
        emit OracleAdapter.LevelAccepted(weth, uint256(answer) * 1e10, false);
        oracle.poke(weth);
        assertEq(_level(), uint256(answer) * 1e10);
    }

    function test_threeRoundsThatAgreeRearmIt() public {
        _post(1000e8);
        vm.expectEmit();
        emit OracleAdapter.RoundCounted(weth, 1000e18, 1);
        oracle.poke(weth);
        skip(5 minutes);
        _post(1050e8);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 2);
        _expectTripped(1050e18, 3000e18, 0.4e18);
        skip(5 minutes);
        _post(980e8);
        vm.expectEmit();
        emit OracleAdapter.LevelAccepted(weth, 980e18, true);
        vm.prank(address(99));
        oracle.poke(weth);
        (, uint256 mid,,) = oracle.quote(weth);
        assertEq(mid, 980e18);
        assertEq(oracle.breaker(weth).rounds, 0);
        assertEq(oracle.breaker(weth).candidate, 0);
    }

    function test_theSameReadingCountsOnce() public {
        _post(1000e8);
        oracle.poke(weth);
        for (uint256 i = 0; i < 10; i++) {
            skip(10 minutes);
            oracle.poke(weth);
        }
        assertEq(oracle.breaker(weth).rounds, 1);
    }

    function test_roundsTooCloseTogetherCountOnce() public {
        _post(1000e8);
        oracle.poke(weth);
        skip(299);
        _post(1000e8);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 1);
        skip(1);
        _post(1000e8);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 2);
    }

    function test_aRoundOutsideTheBandStartsOver() public {
        _post(1000e8);
        oracle.poke(weth);
        skip(5 minutes);
        _post(1000e8);
        oracle.poke(weth);
        skip(5 minutes);
        _post(949e8); // more than 5% from the first
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 1);
        assertEq(oracle.breaker(weth).candidate, 949e18);
        assertEq(_level(), 3000e18);
    }

    function test_aRoundTwoDaysLaterStartsOver() public {
        _post(300e8);
        oracle.poke(weth);
        skip(2 days + 1);
        _post(300e8);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 1);
    }

    function test_aPriceBackInsideTheAllowanceForgetsTheRounds() public {
        _post(300e8);
        oracle.poke(weth);
        skip(5 minutes);
        _post(300e8);
        oracle.poke(weth);
        skip(5 minutes);
        _post(3010e8);
        oracle.poke(weth);
        assertEq(oracle.breaker(weth).rounds, 0);
        assertEq(_level(), 3000e18, "inside the interval the level stays");
    }

    /// @dev An asset that trips takes its dollar readings with it, and no round of the token counts until it is back.
    function test_anAssetThatTripsStopsItsTokens() public {
        feed.set(3000e8, block.timestamp);
        usdcFeed.set(0.5e8, block.timestamp);
        bytes memory error =
            abi.encodeWithSelector(IPriceOracle.BreakerTripped.selector, usdc, 0.5e18, 1e18, uint256(0.4e18));
        vm.expectRevert(error);
        oracle.quote(weth);
        vm.expectRevert(error);
        oracle.assetQuote();
        vm.expectRevert(
            abi.encodeWithSelector(IPriceOracle.BreakerTripped.selector, weth, 6000e18, 3000e18, uint256(0.4e18))
        );
        oracle.primary(weth);
        for (uint256 i = 0; i < 3; i++) {
            feed.set(3000e8, block.timestamp);
            usdcFeed.set(0.5e8, block.timestamp);
            oracle.poke(weth);
            assertEq(oracle.breaker(weth).rounds, 0);
            oracle.poke(usdc);
            skip(5 minutes);
        }
        assertEq(oracle.breaker(usdc).level, 0.5e18);
        for (uint256 i = 0; i < 3; i++) {
            feed.set(3000e8, block.timestamp);
            oracle.poke(weth);
            skip(5 minutes);
        }
        (, uint256 mid,,) = oracle.quote(weth);
        assertEq(mid, 6000e18);
    }

    function test_pokeIsQuietWhenThereIsNothingToDo() public {
        oracle.poke(address(77)); // unknown
        uint256 level = _level();
        feed.set(-1, block.timestamp);
        oracle.poke(weth);
        feed.set(3000e8, 1);
        oracle.poke(weth);
        _post(3000e8);
        usdcFeed.set(0, block.timestamp);
        oracle.poke(weth);
        oracle.poke(usdc);
        oracle.configure(usdc, new address[](0), 0, 0);
        oracle.poke(weth);
        assertEq(_level(), level);
    }

    /// @dev Down for a week: nothing is priced meanwhile, and a price within the week's allowance is taken at once when it is back.
    function test_downForAWeek() public {
        skip(7 days);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.TooFewSources.selector, weth, 0, 1));
        oracle.quote(weth);
        vm.expectPartialRevert(bytes4(keccak256("Stale(uint256,uint256)")));
        oracle.primary(weth);
        oracle.poke(weth);
        _post(1200e8);
        (, uint256 mid,,) = oracle.quote(weth);
        assertEq(mid, 1200e18);
        oracle.poke(weth);
        assertEq(_level(), 1200e18);
    }

    /// @dev No key sets the level: not even removing the token and adding it again does.
    function test_theGovernorCannotTouchTheLevel() public {
        oracle.configure(weth, new address[](0), 0, 0);
        TestFeed other = new TestFeed(8, 30e8);
        _configure(weth, other);
        oracle.setJump(weth, 1e18);
        assertEq(_level(), 3000e18);
        _expectTripped(30e18, 3000e18, 1e18);
        oracle.poke(weth);
        assertEq(_level(), 3000e18);
    }

    function test_setJump() public {
        vm.expectEmit();
        emit OracleAdapter.JumpSet(weth, 0.05e18);
        oracle.setJump(weth, 0.05e18);
        assertEq(oracle.breaker(weth).jump, 0.05e18);
        _post(3200e8);
        _expectTripped(3200e18, 3000e18, 0.05e18);

        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.BadJump.selector, 0, 1e18));
        oracle.setJump(weth, 0);
        vm.expectRevert(abi.encodeWithSelector(OracleAdapter.BadJump.selector, 1e18 + 1, 1e18));
        oracle.setJump(weth, 1e18 + 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        oracle.setJump(weth, 0.1e18);
    }

    /// @dev Any walk of prices, rounds and pokes: the level moves at most once an hour and inside the allowance it had, or after three
    ///      rounds that agreed over at least ten minutes; and a price outside the allowance is never answered.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_theLevelMovesByTheRules(uint256 seed) public {
        uint256 price = 3000e8;
        uint256 firstRoundAt;
        for (uint256 i = 0; i < 48; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(seed % 3 == 0 ? (seed >> 8) % 3 hours : (seed >> 8) % 10 minutes);
            if ((seed >> 32) % 8 == 0) price = price * (1 + (seed >> 40) % 12) / 4;
            else price = price * (98 + (seed >> 40) % 5) / 100;
            if (price == 0) price = 1e8;
            if ((seed >> 64) % 4 != 0) _post(int256(price));
            OracleAdapter.Breaker memory before = oracle.breaker(weth);
            bool priced = _answers();
            oracle.poke(weth);
            OracleAdapter.Breaker memory afterwards = oracle.breaker(weth);
            if (afterwards.rounds == 1 && before.rounds != 1) firstRoundAt = block.timestamp;
            if (afterwards.rounds == 1 && afterwards.candidate != before.candidate) firstRoundAt = block.timestamp;
            if (afterwards.levelAt == before.levelAt && afterwards.level == before.level) continue;
            assertEq(afterwards.rounds, 0);
            assertEq(afterwards.levelAt, block.timestamp);
            if (priced) {
                assertGe(block.timestamp - before.levelAt, HOUR);
            } else {
                assertEq(before.rounds, 2);
                assertGe(block.timestamp - firstRoundAt, 600);
                assertLe(_ratio(afterwards.level, before.candidate), 1.05e18);
            }
        }
    }

    /// @dev Whether the oracle answers; checked against the rule.
    function _answers() private view returns (bool priced) {
        OracleAdapter.Breaker memory b = oracle.breaker(weth);
        uint256 elapsed = block.timestamp - b.levelAt;
        uint256 allowance = _root(b.jump * b.jump * (elapsed < HOUR ? HOUR : elapsed) / HOUR);
        try oracle.quote(weth) returns (uint256, uint256 mid, uint256, uint256) {
            priced = true;
            assertLe(_ratio(mid, b.level), 1e18 + allowance + 1e9);
            (, uint256 first,,) = oracle.primary(weth);
            assertEq(first, mid);
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IPriceOracle.BreakerTripped.selector);
            (, int256 answer,,,) = feed.latestRoundData();
            assertGe(_ratio(uint256(answer) * 1e10, b.level), 1e18 + allowance - 1e10);
        }
    }

    function _ratio(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a * 1e18 / b : b * 1e18 / a;
    }
}
