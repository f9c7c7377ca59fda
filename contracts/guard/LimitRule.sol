// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Exposure, Greeks} from "../venues/IVenue.sol";
import {IRiskGuard, Measure, Range} from "./IRiskGuard.sol";
import {PricePoint, Valuation} from "./IValuer.sol";

/// @title LimitRule: how far a book is outside its limits, and whether a change brings it back
/// @notice MEASURES of an underlying, each summed over its expiries, in reporting units: delta S / low NAV (a fraction at
/// 1e18), gamma S^2 / 100, vega / 100, theta / 365, S the mid price.
///
/// PENDING ORDERS. A measure is the span from all pending orders that lower it to all that raise it, unfilled included,
/// which covers every set of fills.
///
/// EXPIRIES. What expires by `soon` may be gone before the next call, so it is counted as a pending order is: the span covers the book
/// with and without each such expiry.
///
/// BREACH. The distance of the span's worse end to the nearer limit over that limit (over 1 wei where the limit is 0), at 1e18.
///
/// ASSUMPTIONS. VALUATIONS COME FROM THE VALUER: EVERY EXPOSURE HAS A PRICE AND NO PRODUCT HERE OVERFLOWS.
library LimitRule {
    /// @dev Measures and limits are cut off here, which no real one reaches; also the fraction of a NAV that is not positive.
    int256 private constant BOUNDLESS = 2 ** 180;

    /// @notice The spans of one underlying's measures, by `Measure`, and of price x delta.
    struct Spans {
        int256[4] least;
        int256[4] most;
        int256 leastWorth;
        int256 mostWorth;
    }

    /// @notice One measure outside its limits.
    struct Breach {
        uint256 size;
        address underlying;
        Measure measure;
        int256 value;
        Range range;
    }

    /// @notice The spans of `underlying` in `v`, delta as a fraction of `nav`.
    /// @param soon Unix seconds by which an expiry counts as optional.
    function spans(Valuation memory v, address underlying, int256 nav, uint256 soon)
        internal
        pure
        returns (Spans memory s)
    {
        int256 price = _price(v, underlying);
        if (price == 0) return s;
        Greeks memory least;
        Greeks memory most;
        for (uint256 i; i < v.exposures.length; ++i) {
            Exposure memory e = v.exposures[i];
            if (e.underlying != underlying) continue;
            if (e.expiry != 0 && e.expiry <= soon) {
                _widen(least, most, e.greeks);
            } else {
                _add(least, e.greeks);
                _add(most, e.greeks);
            }
        }
        for (uint256 i; i < v.pending.length; ++i) {
            if (v.pending[i].underlying == underlying) _widen(least, most, v.pending[i].greeks);
        }
        (s.leastWorth, s.mostWorth) = (least.delta * price, most.delta * price);
        s.least = _report(least, price);
        s.most = _report(most, price);
        (s.least[0], s.most[0]) = (_part(s.leastWorth, nav), _part(s.mostWorth, nav));
    }

    /// @notice The same spans with delta as a fraction of another `nav`.
    function over(Spans memory s, int256 nav) internal pure returns (Spans memory t) {
        for (uint256 m = 1; m < 4; ++m) {
            (t.least[m], t.most[m]) = (s.least[m], s.most[m]);
        }
        (t.leastWorth, t.mostWorth) = (s.leastWorth, s.mostWorth);
        (t.least[0], t.most[0]) = (_part(s.leastWorth, nav), _part(s.mostWorth, nav));
    }

    /// @notice How far the span [`least`, `most`] leaves `range` below and above.
    function breaches(int256 least, int256 most, Range memory range)
        internal
        pure
        returns (uint256 below, uint256 above)
    {
        if (least < range.min) below = _relative(range.min - least, range.min);
        if (most > range.max) above = _relative(most - range.max, range.max);
    }

    /// @notice How far the span of a measure leaves `allowed` at its worse end.
    function worst(Spans memory s, uint256 measure, Range memory allowed) internal pure returns (uint256) {
        (uint256 below, uint256 above) = breaches(s.least[measure], s.most[measure], allowed);
        return below > above ? below : above;
    }

    /// @notice The distance from zero of the farther end of a measure's span.
    function reach(Spans memory s, uint256 measure) internal pure returns (uint256) {
        int256 least = s.least[measure];
        int256 most = s.most[measure];
        return uint256(_max0(most > -least ? most : -least));
    }

    /// @notice A range in a word that is not zero: one bit, and 120 for each end. What is beyond 2^119 is no limit.
    function packed(Range calldata r) internal pure returns (uint256) {
        return 1 << 240 | _narrow(r.max) << 120 | _narrow(r.min);
    }

    /// @notice What was packed.
    function unpacked(uint256 word) internal pure returns (Range memory) {
        return Range(_wide(word), _wide(word >> 120));
    }

    /// @notice The tokens of both valuations' exposures and pending orders, each once.
    function underlyings(Valuation memory before, Valuation memory afterwards)
        internal
        pure
        returns (address[] memory tokens)
    {
        tokens = new address[](
            before.exposures.length + before.pending.length + afterwards.exposures.length + afterwards.pending.length
        );
        uint256 count = _collect(tokens, 0, before.exposures);
        count = _collect(tokens, count, before.pending);
        count = _collect(tokens, count, afterwards.exposures);
        count = _collect(tokens, count, afterwards.pending);
        assembly ("memory-safe") {
            mstore(tokens, count)
        }
    }

    /// @notice Reverts with the error of `breach`.
    function refuse(Breach memory breach) internal pure {
        revert IRiskGuard.LimitBreached(
            breach.underlying, breach.measure, breach.value, breach.range.min, breach.range.max
        );
    }

    function _collect(address[] memory tokens, uint256 count, Exposure[] memory entries)
        private
        pure
        returns (uint256)
    {
        for (uint256 i; i < entries.length; ++i) {
            address token = entries[i].underlying;
            uint256 j;
            while (j < count && tokens[j] != token) ++j;
            if (j == count) tokens[count++] = token;
        }
        return count;
    }

    function _part(int256 worth, int256 nav) private pure returns (int256) {
        if (nav > 0) return _cut(worth / nav);
        if (worth == 0) return 0;
        return worth > 0 ? BOUNDLESS : -BOUNDLESS;
    }

    function _report(Greeks memory g, int256 price) private pure returns (int256[4] memory m) {
        m[1] = _cut((g.gamma * price / 1e18) * price / 100e18);
        m[2] = g.vega / 100;
        m[3] = g.theta / 365;
    }

    function _relative(int256 distance, int256 limit) private pure returns (uint256) {
        uint256 scale = limit == 0 ? 1 : uint256(limit < 0 ? -limit : limit);
        // Both ends are cut off at BOUNDLESS, so the product stays below 2^241.
        return uint256(distance) * 1e18 / scale;
    }

    function _price(Valuation memory v, address underlying) private pure returns (int256) {
        for (uint256 i; i < v.prices.length; ++i) {
            PricePoint memory p = v.prices[i];
            if (p.underlying == underlying) return int256(p.mid);
        }
        return 0;
    }

    /// @dev Covers with and without `g`.
    function _widen(Greeks memory least, Greeks memory most, Greeks memory g) private pure {
        _add(least, Greeks(_min0(g.delta), _min0(g.gamma), _min0(g.vega), _min0(g.theta)));
        _add(most, Greeks(_max0(g.delta), _max0(g.gamma), _max0(g.vega), _max0(g.theta)));
    }

    function _add(Greeks memory sum, Greeks memory g) private pure {
        sum.delta += g.delta;
        sum.gamma += g.gamma;
        sum.vega += g.vega;
        sum.theta += g.theta;
    }

    function _cut(int256 x) private pure returns (int256) {
        if (x > BOUNDLESS) return BOUNDLESS;
        return x < -BOUNDLESS ? -BOUNDLESS : x;
    }

    function _narrow(int256 x) private pure returns (uint256) {
        if (x > type(int120).max) x = type(int120).max;
        if (x < type(int120).min) x = type(int120).min;
        return uint120(int120(x));
    }

    function _wide(uint256 word) private pure returns (int256 x) {
        x = int120(uint120(word));
        if (x == type(int120).max) return type(int256).max;
        if (x == type(int120).min) return type(int256).min;
    }

    function _min0(int256 x) private pure returns (int256) {
        return x < 0 ? x : int256(0);
    }

    function _max0(int256 x) private pure returns (int256) {
        return x > 0 ? x : int256(0);
    }
}
