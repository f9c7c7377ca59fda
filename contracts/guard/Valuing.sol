// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IVault} from "../IVault.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IVolSource} from "../oracle/IVolSource.sol";
import {Book, Exposure, Greeks, IVenue, UnitHealth} from "../venues/IVenue.sol";
import {IValuer, PricePoint, Valuation, VenueValue, VolPoint} from "./IValuer.sol";

/// @notice One venue as it was read; nothing where it could not be. `units` where their health was asked for too.
struct Reading {
    bool done;
    Book book;
    Exposure[] pending;
    UnitHealth[] units;
}

/// @title Valuing: one interval for a whole vault, in which a position and its hedge cancel
/// @notice THE INTERVAL. With D, G the delta and gamma netted by underlying, V the vega netted by underlying and expiry, and ds, dv
/// the larger half of each price and vol interval,
///     W = sum_u [ |D_u| ds_u + 1/2 |G_u| ds_u^2 ] + sum_{u,e} |V_ue| dv_ue + sum halfWidth,
/// low = mid - W, high = mid + W. The vol of (underlying, expiry) is read at the strike that equals the mid price. Every
/// term of W rounds up. Exposures to the asset itself carry no risk and are left out.
///
/// WHAT CANNOT BE READ. A venue is unpriced when its `book()` or `pending()` reverts, returns what does not decode, needs
/// more than `BOOK_GAS`, holds numbers beyond `VALUE_BOUND` or has vega without an expiry; when a price or vol that it depends
/// on is missing or beyond `PRICE_BOUND`; and when its entries no longer fit in `MAX_EXPOSURES`. An unpriced venue
/// adds nothing to mid, low, high or the exposures, and `priced` is false. Its true value is at least zero to the vault,
/// so low stays a lower bound. High is then no upper bound: nothing may enter on it.
///
/// GAS. A read that fails with less than its allowance reverts with `GasTooLow`, or a caller could choose which venues
/// count by choosing the gas of a transaction.
///
/// ASSUMPTIONS. THE VAULT, ITS ASSET, THE ORACLE AND THE VOL SOURCE ARE TRUSTED. VENUES ARE NOT. LOSSES OF A VENUE STOP AT WHAT IT
/// HOLDS. THE ASSET HAS AT MOST 18 DECIMALS.
abstract contract Valuing {
    using Math for uint256;
    using SignedMath for int256;

    uint256 public constant MAX_VENUES = 8;
    /// @notice Entries of all books together, before netting, and of all pending orders together.
    uint256 public constant MAX_EXPOSURES = 32;
    /// @notice Gas that one venue's read may take.
    uint256 public constant BOOK_GAS = 3_000_000;
    /// @notice Gas that one price or vol may take.
    uint256 public constant QUOTE_GAS = 500_000;
    /// @notice Every value and Greek lies within +-VALUE_BOUND, so that no sum or product below can overflow.
    int256 public constant VALUE_BOUND = 2 ** 108;
    /// @notice Every price and vol is at most this.
    uint256 public constant PRICE_BOUND = 2 ** 100;

    /// @notice A number that no position has.
    error Implausible(int256 value, int256 bound);

    /// @dev What is being put together; arrays have room to spare and are cut at the end.
    struct Draft {
        address oracle;
        address volSource;
        address asset;
        uint256 entries;
        uint256 exposures;
        uint256 pending;
        uint256 prices;
        uint256 vols;
        uint256 width;
        PricePoint[] knownPrices;
        VolPoint[] knownVols;
    }

    /// @notice A venue's book and pending orders, checked. Called on this contract itself, so that data that does not
    /// decode fails here and not there.
    function read(address venue) external view returns (Book memory book, Exposure[] memory pending) {
        book = IVenue(venue).book();
        pending = IVenue(venue).pending();
        _check(book, pending);
    }

    /// @notice The same with the health of the venue's units.
    function readStanding(address venue)
        external
        view
        returns (Book memory book, Exposure[] memory pending, UnitHealth[] memory units)
    {
        (book, units) = IVenue(venue).standing();
        pending = IVenue(venue).pending();
        _check(book, pending);
    }

    function _value(address vault, address[] memory venues) internal view returns (Valuation memory) {
        return _combined(vault, venues, _readAll(venues), new PricePoint[](0), new VolPoint[](0));
    }

    function _readAll(address[] memory venues) internal view returns (Reading[] memory readings) {
        if (venues.length > MAX_VENUES) revert IVault.TooManyVenues(MAX_VENUES);
        readings = new Reading[](venues.length);
        for (uint256 i; i < venues.length; ++i) {
            readings[i] = _read(venues[i]);
        }
    }

    function _read(address venue) internal view returns (Reading memory reading) {
        uint256 available = gasleft();
        try this.read{gas: BOOK_GAS}(venue) returns (Book memory book, Exposure[] memory pending) {
            (reading.done, reading.book, reading.pending) = (true, book, pending);
        } catch {
            _owed(available, BOOK_GAS);
        }
    }

    function _readStanding(address venue) internal view returns (Reading memory reading) {
        uint256 available = gasleft();
        try this.readStanding{gas: BOOK_GAS}(venue) returns (
            Book memory book, Exposure[] memory pending, UnitHealth[] memory units
        ) {
            return Reading(true, book, pending, units);
        } catch {
            _owed(available, BOOK_GAS);
        }
    }

    /// @dev The valuation of `vault` whose `venues` read so; what is among the known prices and vols is not asked for again.
    function _combined(
        address vault,
        address[] memory venues,
        Reading[] memory readings,
        PricePoint[] memory knownPrices,
        VolPoint[] memory knownVols
    ) internal view returns (Valuation memory v) {
        Draft memory draft;
        draft.oracle = IVault(vault).oracle();
        draft.volSource = IVault(vault).volSource();
        draft.asset = IVault(vault).asset();
        (draft.knownPrices, draft.knownVols) = (knownPrices, knownVols);
        v.idle = _idle(vault, draft.asset);
        v.mid = int256(v.idle);
        v.priced = true;
        v.venues = new VenueValue[](venues.length);
        _makeRoom(v, readings);
        for (uint256 i; i < venues.length; ++i) {
            v.venues[i].venue = venues[i];
            if (readings[i].done && _add(v, draft, v.venues[i], readings[i])) {
                v.mid += v.venues[i].mid;
                draft.width += v.venues[i].halfWidth;
            } else {
                v.priced = false;
            }
        }
        _cut(v, draft);
        uint256 width = draft.width + _nettedWidth(v);
        v.low = v.mid - int256(width);
        v.high = v.mid + int256(width);
    }

    /// @dev Gives `v` arrays of what there is: memory costs gas by the entry.
    function _makeRoom(Valuation memory v, Reading[] memory readings) private pure {
        uint256 held;
        uint256 pending;
        for (uint256 i; i < readings.length; ++i) {
            if (!readings[i].done) continue;
            held += readings[i].book.exposures.length;
            pending += readings[i].pending.length;
        }
        v.exposures = new Exposure[](Math.min(held, MAX_EXPOSURES));
        v.pending = new Exposure[](Math.min(pending, MAX_EXPOSURES));
        v.prices = new PricePoint[](Math.min(held + pending, 2 * MAX_EXPOSURES));
        v.vols = new VolPoint[](Math.min(held, MAX_EXPOSURES));
    }

    /// @dev Adds a venue that was read to the draft; false, with nothing added but prices, where it is unpriced.
    function _add(Valuation memory v, Draft memory draft, VenueValue memory part, Reading memory reading)
        private
        view
        returns (bool)
    {
        Book memory book = reading.book;
        Exposure[] memory pending = reading.pending;
        if (draft.entries + book.exposures.length > MAX_EXPOSURES) return false;
        if (draft.pending + pending.length > MAX_EXPOSURES) return false;
        if (!_pricedAll(v, draft, book.exposures, true) || !_pricedAll(v, draft, pending, false)) return false;

        draft.entries += book.exposures.length;
        for (uint256 i; i < book.exposures.length; ++i) {
            Exposure memory e = book.exposures[i];
            if (e.underlying == draft.asset) continue;
            _net(v, draft, e);
            part.gross += (e.greeks.delta.abs() * _price(v, draft, e.underlying)).ceilDiv(1e18);
        }
        for (uint256 i; i < pending.length; ++i) {
            if (pending[i].underlying != draft.asset) v.pending[draft.pending++] = pending[i];
        }
        part.priced = true;
        part.mid = book.mid;
        part.halfWidth = book.halfWidth;
        return true;
    }

    function _net(Valuation memory v, Draft memory draft, Exposure memory e) private pure {
        for (uint256 i; i < draft.exposures; ++i) {
            Exposure memory sum = v.exposures[i];
            if (sum.underlying == e.underlying && sum.expiry == e.expiry) {
                sum.greeks.delta += e.greeks.delta;
                sum.greeks.gamma += e.greeks.gamma;
                sum.greeks.vega += e.greeks.vega;
                sum.greeks.theta += e.greeks.theta;
                return;
            }
        }
        // A copy: the reading may be combined again.
        v.exposures[draft.exposures++] =
            Exposure(e.underlying, e.expiry, Greeks(e.greeks.delta, e.greeks.gamma, e.greeks.vega, e.greeks.theta));
    }

    /// @dev Sees to it that the draft has a price, and for held vega a vol, for each entry.
    function _pricedAll(Valuation memory v, Draft memory draft, Exposure[] memory entries, bool held)
        private
        view
        returns (bool)
    {
        for (uint256 i; i < entries.length; ++i) {
            Exposure memory e = entries[i];
            if (e.underlying == draft.asset) continue;
            uint256 mid = _price(v, draft, e.underlying);
            if (mid == 0) return false;
            if (!held || e.greeks.vega == 0) continue;
            if (e.expiry == 0 || !_vol(v, draft, e.underlying, e.expiry, mid)) return false;
        }
        return true;
    }

    /// @dev The mid price, quoted on first use; 0 where there is none.
    function _price(Valuation memory v, Draft memory draft, address underlying) private view returns (uint256) {
        for (uint256 i; i < draft.prices; ++i) {
            if (v.prices[i].underlying == underlying) return v.prices[i].mid;
        }
        if (draft.prices == v.prices.length) return 0;
        for (uint256 i; i < draft.knownPrices.length; ++i) {
            if (draft.knownPrices[i].underlying != underlying) continue;
            v.prices[draft.prices++] = draft.knownPrices[i];
            return draft.knownPrices[i].mid;
        }
        uint256 available = gasleft();
        try IPriceOracle(draft.oracle).quote{gas: QUOTE_GAS}(underlying) returns (
            uint256 low, uint256 mid, uint256 high, uint256 updatedAt
        ) {
            if (mid == 0 || !_ordered(low, mid, high)) return 0;
            v.prices[draft.prices++] = PricePoint(underlying, low, mid, high, updatedAt);
            return mid;
        } catch {
            _owed(available, QUOTE_GAS);
            return 0;
        }
    }

    function _vol(Valuation memory v, Draft memory draft, address underlying, uint64 expiry, uint256 strike)
        private
        view
        returns (bool)
    {
        for (uint256 i; i < draft.vols; ++i) {
            if (v.vols[i].underlying == underlying && v.vols[i].expiry == expiry) return true;
        }
        if (draft.vols == v.vols.length) return false;
        for (uint256 i; i < draft.knownVols.length; ++i) {
            VolPoint memory known = draft.knownVols[i];
            if (known.underlying != underlying || known.expiry != expiry) continue;
            v.vols[draft.vols++] = known;
            return true;
        }
        uint256 available = gasleft();
        try IVolSource(draft.volSource).vol{gas: QUOTE_GAS}(underlying, expiry, strike) returns (
            uint256 low, uint256 mid, uint256 high, uint256 updatedAt
        ) {
            if (!_ordered(low, mid, high)) return false;
            v.vols[draft.vols++] = VolPoint(underlying, expiry, low, mid, high, updatedAt);
            return true;
        } catch {
            _owed(available, QUOTE_GAS);
            return false;
        }
    }

    function _nettedWidth(Valuation memory v) private pure returns (uint256 width) {
        for (uint256 i; i < v.prices.length; ++i) {
            PricePoint memory p = v.prices[i];
            int256 delta;
            int256 gamma;
            for (uint256 j; j < v.exposures.length; ++j) {
                if (v.exposures[j].underlying != p.underlying) continue;
                delta += v.exposures[j].greeks.delta;
                gamma += v.exposures[j].greeks.gamma;
            }
            uint256 ds = Math.max(p.mid - p.low, p.high - p.mid);
            width += (delta.abs() * ds).ceilDiv(1e18) + ((gamma.abs() * ds).ceilDiv(1e18) * ds).ceilDiv(2e18);
        }
        for (uint256 i; i < v.vols.length; ++i) {
            VolPoint memory p = v.vols[i];
            for (uint256 j; j < v.exposures.length; ++j) {
                Exposure memory e = v.exposures[j];
                if (e.underlying != p.underlying || e.expiry != p.expiry) continue;
                width += (e.greeks.vega.abs() * Math.max(p.mid - p.low, p.high - p.mid)).ceilDiv(1e18);
            }
        }
    }

    /// @dev A failed call that had less than `allowance` to spend proves nothing (EIP-150 keeps back a 64th).
    function _owed(uint256 available, uint256 allowance) private pure {
        uint256 needed = allowance + allowance / 63 + 10_000;
        if (available < needed) revert IValuer.GasTooLow(available, needed);
    }

    function _ordered(uint256 low, uint256 mid, uint256 high) private pure returns (bool) {
        return low <= mid && mid <= high && high <= PRICE_BOUND;
    }

    function _check(Book memory book, Exposure[] memory pending) private pure {
        _plausible(book.mid);
        if (book.halfWidth > uint256(VALUE_BOUND)) revert Implausible(type(int256).max, VALUE_BOUND);
        _plausible(book.exposures);
        _plausible(pending);
    }

    function _plausible(Exposure[] memory entries) private pure {
        if (entries.length > MAX_EXPOSURES) revert IValuer.TooManyExposures(entries.length, MAX_EXPOSURES);
        for (uint256 i; i < entries.length; ++i) {
            _plausible(entries[i].greeks.delta);
            _plausible(entries[i].greeks.gamma);
            _plausible(entries[i].greeks.vega);
            _plausible(entries[i].greeks.theta);
        }
    }

    function _plausible(int256 number) private pure {
        if (number > VALUE_BOUND || number < -VALUE_BOUND) revert Implausible(number, VALUE_BOUND);
    }

    function _idle(address vault, address asset) private view returns (uint256) {
        return IERC20Metadata(asset).balanceOf(vault) * 10 ** (18 - IERC20Metadata(asset).decimals());
    }

    /// @dev Shortens the arrays in place to what was filled.
    function _cut(Valuation memory v, Draft memory draft) private pure {
        Exposure[] memory exposures = v.exposures;
        Exposure[] memory pending = v.pending;
        PricePoint[] memory prices = v.prices;
        VolPoint[] memory vols = v.vols;
        assembly ("memory-safe") {
            mstore(exposures, mload(add(draft, 0x80)))
            mstore(pending, mload(add(draft, 0xa0)))
            mstore(prices, mload(add(draft, 0xc0)))
            mstore(vols, mload(add(draft, 0xe0)))
        }
    }
}
