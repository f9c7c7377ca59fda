// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title CarryBound: how far an option's value and Greeks can go while a mark is carried
/// @notice For one European option at r = 0, valued by Black-76 at a vol that stands still, with n(0) = 1/sqrt(2 pi), s = vol sqrt(T),
/// T0 the time to expiry at the mark and T1 at the end of the longest carry, and for moves dS of spot to either side:
///
/// VALUE, move first and time after. 0 <= V(S + dS, T0) - V(S, T0) - delta dS <= 1/2 Gsup dS^2, since gamma n(d1) / (S s) is greatest at
/// d1 = -s, where it is e^(s^2) n(0) / (K s) =: Gsup; T0 in the numerator and T1 in the denominator make it a bound at all times between. And
/// 0 <= V(S, T0) - V(S, T1) <= S vol n(0) (T0 - T1) / (2 sqrt(T1)), since theta is -S n(d1) vol / (2 sqrt(T)). Of a short the signs
/// swap.
///
/// DELTA moves with spot by at most Gsup |dS|, and with time by at most (n(1) + n(0) s) ln(T0 / T1) / 2: it is N(d1), d(d1)/d(ln s) = -d2,
/// and n(d) |d - s| <= n(1) + n(0) s, because n(d) |d| <= n(1). GAMMA never passes Gsup.
///
/// VEGA moves with spot by at most (n(1) + n(0) s) / vol a unit, which bounds n(d1) |d2| / vol; and with time by at most
/// S sqrt(T0) (2 n(1) + n(1) s) ln(T0 / T1) / 2, because its derivative in ln T is S sqrt(T) n(d1) (1 + d1 d2) / 2 and
/// n(d) (1 + d^2) <= 2 n(1).
///
/// ln(T0 / T1) <= (T0 - T1) / T1. All rounding is upward, of the time left downward. Products have 256 bits: what no position comes near reverts.
library CarryBound {
    using Math for uint256;

    /// @dev n(0) and n(1) at 1e18, rounded up.
    uint256 private constant DENSITY_0 = 398942280401432678;
    uint256 private constant DENSITY_1 = 241970724519143350;
    uint256 private constant WAD = 1e18;
    uint256 private constant YEAR = 365 days;

    /// @notice How far a mark is carried.
    /// @param age  Seconds.
    /// @param move Fraction of spot at 1e18.
    struct Reach {
        uint256 age;
        uint256 move;
    }

    /// @notice Options of one strike and expiry. All at 1e18 but the time.
    /// @param units    Contracts, regardless of sign, times the greatest |delta| of one: value lost by a move of 1.
    /// @param spot     Price of the underlying, asset units.
    /// @param strike   Asset units.
    /// @param vol      Annualised.
    /// @param volWidth Half-width of the vol.
    /// @param life     Seconds to expiry, more than the reach's age.
    struct Leg {
        uint256 units;
        uint256 spot;
        uint256 strike;
        uint256 vol;
        uint256 volWidth;
        uint256 life;
    }

    /// @notice What may happen to the options at the end of the reach, asset units at 1e18.
    /// @param curve 1/2 Gsup dS^2 at the greatest move; goes with the square of the move.
    /// @param decay Time decay over the greatest age; goes with age.
    /// @param slope Vega's change over the greatest move, times the vol's half-width; goes with the move.
    /// @param drift Delta's change over the greatest age, times a price half-width of the greatest move, and vega's times the vol's
    ///              half-width; goes with age.
    struct Bound {
        uint256 curve;
        uint256 decay;
        uint256 slope;
        uint256 drift;
    }

    function bound(Leg memory leg, Reach memory reach) internal pure returns (Bound memory b) {
        uint256 root = FixedPointMathLib.sqrt((leg.life * WAD).ceilDiv(YEAR) * WAD) + 1;
        uint256 atEnd = FixedPointMathLib.sqrt(((leg.life - reach.age) * WAD) / YEAR * WAD);
        uint256 span = _up(leg.spot, reach.move);
        uint256 deviation = _up(root, leg.vol);
        b.curve = _up(_up(_gammaSup(leg, deviation, atEnd), span), span).ceilDiv(2);
        b.decay = _decay(leg, reach, span, atEnd);

        uint256 bend = DENSITY_1 + _up(DENSITY_0, deviation);
        b.slope = (_up(_up(_up(leg.units, span), bend), leg.volWidth) * WAD).ceilDiv(leg.vol);
        uint256 turn = _up(_up(leg.units, span), bend) + _vegaTurn(leg, span, root, deviation);
        b.drift = (turn * reach.age).ceilDiv(2 * (leg.life - reach.age));
    }

    function _decay(Leg memory leg, Reach memory reach, uint256 span, uint256 atEnd) private pure returns (uint256) {
        uint256 elapsed = (reach.age * WAD).ceilDiv(YEAR);
        uint256 slope = _up(_up(_up(leg.units, leg.spot + span), leg.vol), DENSITY_0);
        return (_up(slope, elapsed) * WAD).ceilDiv(2 * atEnd);
    }

    /// @dev Vega's change by ln(T0 / T1) / 2, times the vol's half-width.
    function _vegaTurn(Leg memory leg, uint256 span, uint256 root, uint256 deviation) private pure returns (uint256) {
        uint256 twist = _up(root, 2 * DENSITY_1 + _up(DENSITY_1, deviation));
        return _up(_up(_up(leg.units, leg.spot + span), twist), leg.volWidth);
    }

    function _gammaSup(Leg memory leg, uint256 deviation, uint256 atEnd) private pure returns (uint256) {
        uint256 growth = uint256(FixedPointMathLib.expWad(int256(_up(deviation, deviation)))) + 1;
        // strike x s at 1e36
        return _up(_up(leg.units, growth), DENSITY_0).mulDiv(1e36, leg.strike * ((atEnd * leg.vol) / WAD), Math.Rounding.Ceil);
    }

    function _up(uint256 a, uint256 b) private pure returns (uint256) {
        return (a * b + (WAD - 1)) / WAD;
    }
}
