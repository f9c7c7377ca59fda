// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVenue} from "../IVenue.sol";

/// @notice One token that a spot venue trades against the asset.
/// @param balance   Held by the adapter, whole tokens at 1e18.
/// @param poolPrice The venue's own mid price, asset units a whole token at 1e18.
/// @param fee       Proportional fee of a swap at 1e18.
struct SpotHolding {
    address token;
    uint256 balance;
    uint256 poolPrice;
    uint256 fee;
}

/// @title ISpotVenue: tokens bought and sold against the asset
interface ISpotVenue is IVenue {
    /// @notice A sale of more than is held.
    error Insufficient(uint256 held, uint256 wanted);

    event Swapped(address indexed token, int256 size, int256 cash);

    /// @notice VAULT. Buys (`size` > 0) or sells (`size` < 0) exactly `size` whole tokens at 1e18 for the asset.
    /// @param limitPrice Worst average price including the fee: a ceiling when buying, a floor when selling.
    /// @return cash Asset units at 1e18 that reached the vault; negative when buying.
    function swap(address token, int256 size, uint256 limitPrice) external returns (int256 cash);

    /// @notice VAULT. Moves `amount` (token decimals) of a held token to another venue of the same vault.
    function move(address token, uint256 amount, address venue) external;

    /// @notice Every token that the adapter trades, held or not.
    function holdings() external view returns (SpotHolding[] memory);
}
