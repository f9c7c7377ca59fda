// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard, Limits, Range} from "../../../contracts/guard/IRiskGuard.sol";
import {Valuation} from "../../../contracts/guard/IValuer.sol";
import {LimitRule} from "../../../contracts/guard/LimitRule.sol";
import {Greeks} from "../../../contracts/venues/IVenue.sol";

/// @notice Blinds a guard to one half of its rule for limits that are broken already, by what it is told of the book before a call: of a measure
/// that crossed over, that it was out on the side where it ends; of a breach that grew while the largest was mended, that it was there. The loss that
/// the guard charges is made up to what it would have been.
abstract contract LimitBlinds {
    /// @dev One underlying before and after a call.
    struct Case {
        LimitRule.Spans was;
        LimitRule.Spans is_;
        Limits limits;
        Greeks sumBefore;
        Greeks sum;
    }

    /// @dev More than any loss.
    int256 private constant APART = 1e40;

    function doctored(IRiskGuard guard, Valuation calldata before, Valuation calldata afterwards, bool crossing)
        external
        view
        returns (Valuation memory told)
    {
        told = before;
        bool changed;
        for (uint256 i; i < told.exposures.length && !changed; ++i) {
            changed = _doctor(guard, before, afterwards, told, i, crossing);
        }
        if (!changed) return told;
        // Far from zero a charge is not cut off there.
        int256 charge = int256(guard.cornerLoss(before, afterwards));
        told.mid = before.mid + APART;
        told.mid = before.mid + charge - (int256(guard.cornerLoss(told, afterwards)) - APART);
    }

    /// @dev Alters the exposure `at` by what its underlying's measures shall have been.
    function _doctor(
        IRiskGuard guard,
        Valuation calldata before,
        Valuation calldata afterwards,
        Valuation memory told,
        uint256 at,
        bool crossing
    ) private view returns (bool) {
        Case memory c;
        address token = before.exposures[at].underlying;
        c.limits = guard.limits(token);
        c.was = LimitRule.spans(before, token, before.low, block.timestamp + 1 days);
        c.is_ = LimitRule.spans(afterwards, token, afterwards.low, block.timestamp + 1 days);
        if (!_mends(c)) return false;
        (c.sumBefore, c.sum) = (_sum(before, token), _sum(afterwards, token));
        return crossing ? _uncross(c, told.exposures[at].greeks) : _ungrow(c, told.exposures[at].greeks);
    }

    /// @dev Whether the rest of the rule holds; not where something may be gone or filled, for there is no one number to alter.
    function _mends(Case memory c) private pure returns (bool) {
        uint256 largest;
        uint256 left;
        for (uint256 m; m < 4; ++m) {
            if (c.was.least[m] != c.was.most[m] || c.is_.least[m] != c.is_.most[m]) return false;
            Range memory range = _range(c.limits, m);
            largest = _larger(largest, LimitRule.worst(c.was, m, range));
            left = _larger(left, LimitRule.worst(c.is_, m, range));
        }
        return left != 0 && left * 10 <= largest * 9;
    }

    /// @dev Only delta has limits on both sides, and they are alike.
    function _uncross(Case memory c, Greeks memory g) private pure returns (bool) {
        if (!_crossed(c.was, c.is_, 0, _range(c.limits, 0))) return false;
        g.delta -= 2 * c.sumBefore.delta;
        return true;
    }

    function _ungrow(Case memory c, Greeks memory g) private pure returns (bool changed) {
        for (uint256 m; m < 3; ++m) {
            Range memory range = _range(c.limits, m);
            if (_crossed(c.was, c.is_, m, range)) continue;
            if (LimitRule.worst(c.is_, m, range) <= LimitRule.worst(c.was, m, range)) continue;
            changed = true;
            if (m == 0) g.delta += c.sum.delta - c.sumBefore.delta;
            if (m == 1) g.gamma += c.sum.gamma - c.sumBefore.gamma;
            if (m == 2) g.vega += c.sum.vega - c.sumBefore.vega;
        }
    }

    function _range(Limits memory limits, uint256 m) private pure returns (Range memory) {
        if (m < 2) return m == 0 ? limits.delta : limits.gamma;
        return m == 2 ? limits.vega : limits.theta;
    }

    function _crossed(LimitRule.Spans memory was, LimitRule.Spans memory is_, uint256 m, Range memory range)
        private
        pure
        returns (bool)
    {
        (uint256 below, uint256 above) = LimitRule.breaches(was.least[m], was.most[m], range);
        (uint256 belowNow, uint256 aboveNow) = LimitRule.breaches(is_.least[m], is_.most[m], range);
        return (belowNow > 0 && below == 0 && above > 0) || (aboveNow > 0 && above == 0 && below > 0);
    }

    function _sum(Valuation calldata v, address token) private pure returns (Greeks memory g) {
        for (uint256 i; i < v.exposures.length; ++i) {
            if (v.exposures[i].underlying != token) continue;
            g.delta += v.exposures[i].greeks.delta;
            g.gamma += v.exposures[i].greeks.gamma;
            g.vega += v.exposures[i].greeks.vega;
        }
    }

    function _larger(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
