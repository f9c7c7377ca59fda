// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ILyraShortCollateral: settlement of positions in Lyra v1
interface ILyraShortCollateral {
    /// @notice Pays every position's owner what it is owed; the board must be settled.
    function settleOptions(uint256[] calldata positionIds) external;
}
