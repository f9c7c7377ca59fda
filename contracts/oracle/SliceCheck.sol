// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {SVI_POINTS, Svi} from "../pricing/Svi.sol";

/// @title SliceCheck: whether a smile may stand, beside the one that it replaces and those of the expiries around it
/// @notice Out to the reach, five total deviations at the money but at least MIN_REACH and at most MAX_REACH, and at each of the points that
///         `Svi.points` names there:
///         - the vol is at most MAX_VOL, and everywhere at least MIN_VOL;
///         - Gatheral's g >= 0;
///         - the vol moves by at most `maximum`;
///         - total variance is not below the nearer expiry's nor above the further one's.
///         Points over four deviations out are exempt from MAX_VOL, and from the move where the vol before puts them there too: an option
///         there is worth under a 10,000th of the strike.
/// @dev THE SLICES COMPARED WITH ARE RESTATED FOR THE EXAMINED ONE'S FORWARD AND TIME, WITH A b OF AT MOST 2 Svi.MAX_SLOPE.
library SliceCheck {
    /// @notice A slice in examination and those it is held against, each restated for its forward (m) and its `time` (a, b), the seconds that
    ///      its total variance is over; a sigma of zero is none. `maximum` is how far a vol may move, `bound` its square times the
    ///      years of `time`.
    struct Case {
        Svi.Raw raw;
        uint64 expiry;
        uint256 time;
        uint256 maximum;
        uint256 bound;
        Svi.Raw last;
        Svi.Raw near;
        uint64 nearExpiry;
        Svi.Raw far;
        uint64 farExpiry;
    }

    /// @notice A vol of the slice within its reach is out of range; at 1e18.
    error VolOutOfRange(uint256 vol, uint256 minimum, uint256 maximum);
    /// @notice The density at `k` is negative: `g` at 1e18.
    error Butterfly(int256 k, int256 g);
    /// @notice Total variance at `k` of the slice would fall from `near` to `far`; at 1e18, as of the slice's own `timestamp`.
    error Calendar(int256 k, uint64 near, uint256 nearVariance, uint64 far, uint256 farVariance);
    /// @notice The vol at `k` of the slice would move by more than `maximum`; vols at 1e18.
    error MoveTooLarge(int256 k, uint256 previous, uint256 posted, uint256 maximum);

    uint256 internal constant MIN_VOL = 0.01e18;
    uint256 internal constant MAX_VOL = 10e18;
    int256 internal constant MIN_REACH = 0.7e18;
    int256 internal constant MAX_REACH = 5e18;

    uint256 private constant WAD = 1e18;
    uint256 private constant YEAR = 365 days;

    /// @notice Reverts unless the slice may stand.
    function examine(Case memory c) internal pure {
        (int256[SVI_POINTS] memory points, uint256 count) = _points(c);
        uint256 greatest = MAX_VOL * MAX_VOL / WAD * c.time / YEAR;
        (bool hasLast, bool hasNear, bool hasFar) = (c.last.sigma != 0, c.nearExpiry != 0, c.farExpiry != 0);
        // The only sums are a counter up to SVI_POINTS and one less than a total variance below 2^73.
        unchecked {
            for (uint256 i; i < count; ++i) {
                int256 k;
                assembly ("memory-safe") {
                    k := mload(add(points, shl(5, i)))
                }
                (uint256 w, int256 density) = Svi.density(c.raw, k);
                if (w > greatest && !_isFarOut(k, w)) revert VolOutOfRange(Svi.volOf(w, c.time), MIN_VOL, MAX_VOL);
                if (density < 0) revert Butterfly(k, Svi.g(c.raw, k));
                if (hasLast) _requireBounded(c, k, w);
                if (hasNear && !Svi.isAtMost(c.near, k, int256(w))) {
                    revert Calendar(k, c.nearExpiry, Svi.totalVariance(c.near, k), c.expiry, w);
                }
                if (hasFar && Svi.isAtMost(c.far, k, int256(w) - 1)) {
                    revert Calendar(k, c.expiry, w, c.farExpiry, Svi.totalVariance(c.far, k));
                }
            }
        }
    }

    /// @notice Out to which |k| a slice with total variance `atMoney` at k = 0 is examined.
    function reach(uint256 atMoney) internal pure returns (int256 most) {
        most = int256(FixedPointMathLib.sqrt(25 * atMoney * WAD));
        if (most < MIN_REACH) return MIN_REACH;
        if (most > MAX_REACH) return MAX_REACH;
    }

    /// @dev The least vol, and the points to examine with how many they are.
    function _points(Case memory c) private pure returns (int256[SVI_POINTS] memory, uint256) {
        uint256 least = uint256(Svi.check(c.raw));
        if (least * YEAR < MIN_VOL * MIN_VOL / WAD * c.time) {
            revert VolOutOfRange(Svi.volOf(least, c.time), MIN_VOL, MAX_VOL);
        }
        uint256 atMoney = Svi.totalVariance(c.raw, 0);
        return Svi.points(c.raw, int256(FixedPointMathLib.sqrt(atMoney * WAD)), reach(atMoney));
    }

    /// @dev Reverts where the vol at `k` moves by more than `maximum`. With total variances over the same time, |sqrt(w1) - sqrt(w2)| <= d
    ///      is w1 + w2 - d^2 <= 2 sqrt(w1 w2), which takes no root.
    function _requireBounded(Case memory c, int256 k, uint256 w) private pure {
        uint256 before = Svi.totalVariance(c.last, k);
        // Total variances are below 2^73, `bound` below 2^61.
        unchecked {
            int256 sum = int256(w + before) - int256(c.bound);
            if (sum <= 0 || uint256(sum * sum) <= 4 * w * before) return;
            if (_isFarOut(k, FixedPointMathLib.max(w, before))) return;
        }
        revert MoveTooLarge(k, Svi.volOf(before, c.time), Svi.volOf(w, c.time), c.maximum);
    }

    /// @dev Whether total variance `w` puts a strike at `k` over four deviations from the forward.
    function _isFarOut(int256 k, uint256 w) private pure returns (bool) {
        // k is within MAX_REACH, w below 2^73.
        unchecked {
            return uint256(k * k) > 16 * WAD * w;
        }
    }
}
