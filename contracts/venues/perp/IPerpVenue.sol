// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVenue, Status} from "../IVenue.sol";

/// @notice One perpetual market as the adapter sees it. Prices are asset units a whole underlying at 1e18.
/// @param market       The protocol's id of the market (its base token for Curie).
/// @param underlying   The token whose oracle prices the position.
/// @param size         Signed whole units at 1e18.
/// @param cash         Signed quote balance of the position: what was received less what was paid for `size`.
/// @param mark         The venue's mark price.
/// @param index        The venue's index price.
/// @param fundingOwed  Funding accrued and not settled; positive when the vault owes.
/// @param fundingRate  Payment a day of a long of one whole underlying as a fraction of its price, at 1e18, signed.
/// @param fee          Proportional taker fee at 1e18.
struct PerpPosition {
    address market;
    address underlying;
    int256 size;
    int256 cash;
    uint256 mark;
    uint256 index;
    int256 fundingOwed;
    int256 fundingRate;
    uint256 fee;
}

/// @notice What a mark needs of a market with a position; as in `PerpPosition`.
struct PerpCarry {
    address underlying;
    int256 size;
    int256 fundingRate;
}

/// @title IPerpVenue: perpetual futures, filled at once or later
interface IPerpVenue is IVenue {
    /// @notice A reduce-only order that would grow or flip the position.
    error NotReducing(int256 size, int256 sizeDelta);
    error UnknownOrder(uint256 id);

    /// @param sizeDelta What was filled; 0 while pending.
    event Ordered(uint256 indexed id, address indexed market, int256 sizeDelta, int256 cash, Status status);
    event OrderSettled(uint256 indexed id, Status status, int256 filled);

    /// @notice VAULT. Changes the position by `sizeDelta` whole units at 1e18.
    /// @param acceptablePrice Worst average price including fees: a ceiling for a buy, a floor for a sale.
    /// @return id     Identifies the order to `poll` and `cancel`.
    /// @return status `Filled` from venues that fill at once, `Pending` from the others.
    function order(address market, int256 sizeDelta, uint256 acceptablePrice, bool reduceOnly)
        external
        returns (uint256 id, Status status);

    /// @notice Anyone. Reconciles a pending order with the protocol.
    function poll(uint256 id) external returns (Status);

    /// @notice VAULT. Asks the protocol to drop a pending order.
    function cancel(uint256 id) external returns (Status);

    /// @notice VAULT. Realises accrued funding into margin.
    function settleFunding(address market) external;

    /// @notice Every market that the adapter trades, with or without a position.
    function positions() external view returns (PerpPosition[] memory);

    /// @notice The markets with a position, with what a mark needs of them and no more.
    function carried() external view returns (PerpCarry[] memory);
}
