// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IRedeemQueue: redemptions that wait for cash
interface IRedeemQueue {
    /// @notice The vault whose shares wait here. Immutable.
    function vault() external view returns (address);
}
