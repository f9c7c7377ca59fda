// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieMarketRegistry: markets of Perp v2
interface ICurieMarketRegistry {
    /// @notice Taker fee at 1e6.
    function getFeeRatio(address baseToken) external view returns (uint24);
    function hasPool(address baseToken) external view returns (bool);
}
