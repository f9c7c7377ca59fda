// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IVenueVol: the implied volatility that one venue trades at
interface IVenueVol {
    /// @notice Annualised vol at 1e18 of `strike` (asset units at 1e18). Reverts where the venue shows none.
    function iv(address underlying, uint64 expiry, uint256 strike) external view returns (uint256);
}
