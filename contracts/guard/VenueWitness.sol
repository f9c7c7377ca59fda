// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IVault} from "../IVault.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IOptionVenue, OptionPosition} from "../venues/option/IOptionVenue.sol";
import {IPerpVenue, PerpPosition} from "../venues/perp/IPerpVenue.sol";
import {ISpotVenue, SpotHolding} from "../venues/spot/ISpotVenue.sol";
import {IVenue, Kind, Margin} from "../venues/IVenue.sol";
import {IRiskGuard} from "./IRiskGuard.sol";
import {IValuer, Valuation} from "./IValuer.sol";
import {Act} from "./IVenueActs.sol";

/// @notice What a venue stood at.
/// @param valuation The venue alone, by the vault's valuer; unpriced where it cannot be valued.
/// @param claimed   Whether the unit's margin could be read.
/// @param claim     The unit's equity by the venue's own rule; at a lending venue less what is owed.
/// @param sizes     Signed sizes, an entry a token held or a market; for options their sums of longs and of shorts. Empty where
///                  they cannot be read.
/// @param tokens    The underlying of each size.
/// @param marks     The venue's mark price of each, at a perp venue.
/// @param byKeeper  Whether the keeper is to act, whom an old price must not serve.
struct Stand {
    Valuation valuation;
    bool byKeeper;
    bool claimed;
    int256 claim;
    int256[] sizes;
    address[] tokens;
    uint256[] marks;
}

/// @title VenueWitness: what reducing a position or freeing margin at one venue cost
/// @notice Stateless; serves the guard that made it. Asset units at 1e18.
///
/// SIZES. None grows and none changes its sign, where they can be read (`Grew`).
///
/// COST where the valuer can value this venue before and after: the corner loss of its value and idle together. No other venue is
/// read, so none needs a price.
///
/// COST where it cannot: what the unit's claim and idle lost together, by the venue's own rule. Of a short option that is all that closing it
/// took, since the claim does not count what the option owed. A claim in a quote token counts at our price of that, or the last
/// accepted, or as the asset. What a spot venue sold counts at the last accepted prices, and where the keeper sold it at those and `band`
/// above: a price that rose since must not be the thief's. Likewise what the keeper closed of a perp counts `band` above the last accepted price
/// for a long, below for a short, where the venue's mark, by which it claims, is on the better side of that. Where there is neither a claim nor a
/// price (a long option, a token never priced) it is refused with `IRiskGuard.Unpriced`.
///
/// LIMIT PRICE. A spot or perp position that cannot be valued is reduced only at a limit near the last accepted price (`FarLimit`), as
/// near as `band` says: that price may be old, and the venue's own mark pushed. A unit of a spot venue other than 0 is one token, in the
/// order of `holdings`, and no other token's price is asked for.
///
/// ASSUMPTION: ADAPTERS ARE OURS AND REPORT SIZES AND MARGINS TRULY.
contract VenueWitness {
    /// @notice Distance from the last accepted price that a limit may have at once, and what is added an hour; at 1e18.
    uint256 public constant BAND = 0.05e18;
    uint256 public constant BAND_PER_HOUR = 0.01e18;
    uint256 public constant MAX_BAND = 0.5e18;

    /// @notice A size grew, or changed its sign.
    error Grew(address venue, address token, int256 before, int256 afterwards);
    /// @notice A limit price that is worse than the last accepted price by more than is allowed; 0 sets no limit.
    error FarLimit(uint256 limit, uint256 accepted, uint256 band);

    /// @notice What `venue` stands at now, an encoded `Stand`. Reverts where a reduction at `limit` may not begin from it.
    /// @param guard   Keeps the last accepted prices of `vault`.
    /// @param act     Who does what; reductions are at `limit`.
    function stand(IRiskGuard guard, address vault, address venue, uint256 unit, Act act, uint256 limit)
        external
        view
        returns (bytes memory)
    {
        Stand memory s = _stand(vault, venue, unit);
        s.byKeeper = act == Act.KeeperReduce;
        bool reduces = s.byKeeper || act == Act.Reduce;
        if (reduces && !s.valuation.priced) _checkLimit(guard, vault, venue, unit, s, limit);
        return abi.encode(s);
    }

    /// @notice What was lost since `stand_`, while idle went from `idleBefore` to `idleAfter`.
    function cost(
        IRiskGuard guard,
        address vault,
        address venue,
        uint256 unit,
        bytes calldata stand_,
        uint256 idleBefore,
        uint256 idleAfter
    ) external view returns (uint256) {
        Stand memory was = abi.decode(stand_, (Stand));
        Stand memory now_ = _stand(vault, venue, unit);
        _checkSizes(venue, was, now_);
        if (was.valuation.priced && now_.valuation.priced) return guard.cornerLoss(was.valuation, now_.valuation);
        int256 gone;
        if (IVenue(venue).kind() == Kind.Spot) {
            if (now_.sizes.length != was.sizes.length) revert IRiskGuard.Unpriced();
            for (uint256 i; i < was.sizes.length; ++i) {
                int256 sold = was.sizes[i] - now_.sizes[i];
                if (sold != 0) gone += sold * int256(_worthOf(guard, vault, was.tokens[i], was.byKeeper)) / 1e18;
            }
        } else {
            if (!was.claimed) revert IRiskGuard.Unpriced();
            // A unit that is no longer there has no claim left.
            gone = (was.claim - now_.claim) * int256(_claimPrice(guard, vault, venue)) / 1e18;
            if (was.byKeeper && was.marks.length != 0) gone += int256(_closedElsewhere(guard, vault, was, now_));
        }
        gone += int256(idleBefore) - int256(idleAfter);
        return gone > 0 ? uint256(gone) : 0;
    }

    /// @notice The token that `venue` margins in, zero for the vault's asset.
    function marginToken(address venue) public view returns (address) {
        if (IVenue(venue).kind() != Kind.Option) return address(0);
        return IOptionVenue(venue).terms().quote;
    }

    function _stand(address vault, address venue, uint256 unit) private view returns (Stand memory s) {
        s.valuation = IValuer(IVault(vault).valuer()).valueVenue(vault, venue);
        Kind kind = IVenue(venue).kind();
        if (kind != Kind.Spot) {
            try IVenue(venue).margin(unit) returns (Margin memory m) {
                s.claimed = true;
                s.claim = kind == Kind.Lending ? m.equity - int256(m.maintenance) : m.equity;
            } catch {}
        }
        if (kind == Kind.Spot) _holdings(s, venue);
        if (kind == Kind.Perp) _perps(s, venue);
        if (kind == Kind.Option) _options(s, venue);
    }

    function _checkLimit(IRiskGuard guard, address vault, address venue, uint256 unit, Stand memory s, uint256 limit)
        private
        view
    {
        Kind kind = IVenue(venue).kind();
        if (kind != Kind.Spot && kind != Kind.Perp) return;
        for (uint256 i; i < s.sizes.length; ++i) {
            if (s.sizes[i] == 0 || (kind == Kind.Spot && unit != 0 && unit != i + 1)) continue;
            (uint256 accepted, uint256 band) = _accepted(guard, vault, s.tokens[i]);
            bool near = s.sizes[i] > 0
                ? limit >= accepted - Math.mulDiv(accepted, band, 1e18)
                : limit != 0 && limit <= accepted + Math.mulDiv(accepted, band, 1e18);
            if (!near) revert FarLimit(limit, accepted, band);
        }
    }

    /// @dev The last accepted price of `token`, and how far it may be off by now, at 1e18.
    function _accepted(IRiskGuard guard, address vault, address token)
        private
        view
        returns (uint256 accepted, uint256 band)
    {
        uint256 at;
        (accepted, at) = guard.lastPrice(vault, token);
        if (accepted == 0) revert IRiskGuard.Unpriced();
        band = Math.min(BAND + BAND_PER_HOUR * (block.timestamp - at) / 1 hours, MAX_BAND);
    }

    /// @dev What a whole `token` that was sold counts.
    function _worthOf(IRiskGuard guard, address vault, address token, bool byKeeper) private view returns (uint256) {
        (uint256 accepted, uint256 band) = _accepted(guard, vault, token);
        return byKeeper ? accepted + Math.mulDiv(accepted, band, 1e18) : accepted;
    }

    /// @dev What the keeper may have lost on what it closed of perps, because their mark is not the truth.
    function _closedElsewhere(IRiskGuard guard, address vault, Stand memory was, Stand memory now_)
        private
        view
        returns (uint256 lost)
    {
        if (now_.sizes.length != was.sizes.length) revert IRiskGuard.Unpriced();
        for (uint256 i; i < was.sizes.length; ++i) {
            int256 closed = was.sizes[i] - now_.sizes[i];
            if (closed == 0) continue;
            (uint256 accepted, uint256 band) = _accepted(guard, vault, was.tokens[i]);
            uint256 width = Math.mulDiv(accepted, band, 1e18, Math.Rounding.Ceil);
            int256 apart = closed > 0
                ? int256(accepted + width) - int256(was.marks[i])
                : int256(was.marks[i]) - int256(accepted - width);
            if (apart > 0) lost += Math.mulDiv(SignedMath.abs(closed), uint256(apart), 1e18, Math.Rounding.Ceil);
        }
    }

    function _claimPrice(IRiskGuard guard, address vault, address venue) private view returns (uint256) {
        address token = marginToken(venue);
        if (token == address(0)) return 1e18;
        try IPriceOracle(IVault(vault).oracle()).quote(token) returns (uint256, uint256 mid, uint256, uint256) {
            return mid;
        } catch {}
        (uint256 accepted,) = guard.lastPrice(vault, token);
        return accepted == 0 ? 1e18 : accepted;
    }

    function _checkSizes(address venue, Stand memory was, Stand memory now_) private pure {
        if (was.sizes.length != now_.sizes.length) return;
        for (uint256 i; i < was.sizes.length; ++i) {
            (int256 a, int256 b) = (was.sizes[i], now_.sizes[i]);
            if (a >= 0 ? b < 0 || b > a : b > 0 || b < a) revert Grew(venue, was.tokens[i], a, b);
        }
    }

    function _holdings(Stand memory s, address venue) private view {
        try ISpotVenue(venue).holdings() returns (SpotHolding[] memory list) {
            (s.sizes, s.tokens) = (new int256[](list.length), new address[](list.length));
            for (uint256 i; i < list.length; ++i) {
                (s.sizes[i], s.tokens[i]) = (int256(list[i].balance), list[i].token);
            }
        } catch {}
    }

    function _perps(Stand memory s, address venue) private view {
        try IPerpVenue(venue).positions() returns (PerpPosition[] memory list) {
            (s.sizes, s.tokens) = (new int256[](list.length), new address[](list.length));
            s.marks = new uint256[](list.length);
            for (uint256 i; i < list.length; ++i) {
                (s.sizes[i], s.tokens[i], s.marks[i]) = (list[i].size, list[i].underlying, list[i].mark);
            }
        } catch {}
    }

    function _options(Stand memory s, address venue) private view {
        try IOptionVenue(venue).positions() returns (OptionPosition[] memory list) {
            (s.sizes, s.tokens) = (new int256[](2), new address[](2));
            for (uint256 i; i < list.length; ++i) {
                s.sizes[list[i].size > 0 ? 0 : 1] += list[i].size;
            }
        } catch {}
    }
}
