// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ILyraGreekCache} from "../interfaces/lyra/ILyraGreekCache.sol";
import {ILyraOptionMarket} from "../interfaces/lyra/ILyraOptionMarket.sol";
import {IDollarOracle} from "./IDollarOracle.sol";
import {ISyncedVol} from "./ISyncedVol.sol";
import {IVenueVol} from "./IVenueVol.sol";
import {IVolListener} from "./IVolListener.sol";

/// @title LyraVol: the implied volatility of one Lyra v1 market, as it was when somebody last looked
/// @notice Lyra's vol of a listed strike is the base vol of its board times the strike's skew. `sync` stores, of every strike of a board, the product of
/// Lyra's own geometric means of the two over the last `WINDOW` seconds. `iv` answers from what is stored and asks Lyra nothing: linear in the strike
/// between listed ones, no vol beyond them, and none at all once the sync is more than `MAX_AGE` ago.
/// Strikes are turned into dollars, in which Lyra lists them, at our oracle's mid of the asset as it was at the sync; one within a hundredth of the lowest or highest
/// counts as that one, which is room for the asset to move. Vols are stored to a ten-thousandth of a point, strikes to eleven digits.
///
/// SYNCING is open to anyone, and does nothing within `SPACING` of the last sync of the expiry. The first sync of an expiry finds its board among Lyra's
/// live ones (the first of two), and a sync after Lyra added strikes learns them. Where what `iv` answers becomes another by a sync, the vol oracle is told, so that
/// no mark from before is carried; it must have this contract as its venue, or nothing is stored.
///
/// WHAT THE MOMENT OF A SYNC IS WORTH. Nothing to whoever enters before it and leaves after it: the vol oracle's interval holds the slice's own vol and its
/// half-width before and after, whatever is stored, so the low after any sync is at most the high before it. A sync can only widen that interval or take
/// back what another sync widened. What was stored while Lyra's vol was held away from where it belongs for `WINDOW` seconds is gone with the first sync
/// `WINDOW` seconds after that ended, and `MAX_AGE` after it was stored if nobody syncs.
///
/// GAS, of a board of 13 strikes: a book's first read 12,400, this contract being cold, and each further one 5,000 to 8,000; a sync as a transaction 410,000, the
/// first one a million (tests/integration/test_lyra_vol.py). A read straight from Lyra took 118,000.
/// @dev MOVING A MEAN TAKES THE WINDOW, SO NO TRADE MOVES IT WITHIN A BLOCK. LYRA'S OWNER CREATES BOARDS WITH STRIKES THAT DIFFER, AND FEW OF THEM: THE FIRST SYNC
/// OF AN EXPIRY LOOKS THROUGH ALL LIVE ONES.
contract LyraVol is ISyncedVol {
    /// @dev What is known of an expiry, in one word. `board` 0: nothing. Strikes are stored without their last `shift` bits; `dollar` is the asset's price at the sync.
    struct Head {
        uint64 board;
        uint40 syncedAt;
        uint8 strikes;
        uint8 shift;
        uint128 dollar;
    }

    error UnknownUnderlying(address underlying);
    /// @notice Lyra has no live board of this expiry, or its vols were never stored.
    error UnknownBoard(uint64 expiry);
    error Expired(uint64 expiry, uint256 timestamp);
    /// @notice The last sync is more than `maxAge` seconds ago.
    error StaleIv(uint256 syncedAt, uint256 maxAge);
    error TooManyStrikes(uint256 strikes, uint256 maximum);
    /// @notice Lyra lists no strikes around this one; in dollars at 1e18.
    error BeyondStrikes(uint256 strike, uint256 lowest, uint256 highest);
    error BadWindow(uint256 window, uint256 minimum, uint256 maximum);

    /// @notice The strikes of an expiry are those of this board.
    event BoardLearnt(uint64 indexed expiry, uint256 boardId, uint256 strikes);
    /// @notice `changed`: `iv` answers otherwise than before.
    event Synced(uint64 indexed expiry, bool changed);

    uint256 public constant MAX_STRIKES = 32;
    uint256 public constant MIN_WINDOW = 60;
    uint256 public constant MAX_WINDOW = 1 hours;
    /// @notice Seconds after a sync from which on its vols are refused.
    uint256 public constant MAX_AGE = 3 hours;
    /// @notice Seconds between two syncs of an expiry.
    uint256 public constant SPACING = 10 minutes;

    /// @dev A strike beyond the listed ones by this part of the last counts as that one.
    uint256 private constant EDGE = 100;
    /// @dev Four points a word, of which the last is the next word's first, so that a word holds both neighbours of a strike.
    uint256 private constant STEP = 3;
    uint256 private constant MAX_WORDS = 11;
    uint256 private constant PRICE_BITS = 40;
    uint256 private constant PRICE_MASK = (1 << PRICE_BITS) - 1;
    uint256 private constant POINT_BITS = 64;
    uint256 private constant VOL_UNIT = 1e12;
    /// @dev 16.7, which the vol oracle takes for no vol.
    uint256 private constant MOST_VOL = (1 << POINT_BITS - PRICE_BITS) - 1;

    ILyraOptionMarket public immutable MARKET;
    ILyraGreekCache public immutable CACHE;
    IDollarOracle public immutable ORACLE;
    IVolListener public immutable LISTENER;
    address public immutable UNDERLYING;
    uint256 public immutable WINDOW;

    mapping(uint64 expiry => Head) private _heads;
    mapping(uint64 expiry => uint256[MAX_WORDS]) private _words;
    /// @dev Lyra's ids of the strikes, lowest strike first.
    mapping(uint64 expiry => uint64[]) private _ids;

    /// @param underlying The token whose options the market lists.
    /// @param oracle     Gives the dollar price of the vault's asset.
    /// @param listener   The vol oracle that has this as its venue for `underlying`.
    /// @param window     Seconds, MIN_WINDOW to MAX_WINDOW.
    constructor(
        address market,
        address greekCache,
        address underlying,
        address oracle,
        address listener,
        uint256 window
    ) {
        if (window < MIN_WINDOW || window > MAX_WINDOW) revert BadWindow(window, MIN_WINDOW, MAX_WINDOW);
        (MARKET, CACHE) = (ILyraOptionMarket(market), ILyraGreekCache(greekCache));
        (ORACLE, LISTENER) = (IDollarOracle(oracle), IVolListener(listener));
        (UNDERLYING, WINDOW) = (underlying, window);
    }

    /// @inheritdoc ISyncedVol
    /// @dev Nothing of Lyra's can call back: its views run on a static call, and state is written after them.
    function sync(address underlying, uint64 expiry) external {
        if (underlying != UNDERLYING) revert UnknownUnderlying(underlying);
        if (expiry <= block.timestamp) revert Expired(expiry, block.timestamp);
        Head memory head = _heads[expiry];
        if (block.timestamp < head.syncedAt + SPACING) return;
        bool changed = block.timestamp > head.syncedAt + MAX_AGE;
        if (head.board == 0) head.board = _boardOf(expiry);
        uint256[] memory points;
        uint64[] memory ids;
        if (head.strikes != 0 && MARKET.getBoardStrikes(head.board).length == head.strikes) {
            (points, ids) = (_pricesOf(expiry, head.strikes), _ids[expiry]);
        } else {
            (points, ids) = _learn(expiry, head);
        }
        uint256 base = CACHE.getIvGWAV(head.board, WINDOW);
        for (uint256 i; i < points.length; ++i) {
            uint256 vol = Math.mulDiv(base, CACHE.getSkewGWAV(ids[i], WINDOW), 1e18) / VOL_UNIT;
            points[i] |= Math.min(vol, MOST_VOL) << PRICE_BITS;
        }
        (, uint256 dollar,,) = ORACLE.assetQuote();
        if (_write(_words[expiry], points) || dollar != head.dollar) changed = true;
        (head.syncedAt, head.dollar) = (uint40(block.timestamp), SafeCast.toUint128(dollar));
        _heads[expiry] = head;
        if (changed) LISTENER.venueVolMoved(underlying);
        emit Synced(expiry, changed);
    }

    /// @inheritdoc IVenueVol
    function iv(address underlying, uint64 expiry, uint256 strike) external view returns (uint256) {
        if (underlying != UNDERLYING) revert UnknownUnderlying(underlying);
        Head memory head = _heads[expiry];
        if (head.syncedAt == 0) revert UnknownBoard(expiry);
        if (block.timestamp > head.syncedAt + MAX_AGE) revert StaleIv(head.syncedAt, MAX_AGE);
        uint256 dollars = Math.mulDiv(strike, head.dollar, 1e18);
        uint256 price = dollars >> head.shift;
        uint256[MAX_WORDS] storage words = _words[expiry];
        (uint256 low, uint256 high) = (0, _count(head.strikes) - 1);
        while (true) {
            uint256 middle = (low + high) / 2;
            uint256 word = words[middle];
            if (price < _price(word, 0) && middle > low) high = middle - 1;
            else if (price > _price(word, STEP) && middle < high) low = middle + 1;
            else return _within(word, price, dollars, expiry);
        }
    }

    /// @inheritdoc ISyncedVol
    function syncedAt(address underlying, uint64 expiry) external view returns (uint256) {
        if (underlying != UNDERLYING) revert UnknownUnderlying(underlying);
        return _heads[expiry].syncedAt;
    }

    /// @dev Lyra's board of an expiry.
    function _boardOf(uint64 expiry) private view returns (uint64) {
        uint256[] memory boards = MARKET.getLiveBoards();
        for (uint256 i; i < boards.length; ++i) {
            if (MARKET.getOptionBoard(boards[i]).expiry == expiry) return uint64(boards[i]);
        }
        revert UnknownBoard(expiry);
    }

    /// @dev Reads the strikes of `head.board` from Lyra, lowest first, and fills the rest of `head`.
    function _learn(uint64 expiry, Head memory head) private returns (uint256[] memory prices, uint64[] memory ids) {
        (, ILyraOptionMarket.Strike[] memory strikes,,) = MARKET.getBoardAndStrikeDetails(head.board);
        uint256 count = strikes.length;
        if (count == 0) revert UnknownBoard(expiry);
        if (count > MAX_STRIKES) revert TooManyStrikes(count, MAX_STRIKES);
        for (uint256 i = 1; i < count; ++i) {
            ILyraOptionMarket.Strike memory moved = strikes[i];
            uint256 at = i;
            for (; at > 0 && strikes[at - 1].strikePrice > moved.strikePrice; --at) {
                strikes[at] = strikes[at - 1];
            }
            strikes[at] = moved;
        }
        uint256 bits = Math.log2(strikes[count - 1].strikePrice) + 1;
        head.shift = uint8(bits > PRICE_BITS ? bits - PRICE_BITS : 0);
        head.strikes = uint8(count);
        (prices, ids) = (new uint256[](count), new uint64[](count));
        for (uint256 i; i < count; ++i) {
            (prices[i], ids[i]) = (strikes[i].strikePrice >> head.shift, uint64(strikes[i].id));
        }
        _ids[expiry] = ids;
        emit BoardLearnt(expiry, head.board, count);
    }

    function _pricesOf(uint64 expiry, uint256 count) private view returns (uint256[] memory prices) {
        prices = new uint256[](count);
        prices[0] = _price(_words[expiry][0], 0);
        for (uint256 i; i + 1 < count; ++i) {
            prices[i + 1] = _price(_words[expiry][i / STEP], i % STEP + 1);
        }
    }

    /// @dev The last word is filled up with the last point. Returns whether any word changed.
    function _write(uint256[MAX_WORDS] storage words, uint256[] memory points) private returns (bool changed) {
        uint256 last = points.length - 1;
        for (uint256 i; i < _count(points.length); ++i) {
            uint256 word;
            for (uint256 j; j <= STEP; ++j) {
                word |= points[Math.min(STEP * i + j, last)] << POINT_BITS * j;
            }
            if (words[i] == word) continue;
            words[i] = word;
            changed = true;
        }
    }

    /// @dev The vol at a price that lies within `word`, or within EDGE of the lowest or highest strike.
    function _within(uint256 word, uint256 price, uint256 dollars, uint64 expiry) private view returns (uint256) {
        uint256 left = _price(word, 0);
        if (price <= left) {
            if (price + left / EDGE < left) _beyond(dollars, expiry);
            return _vol(word, 0);
        }
        for (uint256 i = 1; i <= STEP; ++i) {
            uint256 right = _price(word, i);
            if (price <= right) {
                (uint256 width, uint256 part) = (right - left, price - left);
                return (_vol(word, i - 1) * (width - part) + _vol(word, i) * part) / width;
            }
            left = right;
        }
        if (price > left + left / EDGE) _beyond(dollars, expiry);
        return _vol(word, STEP);
    }

    function _beyond(uint256 dollars, uint64 expiry) private view {
        Head memory head = _heads[expiry];
        uint256 lowest = _price(_words[expiry][0], 0) << head.shift;
        uint256 highest = _price(_words[expiry][_count(head.strikes) - 1], STEP) << head.shift;
        revert BeyondStrikes(dollars, lowest, highest);
    }

    /// @dev Words that hold `strikes` points.
    function _count(uint256 strikes) private pure returns (uint256) {
        return strikes <= STEP ? 1 : (strikes + STEP - 2) / STEP;
    }

    function _price(uint256 word, uint256 index) private pure returns (uint256) {
        return word >> POINT_BITS * index & PRICE_MASK;
    }

    function _vol(uint256 word, uint256 index) private pure returns (uint256) {
        return (word >> POINT_BITS * index + PRICE_BITS & MOST_VOL) * VOL_UNIT;
    }
}
