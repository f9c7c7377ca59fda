// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IVault} from "../../IVault.sol";
import {ILyraGreekCache} from "../../interfaces/lyra/ILyraGreekCache.sol";
import {ILyraOptionMarket} from "../../interfaces/lyra/ILyraOptionMarket.sol";
import {ILyraOptionToken} from "../../interfaces/lyra/ILyraOptionToken.sol";
import {ILyraShortCollateral} from "../../interfaces/lyra/ILyraShortCollateral.sol";
import {ILyraSpot} from "../../interfaces/lyra/ILyraSpot.sol";
import {IDollarOracle} from "../../oracle/IDollarOracle.sol";
import {IVolSource} from "../../oracle/IVolSource.sol";
import {Black76} from "../../pricing/Black76.sol";
import {VenueBase} from "../VenueBase.sol";
import {Book, Exposure, Greeks, IVenue, Kind, Margin} from "../IVenue.sol";
import {IOptionVenue, Listing, OptionPosition, OptionTerms} from "./IOptionVenue.sol";
import {LyraReader, MAX_LYRA_LISTINGS} from "./LyraReader.sol";
import {QuoteDesk} from "./QuoteDesk.sol";

/// @notice Where one Lyra market is.
/// @param spot       Its SynthetixAdapter.
/// @param quote      Its quote token, the one of premium and margin (sUSD).
/// @param underlying The token whose oracle prices its base.
/// @param router     SwapRouter02 with a pool of the quote token and the vault's asset.
/// @param poolFee    That pool's fee in hundredths of a basis point.
struct LyraMarket {
    address optionMarket;
    address optionToken;
    address greekCache;
    address pricer;
    address shortCollateral;
    address spot;
    address quote;
    address underlying;
    address router;
    uint24 poolFee;
}

/// @title LyraBook: what a vault holds at one Lyra market, read and valued
/// @notice VALUE. Lyra strikes and settles in dollars and pays in its quote token. An option is worth our Black-76 of spot in
/// dollars (our oracle's mid of the underlying times the asset's dollar price), undiscounted, at our vol source's mid; that and the
/// collateral are amounts of the quote token, valued at our oracle's mid of it and an exposure to it. An expired option counts
/// its intrinsic value: at our spot until Lyra fixes the price of its board, then at that price.
/// Own half-width: what closing costs, `EXIT_FEE_OF_PRICE` of the option and `EXIT_FEE_OF_SPOT` of spot a contract, and the
/// pool's fee on the quote token; and, since vegas of one expiry cancel as if every strike's vol moved alike, what cancels times the
/// larger half of the widest vol interval among them. Until the price of its board is fixed, an expired option that is out of the money at our mid has no delta
/// to say so, and counts what it is worth where spot is off by the larger half of our interval.
///
/// MARGIN. A unit a short position that has not expired: equity is its collateral and both requirements are Lyra's minimum
/// collateral at Lyra's own spot (Lyra has no second, initial requirement), one quote token counted as one asset unit.
///
/// READER. What the market says of itself (`listings`, `terms`, its vol of a strike) comes from a `LyraReader` that this contract creates.
///
/// ASSUMPTIONS. LYRA'S SPOT IS IN DOLLARS, AND A QUOTE TOKEN PAYS A DOLLAR'S PART OF AN OPTION. SHORT CALLS ARE MARGINED IN THE QUOTE
/// TOKEN, NEVER IN THE BASE.
abstract contract LyraBook is QuoteDesk, IOptionVenue {
    /// @notice More positions than the adapter carries.
    error TooManyPositions(uint256 maximum);

    uint256 public constant MAX_POSITIONS = 16;
    uint256 public constant MAX_LISTINGS = MAX_LYRA_LISTINGS;
    /// @notice Part of an option's price that closing it costs: Lyra's option fee and the vol its pool moves by.
    uint256 public constant EXIT_FEE_OF_PRICE = 0.01e18;
    /// @notice Part of spot that closing one contract costs: Lyra's spot fee.
    uint256 public constant EXIT_FEE_OF_SPOT = 0.0005e18;

    /// @dev What never changes of a position, in two slots.
    struct Held {
        uint64 positionId;
        uint64 listing;
        uint64 expiry;
        uint32 board;
        bool isCall;
        bool isShort;
        uint256 strike;
    }

    /// @dev Prices of a book in the making, and its sums. `dollar` is the asset's price in dollars, `spot` the underlying's, which
    /// our oracle may be off by `reach`, `volReach` the larger half of the last vol interval. By exposure, `gross` is the sum of its
    /// vegas without their signs and `widest` the greatest `volReach`.
    struct Sum {
        uint256 dollar;
        uint256 spot;
        uint256 reach;
        uint256 quotePrice;
        int256 quote;
        uint256 exitCost;
        uint256 used;
        uint256 volReach;
        uint256[] gross;
        uint256[] widest;
    }

    ILyraOptionMarket internal immutable MARKET;
    ILyraOptionToken internal immutable TOKEN;
    ILyraGreekCache internal immutable CACHE;
    ILyraShortCollateral internal immutable SHORTS;
    ILyraSpot internal immutable SPOT;
    address internal immutable UNDERLYING;
    LyraReader internal immutable READER;

    Held[] internal _held;

    constructor(address vault_, LyraMarket memory market)
        VenueBase(vault_)
        QuoteDesk(market.router, market.quote, market.poolFee)
    {
        MARKET = ILyraOptionMarket(market.optionMarket);
        TOKEN = ILyraOptionToken(market.optionToken);
        CACHE = ILyraGreekCache(market.greekCache);
        READER = new LyraReader(market.optionMarket, market.pricer, market.quote, market.underlying);
        SHORTS = ILyraShortCollateral(market.shortCollateral);
        SPOT = ILyraSpot(market.spot);
        UNDERLYING = market.underlying;
    }

    /// @inheritdoc IVenue
    function kind() external pure returns (Kind) {
        return Kind.Option;
    }

    /// @inheritdoc IVenue
    function protocol() external pure returns (bytes32) {
        return "lyra-v1";
    }

    /// @inheritdoc VenueBase
    function book() public view override(IVenue, VenueBase) returns (Book memory b) {
        ILyraOptionToken.OptionPosition[] memory live = _live();
        Sum memory sum = _prices(live.length);
        sum.quote = int256(_quoteHeld());
        Exposure[] memory exposures = new Exposure[](live.length + 1);
        (sum.gross, sum.widest) = (new uint256[](live.length), new uint256[](live.length));
        for (uint256 i; i < live.length; ++i) {
            if (live[i].state == ILyraOptionToken.PositionState.ACTIVE) _add(sum, exposures, _held[i], live[i]);
        }
        if (sum.quote != 0) {
            Exposure memory e = exposures[sum.used++];
            e.underlying = address(QUOTE);
            e.greeks.delta = sum.quote;
        }
        b.mid = _strayAsset() + _mulDown(sum.quote, sum.quotePrice);
        b.halfWidth = _mulUp(sum.exitCost + _mulUp(_abs(sum.quote), _poolFee()), sum.quotePrice);
        for (uint256 i; i < live.length; ++i) {
            if (sum.gross[i] != 0) {
                b.halfWidth += _mulUp(sum.gross[i] - _abs(exposures[i].greeks.vega), sum.widest[i]);
            }
        }
        uint256 used = sum.used;
        assembly ("memory-safe") {
            mstore(exposures, used)
        }
        b.exposures = exposures;
    }

    /// @inheritdoc VenueBase
    function marginUnits() public view override(IVenue, VenueBase) returns (uint256[] memory units) {
        ILyraOptionToken.OptionPosition[] memory live = _live();
        units = new uint256[](live.length);
        uint256 used;
        for (uint256 i; i < live.length; ++i) {
            if (_isUnit(_held[i], live[i])) units[used++] = live[i].positionId;
        }
        assembly ("memory-safe") {
            mstore(units, used)
        }
    }

    /// @inheritdoc VenueBase
    function margin(uint256 unit) public view override(IVenue, VenueBase) returns (Margin memory m) {
        (Held memory h, ILyraOptionToken.OptionPosition memory p) = _unit(unit);
        m.equity = int256(p.collateral);
        m.maintenance = CACHE.getMinCollateral(
            p.optionType, h.strike, h.expiry, SPOT.getSpotPriceForMarket(address(MARKET)), p.amount
        );
        m.initial = m.maintenance;
    }

    /// @inheritdoc IOptionVenue
    function positions() external view returns (OptionPosition[] memory list) {
        list = _positions();
        for (uint256 i; i < list.length; ++i) {
            (,,, list[i].venueVol) = READER.strikeOf(list[i].listing);
        }
    }

    /// @inheritdoc IOptionVenue
    function carried() external view returns (address quote, OptionPosition[] memory) {
        return (address(QUOTE), _positions());
    }

    /// @inheritdoc IOptionVenue
    function listings() external view returns (Listing[] memory) {
        _ask(address(READER));
    }

    /// @inheritdoc IOptionVenue
    function terms() external view returns (OptionTerms memory) {
        _ask(address(READER));
    }

    /// @dev Answers this very call with what `reader` answers to it, or reverts as it does.
    function _ask(address reader) private view {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := staticcall(gas(), reader, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }

    /// @dev Without `venueVol`.
    function _positions() private view returns (OptionPosition[] memory list) {
        ILyraOptionToken.OptionPosition[] memory live = _live();
        list = new OptionPosition[](live.length);
        Sum memory sum = _prices(live.length);
        uint256 used;
        for (uint256 i; i < live.length; ++i) {
            if (live[i].state == ILyraOptionToken.PositionState.ACTIVE) {
                list[used++] = _describe(sum, _held[i], live[i]);
            }
        }
        assembly ("memory-safe") {
            mstore(list, used)
        }
    }

    /// @dev Lyra's records of `_held`, in its order.
    function _live() internal view returns (ILyraOptionToken.OptionPosition[] memory) {
        uint256[] memory ids = new uint256[](_held.length);
        for (uint256 i; i < ids.length; ++i) {
            ids[i] = _held[i].positionId;
        }
        return TOKEN.getOptionPositions(ids);
    }

    function _record(uint256 positionId) internal view returns (ILyraOptionToken.OptionPosition memory) {
        return TOKEN.getOptionPosition(positionId);
    }

    /// @dev A short position that can be liquidated; reverts with `UnknownUnit`.
    function _unit(uint256 unit) internal view returns (Held memory h, ILyraOptionToken.OptionPosition memory p) {
        uint256 at = _indexOf(unit);
        if (at == type(uint256).max) revert UnknownUnit(unit);
        h = _held[at];
        p = _record(unit);
        if (!_isUnit(h, p)) revert UnknownUnit(unit);
    }

    /// @return at Where `_held` has the position; the greatest uint256 where it has not.
    function _indexOf(uint256 positionId) internal view returns (uint256 at) {
        for (uint256 i; i < _held.length; ++i) {
            if (_held[i].positionId == positionId) return i;
        }
        return type(uint256).max;
    }

    /// @dev The prices that `count` positions need.
    function _prices(uint256 count) private view returns (Sum memory sum) {
        sum.quotePrice = _mid(address(QUOTE));
        if (count == 0) return sum;
        (, sum.dollar,,) = IDollarOracle(IVault(vault).oracle()).assetQuote();
        (uint256 low, uint256 mid, uint256 high) = _price(UNDERLYING);
        sum.spot = _mul(mid, sum.dollar);
        sum.reach = _mulUp(Math.max(mid - low, high - mid), sum.dollar);
    }

    function _isUnit(Held memory h, ILyraOptionToken.OptionPosition memory p) private view returns (bool) {
        return h.isShort && p.state == ILyraOptionToken.PositionState.ACTIVE && block.timestamp < h.expiry;
    }

    function _add(Sum memory sum, Exposure[] memory exposures, Held memory h, ILyraOptionToken.OptionPosition memory p)
        private
        view
    {
        (uint256 price, Greeks memory one,) = _valueOne(sum, h);
        int256 size = h.isShort ? -int256(p.amount) : int256(p.amount);
        int256 value = _mulDown(size, price);
        bool fixedPrice = block.timestamp >= h.expiry && one.delta == 0;
        // Lyra takes no more than the collateral from a short when it settles.
        if (fixedPrice && value < -int256(p.collateral)) value = -int256(p.collateral);
        sum.quote += value + int256(p.collateral);
        // What has expired has no vol to lose by, so it joins the exposures that never expire.
        uint64 expiry;
        if (block.timestamp < h.expiry) {
            expiry = h.expiry;
            sum.exitCost += _mulUp(p.amount, _mulUp(price, EXIT_FEE_OF_PRICE) + _mulUp(sum.spot, EXIT_FEE_OF_SPOT));
        } else if (fixedPrice) {
            if (MARKET.boardToPriceAtExpiry(h.board) == 0) sum.exitCost += _mulUp(p.amount, _kink(sum, h.strike));
            return;
        }
        uint256 at;
        while (at < sum.used && exposures[at].expiry != expiry) ++at;
        if (at == sum.used) {
            exposures[sum.used++] = Exposure({underlying: UNDERLYING, expiry: expiry, greeks: _times(one, 0, 0)});
        }
        Greeks memory whole = _times(one, size, sum.quotePrice);
        Greeks memory total = exposures[at].greeks;
        total.delta += whole.delta;
        total.gamma += whole.gamma;
        total.vega += whole.vega;
        total.theta += whole.theta;
        sum.gross[at] += _abs(whole.vega);
        sum.widest[at] = Math.max(sum.widest[at], sum.volReach);
    }

    /// @dev What an option that has expired out of the money at our mid of spot is worth where spot is off by `reach`.
    function _kink(Sum memory sum, uint256 strike) private pure returns (uint256) {
        uint256 distance = strike > sum.spot ? strike - sum.spot : sum.spot - strike;
        return sum.reach > distance ? sum.reach - distance : 0;
    }

    function _describe(Sum memory sum, Held memory h, ILyraOptionToken.OptionPosition memory p)
        private
        view
        returns (OptionPosition memory d)
    {
        (uint256 price, Greeks memory one, uint256 vol) = _valueOne(sum, h);
        int256 size = h.isShort ? -int256(p.amount) : int256(p.amount);
        d.positionId = h.positionId;
        d.listing = h.listing;
        d.underlying = UNDERLYING;
        d.expiry = h.expiry;
        d.strike = h.strike;
        d.isCall = h.isCall;
        d.size = size;
        d.collateral = p.collateral;
        d.price = _mul(price, sum.quotePrice);
        d.vol = vol;
        d.greeks = _times(one, size, sum.quotePrice);
    }

    /// @dev Price and Greeks of one contract in quote tokens, Greeks of the underlying's price in asset units; vol 0 and delta alone once it has expired, and no delta
    /// once Lyra has fixed its price.
    function _valueOne(Sum memory sum, Held memory h)
        private
        view
        returns (uint256 price, Greeks memory one, uint256 vol)
    {
        if (block.timestamp < h.expiry) {
            uint256 strike = h.strike * WAD / sum.dollar;
            uint256 low;
            uint256 high;
            (low, vol, high,) = IVolSource(IVault(vault).volSource()).vol(UNDERLYING, h.expiry, strike);
            sum.volReach = Math.max(vol - low, high - vol);
            Black76.Result memory r = Black76.evaluate(sum.spot, h.strike, h.expiry - block.timestamp, vol);
            price = h.isCall ? r.call : r.put;
            one.delta = _mulDown(h.isCall ? r.callDelta : r.callDelta - int256(WAD), sum.dollar);
            one.gamma = int256(_mul(_mul(r.gamma, sum.dollar), sum.dollar));
            one.vega = int256(r.vega);
            one.theta = r.theta;
            return (price, one, vol);
        }
        uint256 settled = MARKET.boardToPriceAtExpiry(h.board);
        uint256 at = settled == 0 ? sum.spot : settled;
        bool inside = h.isCall ? at > h.strike : at < h.strike;
        if (inside) {
            price = h.isCall ? at - h.strike : h.strike - at;
            if (settled == 0) one.delta = h.isCall ? int256(sum.dollar) : -int256(sum.dollar);
        }
    }

    /// @dev Greeks of `size` contracts whose value is paid in a token worth `quotePrice`.
    function _times(Greeks memory one, int256 size, uint256 quotePrice) private pure returns (Greeks memory) {
        int256 factor = _mulDown(size, quotePrice);
        return Greeks({
            delta: (one.delta * factor) / int256(WAD),
            gamma: (one.gamma * factor) / int256(WAD),
            vega: (one.vega * factor) / int256(WAD),
            theta: (one.theta * factor) / int256(WAD)
        });
    }
}
