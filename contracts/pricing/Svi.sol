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
///      Errors against exact arithmetic, for parameters that pass `check`: w within 3e-18 + 3e-17 b sqrt((k - m)^2 + sigma^2), vol within that over
///      (vol years) and 1e-18 of its own, g within 1e-14 where w >= 1e-4 (below, as much more as w is less).
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
    int256 internal constant MAX_K = 50e18;

    int256 private constant WAD = 1e18;
    int256 private constant FOUR_WAD = 4e18;
    int256 private constant WAD_SQUARED = 1e36;
    /// @dev 2^68, above 4 sqrt((MAX_K + 9.3)^2 + 18.5^2) at 1e18; its square times 1e36 is below 2^256.
    int256 private constant REST = 1 << 68;
    uint256 private constant YEAR = 365 days;
    /// @dev Multiples in quarters, a byte each, the first lowest: 0.5 1 1.5 2.25 3 4 and a mark for the halfway point, after which comes
    ///      the reach; 0.25 0.5 1 1.5 2 3 4 6.
    uint256 private constant DEVIATIONS = 0x01100c09060402;
    uint256 private constant BENDS = 0x18100c0806040201;

    /// @notice Reverts unless sigma >= MIN_SIGMA, |rho| < 1, b (1 + |rho|) is 0 to MAX_SLOPE and the least total variance is 0 or more.
    /// @return least The least total variance over all k, a + b sigma sqrt(1 - rho^2).
    function check(Raw memory s) internal pure returns (int256 least) {
        unchecked {
            if (s.sigma < MIN_SIGMA) revert SigmaTooSmall(s.sigma, MIN_SIGMA);
            if (s.rho >= WAD || s.rho <= -WAD) revert RhoOutOfRange(s.rho);
            int256 steepest = (s.b * (WAD + (s.rho < 0 ? -s.rho : s.rho)) + WAD - 1) / WAD;
            if (s.b < 0 || steepest > MAX_SLOPE) revert WingOutOfRange(steepest, MAX_SLOPE);
            int256 root = int256(FixedPointMathLib.sqrt(uint256(WAD_SQUARED - s.rho * s.rho)));
            least = s.a + s.b * s.sigma * root / WAD_SQUARED;
            if (least < 0) revert NegativeVariance(least);
        }
    }

    /// @notice Total variance at `k`; 0 where rounding would put it below.
    function totalVariance(Raw memory s, int256 k) internal pure returns (uint256 w) {
        int256 x;
        int256 sigma;
        assembly ("memory-safe") {
            x := sub(k, mload(add(s, 0x60)))
            sigma := mload(add(s, 0x80))
        }
        int256 r = _root(x, sigma);
        assembly ("memory-safe") {
            w := add(mul(mload(add(s, 0x40)), x), shr(32, mul(r, WAD)))
            w := add(mload(s), sdiv(mul(mload(add(s, 0x20)), w), WAD_SQUARED))
            w := mul(w, sgt(w, 0))
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
        int256 x;
        int256 sigma;
        assembly ("memory-safe") {
            x := sub(k, mload(add(s, 0x60)))
            sigma := mload(add(s, 0x80))
        }
        int256 r = _root(x, sigma);
        // r >= sigma > 0, so that no division is by zero.
        assembly ("memory-safe") {
            let b := mload(add(s, 0x20))
            let rho := mload(add(s, 0x40))
            w := add(mload(s), sdiv(mul(b, add(mul(rho, x), shr(32, mul(r, WAD)))), WAD_SQUARED))
            w := mul(w, sgt(w, 0))
            // w'' = b sigma^2 / r^3 and w' = b (rho + x / r).
            let bend := div(shl(32, mul(sigma, WAD)), r)
            bend := div(shl(32, div(mul(b, mul(bend, bend)), WAD)), r)
            let slope := sdiv(mul(b, add(rho, sdiv(shl(32, mul(x, WAD)), r))), WAD)
            // (2w - k w')^2 + w (2 w'' w - w'^2 (1 + w/4))
            scaled := sub(shl(1, w), sdiv(mul(k, slope), WAD))
            slope := div(mul(mul(slope, slope), add(FOUR_WAD, w)), FOUR_WAD)
            scaled := add(mul(scaled, scaled), sdiv(mul(w, sub(shl(1, mul(bend, w)), slope)), WAD))
            scaled := mul(scaled, gt(w, 0))
        }
    }

    /// @notice Whether the total variance at `k` is at most `bound` (below 2^128), to 2e-18 and without a root: whether
    ///         b sqrt((k - m)^2 + sigma^2) <= bound - a - b rho (k - m). Of a slice with b at most 2 MAX_SLOPE.
    function isAtMost(Raw memory s, int256 k, int256 bound) internal pure returns (bool yes) {
        assembly ("memory-safe") {
            let b := mload(add(s, 0x20))
            let x := sub(k, mload(add(s, 0x60)))
            let rest := sub(sub(bound, mload(s)), sdiv(mul(mul(b, mload(add(s, 0x40))), x), WAD_SQUARED))
            let sigma := mload(add(s, 0x80))
            // b keeps the left side below 2^256. A `rest` whose square would overflow is above any left side.
            yes := gt(mul(mul(b, b), add(mul(x, x), mul(sigma, sigma))), mul(mul(rest, rest), WAD_SQUARED))
            yes := and(sgt(rest, sub(0, 1)), or(sgt(rest, REST), iszero(yes)))
        }
    }

    /// @notice The points at which a slice is examined: 0; 8 to either side out to `reach`, 6 of them in multiples of the total vol at
    ///         the money and one halfway (geometrically) from there to `reach`; 8 to either side of m in multiples of sigma.
    /// @param deviation sqrt(w(0)).
    /// @return k     In no order.
    /// @return count How many of them are within +-reach; `k` holds these first.
    function points(Raw memory s, int256 deviation, int256 reach)
        internal
        pure
        returns (int256[SVI_POINTS] memory k, uint256 count)
    {
        int256 halfway = int256(FixedPointMathLib.sqrt(uint256(4 * deviation * reach)));
        assembly ("memory-safe") {
            let m := mload(add(s, 0x60))
            let sigma := mload(add(s, 0x80))
            let width := add(shl(1, reach), 1)
            // A point beyond the reach is overwritten by the next. k[0] is 0.
            let next := add(k, 32)
            let deviations := DEVIATIONS
            for { let bends := BENDS } bends { bends := shr(8, bends) } {
                let step := shr(2, mul(deviation, and(deviations, 0xff)))
                switch deviations
                case 0 { step := reach }
                case 1 { step := halfway }
                deviations := shr(8, deviations)
                mstore(next, step)
                next := add(next, shl(5, lt(add(step, reach), width)))
                mstore(next, sub(0, step))
                next := add(next, shl(5, lt(sub(reach, step), width)))
                step := shr(2, mul(sigma, and(bends, 0xff)))
                mstore(next, add(m, step))
                next := add(next, shl(5, lt(add(reach, add(m, step)), width)))
                mstore(next, sub(m, step))
                next := add(next, shl(5, lt(add(reach, sub(m, step)), width)))
            }
            count := shr(5, sub(next, k))
        }
    }

    /// @dev sqrt(x^2 + sigma^2) at 2^32 x 1e18, sigma > 0, to 3e-17 of itself and a unit: 27/32 (|x| + sigma) is within 20% of it, and four
    ///      steps of Newton square that to 3e-17.
    function _root(int256 x, int256 sigma) private pure returns (int256 r) {
        assembly ("memory-safe") {
            let square := shl(64, add(mul(x, x), mul(sigma, sigma)))
            r := sar(255, x)
            r := shl(27, mul(27, add(sigma, xor(add(x, r), r))))
            r := shr(1, add(div(square, r), r))
            r := shr(1, add(div(square, r), r))
            r := shr(1, add(div(square, r), r))
            r := shr(1, add(div(square, r), r))
        }
    }
}
