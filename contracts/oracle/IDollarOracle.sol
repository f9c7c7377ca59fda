// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IDollarOracle: the vault's asset in US dollars
/// @notice For venues that strike and settle in dollars while the vault counts in its asset.
interface IDollarOracle {
    /// @notice The asset's price in US dollars at 1e18, as an interval. Reverts as `IPriceOracle.quote`.
    function assetQuote() external view returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt);
}
