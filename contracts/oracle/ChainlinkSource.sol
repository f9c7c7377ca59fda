// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IChainlinkFeed} from "../interfaces/chainlink/IChainlinkFeed.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title ChainlinkSource: one Chainlink feed as a price source
/// @notice Answers the feed's last price while its round is finished, it is younger than `maxAge`, and it lies inside
///         [`minPrice`, `maxPrice`]. The half-width is `deviation` x sqrt(1 + age / maxAge) of the price.
/// @dev Immutable: another bound is another source.
///
///      The half-width: a feed posts a round when the market has moved by its deviation threshold, so a reading of age 0 is already
///      uncertain by that much, and by no more as long as no round is missed. That one was missed cannot be seen before the heartbeat
///      is over, and what the market does meanwhile is a random walk: independent of the first, so that the squares add, at a rate
///      of one threshold in `maxAge`. (A feed's threshold is about what its price moves within its heartbeat.) A feed of 0.5% and 75
///      minutes gives 0.50% at once, 0.59% after half an hour and 0.71% at the end.
///
///      `feed` IS THE PROXY, AND THE FEED PRICES ONE WHOLE `token` IN `denomination`; nothing on chain can check that.
///      THE FEED'S DECIMALS NEVER CHANGE; they are read at construction.
///      `maxAge` IS THE FEED'S HEARTBEAT PLUS SLACK, `deviation` ITS PUBLISHED THRESHOLD.
///      [`minPrice`, `maxPrice`] LIES STRICTLY INSIDE WHAT THE AGGREGATOR CLAMPS ITS ANSWERS TO, so that a clamped one is refused.
///      ON AN L2 `sequencerFeed` IS CHAINLINK'S UPTIME FEED; elsewhere `address(0)`.
contract ChainlinkSource is IPriceSource {
    /// @notice A feed of more than MAX_DECIMALS decimals.
    error TooManyDecimals(uint256 decimals, uint256 maximum);
    /// @notice The lower bound is zero or not below the upper one, or that one is above 128 bits.
    error BadBounds(uint256 minPrice, uint256 maxPrice);
    /// @notice A deviation threshold of MAX_DEVIATION or more.
    error BadDeviation(uint256 deviation, uint256 maximum);
    /// @notice An age limit of zero or over MAX_MAX_AGE.
    error BadMaxAge(uint256 maxAge, uint256 maximum);

    /// @notice Seconds for which readings are refused after the sequencer came back.
    uint256 public constant SEQUENCER_GRACE = 1 hours;
    uint256 public constant MAX_DECIMALS = 36;
    /// @notice The largest deviation threshold, at 1e18.
    uint256 public constant MAX_DEVIATION = 0.1e18;
    /// @notice The longest age limit: two days, above the slowest published heartbeat.
    uint256 public constant MAX_MAX_AGE = 2 days;

    address public immutable override token;
    address public immutable override denomination;
    address public immutable feed;
    address public immutable sequencerFeed;
    /// @notice Seconds after which a reading is stale.
    uint256 public immutable maxAge;
    /// @notice Bounds of the price at 1e18, both inside.
    uint256 public immutable minPrice;
    uint256 public immutable maxPrice;
    /// @notice Half-width of a reading of age 0 as a fraction of the price, at 1e18.
    uint256 public immutable deviation;

    uint256 private immutable _multiplier;
    uint256 private immutable _divisor;

    constructor(
        address token_,
        address denomination_,
        address feed_,
        uint256 maxAge_,
        uint256 minPrice_,
        uint256 maxPrice_,
        uint256 deviation_,
        address sequencerFeed_
    ) {
        if (maxAge_ == 0 || maxAge_ > MAX_MAX_AGE) revert BadMaxAge(maxAge_, MAX_MAX_AGE);
        if (minPrice_ == 0 || minPrice_ >= maxPrice_ || maxPrice_ > type(uint128).max) {
            revert BadBounds(minPrice_, maxPrice_);
        }
        if (deviation_ >= MAX_DEVIATION) revert BadDeviation(deviation_, MAX_DEVIATION);
        uint256 decimals = IChainlinkFeed(feed_).decimals();
        if (decimals > MAX_DECIMALS) revert TooManyDecimals(decimals, MAX_DECIMALS);
        (token, denomination, feed, sequencerFeed) = (token_, denomination_, feed_, sequencerFeed_);
        (maxAge, minPrice, maxPrice, deviation) = (maxAge_, minPrice_, maxPrice_, deviation_);
        _multiplier = decimals < 18 ? 10 ** (18 - decimals) : 1;
        _divisor = decimals > 18 ? 10 ** (decimals - 18) : 1;
    }

    /// @inheritdoc IPriceSource
    /// @dev `updatedAt` is that of the feed's round. The half-width is rounded up.
    function read() external view returns (uint256 price, uint256 halfWidth, uint256 updatedAt) {
        if (sequencerFeed != address(0)) _requireSequencer();
        uint80 round;
        uint80 answeredIn;
        int256 answer;
        uint256 startedAt;
        (round, answer, startedAt, updatedAt, answeredIn) = IChainlinkFeed(feed).latestRoundData();
        // An absurd answer is refused before it is scaled, by 2^60 at most, so that scaling cannot overflow.
        if (answer <= 0 || answer > type(int192).max) revert BadReading();
        if (round == 0 || answeredIn < round || startedAt == 0) revert BadReading();
        if (updatedAt == 0 || updatedAt > block.timestamp) revert BadReading();
        unchecked {
            uint256 age = block.timestamp - updatedAt;
            if (age > maxAge) revert Stale(updatedAt, maxAge);
            price = uint256(answer) * _multiplier / _divisor;
            if (price < minPrice || price > maxPrice) revert OutOfBounds(price, minPrice, maxPrice);
            // 128, 57 and 61 bits.
            halfWidth = (price * deviation * _widening(age) + 1e36 - 1) / 1e36;
        }
    }

    /// @dev sqrt(1 + age / maxAge) at 1e18, rounded up: the floor of a root is that of the root of the floor.
    function _widening(uint256 age) private view returns (uint256) {
        unchecked {
            return age == 0 ? 1e18 : FixedPointMathLib.sqrt(1e36 + age * 1e36 / maxAge) + 1;
        }
    }

    function _requireSequencer() private view {
        (, int256 down, uint256 since,,) = IChainlinkFeed(sequencerFeed).latestRoundData();
        // `since` 0 is an uptime feed that has no round yet.
        bool settled = since != 0 && since <= block.timestamp && block.timestamp - since > SEQUENCER_GRACE;
        if (down != 0 || !settled) revert SequencerNotSettled(down == 0, since, SEQUENCER_GRACE);
    }
}
