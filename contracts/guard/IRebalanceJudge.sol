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
    /// @notice Values the calling vault, charges its guard with what it lost unexplained since its last mark, and reads the health of the
    /// units of the venues that `calls` touch. Reverts where one of those is frozen.
    /// @param calls    What will be done.
    /// @param flow     What came into idle by entries since the last mark, less what left by exits; asset units at 1e18.
    /// @return data    What `finish` takes.
    /// @return touched The venues that `calls` call or name in their arguments, each once.
    function begin(Instruction[] calldata calls, int256 flow)
        external
        returns (bytes memory data, address[] memory touched);

    /// @notice Values the calling vault again and reverts with a typed error unless its guard and the venues' minimum health allow
    /// what was done since `begin`; charges the loss and strikes a mark.
    /// @param data   What `begin` returned, in the same transaction.
    /// @param posted What of idle each touched venue took less what it gave, asset units at 1e18.
    function finish(bytes calldata data, int256[] calldata posted) external returns (Verdict memory);

    /// @notice What units of `vault` under critical health lack, asset units at 1e18, rounded up: what of idle is theirs before anyone leaves.
    /// @param worth NAV at 1e18, which bounds a venue's part by its cap.
    function criticalNeed(address vault, uint256 worth) external view returns (uint256);
}
