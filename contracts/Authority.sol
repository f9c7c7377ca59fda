// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Authority: who may do what in one vault and the contracts around it
/// @notice OpenZeppelin's AccessManager with the names of our roles. Role 0 is its admin, the governor. Which function needs which
/// role is set by `setTargetFunctionRole`; a restricted function nobody set a role for is the governor's.
contract Authority is AccessManager {
    /// @notice Rebalances and tops up under the guard.
    uint64 public constant KEEPER = 1;
    /// @notice Sets limits and what venues are allowed; where a delay was granted with the role, each call waits for it.
    uint64 public constant CURATOR = 2;
    /// @notice Stops and reduces what others do.
    uint64 public constant GUARDIAN = 3;
    /// @notice Lowers what the curator may raise, at once.
    uint64 public constant SENTINEL = 4;

    constructor(address governor) AccessManager(governor) {}
}
