// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IAaveOracle: Aave's prices
interface IAaveOracle {
    /// @notice Price of one whole `asset` in the base currency.
    function getAssetPrice(address asset) external view returns (uint256);
}
