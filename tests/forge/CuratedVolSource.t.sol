// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";

import {CuratedVolSource} from "../../contracts/oracle/CuratedVolSource.sol";
import {IVolSource} from "../../contracts/oracle/IVolSource.sol";

contract CuratedVolSourceTest is Test {
    uint64 private constant VOL_POSTER = 4;
    address private constant ETH = address(1);
    address private constant POSTER = address(2);

    AccessManager private authority;
    CuratedVolSource private source;
    uint64 private expiry;

    function setUp() public {
        vm.warp(1_750_000_000);
        expiry = uint64(block.timestamp + 42 days);
        authority = new AccessManager(address(this));
        source = _source(1 days, 0.04e18, 0.02e18, 15 minutes);
        bytes4[] memory posting = new bytes4[](2);
        (posting[0], posting[1]) = (CuratedVolSource.post.selector, CuratedVolSource.postMany.selector);
        authority.setTargetFunctionRole(address(source), posting, VOL_POSTER);
        authority.grantRole(VOL_POSTER, POSTER, 0);
    }

    function _source(uint256 maxAge, uint256 maxMove, uint256 halfWidth, uint256 minInterval)
        private
        returns (CuratedVolSource)
    {
        return new CuratedVolSource(address(authority), maxAge, maxMove, halfWidth, minInterval);
    }

    function _post(uint256 vol) private {
        vm.prank(POSTER);
        source.post(ETH, expiry, vol);
    }

    function test_intervalIsTwoPointsToEachSideAtEveryStrike() public {
        vm.expectEmit();
        emit CuratedVolSource.Posted(ETH, expiry, 0, 0.75e18);
        _post(0.75e18);
        for (uint256 strike = 0; strike <= 6000e18; strike += 3000e18) {
            (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) = source.vol(ETH, expiry, strike);
            assertEq(low, 0.73e18);
            assertEq(mid, 0.75e18);
            assertEq(high, 0.77e18);
            assertEq(updatedAt, block.timestamp);
        }
    }

    function test_lowIsFloored() public {
        _post(0.01e18);
        (uint256 low, uint256 mid,,) = source.vol(ETH, expiry, 0);
        assertEq(low, 0.01e18);
        assertEq(mid, 0.01e18);
    }

    function test_onlyThePosterPosts() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        source.post(ETH, expiry, 0.75e18);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        source.postMany(new CuratedVolSource.Post[](0));
    }

    function test_unknownSlice() public {
        _post(0.75e18);
        vm.expectRevert(abi.encodeWithSelector(IVolSource.UnknownSlice.selector, ETH, expiry + 1));
        source.vol(ETH, expiry + 1, 0);
    }

    function test_postedAtIsTheLastChangeOfAnySliceOfTheUnderlying() public {
        assertEq(source.postedAt(ETH), 0);
        _post(0.75e18);
        uint256 posted = block.timestamp;
        skip(1 hours);
        vm.prank(POSTER);
        source.post(address(9), expiry, 0.5e18);
        assertEq(source.postedAt(ETH), posted, "another underlying's");
        vm.prank(POSTER);
        source.post(ETH, expiry + 1, 0.5e18);
        assertEq(source.postedAt(ETH), posted + 1 hours, "another expiry's");
    }

    function test_stale() public {
        _post(0.75e18);
        uint256 posted = block.timestamp;
        skip(1 days);
        source.vol(ETH, expiry, 0);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IVolSource.StaleVol.selector, posted, 1 days));
        source.vol(ETH, expiry, 0);
        (uint256 mid, uint256 updatedAt) = source.slice(ETH, expiry);
        assertEq(mid, 0.75e18);
        assertEq(updatedAt, posted);
    }

    function test_moveTooLarge() public {
        _post(0.75e18);
        skip(1 hours);
        _post(0.79e18);
        skip(1 hours);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.MoveTooLarge.selector, 0.79e18, 0.84e18, 0.04e18));
        _post(0.84e18);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.MoveTooLarge.selector, 0.79e18, 0.74e18, 0.04e18));
        _post(0.74e18);
    }

    function test_tooSoon() public {
        _post(0.75e18);
        uint256 posted = block.timestamp;
        skip(15 minutes - 1);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.TooSoon.selector, posted, 15 minutes));
        _post(0.75e18);
        skip(1);
        _post(0.76e18);
    }

    function test_volOutOfRange() public {
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.VolOutOfRange.selector, 0.01e18 - 1, 0.01e18, 5e18));
        _post(0.01e18 - 1);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.VolOutOfRange.selector, 5e18 + 1, 0.01e18, 5e18));
        _post(5e18 + 1);
    }

    function test_expired() public {
        vm.warp(expiry);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.Expired.selector, expiry, block.timestamp));
        _post(0.75e18);
    }

    function test_postManyIsAllOrNothing() public {
        CuratedVolSource.Post[] memory posts = new CuratedVolSource.Post[](2);
        posts[0] = CuratedVolSource.Post(ETH, expiry, 0.75e18);
        posts[1] = CuratedVolSource.Post(ETH, expiry + 1 days, 0.7e18);
        vm.prank(POSTER);
        source.postMany(posts);
        (, uint256 mid,,) = source.vol(ETH, expiry + 1 days, 0);
        assertEq(mid, 0.7e18);

        skip(1 hours);
        posts[0].vol = 0.77e18;
        posts[1].vol = 0.8e18;
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.MoveTooLarge.selector, 0.7e18, 0.8e18, 0.04e18));
        vm.prank(POSTER);
        source.postMany(posts);
        (, mid,,) = source.vol(ETH, expiry, 0);
        assertEq(mid, 0.75e18);

        posts = new CuratedVolSource.Post[](65);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.TooManyPosts.selector, 65, 64));
        vm.prank(POSTER);
        source.postMany(posts);
    }

    function test_refusesBadConfiguration() public {
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.BadHalfWidth.selector, 0.02e18 - 1, 0.02e18, 0.5e18));
        _source(1 days, 0.01e18, 0.02e18 - 1, 1 hours);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.BadMaxMove.selector, 0.04e18 + 1, 0.04e18));
        _source(1 days, 0.04e18 + 1, 0.02e18, 1 hours);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.BadMaxMove.selector, 0, 0.04e18));
        _source(1 days, 0, 0.02e18, 1 hours);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.BadTimes.selector, 1 days, 1 days));
        _source(1 days, 0.04e18, 0.02e18, 1 days);
        vm.expectRevert(abi.encodeWithSelector(CuratedVolSource.BadTimes.selector, 1 hours, 8 days));
        _source(8 days, 0.04e18, 0.02e18, 1 hours);
    }

    /// @notice Fair entry: whatever is posted, the low after it is at most the high before it.
    function testFuzz_lowAfterAPostIsAtMostTheHighBefore(uint256 first, uint256 second) public {
        first = bound(first, 0.01e18, 5e18);
        second = bound(second, 0.01e18, 5e18);
        _post(first);
        (uint256 lowBefore, uint256 midBefore, uint256 highBefore,) = source.vol(ETH, expiry, 0);
        assertLe(lowBefore, midBefore);
        assertLe(midBefore, highBefore);
        skip(1 hours);
        vm.prank(POSTER);
        try source.post(ETH, expiry, second) {} catch {}
        (uint256 lowAfter,, uint256 highAfter,) = source.vol(ETH, expiry, 0);
        assertLe(lowAfter, highBefore);
        assertLe(lowBefore, highAfter);
    }
}
