// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ILyraOptionMarket} from "../../interfaces/lyra/ILyraOptionMarket.sol";
import {ILyraOptionToken} from "../../interfaces/lyra/ILyraOptionToken.sol";
import {IVenue, Status} from "../IVenue.sol";
import {IOptionVenue, Trade} from "./IOptionVenue.sol";
import {LyraBook, LyraMarket} from "./LyraBook.sol";

/// @title LyraOptionVenue: European options bought from and sold to Lyra v1's pool
/// @notice CASH. Lyra pays and margins in its quote token. What a trade needs of it is bought with idle in one pool, and what is
/// left of it is sold back and returned to the vault before the call ends: the adapter holds none between calls, except what
/// Lyra sends by itself (a liquidation, a settlement that a stranger asked for), until `sync` or `settle`.
///
/// NO PRICE of the quote token stops no way out. `reduce` and `free` count it as the asset, with the caller's limits alone and at what
/// the vault's guard lets it cost; what `settle` and `sync` bring waits here for a price.
///
/// TRADES. A trade of one position moves Lyra's vol, so sizes are in Lyra's own contracts and nothing is split. `cash` and `fee`
/// are Lyra's amounts at our oracle's mid of the quote token; a buy of a long option can also lose the pool's fee on what its
/// limit exceeds the cost by. A short that is grown, shrunk or closed pays and receives within its collateral.
///
/// ANYONE settles and syncs, but not while the vault is calling its venues (`VaultActing`).
///
/// CACHE. Before a trade the board's cached Greeks are refreshed where Lyra calls them stale.
///
/// REDUCE. Works on any position of `positions()`, long or short. It closes in the ordinary way and, where Lyra refuses that
/// (outside its delta bounds, after the cutoff), by force at Lyra's penalty price, never beyond `limitPrice`. A short gives up
/// collateral in proportion; what it costs is paid from that.
contract LyraOptionVenue is LyraBook, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice Lyra has no such strike, or it has expired.
    error UnknownListing(uint256 listing);

    constructor(address vault_, LyraMarket memory market) LyraBook(vault_, market) {
        QUOTE.forceApprove(market.optionMarket, type(uint256).max);
    }

    /// @inheritdoc IOptionVenue
    function trade(Trade calldata order)
        external
        onlyVault
        nonReentrant
        returns (uint256 positionId, uint256 filled, int256 cash, uint256 fee)
    {
        filled = _abs(order.size);
        if (filled == 0) revert ZeroAmount();
        (Held memory h, ILyraOptionToken.OptionPosition memory p) = _subject(order);
        bool buying = order.size > 0;
        bool opening = h.isShort != buying;
        uint256 quotePrice = _mid(address(QUOTE));
        ILyraOptionMarket.TradeInputParameters memory input = _input(h, filled);
        if (h.isShort && (opening || filled < p.amount)) input.setCollateralTo = order.collateral;
        if (buying) input.maxTotalCost = Math.mulDiv(order.limit, WAD, quotePrice);
        else input.minTotalCost = Math.mulDiv(order.limit, WAD, quotePrice, Math.Rounding.Ceil);
        if (h.isShort) _fundShort(input, p.collateral, opening);
        else if (opening) input.maxTotalCost = _spendOnQuote(_drawUpTo(order.limit / ASSET_SCALE));

        _refresh(h.board);
        ILyraOptionMarket.Result memory result = opening ? _open(input) : MARKET.closePosition(input);
        positionId = result.positionId;
        if (order.positionId == 0) _remember(h, positionId);
        else if (!opening && filled == p.amount) _forget(_indexOf(order.positionId));
        _returnQuoteFairly();

        fee = _mulUp(result.totalFee, quotePrice);
        cash = _mulDown(buying ? -int256(result.totalCost) : int256(result.totalCost), quotePrice);
        emit Traded(positionId, h.listing, h.isCall, order.size, cash, fee);
    }

    /// @inheritdoc IVenue
    function post(uint256 unit, uint256 assets, uint256 minPosted)
        external
        onlyVault
        nonReentrant
        returns (uint256 posted)
    {
        _unit(unit);
        if (assets == 0) revert ZeroAmount();
        _draw(assets);
        uint256 bought = _spendOnQuote(assets);
        _giveBack();
        posted = bought / ASSET_SCALE;
        if (posted < minPosted) revert BelowMinimum(posted, minPosted);
        MARKET.addCollateral(unit, bought / QUOTE_SCALE);
        emit Posted(unit, assets, posted);
    }

    /// @inheritdoc IVenue
    function free(uint256 unit, uint256 assets, uint256 minFreed)
        external
        onlyVault
        nonReentrant
        returns (uint256 freed)
    {
        (Held memory h, ILyraOptionToken.OptionPosition memory p) = _unit(unit);
        if (assets == 0) revert ZeroAmount();
        (, uint256 quotePrice) = _quoteMid();
        uint256 amount = Math.mulDiv(assets * ASSET_SCALE, WAD, quotePrice);
        if (amount > p.collateral) revert BelowMinimum(p.collateral, amount);
        // An order of no contracts sets the collateral and leaves Lyra's pool alone.
        ILyraOptionMarket.TradeInputParameters memory input = _input(h, 0);
        input.setCollateralTo = p.collateral - amount;
        _open(input);
        freed = _returnQuote(minFreed);
        emit Freed(unit, assets, freed);
    }

    /// @inheritdoc IVenue
    function reduce(uint256 unit, uint256 fraction, uint256 limitPrice)
        external
        onlyVault
        nonReentrant
        returns (Status)
    {
        _checkFraction(fraction);
        uint256 at = _indexOf(unit);
        if (at == type(uint256).max) revert UnknownUnit(unit);
        Held memory h = _held[at];
        ILyraOptionToken.OptionPosition memory p = _record(unit);
        uint256 amount = _mul(p.amount, fraction);
        if (amount == 0) revert ZeroAmount();
        (, uint256 limit) = _quoteMid();
        limit = Math.mulDiv(limitPrice, amount, limit);
        ILyraOptionMarket.TradeInputParameters memory input = _input(h, amount);
        input.setCollateralTo = p.collateral - Math.mulDiv(p.collateral, amount, p.amount);
        if (!h.isShort) input.minTotalCost = limit;
        else if (limit != 0) input.maxTotalCost = limit;
        _refresh(h.board);
        try MARKET.closePosition(input) {}
        catch {
            MARKET.forceClosePosition(input);
        }
        if (amount == p.amount) _forget(at);
        _returnQuoteFairly();
        emit Reduced(unit, fraction, Status.Filled);
        return Status.Filled;
    }

    /// @inheritdoc IOptionVenue
    function settle(uint256 positionId) external nonReentrant whileQuiet returns (int256 cash) {
        uint256 at = _indexOf(positionId);
        if (at == type(uint256).max) revert UnknownPosition(positionId);
        Held memory h = _held[at];
        if (block.timestamp < h.expiry) revert NotExpired(positionId, h.expiry);
        ILyraOptionToken.PositionState state = _record(positionId).state;
        if (state == ILyraOptionToken.PositionState.LIQUIDATED) revert UnknownPosition(positionId);
        if (state == ILyraOptionToken.PositionState.ACTIVE) {
            if (MARKET.boardToPriceAtExpiry(h.board) == 0) MARKET.settleExpiredBoard(h.board);
            uint256[] memory ids = new uint256[](1);
            ids[0] = positionId;
            SHORTS.settleOptions(ids);
        }
        _forget(at);
        cash = int256(_returnQuoteFairly() * ASSET_SCALE);
        emit Settled(positionId, cash);
    }

    /// @inheritdoc IOptionVenue
    /// @dev Lyra does not record what a liquidation returned, so `LiquidationSeen` carries what of the quote token rests here;
    /// with several in one call the first carries all of it.
    function sync() external nonReentrant whileQuiet {
        uint256 left = _quoteHeld();
        ILyraOptionToken.OptionPosition[] memory live = _live();
        for (uint256 i = live.length; i != 0; --i) {
            ILyraOptionToken.PositionState state = live[i - 1].state;
            if (state == ILyraOptionToken.PositionState.ACTIVE) continue;
            _forget(i - 1);
            if (state == ILyraOptionToken.PositionState.LIQUIDATED) {
                emit LiquidationSeen(live[i - 1].positionId, left);
                left = 0;
            }
        }
        _returnQuoteFairly();
    }

    /// @dev The position that `order` is about: a new one, or one of ours whose strike and kind it must name.
    function _subject(Trade calldata order)
        private
        view
        returns (Held memory h, ILyraOptionToken.OptionPosition memory p)
    {
        if (order.positionId != 0) {
            uint256 at = _indexOf(order.positionId);
            if (at == type(uint256).max) revert UnknownPosition(order.positionId);
            h = _held[at];
            if (h.listing != order.listing || h.isCall != order.isCall) revert UnknownPosition(order.positionId);
            return (h, _record(order.positionId));
        }
        (uint256 strike, uint256 expiry, uint256 board,) = READER.strikeOf(order.listing);
        if (expiry <= block.timestamp) revert UnknownListing(order.listing);
        h.listing = order.listing.toUint64();
        h.expiry = expiry.toUint64();
        h.board = board.toUint32();
        h.isCall = order.isCall;
        h.isShort = order.size < 0;
        h.strike = strike;
    }

    /// @dev Buys the most of the quote token that a trade of a short may ask for: the new collateral, less the old, less the
    /// least premium (opening) or plus the greatest cost (closing).
    function _fundShort(ILyraOptionMarket.TradeInputParameters memory input, uint256 collateral, bool opening) private {
        uint256 asked = input.setCollateralTo + (opening ? 0 : input.maxTotalCost);
        uint256 there = collateral + (opening ? input.minTotalCost : 0);
        if (asked > there) _buyQuote(asked - there);
    }

    function _open(ILyraOptionMarket.TradeInputParameters memory input)
        private
        returns (ILyraOptionMarket.Result memory)
    {
        return MARKET.openPosition(input);
    }

    function _refresh(uint256 board) private {
        if (CACHE.isBoardCacheStale(board)) CACHE.updateBoardCachedGreeks(board);
    }

    /// @dev An order of `amount` contracts of our own position, without collateral or limits.
    function _input(Held memory h, uint256 amount)
        private
        pure
        returns (ILyraOptionMarket.TradeInputParameters memory input)
    {
        input.strikeId = h.listing;
        input.positionId = h.positionId;
        input.iterations = 1;
        input.optionType = _typeOf(h);
        input.amount = amount;
        input.maxTotalCost = type(uint256).max;
    }

    function _typeOf(Held memory h) private pure returns (ILyraOptionMarket.OptionType) {
        if (h.isShort) {
            return
                h.isCall ? ILyraOptionMarket.OptionType.SHORT_CALL_QUOTE : ILyraOptionMarket.OptionType.SHORT_PUT_QUOTE;
        }
        return h.isCall ? ILyraOptionMarket.OptionType.LONG_CALL : ILyraOptionMarket.OptionType.LONG_PUT;
    }

    function _remember(Held memory h, uint256 positionId) private {
        if (_held.length == MAX_POSITIONS) revert TooManyPositions(MAX_POSITIONS);
        h.positionId = positionId.toUint64();
        _held.push(h);
    }

    function _forget(uint256 at) private {
        _held[at] = _held[_held.length - 1];
        _held.pop();
    }
}
