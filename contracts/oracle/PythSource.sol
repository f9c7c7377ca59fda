// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IPyth, PythPrice} from "../interfaces/pyth/IPyth.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @notice What a Pyth price must satisfy to be answered.
/// @param id            Pyth's identifier of the price.
/// @param maxAge        Seconds after which a reading is stale.
/// @param minPrice      Bounds of the price at 1e18, both inside.
/// @param maxPrice      See `minPrice`.
/// @param maxConfidence The largest confidence interval as a fraction of the price, at 1e18.
/// @param drift         The half-width's growth in the first hour as a fraction of the price, at 1e18.
struct PythTerms {
    bytes32 id;
    uint256 maxAge;
    uint256 minPrice;
    uint256 maxPrice;
    uint256 maxConfidence;
    uint256 drift;
}

/// @title PythSource: one Pyth price as a price source
/// @notice Answers the last price brought on chain while it is younger than `maxAge`, positive, inside [`minPrice`, `maxPrice`] and
///         its confidence interval is at most `maxConfidence` of it. The half-width is CONFIDENCE_MULTIPLE confidence intervals, plus
///         `drift` x sqrt(age in hours): whoever brings a price chooses which of the recent ones, and a price nobody renews says
///         less with every second.
/// @dev Immutable: another bound is another source. Bringing prices on chain is Pyth's own `updatePriceFeeds`, open to anyone; a price
///      older than the one there is ignored by it. `getPriceUnsafe` is read and its age checked here, so that the error has the times.
///
///      Pyth describes the confidence interval as one in which the price lies with about 68%, and the errors as Laplace distributed: 3
///      of them hold it with 95% or more, whichever way the interval is read.
///
///      `id` PRICES ONE WHOLE `token` IN `denomination`; nothing on chain can check that.
///      `drift` IS ABOUT ONE HOUR'S STANDARD DEVIATION (0.9% for an annual volatility of 80%).
///      ON AN L2 NO PRICE IS NEWER THAN THE SEQUENCER'S LAST BLOCK; `maxAge` alone refuses prices from before an outage.
contract PythSource is IPriceSource {
    /// @notice The lower bound is zero or not below the upper one, or that one is above 128 bits.
    error BadBounds(uint256 minPrice, uint256 maxPrice);
    /// @notice An age limit of zero or over MAX_MAX_AGE.
    error BadMaxAge(uint256 maxAge, uint256 maximum);
    /// @notice A confidence limit of zero or over MAX_MAX_CONFIDENCE.
    error BadMaxConfidence(uint256 maxConfidence, uint256 maximum);
    /// @notice A drift of MAX_DRIFT or more.
    error BadDrift(uint256 drift, uint256 maximum);
    /// @notice The price's exponent is outside [MIN_EXPONENT, MAX_EXPONENT].
    error BadExponent(int256 exponent, int256 minimum, int256 maximum);
    /// @notice The confidence interval is too large a fraction of the price; both at 1e18.
    error TooUncertain(uint256 confidence, uint256 maximum);

    /// @notice Confidence intervals in a half-width.
    uint256 public constant CONFIDENCE_MULTIPLE = 3;
    /// @notice The largest confidence limit, at 1e18.
    uint256 public constant MAX_MAX_CONFIDENCE = 0.03e18;
    /// @notice The drift that is too large, at 1e18.
    uint256 public constant MAX_DRIFT = 0.1e18;
    uint256 public constant MAX_MAX_AGE = 1 days;
    /// @notice Seconds by which a price may be ahead of the block: the publishers' clocks are not the chain's.
    uint256 public constant MAX_AHEAD = 15;
    /// @notice The exponents that 64 bits of price can be scaled to 1e18 with, and no price has needed more.
    int256 public constant MIN_EXPONENT = -36;
    int256 public constant MAX_EXPONENT = 12;

    address public immutable override token;
    address public immutable override denomination;
    address public immutable pyth;
    bytes32 public immutable id;
    uint256 public immutable maxAge;
    uint256 public immutable minPrice;
    uint256 public immutable maxPrice;
    uint256 public immutable maxConfidence;
    uint256 public immutable drift;

    constructor(address token_, address denomination_, address pyth_, PythTerms memory terms) {
        if (terms.maxAge == 0 || terms.maxAge > MAX_MAX_AGE) revert BadMaxAge(terms.maxAge, MAX_MAX_AGE);
        if (terms.minPrice == 0 || terms.minPrice >= terms.maxPrice || terms.maxPrice > type(uint128).max) {
            revert BadBounds(terms.minPrice, terms.maxPrice);
        }
        if (terms.maxConfidence == 0 || terms.maxConfidence > MAX_MAX_CONFIDENCE) {
            revert BadMaxConfidence(terms.maxConfidence, MAX_MAX_CONFIDENCE);
        }
        if (terms.drift >= MAX_DRIFT) revert BadDrift(terms.drift, MAX_DRIFT);
        (token, denomination, pyth, id) = (token_, denomination_, pyth_, terms.id);
        (maxAge, minPrice, maxPrice) = (terms.maxAge, terms.minPrice, terms.maxPrice);
        (maxConfidence, drift) = (terms.maxConfidence, terms.drift);
    }

    /// @inheritdoc IPriceSource
    /// @dev Pyth's own error where nobody ever brought a price. The price is rounded down, the half-width up.
    function read() external view returns (uint256 price, uint256 halfWidth, uint256 updatedAt) {
        PythPrice memory last = IPyth(pyth).getPriceUnsafe(id);
        updatedAt = last.publishTime;
        if (last.price <= 0 || updatedAt == 0 || updatedAt > block.timestamp + MAX_AHEAD) revert BadReading();
        if (updatedAt > block.timestamp) updatedAt = block.timestamp;
        uint256 age = block.timestamp - updatedAt;
        if (age > maxAge) revert Stale(updatedAt, maxAge);
        price = _scale(uint64(last.price), last.expo, Math.Rounding.Floor);
        if (price < minPrice || price > maxPrice) revert OutOfBounds(price, minPrice, maxPrice);
        uint256 confidence = Math.ceilDiv(uint256(last.conf) * 1e18, uint64(last.price));
        if (confidence > maxConfidence) revert TooUncertain(confidence, maxConfidence);
        halfWidth = CONFIDENCE_MULTIPLE * _scale(last.conf, last.expo, Math.Rounding.Ceil) + _drifted(price, age);
    }

    /// @dev `amount` x 10^`exponent` at 1e18.
    function _scale(uint64 amount, int256 exponent, Math.Rounding rounding) private pure returns (uint256) {
        if (exponent < MIN_EXPONENT || exponent > MAX_EXPONENT) revert BadExponent(exponent, MIN_EXPONENT, MAX_EXPONENT);
        if (exponent >= -18) return uint256(amount) * 10 ** uint256(18 + exponent);
        uint256 divisor = 10 ** uint256(-18 - exponent);
        return rounding == Math.Rounding.Ceil ? Math.ceilDiv(amount, divisor) : amount / divisor;
    }

    /// @dev `price` x drift x sqrt(age / 1 hour), rounded up. A price has 128 bits, the drift 57 and the root 63.
    function _drifted(uint256 price, uint256 age) private view returns (uint256) {
        uint256 root = Math.sqrt(Math.ceilDiv(age * 1e36, 1 hours), Math.Rounding.Ceil);
        return Math.ceilDiv(price * drift * root, 1e36);
    }
}
