// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @dev How many points of a slice are examined.
uint256 constant SVI_POINTS = 33;

/// @title Svi: one expiry's smile as a raw SVI slice of total variance
/// @notice w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), k = ln(strike / forward), w = vol^2 years, all at 1e18.
///         Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1), 2014.
/// @dev A slice is free of butterfly arbitrage where g(k) = (1 - k w'/(2w))^2 - w'^2/4 (1/w + 1/4) + w''/2 >= 0, and no wing of w
///      rises by more than 2 a unit of k (Lee 2004), which b (1 + |rho|) <= 2 says. `check` answers for the parameters, `density` for
///      one point: on a grid of points g is known at those points only.
///
///      Roots carry 32 bits below 1e-18. Against exact arithmetic, for parameters that pass `check` and |k| up to 10: w within 2e-18, vol
///      within 2e-18 / (vol years) + 1e-18, g within 1e-14 where w >= 1e-4 (its error grows as 1/w below).
///
///      NOTHING OVERFLOWS WHERE a, rho, m FIT int64, b, sigma FIT uint64, sigma >= MIN_SIGMA AND |k| <= MAX_K: the arithmetic is unchecked, and the
///      caller keeps to that domain. There nothing reverts but `g` where w is 0.
library Svi {
    /// @notice The parameters at 1e18, widened from the 64 bits that each fits.
    struct Raw {
        int256 a;
        int256 b;
        int256 rho;
        int256 m;
        int256 sigma;
    }

    error SigmaTooSmall(int256 sigma, int256 minimum);
    error RhoOutOfRange(int256 rho);
    /// @notice A wing that rises by more than `maximum` a unit of k, or a negative b.
    error WingOutOfRange(int256 steepest, int256 maximum);
    /// @notice The least total variance of the slice is below zero.
    error NegativeVariance(int256 least);
    /// @notice The slice has no variance at `k`, so that g is not defined there.
    error NoVariance(int256 k);

    int256 internal constant MIN_SIGMA = 0.001e18;
    int256 internal constant MAX_SLOPE = 2e18;
    int256 internal constant MAX_K = 100e18;

    int256 private constant WAD = 1e18;
    uint256 private constant YEAR = 365 days;
    /// @dev Eight multiples in quarters, a byte each, the first lowest: 0.5 1 1.5 2.25 3 4 (two more places are set by `reach`) and
    ///      0.25 0.5 1 1.5 2 3 4 6.
    uint256 private constant DEVIATIONS = 0x100c09060402;
    uint256 private constant BENDS = 0x18100c0806040201;

    /// @notice Reverts unless sigma >= MIN_SIGMA, |rho| < 1, b (1 + |rho|) is 0 to MAX_SLOPE and the least total variance is 0 or more.
    /// @return least The least total variance over all k, a + b sigma sqrt(1 - rho^2).
    function check(Raw memory s) internal pure returns (int256 least) {
        unchecked {
            if (s.sigma < MIN_SIGMA) revert SigmaTooSmall(s.sigma, MIN_SIGMA);
            if (s.rho >= WAD || s.rho <= -WAD) revert RhoOutOfRange(s.rho);
            int256 steepest = (s.b * (WAD + (s.rho < 0 ? -s.rho : s.rho)) + WAD - 1) / WAD;
            if (s.b < 0 || steepest > MAX_SLOPE) revert WingOutOfRange(steepest, MAX_SLOPE);
            int256 root = int256(FixedPointMathLib.sqrt(uint256(WAD * WAD - s.rho * s.rho)));
            least = s.a + s.b * s.sigma * root / (WAD * WAD);
            if (least < 0) revert NegativeVariance(least);
        }
    }

    /// @notice Total variance at `k`; 0 where rounding would put it below.
    function totalVariance(Raw memory s, int256 k) internal pure returns (uint256 w) {
        unchecked {
            int256 x = k - s.m;
            int256 sum = s.a + s.b * (s.rho * x + (_root(x, s.sigma) * WAD >> 32)) / (WAD * WAD);
            w = sum > 0 ? uint256(sum) : 0;
        }
    }

    /// @notice Annualised vol at `k`, `secondsToExpiry` > 0 from expiry, rounded down.
    function vol(Raw memory s, int256 k, uint256 secondsToExpiry) internal pure returns (uint256) {
        return volOf(totalVariance(s, k), secondsToExpiry);
    }

    /// @notice Annualised vol of a total variance below 2^128, `secondsToExpiry` > 0 from expiry, rounded down.
    function volOf(uint256 w, uint256 secondsToExpiry) internal pure returns (uint256) {
        unchecked {
            return FixedPointMathLib.sqrt(w * (YEAR * uint256(WAD)) / secondsToExpiry);
        }
    }

    /// @notice Gatheral's g at `k`; reverts with `NoVariance` where w is 0.
    function g(Raw memory s, int256 k) internal pure returns (int256) {
        (uint256 w, int256 scaled) = density(s, k);
        if (w == 0) revert NoVariance(k);
        unchecked {
            return scaled * WAD / int256(4 * w * w);
        }
    }

    /// @notice Total variance at `k`, and 4 w^2 g there at 1e36: of the sign of g, and 0 where w is 0.
    function density(Raw memory s, int256 k) internal pure returns (uint256 w, int256 scaled) {
        unchecked {
            int256 x = k - s.m;
            int256 r = _root(x, s.sigma);
            int256 v = s.a + s.b * (s.rho * x + (r * WAD >> 32)) / (WAD * WAD);
            if (v <= 0) return (0, 0);
            int256 slope = s.b * (s.rho + (x * WAD << 32) / r) / WAD;
            // w'' = b sigma^2 / r^3.
            int256 bend = (s.sigma * WAD << 32) / r;
            bend = (s.b * bend / WAD) * (bend << 32) / r;
            int256 rest = 2 * v - k * slope / WAD;
            int256 square = v * v;
            scaled = rest * rest - slope * slope * (v + square / (4 * WAD)) / WAD + 2 * bend * square / WAD;
            w = uint256(v);
        }
    }

    /// @notice The points at which a slice is examined: 0; 8 to either side out to `reach`, 6 of them in multiples of the total vol at
    ///         the money and one halfway (geometrically) from there to `reach`; 8 to either side of m in multiples of sigma.
    /// @param deviation sqrt(w(0)).
    /// @return k In no order; those of m and sigma may lie beyond `reach`.
    function points(Raw memory s, int256 deviation, int256 reach) internal pure returns (int256[SVI_POINTS] memory k) {
        unchecked {
            uint256 at = 1;
            int256 step;
            for (uint256 i; i < 8; ++i) {
                if (i < 6) step = deviation * int256((DEVIATIONS >> 8 * i) & 0xff) / 4;
                else if (i == 6) step = int256(FixedPointMathLib.sqrt(uint256(4 * deviation * reach)));
                else step = reach;
                (k[at], k[at + 1]) = (step, -step);
                step = s.sigma * int256((BENDS >> 8 * i) & 0xff) / 4;
                (k[at + 2], k[at + 3]) = (s.m + step, s.m - step);
                at += 4;
            }
        }
    }

    /// @dev sqrt(x^2 + sigma^2) at 2^32 x 1e18, rounded down.
    function _root(int256 x, int256 sigma) private pure returns (int256) {
        unchecked {
            return int256(FixedPointMathLib.sqrt(uint256(x * x + sigma * sigma) << 64));
        }
    }
}
