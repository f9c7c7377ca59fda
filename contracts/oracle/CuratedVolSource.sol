// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {IVolSource} from "./IVolSource.sol";

/// @title CuratedVolSource: implied vols posted by a curator, one a slice of (underlying, expiry)
/// @notice The interval is the posted vol and `halfWidth` to either side, the same at every strike. A post moves a slice by at most
///         `maxMove`, and not within `minInterval` seconds of the last, so a stolen poster moves a vol at a known rate. A slice not
///         posted for `maxAge` seconds is refused.
/// @dev `maxMove` is at most twice `halfWidth`, so that the low after a post is at most the high before it: nobody gains by entering
///      before a post and leaving after it. The first post of a slice sets its level freely within the range.
///
///      THE POSTER IS NOT THE KEEPER: who trades does not set what trades are valued at.
///      THE SMILE INSIDE A SLICE LIES WITHIN `halfWidth` OF THE POSTED VOL, AT THE STRIKES THAT ARE HELD.
contract CuratedVolSource is IVolSource, AccessManaged {
    /// @notice A vol to post. `vol` at 1e18; `expiry` in unix seconds.
    struct Post {
        address underlying;
        uint64 expiry;
        uint256 vol;
    }

    struct Slice {
        uint128 vol;
        uint64 updatedAt;
    }

    /// @notice The post would move the slice further than `maximum`; vols at 1e18.
    error MoveTooLarge(uint256 previous, uint256 posted, uint256 maximum);
    /// @notice The slice was posted less than `minInterval` seconds ago.
    error TooSoon(uint256 updatedAt, uint256 minInterval);
    error VolOutOfRange(uint256 vol, uint256 minimum, uint256 maximum);
    error Expired(uint64 expiry, uint256 timestamp);
    error TooManyPosts(uint256 posts, uint256 maximum);
    /// @notice An interval under MIN_HALF_WIDTH or over MAX_HALF_WIDTH to a side.
    error BadHalfWidth(uint256 halfWidth, uint256 minimum, uint256 maximum);
    /// @notice A move of zero or of more than twice the half-width.
    error BadMaxMove(uint256 maxMove, uint256 maximum);
    /// @notice An age limit of zero or over MAX_MAX_AGE, or not above the interval between posts.
    error BadTimes(uint256 minInterval, uint256 maxAge);

    /// @notice The slice stands at `vol` from now on.
    event Posted(address indexed underlying, uint64 indexed expiry, uint256 previous, uint256 vol);

    /// @notice The narrowest interval: two vol points to each side.
    uint256 public constant MIN_HALF_WIDTH = 0.02e18;
    uint256 public constant MAX_HALF_WIDTH = 0.5e18;
    uint256 public constant MIN_VOL = 0.01e18;
    uint256 public constant MAX_VOL = 5e18;
    uint256 public constant MAX_MAX_AGE = 7 days;
    /// @notice The most posts in one call.
    uint256 public constant MAX_POSTS = 64;

    /// @notice Seconds after which a slice is stale.
    uint256 public immutable maxAge;
    /// @notice The most a post moves a slice, at 1e18.
    uint256 public immutable maxMove;
    /// @notice From mid to low and to high, at 1e18.
    uint256 public immutable halfWidth;
    /// @notice The least seconds between two posts of a slice.
    uint256 public immutable minInterval;

    /// @inheritdoc IVolSource
    mapping(address underlying => uint256) public postedAt;

    mapping(address underlying => mapping(uint64 expiry => Slice)) private _slices;

    constructor(address authority_, uint256 maxAge_, uint256 maxMove_, uint256 halfWidth_, uint256 minInterval_)
        AccessManaged(authority_)
    {
        if (halfWidth_ < MIN_HALF_WIDTH || halfWidth_ > MAX_HALF_WIDTH) {
            revert BadHalfWidth(halfWidth_, MIN_HALF_WIDTH, MAX_HALF_WIDTH);
        }
        if (maxMove_ == 0 || maxMove_ > 2 * halfWidth_) revert BadMaxMove(maxMove_, 2 * halfWidth_);
        if (minInterval_ == 0 || minInterval_ >= maxAge_ || maxAge_ > MAX_MAX_AGE) revert BadTimes(minInterval_, maxAge_);
        (maxAge, maxMove, halfWidth, minInterval) = (maxAge_, maxMove_, halfWidth_, minInterval_);
    }

    /// @notice VOL_POSTER. Sets the vol of one slice.
    /// @param underlying The token the options are on.
    /// @param expiry     Unix seconds, in the future.
    /// @param vol_       Annualised, at 1e18, MIN_VOL to MAX_VOL.
    function post(address underlying, uint64 expiry, uint256 vol_) external restricted {
        _post(underlying, expiry, vol_);
    }

    /// @notice VOL_POSTER. Sets several slices, all or none, in order; at most MAX_POSTS.
    function postMany(Post[] calldata posts) external restricted {
        if (posts.length > MAX_POSTS) revert TooManyPosts(posts.length, MAX_POSTS);
        for (uint256 i = 0; i < posts.length; i++) {
            _post(posts[i].underlying, posts[i].expiry, posts[i].vol);
        }
    }

    /// @notice The last post of a slice, fresh or not: (vol at 1e18, unix seconds), zeros when there was none.
    function slice(address underlying, uint64 expiry) external view returns (uint256 mid, uint256 updatedAt) {
        Slice storage stored = _slices[underlying][expiry];
        return (stored.vol, stored.updatedAt);
    }

    /// @inheritdoc IVolSource
    /// @dev The same at every strike. `low` is at least MIN_VOL.
    function vol(address underlying, uint64 expiry, uint256)
        external
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        Slice storage stored = _slices[underlying][expiry];
        (mid, updatedAt) = (stored.vol, stored.updatedAt);
        if (updatedAt == 0) revert UnknownSlice(underlying, expiry);
        if (block.timestamp - updatedAt > maxAge) revert StaleVol(updatedAt, maxAge);
        low = mid > halfWidth + MIN_VOL ? mid - halfWidth : MIN_VOL;
        high = mid + halfWidth;
    }

    function _post(address underlying, uint64 expiry, uint256 vol_) private {
        if (expiry <= block.timestamp) revert Expired(expiry, block.timestamp);
        if (vol_ < MIN_VOL || vol_ > MAX_VOL) revert VolOutOfRange(vol_, MIN_VOL, MAX_VOL);
        Slice storage stored = _slices[underlying][expiry];
        (uint256 previous, uint256 updatedAt) = (stored.vol, stored.updatedAt);
        if (updatedAt != 0) {
            if (block.timestamp - updatedAt < minInterval) revert TooSoon(updatedAt, minInterval);
            uint256 move = vol_ > previous ? vol_ - previous : previous - vol_;
            if (move > maxMove) revert MoveTooLarge(previous, vol_, maxMove);
        }
        (stored.vol, stored.updatedAt) = (uint128(vol_), uint64(block.timestamp));
        postedAt[underlying] = block.timestamp;
        emit Posted(underlying, expiry, previous, vol_);
    }
}
