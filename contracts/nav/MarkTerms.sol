// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {PricePoint, Valuation, VenueValue, VolPoint} from "../guard/IValuer.sol";
import {IVault} from "../IVault.sol";
import {IDollarOracle} from "../oracle/IDollarOracle.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IVolSource} from "../oracle/IVolSource.sol";
import {Exposure, IVenue, Kind} from "../venues/IVenue.sol";
import {ILendingVenue, LendingCarry} from "../venues/lending/ILendingVenue.sol";
import {IOptionVenue, OptionPosition} from "../venues/option/IOptionVenue.sol";
import {IPerpVenue, PerpCarry} from "../venues/perp/IPerpVenue.sol";
import {CarryBound} from "./CarryBound.sol";

/// @notice One underlying of a mark. Bounds are asset units at 1e18, at the end of the reach: the greatest age and the greatest move.
/// @param price       Mid of the full quote.
/// @param delta       Netted.
/// @param gap         From the full quote's mid to the primary's, fraction of the price at 1e18.
/// @param halfWidth   The larger half of the full quote, fraction of the price at 1e18.
/// @param paysOptions Options of the book are paid in it.
/// @param hasOptions  Options of the book are on it.
/// @param curveLong   Sum over long options of 1/2 Gsup dS^2; goes with the square of the move.
/// @param decayLong   Sum over long options of time decay; goes with age.
/// @param slope       Growth of width, goes with the move.
/// @param drift       Growth of width, goes with age.
/// @param gross       What all options regardless of sign can move by at the greatest move.
struct Term {
    address underlying;
    uint256 price;
    int256 delta;
    uint256 gap;
    uint256 halfWidth;
    bool paysOptions;
    bool hasOptions;
    uint256 curveLong;
    uint256 curveShort;
    uint256 decayLong;
    uint256 decayShort;
    uint256 slope;
    uint256 drift;
    uint256 gross;
}

/// @notice All that a mark stores besides mid, idle and time.
/// @param terms  Those that options are paid in come first.
/// @param width  Width at the mark that no price causes: the venues' own and the vols'.
/// @param dollar The asset in dollars where options are struck in dollars, else 0.
/// @param carry  What funding and interest add in the greatest age at their rates of now.
struct MarkBook {
    Term[] terms;
    uint256 width;
    uint256 dollar;
    int256 carry;
}

/// @title MarkTerms: what the positions behind a valuation can do while it is carried
/// @notice Reads what perp, option and lending venues say of their positions for this (`carried`) and sums the bounds of `CarryBound` over longs and shorts apart.
///
/// ADAPTERS' OWN HALF-WIDTHS, with every price within the reach. They are in proportion to prices (an exit fee), so each grows by its own size
/// times the move; a perp's grows besides by its size for each unit of move (the gap to a mark that stood still); an option's
/// by OPTION_EXIT of the underlyings it is on for each unit of move (an exit fee on premium and on spot).
///
/// CARRY. Perps at their funding rate, loans and deposits at their interest.
///
/// ASSUMPTION: `IOptionVenue.carried` STATES STRIKES IN DOLLARS WHERE OPTIONS ARE PAID IN ANOTHER TOKEN THAN THE ASSET, ELSE IN ASSET UNITS.
abstract contract MarkTerms {
    using Math for uint256;
    using SignedMath for int256;

    uint256 public constant MAX_UNDERLYINGS = 8;
    /// @notice Seconds before expiry, besides the reach, from which an option is not carried.
    uint256 public constant MIN_LIFE = 1 hours;
    /// @notice Part of a move of spot that may go into the cost of closing an option, at 1e18.
    uint256 public constant OPTION_EXIT = 0.05e18;
    /// @dev What fixed-point arithmetic, here, in the adapters and in the library, may lose: a flat part, and a part of gross value.
    uint256 private constant SLACK = 1e9;
    uint256 private constant SLACK_OF_GROSS = 1e7;
    uint256 private constant WAD = 1e18;

    /// @notice Why a valuation is stored but not carried.
    error PendingOrders(uint256 count);
    error TooManyToCarry(uint256 count, uint256 maximum);
    error NearExpiry(uint64 expiry, uint256 timestamp);
    error UnknownUnderlying(address underlying);
    /// @notice The netted Greeks hold `gamma` and `vega` that no option venue lists.
    error UnlistedGreeks(int256 gamma, int256 vega);

    /// @dev A book in the making; `gamma` and `vega` are what no option venue has accounted for yet.
    struct Draft {
        MarkBook book;
        CarryBound.Reach reach;
        address vault;
        address oracle;
        address asset;
        int256 gamma;
        int256 vega;
    }

    /// @dev What to store of `v`, a valuation of `vault` made now; reverts where it cannot be carried.
    function _markBook(address vault, Valuation calldata v) internal view returns (MarkBook memory) {
        if (v.pending.length != 0) revert PendingOrders(v.pending.length);
        // An array in calldata is looked up, and its place checked, each time that it is named through the valuation.
        PricePoint[] calldata prices = v.prices;
        if (prices.length > MAX_UNDERLYINGS) revert TooManyToCarry(prices.length, MAX_UNDERLYINGS);
        Draft memory d;
        (d.vault, d.oracle, d.asset, d.reach) = (vault, IVault(vault).oracle(), IVault(vault).asset(), _reach());
        d.book.terms = new Term[](prices.length);
        for (uint256 i; i < prices.length; ++i) {
            _price(d.book.terms[i], prices[i], d.oracle);
        }
        _net(d, v);
        _finish(d, _venues(d, v));
        return d.book;
    }

    /// @dev What the venues say of their positions; the sum of their own half-widths.
    function _venues(Draft memory d, Valuation calldata v) private view returns (uint256 own) {
        VenueValue[] calldata venues = v.venues;
        for (uint256 i; i < venues.length; ++i) {
            own += venues[i].halfWidth;
            address venue = venues[i].venue;
            Kind kind = IVenue(venue).kind();
            if (kind == Kind.Perp) _perps(d, venue);
            else if (kind == Kind.Lending) _loans(d, venue);
            else if (kind == Kind.Option) _options(d, v, venue);
        }
        if (d.gamma != 0 || d.vega != 0) revert UnlistedGreeks(d.gamma, d.vega);
    }

    function _reach() internal view virtual returns (CarryBound.Reach memory);

    function _price(Term memory t, PricePoint calldata p, address oracle) private view {
        (, uint256 first,,) = IPriceOracle(oracle).primary(p.underlying);
        t.underlying = p.underlying;
        t.price = p.mid;
        t.gap = ((first > p.mid ? first - p.mid : p.mid - first) * WAD).ceilDiv(first);
        t.halfWidth = (Math.max(p.mid - p.low, p.high - p.mid) * WAD).ceilDiv(p.mid);
    }

    /// @dev Deltas by underlying, the width of the vols, and the sums of gamma and vega that option venues must account for.
    function _net(Draft memory d, Valuation calldata v) private view {
        Exposure[] calldata exposures = v.exposures;
        for (uint256 i; i < exposures.length; ++i) {
            Exposure calldata e = exposures[i];
            _term(d, e.underlying).delta += e.greeks.delta;
            d.gamma += e.greeks.gamma;
            int256 vega = e.greeks.vega;
            if (vega == 0) continue;
            d.vega += vega;
            d.book.width += _up(vega.abs(), _volWidth(d, v, e.underlying, e.expiry));
        }
    }

    function _perps(Draft memory d, address venue) private view {
        PerpCarry[] memory list = IPerpVenue(venue).carried();
        for (uint256 i; i < list.length; ++i) {
            Term memory t = _term(d, list[i].underlying);
            t.slope += _up(_up(list[i].size.abs(), t.price), d.reach.move);
            int256 value = (list[i].size * int256(t.price)) / int256(WAD);
            d.book.carry -= (((value * list[i].fundingRate) / int256(WAD)) * int256(d.reach.age)) / int256(1 days);
        }
    }

    function _loans(Draft memory d, address venue) private view {
        LendingCarry[] memory list = ILendingVenue(venue).carried();
        for (uint256 i; i < list.length; ++i) {
            int256 yearly = list[i].yearly;
            if (yearly == 0) continue;
            if (list[i].token != d.asset) {
                uint256 at = _find(d, list[i].token);
                // What is lent and owed in equal parts has no price here, and next to no interest.
                if (at == d.book.terms.length) continue;
                yearly = (yearly * int256(d.book.terms[at].price)) / int256(WAD);
            }
            d.book.carry += (yearly * int256(d.reach.age)) / int256(365 days);
        }
    }

    function _options(Draft memory d, Valuation calldata v, address venue) private view {
        (address quote, OptionPosition[] memory list) = IOptionVenue(venue).carried();
        if (list.length == 0) return;
        (uint256 paid, uint256 dollar) = _payment(d, quote);
        for (uint256 i; i < list.length; ++i) {
            OptionPosition memory p = list[i];
            if (p.expiry <= block.timestamp + d.reach.age + MIN_LIFE) revert NearExpiry(p.expiry, block.timestamp);
            CarryBound.Leg memory leg;
            leg.units = _up(_up(p.size.abs(), paid), dollar);
            leg.spot = _term(d, p.underlying).price;
            leg.strike = (p.strike * WAD) / dollar;
            leg.vol = p.vol;
            leg.volWidth = _volWidth(d, v, p.underlying, p.expiry);
            leg.life = p.expiry - block.timestamp;
            _option(_term(d, p.underlying), leg, d.reach, p.size > 0);
            d.gamma -= p.greeks.gamma;
            d.vega -= p.greeks.vega;
        }
    }

    function _option(Term memory t, CarryBound.Leg memory leg, CarryBound.Reach memory reach, bool long) private pure {
        CarryBound.Bound memory b = CarryBound.bound(leg, reach);
        t.hasOptions = true;
        if (long) (t.curveLong, t.decayLong) = (t.curveLong + b.curve, t.decayLong + b.decay);
        else (t.curveShort, t.decayShort) = (t.curveShort + b.curve, t.decayShort + b.decay);
        uint256 shift = _up(_up(leg.units, t.price), reach.move);
        t.gross += shift;
        t.slope += b.slope + _up(shift, OPTION_EXIT);
        t.drift += b.drift;
    }

    /// @dev The price of `token`, which options are paid in, and the asset's in dollars where that token is not the asset.
    function _payment(Draft memory d, address token) private view returns (uint256 paid, uint256 dollar) {
        if (token == d.asset) return (WAD, WAD);
        (, dollar,,) = IDollarOracle(d.oracle).assetQuote();
        d.book.dollar = dollar;
        Term memory t = _term(d, token);
        t.paysOptions = true;
        return (t.price, dollar);
    }

    /// @dev Adds what grows with the venues' own half-widths, and what rounding may lose.
    function _finish(Draft memory d, uint256 own) private pure {
        Term[] memory terms = d.book.terms;
        d.book.width += own + SLACK;
        for (uint256 i; i < terms.length; ++i) {
            terms[i].slope += _up(own, d.reach.move);
            uint256 value = _up(terms[i].delta.abs() + 1, terms[i].price) + (terms[i].gross * WAD) / d.reach.move;
            d.book.width += _up(value, SLACK_OF_GROSS);
        }
        _payersFirst(terms);
    }

    function _payersFirst(Term[] memory terms) private pure {
        uint256 next;
        for (uint256 i; i < terms.length; ++i) {
            if (!terms[i].paysOptions) continue;
            Term memory payer = terms[i];
            terms[i] = terms[next];
            terms[next++] = payer;
        }
    }

    /// @dev From the valuation; from the source, as the valuer reads it, where options of the slice have or net to no vega.
    function _volWidth(Draft memory d, Valuation calldata v, address underlying, uint64 expiry)
        private
        view
        returns (uint256)
    {
        VolPoint[] calldata vols = v.vols;
        for (uint256 i; i < vols.length; ++i) {
            VolPoint calldata p = vols[i];
            if (p.underlying == underlying && p.expiry == expiry) return Math.max(p.mid - p.low, p.high - p.mid);
        }
        (uint256 low, uint256 mid, uint256 high,) =
            IVolSource(IVault(d.vault).volSource()).vol(underlying, expiry, _term(d, underlying).price);
        return Math.max(mid - low, high - mid);
    }

    function _term(Draft memory d, address underlying) private pure returns (Term memory) {
        uint256 at = _find(d, underlying);
        if (at == d.book.terms.length) revert UnknownUnderlying(underlying);
        return d.book.terms[at];
    }

    function _find(Draft memory d, address underlying) private pure returns (uint256 at) {
        while (at < d.book.terms.length && d.book.terms[at].underlying != underlying) ++at;
    }

    /// @dev `a` times a number at 1e18, rounded up. Values and Greeks of a valuation are under 2^113, prices at most 2^100; a venue whose answers to
    /// `carried` make a product of more than 256 bits is not carried, as that reverts.
    function _up(uint256 a, uint256 b) private pure returns (uint256) {
        return (a * b + (WAD - 1)) / WAD;
    }
}
