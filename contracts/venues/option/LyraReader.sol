// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILyraOptionMarket} from "../../interfaces/lyra/ILyraOptionMarket.sol";
import {ILyraOptionMarketPricer} from "../../interfaces/lyra/ILyraOptionMarketPricer.sol";
import {Listing, OptionTerms} from "./IOptionVenue.sol";

uint256 constant MAX_LYRA_LISTINGS = 64;

/// @title LyraReader: what a Lyra v1 market says of itself
/// @notice Answers for the adapter that created it what needs nothing of the adapter: the adapter has no room for it. It holds no state and
/// calls nothing but Lyra's views.
contract LyraReader {
    uint256 private constant WAD = 1e18;

    ILyraOptionMarket private immutable MARKET;
    ILyraOptionMarketPricer private immutable PRICER;
    address private immutable QUOTE;
    address private immutable UNDERLYING;

    constructor(address market, address pricer, address quote, address underlying) {
        (MARKET, PRICER) = (ILyraOptionMarket(market), ILyraOptionMarketPricer(pricer));
        (QUOTE, UNDERLYING) = (quote, underlying);
    }

    /// @notice As `IOptionVenue.listings`.
    function listings() external view returns (Listing[] memory list) {
        uint256[] memory boards = MARKET.getLiveBoards();
        list = new Listing[](MAX_LYRA_LISTINGS);
        uint256 used;
        for (uint256 i; i < boards.length && used < MAX_LYRA_LISTINGS; ++i) {
            (ILyraOptionMarket.OptionBoard memory board, ILyraOptionMarket.Strike[] memory strikes,,) =
                MARKET.getBoardAndStrikeDetails(boards[i]);
            if (board.expiry <= block.timestamp) continue;
            for (uint256 j; j < strikes.length && used < MAX_LYRA_LISTINGS; ++j) {
                list[used++] = Listing({
                    listing: strikes[j].id,
                    underlying: UNDERLYING,
                    expiry: uint64(board.expiry),
                    strike: strikes[j].strikePrice,
                    venueVol: board.iv * strikes[j].skew / WAD
                });
            }
        }
        assembly ("memory-safe") {
            mstore(list, used)
        }
    }

    /// @notice As `IOptionVenue.terms`.
    function terms() external view returns (OptionTerms memory) {
        ILyraOptionMarketPricer.TradeLimitParameters memory limits = PRICER.getTradeLimitParams();
        return OptionTerms({
            minDelta: uint256(limits.minDelta),
            minVol: limits.minVol,
            maxVol: limits.maxVol,
            cutoff: limits.tradingCutoff,
            quote: QUOTE,
            underlying: UNDERLYING
        });
    }

    /// @notice The strike `listing`, all 0 where Lyra has none.
    /// @return strike In dollars at 1e18.
    /// @return expiry Unix seconds.
    /// @return board  Lyra's id of its board.
    /// @return vol    At which Lyra trades it now, at 1e18.
    function strikeOf(uint256 listing) external view returns (uint256 strike, uint256 expiry, uint256 board, uint256 vol) {
        (ILyraOptionMarket.Strike memory s, ILyraOptionMarket.OptionBoard memory b) = MARKET.getStrikeAndBoard(listing);
        if (s.id == listing) return (s.strikePrice, b.expiry, b.id, b.iv * s.skew / WAD);
    }
}
