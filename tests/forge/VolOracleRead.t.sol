// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IVenueVol} from "../../contracts/oracle/IVenueVol.sol";
import {IVolSource} from "../../contracts/oracle/IVolSource.sol";
import {VolOracle} from "../../contracts/oracle/VolOracle.sol";
import {Slice} from "../../contracts/oracle/VolSlice.sol";
import {VolOracleCase} from "./doubles/VolOracleCase.sol";

/// @notice A venue that shows what it is told, or fails in the way it is told.
contract ToldVenue is IVenueVol {
    enum Manner {
        Answers,
        Reverts,
        BurnsItsGas,
        AnswersNothing,
        AnswersAtLength
    }

    uint256 public shown;
    Manner public manner;

    function tell(uint256 shown_, Manner manner_) external {
        (shown, manner) = (shown_, manner_);
    }

    function iv(address, uint64, uint256) external view returns (uint256) {
        if (manner == Manner.Reverts) revert("no");
        if (manner == Manner.BurnsItsGas) {
            while (true) {}
        }
        if (manner == Manner.AnswersNothing) {
            assembly {
                return(0, 31)
            }
        }
        if (manner == Manner.AnswersAtLength) {
            uint256 answer = shown;
            assembly {
                mstore(0, answer)
                return(0, 20000)
            }
        }
        return shown;
    }
}

/// @notice What the oracle answers: interval, hull, reach, and that nobody gains by entering before a post and leaving after it.
contract VolOracleReadTest is VolOracleCase {
    struct Interval {
        uint256 low;
        uint256 mid;
        uint256 high;
        uint256 updatedAt;
    }

    function _read(uint256 strike) private view returns (Interval memory i) {
        (i.low, i.mid, i.high, i.updatedAt) = oracle.vol(ETH, expiry, strike);
    }

    function test_theIntervalIsTheHalfWidthAboutTheSlicesVol() public {
        _post(_smile(expiry, 0.75e18));
        Interval memory i = _read(2000e18);
        assertApproxEqAbs(i.mid, 0.75e18, 1e9);
        assertEq(i.low, i.mid - HALF);
        assertEq(i.high, i.mid + HALF);
        assertEq(i.updatedAt, block.timestamp);
        assertGt(_read(1600e18).mid, 0.8e18, "the put wing");
    }

    function test_aStrikeKeepsItsVolUntilTheNextPost() public {
        _post(_smile(expiry, 0.75e18));
        Interval memory before = _read(1800e18);
        skip(12 hours);
        Interval memory later = _read(1800e18);
        assertEq(later.mid, before.mid);
        assertEq(later.updatedAt, before.updatedAt);
    }

    function test_lowIsFloored() public {
        Slice memory s = _smile(expiry, 0.015e18);
        _post(s);
        Interval memory i = _read(2000e18);
        assertEq(i.low, 0.01e18);
        assertGe(i.mid, i.low);
    }

    function test_unknownSlice() public {
        _post(_smile(expiry, 0.75e18));
        vm.expectRevert(abi.encodeWithSelector(IVolSource.UnknownSlice.selector, ETH, expiry + 1));
        oracle.vol(ETH, expiry + 1, 2000e18);
    }

    function test_staleVol() public {
        _post(_smile(expiry, 0.75e18));
        uint256 posted = block.timestamp;
        skip(1 days);
        oracle.vol(ETH, expiry, 2000e18);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IVolSource.StaleVol.selector, posted, 1 days));
        oracle.vol(ETH, expiry, 2000e18);
    }

    function test_strikeOutside() public {
        _post(_smile(expiry, 0.75e18));
        // Five deviations of 0.75 over 42 days.
        uint256 reach = 5 * FixedPointMathLib.sqrt(uint256(0.5625e36) * 42 / 365);
        uint256 highest = uint256(FixedPointMathLib.expWad(int256(reach))) * 2000;
        uint256 lowest = uint256(FixedPointMathLib.expWad(-int256(reach))) * 2000;
        oracle.vol(ETH, expiry, highest * 999_999 / 1e6);
        oracle.vol(ETH, expiry, lowest * 1_000_001 / 1e6);
        vm.expectPartialRevert(VolOracle.StrikeOutside.selector);
        oracle.vol(ETH, expiry, highest * 1_000_001 / 1e6);
        vm.expectPartialRevert(VolOracle.StrikeOutside.selector);
        oracle.vol(ETH, expiry, lowest * 999_999 / 1e6);
    }

    function testFuzz_noStrikeBreaksIt(uint256 strike) public {
        _post(_smile(expiry, 0.75e18));
        try oracle.vol(ETH, expiry, strike) returns (uint256 low, uint256 mid, uint256 high, uint256) {
            assertLe(low, mid);
            assertLe(mid, high);
            assertGt(strike, 500e18);
            assertLt(strike, 8000e18);
        } catch (bytes memory error) {
            assertEq(bytes4(error), VolOracle.StrikeOutside.selector);
        }
    }

    function test_fromHalfToDoubleIsAlwaysWithinReach() public {
        expiry = uint64(block.timestamp + 1 hours);
        _post(_smile(expiry, 0.75e18));
        _read(1000e18);
        _read(4000e18);
    }

    function test_theHullHoldsTheSliceBeforeForAWhile() public {
        _post(_smile(expiry, 0.75e18));
        skip(1 hours);
        Interval memory before = _read(2000e18);
        _post(_smile(expiry, 0.765e18));
        Interval memory i = _read(2000e18);
        assertEq(i.low, before.low);
        assertEq(i.high, i.mid + HALF);
        assertApproxEqAbs(i.mid, 0.765e18, 1e9);
        skip(30 minutes - 1);
        assertEq(_read(2000e18).low, before.low);
        skip(1);
        assertEq(_read(2000e18).low, i.mid - HALF);
    }

    /// @dev The smile moves in level, skew, curvature, forward and time at once, several times; whatever is taken, every strike's
    ///      interval before and after overlap both ways.
    /// forge-config: default.fuzz.runs = 300
    function testFuzz_lowAfterAPostIsAtMostTheHighBefore(uint256 seed, uint256 strike, bool wait) public {
        _post(_smile(expiry, 0.75e18));
        strike = bound(strike, 900e18, 4000e18);
        uint256 taken;
        for (uint256 i; i < 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(60 + seed % 2 hours);
            Slice memory s = _perturbed(seed);
            Interval memory before = _read(strike);
            bytes[] memory signatures = _sign(s);
            try oracle.post(s, signatures) {
                ++taken;
            } catch {
                continue;
            }
            Interval memory later = _read(strike);
            assertLe(later.low, before.high, "long");
            assertLe(before.low, later.high, "short");
            if (!wait) continue;
            // After the hull too, near the points examined.
            skip(30 minutes);
            later = _read(strike);
            assertLe(later.low, before.high + 0.002e18, "long, later");
            assertLe(before.low, later.high + 0.002e18, "short, later");
        }
        vm.assume(taken > 0);
    }

    /// @dev A smile near the one that stands.
    function _perturbed(uint256 seed) private view returns (Slice memory s) {
        (uint256 mid, uint256 level) = (_read(2000e18).mid, seed >> 16 & 0xffff);
        s = _smile(expiry, mid + level * 0.03e18 / 65535 - 0.015e18);
        s.rho += int64(int256(seed >> 32 & 0xffff) * 0.02e18 / 65535 - 0.01e18);
        s.sigma = uint64(s.sigma * (990 + (seed >> 48 & 0xffff) * 20 / 65535) / 1000);
        s.forward = uint128(2000e18 * (998 + (seed >> 64 & 0xffff) * 4 / 65535) / 1000);
    }

    function _venue(uint256 shown) private returns (ToldVenue venue) {
        venue = new ToldVenue();
        venue.tell(shown, ToldVenue.Manner.Answers);
        oracle.setVenueVol(ETH, address(venue));
    }

    function test_theVenuesVolWidensTheIntervalAndDoesNoMore() public {
        _post(_smile(expiry, 0.75e18));
        Interval memory alone = _read(2000e18);
        ToldVenue venue = _venue(0.9e18);
        Interval memory i = _read(2000e18);
        assertEq(i.high, 0.9e18);
        assertEq(i.low, alone.low);
        assertEq(i.mid, alone.mid);
        venue.tell(0.6e18, ToldVenue.Manner.Answers);
        i = _read(2000e18);
        assertEq(i.high, alone.high);
        assertEq(i.low, 0.6e18);
        venue.tell(0.74e18, ToldVenue.Manner.Answers);
        assertEq(abi.encode(_read(2000e18)), abi.encode(alone));
    }

    function test_aVenueThatFailsOrTalksNonsenseIsIgnored() public {
        _post(_smile(expiry, 0.75e18));
        Interval memory alone = _read(2000e18);
        ToldVenue venue = _venue(0.9e18);
        for (uint256 i = 1; i < 4; ++i) {
            venue.tell(0.9e18, ToldVenue.Manner(i));
            assertEq(abi.encode(_read(2000e18)), abi.encode(alone));
        }
        uint256[4] memory nonsense = [uint256(0), 0.01e18 - 1, 10e18 + 1, type(uint256).max];
        for (uint256 i; i < 4; ++i) {
            venue.tell(nonsense[i], ToldVenue.Manner.Answers);
            assertEq(abi.encode(_read(2000e18)), abi.encode(alone));
        }
        venue.tell(0.9e18, ToldVenue.Manner.AnswersAtLength);
        assertEq(_read(2000e18).high, 0.9e18, "its first word counts");
    }

    function test_aVenueCannotBeStarvedOutOfTheHull() public {
        _post(_smile(expiry, 0.75e18));
        ToldVenue venue = _venue(0.9e18);
        venue.tell(0.9e18, ToldVenue.Manner.BurnsItsGas);
        vm.expectPartialRevert(VolOracle.GasTooLow.selector);
        oracle.vol{gas: 70_000}(ETH, expiry, 2000e18);
        oracle.vol{gas: 110_000}(ETH, expiry, 2000e18);
    }

    /// @dev Whatever a venue shows, before and after, whoever enters before its vol moves and leaves after it gains nothing.
    function testFuzz_lowAfterAVenueMovesIsAtMostTheHighBefore(uint256 shown, uint256 later, uint256 strike) public {
        _post(_smile(expiry, 0.75e18));
        strike = bound(strike, 900e18, 4000e18);
        ToldVenue venue = _venue(bound(shown, 0, 12e18));
        Interval memory before = _read(strike);
        venue.tell(bound(later, 0, 12e18), ToldVenue.Manner.Answers);
        Interval memory afterwards = _read(strike);
        assertEq(afterwards.mid, before.mid);
        assertLe(afterwards.low + 2 * HALF, before.high);
        assertLe(before.low + 2 * HALF, afterwards.high);
    }

    function test_aVenueThatMovedCountsAsAChangeOfASlice() public {
        _post(_smile(expiry, 0.75e18));
        skip(1);
        ToldVenue venue = _venue(0.9e18);
        assertEq(oracle.postedAt(ETH), block.timestamp, "being named");
        skip(1);
        vm.prank(address(venue));
        oracle.venueVolMoved(ETH);
        assertEq(oracle.postedAt(ETH), block.timestamp);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(VolOracle.NotTheVenue.selector, address(this), address(venue)));
        oracle.venueVolMoved(ETH);
        oracle.setVenueVol(ETH, address(0));
        assertEq(oracle.postedAt(ETH), block.timestamp, "being dismissed");
        assertEq(oracle.expiries(ETH).length, 1);
    }

    function test_onlyAContractIsAVenue() public {
        vm.expectRevert(abi.encodeWithSelector(VolOracle.NotAContract.selector, address(7)));
        oracle.setVenueVol(ETH, address(7));
        vm.expectEmit();
        emit VolOracle.VenueVolSet(ETH, address(0));
        oracle.setVenueVol(ETH, address(0));
    }

    function test_onlyTheGovernorSetsVenues() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        oracle.setVenueVol(ETH, address(0));
    }
}
