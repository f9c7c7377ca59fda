// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ILyraGreekCache} from "../interfaces/lyra/ILyraGreekCache.sol";
import {ILyraOptionMarket} from "../interfaces/lyra/ILyraOptionMarket.sol";
import {IDollarOracle} from "./IDollarOracle.sol";
import {IVenueVol} from "./IVenueVol.sol";

/// @title LyraVol: the implied volatility of one Lyra v1 market
/// @notice Lyra's vol of a listed strike is the base vol of its board times the strike's skew. This is the product of Lyra's own geometric means of the
/// two over the last `WINDOW` seconds, the skew linear in the strike between listed ones. Beyond the listed strikes Lyra shows no vol.
/// Strikes are turned into dollars, in which Lyra lists them, at our oracle's mid of the asset; one within a millionth of the lowest or highest counts as
/// that one.
///
/// A board is read once, by `list`, which anyone may call, and again when Lyra adds strikes to it. Of two boards of one expiry the one
/// listed last counts.
/// A read between two strikes took 118,000 gas with everything cold.
/// @dev MOVING A MEAN TAKES THE WINDOW, SO NO TRADE MOVES IT WITHIN A BLOCK. LYRA'S OWNER CREATES BOARDS WITH STRIKES THAT DIFFER.
contract LyraVol is IVenueVol {
    /// @notice Where a board's strike stands: its id and its price in dollars at 1e18.
    struct Listed {
        uint64 id;
        uint192 price;
    }

    error UnknownUnderlying(address underlying);
    /// @notice There is no such live board, or none of this expiry was listed.
    error UnknownBoard(uint256 boardId, uint256 expiry);
    error TooManyStrikes(uint256 strikes, uint256 maximum);
    /// @notice Lyra lists no strikes around this one; in dollars at 1e18.
    error BeyondStrikes(uint256 strike, uint256 lowest, uint256 highest);
    error BadWindow(uint256 window, uint256 minimum, uint256 maximum);

    event BoardListed(uint64 indexed expiry, uint256 boardId, uint256 strikes);

    uint256 public constant MAX_STRIKES = 32;
    uint256 public constant MIN_WINDOW = 60;
    uint256 public constant MAX_WINDOW = 1 days;

    ILyraOptionMarket public immutable MARKET;
    ILyraGreekCache public immutable CACHE;
    IDollarOracle public immutable ORACLE;
    address public immutable UNDERLYING;
    uint256 public immutable WINDOW;

    /// @notice The board that counts for an expiry; 0 for none.
    mapping(uint64 expiry => uint256) public boardOf;

    mapping(uint64 expiry => Listed[]) private _strikes;

    /// @param underlying The token whose options the market lists.
    /// @param oracle     Gives the dollar price of the vault's asset.
    /// @param window     Seconds, MIN_WINDOW to MAX_WINDOW.
    constructor(address market, address greekCache, address underlying, address oracle, uint256 window) {
        if (window < MIN_WINDOW || window > MAX_WINDOW) revert BadWindow(window, MIN_WINDOW, MAX_WINDOW);
        (MARKET, CACHE) = (ILyraOptionMarket(market), ILyraGreekCache(greekCache));
        (ORACLE, UNDERLYING, WINDOW) = (IDollarOracle(oracle), underlying, window);
    }

    /// @notice Learns the strikes of a live board. Anyone.
    function list(uint256 boardId) external {
        (ILyraOptionMarket.OptionBoard memory board, ILyraOptionMarket.Strike[] memory strikes,,) =
            MARKET.getBoardAndStrikeDetails(boardId);
        uint64 expiry = uint64(board.expiry);
        if (board.id == 0 || board.expiry <= block.timestamp) revert UnknownBoard(boardId, board.expiry);
        if (strikes.length > MAX_STRIKES) revert TooManyStrikes(strikes.length, MAX_STRIKES);
        for (uint256 i = 1; i < strikes.length; ++i) {
            ILyraOptionMarket.Strike memory moved = strikes[i];
            uint256 at = i;
            for (; at > 0 && strikes[at - 1].strikePrice > moved.strikePrice; --at) {
                strikes[at] = strikes[at - 1];
            }
            strikes[at] = moved;
        }
        delete _strikes[expiry];
        for (uint256 i; i < strikes.length; ++i) {
            _strikes[expiry].push(Listed(uint64(strikes[i].id), uint192(strikes[i].strikePrice)));
        }
        boardOf[expiry] = boardId;
        emit BoardListed(expiry, boardId, strikes.length);
    }

    /// @inheritdoc IVenueVol
    function iv(address underlying, uint64 expiry, uint256 strike) external view returns (uint256) {
        if (underlying != UNDERLYING) revert UnknownUnderlying(underlying);
        (, uint256 dollar,,) = ORACLE.assetQuote();
        (Listed memory left, Listed memory right, uint256 price) = _around(expiry, Math.mulDiv(strike, dollar, 1e18));
        uint256 skew = CACHE.getSkewGWAV(left.id, WINDOW);
        if (price > left.price) {
            uint256 other = CACHE.getSkewGWAV(right.id, WINDOW);
            uint256 share = (price - left.price) * 1e18 / (right.price - left.price);
            skew = (skew * (1e18 - share) + other * share) / 1e18;
        }
        return CACHE.getIvGWAV(boardOf[expiry], WINDOW) * skew / 1e18;
    }

    /// @notice The strikes learnt of an expiry's board, lowest first.
    function strikesOf(uint64 expiry) external view returns (Listed[] memory) {
        return _strikes[expiry];
    }

    /// @dev The listed strikes next below (or at) and above, and the price itself within the listed ones.
    function _around(uint64 expiry, uint256 price)
        private
        view
        returns (Listed memory left, Listed memory right, uint256)
    {
        Listed[] storage listed = _strikes[expiry];
        uint256 high = listed.length;
        if (high == 0) revert UnknownBoard(0, expiry);
        uint256 low;
        (left, right) = (listed[0], listed[--high]);
        if (price + left.price / 1e6 < left.price || price > right.price + right.price / 1e6) {
            revert BeyondStrikes(price, left.price, right.price);
        }
        if (price <= left.price) return (left, right, left.price);
        if (price >= right.price) return (right, right, right.price);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            Listed memory here = listed[middle];
            if (here.price <= price) (low, left) = (middle, here);
            else (high, right) = (middle, here);
        }
        return (left, right, price);
    }
}
