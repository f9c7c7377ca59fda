// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IVolListener: who is told that a venue's stored vol changed
interface IVolListener {
    /// @notice The venue named for `underlying` says that what it answers has changed.
    function venueVolMoved(address underlying) external;
}
