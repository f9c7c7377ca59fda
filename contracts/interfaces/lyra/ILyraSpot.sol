// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ILyraSpot: the spot price that Lyra v1 trades and liquidates by
interface ILyraSpot {
    /// @notice Dollars a whole underlying at 1e18; reverts when the rate is invalid.
    function getSpotPriceForMarket(address optionMarket) external view returns (uint256);
}
