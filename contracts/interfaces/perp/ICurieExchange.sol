// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieExchange: funding and market prices in Perp v2
interface ICurieExchange {
    /// @notice What `trader` owes (positive) in funding of one market and has not settled, at 1e18.
    function getPendingFundingPayment(address trader, address baseToken) external view returns (int256);
    function getAllPendingFundingPayment(address trader) external view returns (int256);
    /// @notice Root at 2^96 of the market price, averaged over `twapInterval` seconds.
    function getSqrtMarketTwapX96(address baseToken, uint32 twapInterval) external view returns (uint160);
    function getMarketRegistry() external view returns (address);
}
