// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Black76: value and Greeks of a European option on a forward, undiscounted (r = 0)
/// @notice Everything is at 1e18: prices in the unit of `forward`, delta in units of underlying, gamma per 1 of forward,
///         vega per 1.00 of vol, theta per year of 365 days (negative: value lost as time passes at constant forward).
/// @dev Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976).
///
///      With m = |ln(F/K)|, s = vol sqrt(T), near = m/s - s/2, far = m/s + s/2, phi and N the normal density and distribution:
///        min(F,K) phi(near) = max(F,K) phi(far) = F phi(d1) =: g, so that one exponential serves every output, and
///        out-of-the-money option = min(F,K) N(-near) - max(F,K) N(-far) = g (R(near) - R(far)),
///      R(x) = N(-x)/phi(x) the Mills ratio. The out-of-the-money side is priced so, without cancellation; the other side follows
///      by parity, so call - put = F - K exactly.
///
///      Fixed point inside is 2^96 or 2^128. ln, exp and R are minimax fits made for this library; their relative errors are
///      8e-21, 8e-19 and 3e-18 (R: for arguments up to 14, 2e-12 at 32, the largest that total deviations up to 22 reach).
///
///      THE FORWARD IS TAKEN AS THE CALLER GIVES IT; ON CHAIN IT IS THE ORACLE'S SPOT (R = D = 1).
///      NEVER REVERTS FOR forward, strike < 2^112, vol < 2^96, secondsToExpiry < 2^40; reverts with OutOfDomain beyond.
library Black76 {
    struct Result {
        uint256 call;
        uint256 put;
        int256 callDelta;
        uint256 gamma;
        uint256 vega;
        int256 theta;
    }

    /// @notice An argument is too large for the fixed point used.
    error OutOfDomain(uint256 forward, uint256 strike, uint256 secondsToExpiry, uint256 vol);

    /// @dev 9.1 at 2^96. Beyond it phi is under 5e-19: less than half a unit of 1e-18, so time value and Greeks are 0.
    int256 private constant LIMIT = 720976278879805472101249948057;

    /// @dev 2^192 / 31,536,000: the square root of seconds times this is sqrt(years) at 2^96.
    uint256 private constant PER_YEAR = 199045590290039344363133860451790538308674386239980;

    /// @notice Value and Greeks of the call, and the put's value.
    /// @dev Zero time, vol or strike (and a vol so small that s rounds to 0) give intrinsic value, delta 0 or 1 (1/2 at F = K), all
    ///      else 0. Put delta is callDelta - 1e18; gamma, vega and theta are the same for both.
    /// @param forward         Forward price at 1e18.
    /// @param strike          Strike at 1e18, in the unit of `forward`.
    /// @param secondsToExpiry Seconds; a year has 31,536,000.
    /// @param vol             Annualised vol at 1e18 (0.8e18 is 80%).
    function evaluate(uint256 forward, uint256 strike, uint256 secondsToExpiry, uint256 vol)
        internal
        pure
        returns (Result memory result)
    {
        unchecked {
            if (((forward | strike) >> 112) | (vol >> 96) | (secondsToExpiry >> 40) != 0) {
                revert OutOfDomain(forward, strike, secondsToExpiry, vol);
            }
            uint256 root = FixedPointMathLib.sqrt(secondsToExpiry * PER_YEAR);
            uint256 deviation = root * vol / 1e18;
            uint256 lesser = forward < strike ? forward : strike;
            if (deviation == 0 || lesser == 0) {
                _intrinsic(result, forward, strike);
                return result;
            }
            uint256 reach = (_lnRatio(forward > strike ? forward : strike, lesser) << 96) / deviation;
            int256 near = int256(reach) - int256(deviation >> 1);
            if (near > LIMIT) {
                _intrinsic(result, forward, strike);
                return result;
            }
            if (near < -LIMIT) {
                // So much deviation that the option is worth its bound: the call the forward, the put the strike.
                (result.call, result.put, result.callDelta) = (forward, strike, 1e18);
                return result;
            }
            _fill(result, forward, strike, root, deviation, near, vol);
        }
    }

    /// @dev Value at expiry.
    function _intrinsic(Result memory result, uint256 forward, uint256 strike) private pure {
        unchecked {
            if (forward > strike) {
                result.call = forward - strike;
                result.callDelta = 1e18;
            } else if (forward < strike) {
                result.put = strike - forward;
            } else {
                result.callDelta = 0.5e18;
            }
        }
    }

    /// @dev The general case: |near| <= LIMIT. `root` is sqrt(years), `deviation` is s, `near` as above, all at 2^96.
    function _fill(
        Result memory result,
        uint256 forward,
        uint256 strike,
        uint256 root,
        uint256 deviation,
        int256 near,
        uint256 vol
    ) private pure {
        unchecked {
            bool above = forward >= strike;
            uint256 density = _density(near);
            // g at 1e18 x 2^128; `density` becomes phi(d1).
            uint256 g = (above ? strike : forward) * density;
            if (above) density = g / forward;
            result.gamma = (density * 1e36 / ((forward * deviation) << 31) + 1) >> 1;
            g >>= 96;
            result.vega = (g * root) >> 128;
            result.theta = -int256(((g * vol / 1e18) << 63) / root);

            uint256 farRatio = _mills(uint256(near + int256(deviation)));
            uint256 nearRatio;
            uint256 outOfTheMoney;
            if (near >= 0) {
                nearRatio = _mills(uint256(near));
                outOfTheMoney = nearRatio > farRatio ? (g * (nearRatio - farRatio)) >> 128 : 0;
            } else {
                nearRatio = _mills(uint256(-near));
                uint256 lost = (g * (nearRatio + farRatio)) >> 128;
                outOfTheMoney = above ? strike : forward;
                outOfTheMoney = outOfTheMoney > lost ? outOfTheMoney - lost : 0;
            }
            // N(-|d1|) at 1e18; |d1| is `far` where the forward is above the strike, else |near|.
            uint256 tail = (((density * (above ? farRatio : nearRatio)) >> 128) * 1e18 + 2 ** 95) >> 96;
            result.callDelta = int256(above || near < 0 ? 1e18 - tail : tail);
            if (above) {
                result.put = outOfTheMoney;
                result.call = outOfTheMoney + (forward - strike);
            } else {
                result.call = outOfTheMoney;
                result.put = outOfTheMoney + (strike - forward);
            }
        }
    }

    /// @dev ln(greater / lesser) at 2^96, for 2^112 > greater >= lesser > 0. Halves the ratio until it lies in 0.707 to 1.4143, then
    ///      2 atanh((greater - lesser) / (greater + lesser)), so that equal arguments give exactly 0.
    function _lnRatio(uint256 greater, uint256 lesser) private pure returns (uint256 y) {
        assembly ("memory-safe") {
            // 577/408 = 1.414216
            for {} gt(mul(greater, 408), mul(lesser, 577)) {} {
                lesser := shl(1, lesser)
                y := add(y, 54916777467707473351141471128)
            }
            let z := sdiv(shl(96, sub(greater, lesser)), add(greater, lesser))
            let u := shr(96, mul(z, z))
            let p := add(10496742314256471376635681845, shr(96, mul(10507404723382429658788106016, u)))
            p := add(12190965276895208525806403049, shr(96, mul(p, u)))
            p := add(14405085235607329872561250019, shr(96, mul(p, u)))
            p := add(17606258696880669673426827532, shr(96, mul(p, u)))
            p := add(22636617859150135209482229643, shr(96, mul(p, u)))
            p := add(31691265005711675121965176421, shr(96, mul(p, u)))
            p := add(52818775009509551832541448178, shr(96, mul(p, u)))
            p := add(158456325028528675188280775620, shr(96, mul(p, u)))
            y := add(y, sar(96, mul(p, z)))
        }
    }

    /// @dev phi(x) at 2^128 for x at 2^96, |x| <= 9.1. exp(-x^2/2) = 2^-k (c + r)/(c - r) with |r| <= ln(2)/2 and
    ///      c = r coth(r/2), which is even: a polynomial in r^2.
    function _density(int256 x) private pure returns (uint256 y) {
        assembly ("memory-safe") {
            let h := shr(97, mul(x, x))
            let k := shr(192, add(mul(h, 114302077158074026402637675937), shl(191, 1)))
            let r := sub(mul(k, 54916777467707473351141471128), h)
            let u := shr(96, mul(r, r))
            let c := sub(shr(96, mul(3278023932640645497149, u)), 130994891480237175935597)
            c := add(5239957585694475620785485, sar(96, mul(c, u)))
            c := sub(sar(96, mul(c, u)), 220078229199176250434072867)
            c := add(13204693752377316304449747513, sar(96, mul(c, u)))
            c := add(158456325028528675309477744098, sar(96, mul(c, u)))
            // 2^128 / sqrt(2 pi)
            y := shr(k, div(mul(add(c, r), 135753023439836232162591007175785461952), sub(c, r)))
        }
    }

    /// @dev The Mills ratio R(x) = N(-x)/phi(x) at 2^96 for x >= 0 at 2^96: a rational of degree 9 over 10 with positive coefficients.
    function _mills(uint256 x) private pure returns (uint256 y) {
        assembly ("memory-safe") {
            let p := add(2295063910236939460758619860910, shr(96, mul(79228162495184483630684231292, x)))
            p := add(32156573664663197419253751254760, shr(96, mul(p, x)))
            p := add(283156202803186034112845413667822, shr(96, mul(p, x)))
            p := add(1717757099572256317481822773045545, shr(96, mul(p, x)))
            p := add(7430945649065051349224857533993177, shr(96, mul(p, x)))
            p := add(22953586051125938682355279661586305, shr(96, mul(p, x)))
            p := add(49081622223392705344088489271506958, shr(96, mul(p, x)))
            p := add(66695280527873924313147151287501720, shr(96, mul(p, x)))
            p := add(45073607608590449621887545709011134, shr(96, mul(p, x)))
            let q := add(2295063907872881223844511937640, x)
            q := add(32235801965437304746441275469772, shr(96, mul(q, x)))
            q := add(285451261620078228123525692206375, shr(96, mul(q, x)))
            q := add(1749755349871586704221798342952579, shr(96, mul(q, x)))
            q := add(7709509100050562509201079547356433, shr(96, mul(q, x)))
            q := add(24607863041483240054876245413061889, shr(96, mul(q, x)))
            q := add(55968694555035673721905387206015595, shr(96, mul(q, x)))
            q := add(86534332947502347492093205197839397, shr(96, mul(q, x)))
            q := add(81909884427173106009142476275483576, shr(96, mul(q, x)))
            q := add(35963535610580881183946783530657074, shr(96, mul(q, x)))
            y := div(shl(96, p), q)
        }
    }
}
