// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice An interval of a price, asset units or dollars a whole token at 1e18.
/// @param updatedAt The oldest reading's time, unix seconds.
/// @param newestAt  That of the newest reading of the token itself.
struct Price {
    uint256 low;
    uint256 mid;
    uint256 high;
    uint256 updatedAt;
    uint256 newestAt;
}

/// @title PriceInterval: what is done with a source's reading, and with several
/// @notice A mid that `isPrice` lets pass has at most 128 bits, and so has its half-width: 1e18 times any of these numbers fits in 256.
library PriceInterval {
    /// @notice Mid 0 where `isPrice` says no, and where the time is still to come.
    function around(uint256 price, uint256 halfWidth, uint256 updatedAt) internal view returns (Price memory) {
        if (!isPrice(price, halfWidth) || updatedAt > block.timestamp) return Price(0, 0, 0, 0, 0);
        return Price(price > halfWidth ? price - halfWidth : 0, price, price + halfWidth, updatedAt, updatedAt);
    }

    /// @notice Beyond 128 bits the arithmetic here could overflow: no price of anything.
    function isPrice(uint256 price, uint256 halfWidth) internal pure returns (bool) {
        return price != 0 && price <= type(uint128).max && halfWidth <= type(uint128).max;
    }

    /// @notice Divides `reading` by `by` in place, low rounded down and high up, with the older time; false when the mid leaves 128 bits
    /// or comes to nothing. Neither operand is over 2^129, so 1e18 times it fits.
    function divide(Price memory reading, Price memory by) internal pure returns (bool) {
        unchecked {
            reading.low = reading.low * 1e18 / by.high;
            reading.mid = reading.mid * 1e18 / by.mid;
            reading.high = (reading.high * 1e18 + by.low - 1) / by.low;
        }
        if (by.updatedAt < reading.updatedAt) reading.updatedAt = by.updatedAt;
        return isPrice(reading.mid, 0);
    }

    /// @notice Whether `width` is over `maxWidth`, without a division.
    function tooWide(uint256 low, uint256 mid, uint256 high, uint256 maxWidth) internal pure returns (bool) {
        // A high that was divided by the asset's low is under 2^190, and no high is under its low.
        unchecked {
            return (high - low) * 1e18 > mid * maxWidth;
        }
    }

    /// @notice (high - low) / mid at 1e18, rounded up.
    function width(uint256 low, uint256 mid, uint256 high) internal pure returns (uint256) {
        return Math.ceilDiv((high - low) * 1e18, mid);
    }

    /// @notice Whether `mid` lies in [to / (1 + by), to x (1 + by)]; both have at most 128 bits.
    function near(uint256 mid, uint256 to, uint256 by) internal pure returns (bool) {
        (uint256 less, uint256 more) = mid < to ? (mid, to) : (to, mid);
        // The allowance has under 2^100: a jump of at most 2^60 times the root of the age of the chain in hours.
        unchecked {
            return more * 1e18 <= less * (1e18 + by);
        }
    }

    /// @notice Insertion into the first `count` of `sorted`.
    function insert(uint256[] memory sorted, uint256 count, uint256 value) internal pure {
        uint256 i = count;
        for (; i > 0 && sorted[i - 1] > value; i--) {
            sorted[i] = sorted[i - 1];
        }
        sorted[i] = value;
    }

    /// @notice The mean of the middle two where the count is even.
    function median(uint256[] memory sorted) internal pure returns (uint256) {
        uint256 middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
