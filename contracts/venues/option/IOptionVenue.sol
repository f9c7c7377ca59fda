// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Greeks, IVenue} from "../IVenue.sol";

/// @notice One order for options.
/// @param positionId 0 opens a position; otherwise the position to grow, shrink or close.
/// @param listing    The protocol's id of the strike, from `listings()`.
/// @param isCall     Call or put.
/// @param size       Contracts at 1e18: positive buys, negative sells. Closing a short is a buy.
/// @param collateral For shorts: margin token that backs the position after the trade, at 1e18, premium included.
///                   Ignored for longs and when a short is closed whole.
/// @param limit      Most asset (at 1e18) that may leave the vault for premium and fees when buying; least that premium less fees must be
///                   worth when selling. Collateral is not counted.
struct Trade {
    uint256 positionId;
    uint256 listing;
    bool isCall;
    int256 size;
    uint256 collateral;
    uint256 limit;
}

/// @notice One option position, valued by our Black-76, our oracle and our vol source, in asset units at 1e18.
/// @param size       Contracts at 1e18; negative when short.
/// @param collateral Margin token held by the protocol for this position, at 1e18.
/// @param price      Our mid price of one contract.
/// @param vol        Our mid vol.
/// @param venueVol   The vol the protocol trades at now.
/// @param greeks     Of the whole position.
struct OptionPosition {
    uint256 positionId;
    uint256 listing;
    address underlying;
    uint64 expiry;
    uint256 strike;
    bool isCall;
    int256 size;
    uint256 collateral;
    uint256 price;
    uint256 vol;
    uint256 venueVol;
    Greeks greeks;
}

/// @notice A strike that can be traded.
struct Listing {
    uint256 listing;
    address underlying;
    uint64 expiry;
    uint256 strike;
    uint256 venueVol;
}

/// @notice Outside these bounds the protocol refuses ordinary trades.
/// @param minDelta Least call delta at 1e18; the greatest is 1e18 less this.
/// @param cutoff   Seconds before expiry at which trading ends.
/// @param quote    The margin and premium token.
struct OptionTerms {
    uint256 minDelta;
    uint256 minVol;
    uint256 maxVol;
    uint256 cutoff;
    address quote;
    address underlying;
}

/// @title IOptionVenue: European options
interface IOptionVenue is IVenue {
    error UnknownPosition(uint256 positionId);
    error NotExpired(uint256 positionId, uint64 expiry);

    event Traded(uint256 indexed positionId, uint256 indexed listing, bool isCall, int256 size, int256 cash, uint256 fee);
    event Settled(uint256 indexed positionId, int256 cash);
    /// @notice The protocol closed a position of ours by force.
    event LiquidationSeen(uint256 indexed positionId, uint256 collateralLeft);

    /// @notice VAULT. Trades, first refreshing the protocol's cache when it is stale.
    /// @return positionId The position traded.
    /// @return filled     Contracts at 1e18.
    /// @return cash       Premium less fees in asset units at 1e18; negative when paid. Collateral is not counted.
    /// @return fee        The protocol's fees within `cash`, asset units at 1e18.
    function trade(Trade calldata order) external returns (uint256 positionId, uint256 filled, int256 cash, uint256 fee);

    /// @notice Anyone. After expiry: collects what a position is owed and sends it to the vault.
    function settle(uint256 positionId) external returns (int256 cash);

    /// @notice Anyone. Brings the adapter's list of positions in line with the protocol, noting liquidations, and sends any
    /// collateral they returned to the vault.
    function sync() external;

    /// @notice Open positions, expired ones among them until they are settled.
    function positions() external view returns (OptionPosition[] memory);

    /// @notice As `positions`, with `venueVol` 0: what a mark needs, from our prices and vols alone.
    /// @return quote The margin and premium token.
    function carried() external view returns (address quote, OptionPosition[] memory);

    /// @notice Strikes of boards that have not expired, at most `MAX_LISTINGS`.
    function listings() external view returns (Listing[] memory);

    /// @notice The protocol's bounds on trades, and its tokens.
    function terms() external view returns (OptionTerms memory);
}
