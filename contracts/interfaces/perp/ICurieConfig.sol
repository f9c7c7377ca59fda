// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieConfig: parameters of Perp v2, ratios at 1e6
interface ICurieConfig {
    function getImRatio() external view returns (uint24);
    function getMmRatio() external view returns (uint24);
    function getTwapInterval() external view returns (uint32);
    /// @notice The most that the premium may be, as a fraction of the index, when funding is charged.
    function getMaxFundingRate() external view returns (uint24);
}
