// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieBaseToken: a market of Perp v2
interface ICurieBaseToken {
    /// @notice Index price at 1e18, averaged over `interval` seconds.
    function getIndexPrice(uint256 interval) external view returns (uint256);
    function getPriceFeed() external view returns (address);
    function isOpen() external view returns (bool);
    function isClosed() external view returns (bool);
    /// @notice What every position of a closed market is settled at, at 1e18.
    function getClosedPrice() external view returns (uint256);
}
