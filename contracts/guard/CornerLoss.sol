// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {Exposure} from "../venues/IVenue.sol";
import {PricePoint, Valuation, VolPoint} from "./IValuer.sol";

/// @title CornerLoss: the charge of a change of the book
/// @notice With dM, dD, dG, dV the change of mid and of the netted delta, gamma and vega, [low, high] each price or vol
/// interval and dH the growth of the venues' own half-widths,
///     loss = max(0, -dM + sum_u max_{x in [low - mid, high - mid]} -(dD_u x + 1/2 dG_u x^2)
///                       + sum_{u,e} max_{y in [low - mid, high - mid]} -dV_ue y + max(0, dH)).
/// If the truth lies inside every interval and the book is of second order, the true loss is at most this. The maximum over
/// x is exact: the two ends, the middle, and the vertex where a change that adds gamma is worst inside. Intervals
/// are those of the valuation after the change, or before it for what is no longer held. Every term rounds up.
///
/// ASSUMPTIONS. BOTH VALUATIONS COME FROM THE VALUER, WHOSE BOUNDS KEEP THE PRODUCTS HERE FROM OVERFLOWING.
library CornerLoss {
    using Math for uint256;
    using SignedMath for int256;

    /// @notice The charge of going from `before` to `afterwards`, asset units at 1e18.
    function charge(Valuation memory before, Valuation memory afterwards) internal pure returns (uint256) {
        int256 loss = before.mid - afterwards.mid;
        for (uint256 i; i < afterwards.prices.length; ++i) {
            loss += int256(_priceLoss(before, afterwards, afterwards.prices[i]));
        }
        for (uint256 i; i < before.prices.length; ++i) {
            if (!_hasPrice(afterwards, before.prices[i].underlying)) {
                loss += int256(_priceLoss(before, afterwards, before.prices[i]));
            }
        }
        for (uint256 i; i < afterwards.vols.length; ++i) {
            loss += int256(_volLoss(before, afterwards, afterwards.vols[i]));
        }
        for (uint256 i; i < before.vols.length; ++i) {
            if (!_hasVol(afterwards, before.vols[i])) loss += int256(_volLoss(before, afterwards, before.vols[i]));
        }
        uint256 widthBefore = _halfWidths(before);
        uint256 widthAfter = _halfWidths(afterwards);
        if (widthAfter > widthBefore) loss += int256(widthAfter - widthBefore);
        return loss > 0 ? uint256(loss) : 0;
    }

    function _priceLoss(Valuation memory before, Valuation memory afterwards, PricePoint memory p)
        private
        pure
        returns (uint256)
    {
        (int256 deltaBefore, int256 gammaBefore) = _netted(before.exposures, p.underlying);
        (int256 delta, int256 gamma) = _netted(afterwards.exposures, p.underlying);
        return worst(delta - deltaBefore, gamma - gammaBefore, p.mid - p.low, p.high - p.mid);
    }

    /// @notice max(0, -(delta x + 1/2 gamma x^2)) over x in [-down, up], rounded up; all at 1e18.
    function worst(int256 delta, int256 gamma, uint256 down, uint256 up) internal pure returns (uint256 most) {
        most = Math.max(_at(delta, gamma, -int256(down)), _at(delta, gamma, int256(up)));
        if (gamma <= 0 || delta == 0) return most;
        // -delta/gamma is where the parabola turns; the loss there is delta^2 / (2 gamma).
        uint256 reach = delta > 0 ? down : up;
        if (delta.abs() * 1e18 < reach * uint256(gamma)) {
            most = Math.max(most, (delta.abs() * delta.abs()).ceilDiv(2 * uint256(gamma)));
        }
    }

    function _at(int256 delta, int256 gamma, int256 x) private pure returns (uint256) {
        int256 reach = x < 0 ? -x : x;
        int256 gain = _floorDiv(delta * x, 1e18) + _floorDiv(_floorDiv(gamma * reach, 1e18) * reach, 2e18);
        return gain < 0 ? uint256(-gain) : 0;
    }

    function _volLoss(Valuation memory before, Valuation memory afterwards, VolPoint memory p)
        private
        pure
        returns (uint256)
    {
        int256 vega =
            _vega(afterwards.exposures, p.underlying, p.expiry) - _vega(before.exposures, p.underlying, p.expiry);
        uint256 width = vega > 0 ? p.mid - p.low : p.high - p.mid;
        return (vega.abs() * width).ceilDiv(1e18);
    }

    function _netted(Exposure[] memory exposures, address underlying)
        private
        pure
        returns (int256 delta, int256 gamma)
    {
        for (uint256 i; i < exposures.length; ++i) {
            if (exposures[i].underlying != underlying) continue;
            delta += exposures[i].greeks.delta;
            gamma += exposures[i].greeks.gamma;
        }
    }

    function _vega(Exposure[] memory exposures, address underlying, uint64 expiry) private pure returns (int256) {
        for (uint256 i; i < exposures.length; ++i) {
            if (exposures[i].underlying == underlying && exposures[i].expiry == expiry) {
                return exposures[i].greeks.vega;
            }
        }
        return 0;
    }

    function _hasPrice(Valuation memory v, address underlying) private pure returns (bool) {
        for (uint256 i; i < v.prices.length; ++i) {
            if (v.prices[i].underlying == underlying) return true;
        }
        return false;
    }

    function _hasVol(Valuation memory v, VolPoint memory p) private pure returns (bool) {
        for (uint256 i; i < v.vols.length; ++i) {
            if (v.vols[i].underlying == p.underlying && v.vols[i].expiry == p.expiry) return true;
        }
        return false;
    }

    function _halfWidths(Valuation memory v) private pure returns (uint256 sum) {
        for (uint256 i; i < v.venues.length; ++i) {
            sum += v.venues[i].halfWidth;
        }
    }

    function _floorDiv(int256 a, int256 b) private pure returns (int256 q) {
        q = a / b;
        if (a < 0 && q * b != a) --q;
    }
}
