// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieAccountBalance: positions in Perp v2, all at 1e18
interface ICurieAccountBalance {
    function getTakerPositionSize(address trader, address baseToken) external view returns (int256);
    function getTakerOpenNotional(address trader, address baseToken) external view returns (int256);
    /// @notice `unrealizedPnl` is the value of all positions, at the mark price in an open market, and their open notional.
    function getPnlAndPendingFee(address trader)
        external
        view
        returns (int256 owedRealizedPnl, int256 unrealizedPnl, uint256 pendingFee);
    function getTotalAbsPositionValue(address trader) external view returns (uint256);
    function getMarkPrice(address baseToken) external view returns (uint256);
}
