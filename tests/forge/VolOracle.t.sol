// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {ExpiryList} from "../../contracts/oracle/ExpiryList.sol";
import {IVolSource} from "../../contracts/oracle/IVolSource.sol";
import {SliceCheck} from "../../contracts/oracle/SliceCheck.sol";
import {VolOracle} from "../../contracts/oracle/VolOracle.sol";
import {Slice} from "../../contracts/oracle/VolSlice.sol";
import {Svi} from "../../contracts/pricing/Svi.sol";
import {VolOracleCase} from "./doubles/VolOracleCase.sol";

/// @notice What a slice must be to be posted: one test a refusal.
contract VolOracleTest is VolOracleCase {
    function _expect(bytes memory error) private {
        vm.expectRevert(error);
    }

    /// @dev `vol` at every strike.
    function _flat(uint64 expiry_, uint256 vol) private view returns (Slice memory s) {
        s = _smile(expiry_, vol);
        s.a = int64(int256(vol * vol * (expiry_ - block.timestamp) / 365 days / 1e18));
        (s.b, s.rho, s.m, s.sigma) = (0, 0, 0, 0.1e18);
    }

    function _mid(uint64 expiry_, uint256 strike) private view returns (uint256 mid) {
        (, mid,,) = oracle.vol(ETH, expiry_, strike);
    }

    function test_aPostedSliceStands() public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        assertFalse(oracle.check(s));
        vm.expectEmit();
        emit VolOracle.Posted(ETH, expiry, s);
        vm.prank(address(7));
        oracle.post(s, signatures);
        (Slice memory stored, uint256 at) = oracle.slice(ETH, expiry);
        assertEq(abi.encode(stored), abi.encode(s));
        assertEq(at, block.timestamp);
        assertEq(oracle.postedAt(ETH), block.timestamp);
        assertEq(oracle.postedAt(address(9)), 0);
        (Slice memory previous, uint256 before) = oracle.previousSlice(ETH, expiry);
        assertEq(previous.expiry + before, 0);
        skip(1 hours);
        Slice memory next = _smile(expiry, 0.76e18);
        assertTrue(oracle.check(next));
        _post(next);
        (previous, before) = oracle.previousSlice(ETH, expiry);
        assertEq(abi.encode(previous), abi.encode(s));
        assertEq(before, at);
    }

    function test_negativeParametersSurviveStorage() public {
        Slice memory s = _smile(expiry, 0.75e18);
        (s.a, s.b, s.rho, s.m, s.sigma) = (-0.02e18, 0.4e18, -0.7e18, -0.05e18, 0.3e18);
        _post(s);
        (Slice memory stored,) = oracle.slice(ETH, expiry);
        assertEq(abi.encode(stored), abi.encode(s));
    }

    function test_expired() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.expiry = uint64(block.timestamp);
        _expect(abi.encodeWithSelector(VolOracle.Expired.selector, s.expiry, block.timestamp));
        oracle.check(s);
    }

    function test_tooFar() public {
        uint64 latest = uint64(block.timestamp + 3 * 365 days);
        oracle.check(_smile(latest, 0.75e18));
        Slice memory s = _smile(latest + 1, 0.75e18);
        _expect(abi.encodeWithSelector(VolOracle.TooFar.selector, latest + 1, latest));
        oracle.check(s);
    }

    function test_fromTheFuture() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.timestamp += 1;
        _expect(abi.encodeWithSelector(VolOracle.FromTheFuture.selector, s.timestamp, block.timestamp));
        oracle.check(s);
    }

    function test_signedTooLongAgo() public {
        Slice memory s = _smile(expiry, 0.75e18);
        skip(10 minutes);
        oracle.check(s);
        skip(1);
        _expect(abi.encodeWithSelector(VolOracle.SignedTooLongAgo.selector, s.timestamp, 10 minutes));
        oracle.check(s);
    }

    function test_signedLongerAgoThanExpiryIsAhead() public {
        Slice memory s = _flat(uint64(block.timestamp + 10 minutes), 0.75e18);
        skip(5 minutes);
        oracle.check(s);
        skip(1);
        _expect(abi.encodeWithSelector(VolOracle.SignedTooLongAgo.selector, s.timestamp, 5 minutes - 1));
        oracle.check(s);
    }

    function testFuzz_timestampsOnlyRise(uint256 first, uint256 second) public {
        skip(1 days);
        Slice memory s = _smile(expiry, 0.75e18);
        uint64 now_ = s.timestamp;
        s.timestamp = now_ - uint64(bound(first, 0, 10 minutes));
        _post(s);
        uint64 last = s.timestamp;
        s.timestamp = now_ - uint64(bound(second, 0, 10 minutes));
        // No time has passed, so nothing may move: the vol of the same w over another time would.
        bytes[] memory signatures = _sign(s);
        if (s.timestamp <= last) {
            _expect(abi.encodeWithSelector(VolOracle.NotNewer.selector, s.timestamp, last));
        } else {
            vm.expectPartialRevert(SliceCheck.MoveTooLarge.selector);
        }
        oracle.post(s, signatures);
    }

    function test_forwardOutOfRange() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.forward = type(uint112).max;
        oracle.check(s);
        s.forward += 1;
        _expect(abi.encodeWithSelector(VolOracle.ForwardOutOfRange.selector, s.forward, type(uint112).max));
        oracle.check(s);
        s.forward = 0;
        _expect(abi.encodeWithSelector(VolOracle.ForwardOutOfRange.selector, 0, type(uint112).max));
        oracle.check(s);
    }

    function test_sigmaTooSmall() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.sigma = 0.001e18 - 1;
        _expect(abi.encodeWithSelector(Svi.SigmaTooSmall.selector, s.sigma, 0.001e18));
        oracle.check(s);
    }

    function test_rhoOutOfRange() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.rho = -1e18;
        _expect(abi.encodeWithSelector(Svi.RhoOutOfRange.selector, s.rho));
        oracle.check(s);
    }

    function test_wingOutOfRange() public {
        Slice memory s = _smile(expiry, 0.75e18);
        (s.b, s.rho) = (1.6e18, 0.3e18);
        _expect(abi.encodeWithSelector(Svi.WingOutOfRange.selector, 2.08e18, 2e18));
        oracle.check(s);
    }

    function test_negativeVariance() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.a = -1e18;
        vm.expectPartialRevert(Svi.NegativeVariance.selector);
        oracle.check(s);
    }

    function test_volOutOfRange() public {
        uint64 sooner = uint64(block.timestamp + 7 days);
        oracle.check(_flat(sooner, 0.0101e18));
        Slice memory s = _flat(sooner, 0.0099e18);
        vm.expectPartialRevert(SliceCheck.VolOutOfRange.selector);
        oracle.check(s);
        oracle.check(_flat(sooner, 9.99e18));
        s = _flat(sooner, 10.01e18);
        vm.expectPartialRevert(SliceCheck.VolOutOfRange.selector);
        oracle.check(s);
    }

    function test_fourDeviationsOutAVolMayBeHigher() public {
        // Ten minutes to go: 0.7 is 210 deviations at the money, and the wing there is above 1,000%.
        uint64 soon = uint64(block.timestamp + 10 minutes);
        _post(_smile(soon, 0.75e18));
        assertGt(_mid(soon, 1003e18), 10e18);
    }

    function test_butterfly() public {
        // Axel Vogt's slice: g < 0 on (0.6424, 1.2569), within reach of which the fourth point about m + sigma lies.
        Slice memory s = _smile(uint64(block.timestamp + 365 days), 0.75e18);
        (s.a, s.b, s.rho, s.m, s.sigma) = (-0.041e18, 0.1331e18, 0.306e18, 0.3586e18, 0.4153e18);
        (bool taken, bytes memory error) = address(oracle).staticcall(abi.encodeCall(VolOracle.check, (s)));
        assertFalse(taken);
        assertEq(bytes4(error), SliceCheck.Butterfly.selector);
        (int256 k, int256 g) = this.numbers(error);
        assertGt(k, 0.6424e18);
        assertLt(k, 1.2569e18);
        assertLt(g, 0);
        assertGt(g, -0.2e18);
    }

    /// @dev Both numbers of an error.
    function numbers(bytes calldata error) external pure returns (int256, int256) {
        return abi.decode(error[4:], (int256, int256));
    }

    function test_calendarAgainstTheExpiryBefore() public {
        _post(_flat(expiry, 0.75e18));
        // Over twice the time, the vol may be lower by the root of two.
        uint64 later = uint64(block.timestamp + 84 days);
        oracle.check(_flat(later, 0.531e18));
        Slice memory s = _flat(later, 0.53e18);
        vm.expectPartialRevert(SliceCheck.Calendar.selector);
        oracle.check(s);
    }

    function test_calendarAgainstTheExpiryAfter() public {
        _post(_flat(expiry, 0.53e18));
        uint64 sooner = uint64(block.timestamp + 21 days);
        oracle.check(_flat(sooner, 0.749e18));
        Slice memory s = _flat(sooner, 0.75e18);
        vm.expectPartialRevert(SliceCheck.Calendar.selector);
        oracle.check(s);
    }

    function test_calendarErrorHasBothVariances() public {
        _post(_flat(expiry, 0.8e18));
        uint64 later = uint64(block.timestamp + 84 days);
        Slice memory s = _flat(later, 0.4e18);
        uint256 near = uint256(0.64e18) * 42 days / 365 days;
        uint256 far = uint256(0.16e18) * 84 days / 365 days;
        _expect(abi.encodeWithSelector(SliceCheck.Calendar.selector, 0, expiry, near, later, far));
        oracle.check(s);
    }

    function test_calendarIsOfTheTimeThatIsLeft() public {
        // 0.75 over what is left of 42 days, against 0.7 signed today: as of a fortnight ago it would be clean, and now it is not.
        oracle = new VolOracle(address(authority), HALF, RATE, 7 days, 10 minutes, 30 minutes);
        oracle.setSigners(_addresses(keys), 2);
        uint64 sooner = uint64(block.timestamp + 8 days);
        _post(_flat(sooner, 0.75e18));
        uint64 later = uint64(block.timestamp + 10 days);
        skip(7 days);
        // 1 day of 0.5625 against 3 days.
        oracle.check(_flat(later, 0.434e18));
        Slice memory s = _flat(later, 0.432e18);
        vm.expectPartialRevert(SliceCheck.Calendar.selector);
        oracle.check(s);
    }

    function test_calendarIsAtTheSameStrikeWhateverTheForwards() public {
        Slice memory s = _smile(expiry, 0.75e18);
        s.rho = -0.6e18;
        _post(s);
        // The same smile a week later against a forward of half: at the same k it would be clean, and at the same strike the put
        // wing that fits low strikes is laid on high ones.
        Slice memory later = _smile(expiry + 7 days, 0.75e18);
        later.rho = -0.6e18;
        oracle.check(later);
        later.forward /= 2;
        vm.expectPartialRevert(SliceCheck.Calendar.selector);
        oracle.check(later);
    }

    function test_staleAndExpiredNeighboursDoNotCount() public {
        uint64 sooner = uint64(block.timestamp + 12 hours);
        _post(_flat(sooner, 3e18));
        _post(_flat(expiry, 0.75e18));
        skip(12 hours);
        // `sooner` has expired.
        uint64 between = uint64(block.timestamp + 1 days);
        oracle.check(_flat(between, 0.4e18));
        // One second and a day after its post, `expiry` is stale.
        skip(12 hours);
        vm.expectPartialRevert(SliceCheck.Calendar.selector);
        oracle.check(_flat(between, 9e18));
        skip(1);
        oracle.check(_flat(between, 9e18));
    }

    function test_aStaleNeighbourIsPassedOver() public {
        _post(_flat(expiry, 0.75e18));
        skip(23 hours);
        _post(_flat(expiry - 7 days, 0.75e18));
        skip(2 hours);
        // The stale one stands between.
        Slice memory s = _flat(expiry + 1 days, 0.6e18);
        vm.expectPartialRevert(SliceCheck.Calendar.selector);
        oracle.check(s);
    }

    function test_aMoveOfTheHalfWidthAndNoMore() public {
        _post(_flat(expiry, 0.75e18));
        skip(1 hours);
        oracle.check(_flat(expiry, 0.7699e18));
        oracle.check(_flat(expiry, 0.7301e18));
        vm.expectPartialRevert(SliceCheck.MoveTooLarge.selector);
        oracle.check(_flat(expiry, 0.7701e18));
        vm.expectPartialRevert(SliceCheck.MoveTooLarge.selector);
        oracle.check(_flat(expiry, 0.7299e18));
    }

    function test_aMoveOfTheRateAndNoMore() public {
        _post(_flat(expiry, 0.75e18));
        // 8 points an hour.
        skip(3 minutes);
        oracle.check(_flat(expiry, 0.7539e18));
        Slice memory s = _flat(expiry, 0.7541e18);
        (bool taken, bytes memory error) = address(oracle).staticcall(abi.encodeCall(VolOracle.check, (s)));
        assertFalse(taken);
        (int256 k, uint256 previous, uint256 posted, uint256 maximum) = this.moved(error);
        assertEq(k, 0);
        assertApproxEqAbs(previous, 0.75e18, 1e3);
        assertApproxEqAbs(posted, 0.7541e18, 1e3);
        assertEq(maximum, 0.004e18);
    }

    /// @dev The numbers of `MoveTooLarge`.
    function moved(bytes calldata error) external pure returns (int256, uint256, uint256, uint256) {
        assert(bytes4(error) == SliceCheck.MoveTooLarge.selector);
        return abi.decode(error[4:], (int256, uint256, uint256, uint256));
    }

    function test_aMoveOfTheSmileAlone() public {
        _post(_smile(expiry, 0.75e18));
        skip(1 hours);
        Slice memory s = _smile(expiry, 0.75e18);
        s.rho = -0.5e18;
        vm.expectPartialRevert(SliceCheck.MoveTooLarge.selector);
        oracle.check(s);
    }

    function test_fourDeviationsOutAMoveIsFree() public {
        // A day to go: the reach is 0.7, 18 deviations at the money. Where both put the strike beyond four, they may differ.
        uint64 sooner = uint64(block.timestamp + 1 days);
        Slice memory s = _smile(sooner, 0.75e18);
        _post(s);
        // k = -0.69.
        uint256 before = _mid(sooner, 1003e18);
        skip(15 minutes);
        s = _smile(sooner, 0.75e18);
        s.b = uint64(uint256(s.b) * 1014 / 1000);
        _post(s);
        assertGt(_mid(sooner, 1003e18), before + HALF);
    }

    /// forge-config: default.fuzz.runs = 64
    /// @dev Whatever is signed, a strike's vol has moved by at most the rate times the time.
    function testFuzz_manyPostsMoveByAtMostTheRate(uint256 seed) public {
        _post(_flat(expiry, 0.75e18));
        (uint256 vol, uint256 start) = (0.75e18, block.timestamp);
        for (uint256 i; i < 20; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(1 + seed % 30 minutes);
            // Always upwards, and half of the time by more than is allowed.
            uint256 next = vol + (seed >> 128) % 0.03e18;
            Slice memory s = _flat(expiry, next);
            bytes[] memory signatures = _sign(s);
            try oracle.post(s, signatures) {
                vol = next;
            } catch {}
        }
        uint256 mid = _mid(expiry, 2000e18);
        assertApproxEqAbs(mid, vol, 1e3);
        assertLe(mid, 0.75e18 + RATE * (block.timestamp - start) / 1 hours + 1e3);
    }

    /// @dev What the header says of walking: the old slice restated for a new forward and time is a post that moves nothing.
    function testFuzz_theOldSliceRestatedMovesNothing(uint256 forward, uint256 wait, uint256 strike) public {
        Slice memory s = _smile(expiry, 0.75e18);
        _post(s);
        strike = bound(strike, 1500e18, 2600e18);
        uint256 before = _mid(expiry, strike);
        wait = bound(wait, 1, 1 days);
        forward = bound(forward, 1900e18, 2100e18);
        (uint256 left, uint256 whole) = (expiry - block.timestamp - wait, expiry - block.timestamp);
        skip(wait);
        s.timestamp = uint64(block.timestamp);
        s.a = int64(int256(s.a) * int256(left) / int256(whole));
        s.b = uint64(s.b * left / whole);
        s.m -= int64(_ln(forward * 1e18 / s.forward));
        s.forward = uint128(forward);
        _post(s);
        assertApproxEqAbs(_mid(expiry, strike), before, 1e3);
    }

    function test_tooManyExpiries() public {
        for (uint64 i = 0; i < 11; ++i) {
            _post(_smile(expiry + i * 1 days, 0.75e18));
        }
        Slice memory s = _smile(expiry - 1 days, 0.75e18);
        bytes[] memory signatures = _sign(s);
        _expect(abi.encodeWithSelector(ExpiryList.TooManyExpiries.selector, 11));
        oracle.post(s, signatures);
        // Once the first has expired it makes room.
        vm.warp(expiry);
        _post(_smile(expiry + 12 days, 0.75e18));
        assertEq(oracle.expiries(ETH).length, 11);
        assertEq(oracle.expiries(ETH)[0], expiry + 1 days);
        assertEq(oracle.expiries(ETH)[10], expiry + 12 days);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_expiriesStaySortedWhateverTheOrder(uint256 seed) public {
        uint256[] memory days_ = new uint256[](11);
        for (uint256 i; i < 11; ++i) {
            days_[i] = i;
        }
        days_ = vm.shuffle(days_);
        for (uint256 i; i < 11; ++i) {
            _post(_smile(expiry + uint64(days_[i] * 1 days), 0.75e18));
        }
        uint64[] memory list = oracle.expiries(ETH);
        assertEq(list.length, 11);
        for (uint256 i; i < 11; ++i) {
            assertEq(list[i], expiry + i * 1 days);
        }
        uint64 gone = expiry + uint64(seed % 11 * 1 days);
        oracle.drop(ETH, gone);
        list = oracle.expiries(ETH);
        assertEq(list.length, 10);
        for (uint256 i; i < 10; ++i) {
            assertNotEq(list[i], gone);
        }
    }

    function test_afterADropTheNextPostIsAFirstOne() public {
        _post(_flat(expiry, 0.75e18));
        skip(1 hours);
        vm.expectEmit();
        emit VolOracle.Dropped(ETH, expiry);
        oracle.drop(ETH, expiry);
        assertEq(oracle.postedAt(ETH), block.timestamp);
        _expect(abi.encodeWithSelector(IVolSource.UnknownSlice.selector, ETH, expiry));
        oracle.vol(ETH, expiry, 2000e18);
        _post(_flat(expiry, 1.5e18));
        (uint256 low,, uint256 high,) = oracle.vol(ETH, expiry, 2000e18);
        assertApproxEqAbs(low, 1.48e18, 1e3, "nothing of what was before");
        assertApproxEqAbs(high, 1.52e18, 1e3);
    }

    function test_onlyTheGovernorDrops() public {
        _post(_flat(expiry, 0.75e18));
        _expect(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        oracle.drop(ETH, expiry);
        _expect(abi.encodeWithSelector(IVolSource.UnknownSlice.selector, ETH, expiry + 1));
        oracle.drop(ETH, expiry + 1);
    }

    function test_refusesBadConfiguration() public {
        address a = address(authority);
        _expect(abi.encodeWithSelector(VolOracle.BadHalfWidth.selector, 0.02e18 - 1, 0.02e18, 0.5e18));
        new VolOracle(a, 0.02e18 - 1, RATE, 1 days, 10 minutes, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadHalfWidth.selector, 0.5e18 + 1, 0.02e18, 0.5e18));
        new VolOracle(a, 0.5e18 + 1, RATE, 1 days, 10 minutes, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadMaxMovePerHour.selector, 0, 1e18));
        new VolOracle(a, HALF, 0, 1 days, 10 minutes, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadMaxMovePerHour.selector, 1e18 + 1, 1e18));
        new VolOracle(a, HALF, 1e18 + 1, 1 days, 10 minutes, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadTimes.selector, 7 days + 1, 10 minutes, 30 minutes));
        new VolOracle(a, HALF, RATE, 7 days + 1, 10 minutes, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadTimes.selector, 1 days, 0, 30 minutes));
        new VolOracle(a, HALF, RATE, 1 days, 0, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadTimes.selector, 1 days, 1 days + 1, 30 minutes));
        new VolOracle(a, HALF, RATE, 1 days, 1 days + 1, 30 minutes);
        _expect(abi.encodeWithSelector(VolOracle.BadTimes.selector, 1 days, 10 minutes, 0));
        new VolOracle(a, HALF, RATE, 1 days, 10 minutes, 0);
        _expect(abi.encodeWithSelector(VolOracle.BadTimes.selector, 1 days, 10 minutes, 1 days + 1));
        new VolOracle(a, HALF, RATE, 1 days, 10 minutes, 1 days + 1);
    }
}
