// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Instruction} from "../IVault.sol";

/// @notice What came of a rebalance, asset units at 1e18.
/// @param midBefore What the vault was worth before, at mid.
/// @param low       The least that it is worth now, as the next two; idle included.
/// @param loss      What the call was charged.
struct Verdict {
    int256 midBefore;
    int256 low;
    int256 mid;
    int256 high;
    uint256 loss;
}

/// @title IRebalanceJudge: a vault before and after a rebalance
interface IRebalanceJudge {
    /// @notice Values the calling vault, charges its guard with what it lost unexplained since its last mark, has it make `calls`
    /// (`IVault.makeCalls`), values it again and strikes a mark. Reverts with a typed error where a venue that is touched is frozen, and
    /// unless guard and the venues' minimum health allow what was done.
    /// @param flow     What came into idle by entries since the last mark, less what left by exits; asset units at 1e18.
    /// @return results What the calls answered.
    function rebalance(Instruction[] calldata calls, int256 flow)
        external
        returns (bytes[] memory results, Verdict memory);

    /// @notice What units of `vault` under critical health lack, asset units at 1e18, rounded up: what of idle is theirs before anyone leaves.
    /// @param worth NAV at 1e18, which bounds a venue's part by its cap.
    function criticalNeed(address vault, uint256 worth) external view returns (uint256);
}
