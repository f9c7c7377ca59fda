// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVenueVol} from "./IVenueVol.sol";

/// @title ISyncedVol: a venue's vol that is stored, and answered as it was stored
interface ISyncedVol is IVenueVol {
    /// @notice Stores what the venue shows of an expiry now. Anyone.
    function sync(address underlying, uint64 expiry) external;

    /// @notice When that was last done, in unix seconds; 0 for never.
    function syncedAt(address underlying, uint64 expiry) external view returns (uint256);
}
