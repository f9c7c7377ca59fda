// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IVolSource: interval implied volatility by underlying, expiry and strike
interface IVolSource {
    /// @notice Nothing was ever posted for this underlying and expiry.
    error UnknownSlice(address underlying, uint64 expiry);
    /// @notice The last post is older than `maxAge` seconds.
    error StaleVol(uint256 updatedAt, uint256 maxAge);

    /// @notice Annualised vol at 1e18 (0.8e18 is 80%). `strike` is asset units at 1e18.
    /// @dev low <= mid <= high. Reverts with a typed error when there is no vol it can stand behind.
    function vol(address underlying, uint64 expiry, uint256 strike)
        external
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt);

    /// @notice When a slice of this underlying, at any expiry, or a venue's vol that widens it, last changed, in unix seconds; 0 where none ever did.
    /// @dev Later than a stored mark, it voids what that mark says of vol.
    function postedAt(address underlying) external view returns (uint256);

    /// @notice When a slice of this underlying last changed, or some time later, in unix seconds; 0 where none ever did. A venue's vol moves no mid.
    function slicedAt(address underlying) external view returns (uint256);
}
