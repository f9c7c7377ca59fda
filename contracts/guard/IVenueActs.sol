// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What is done at one venue outside a rebalance, and by whom: top-ups by the keeper or anyone, reductions and withdrawals of
/// margin by the guardian or the keeper.
enum Act {
    TopUp,
    CriticalTopUp,
    Reduce,
    KeeperReduce,
    Free,
    KeeperFree
}

/// @notice What came of an act. Healths at 1e18, 0 where they do not matter; loss and tip in asset units at 1e18.
struct Outcome {
    uint256 healthBefore;
    uint256 healthAfter;
    uint256 loss;
    uint256 tip;
}

/// @title IVenueActs: what a vault may do at one venue outside a rebalance
interface IVenueActs {
    /// @notice A unit is not critical, neither by our price nor by the venue's; both at 1e18.
    error NotCritical(address venue, uint256 unit, uint256 health, uint256 critical);
    /// @notice The vault can be priced, so a rebalance does what the keeper asked for.
    error Priced();

    event TipSet(address indexed gasToken, uint256 most, uint256 perDay);
    event Frozen(address indexed venue);
    event Unfrozen(address indexed venue);

    /// @notice Reverts with a typed error where the calling vault may not begin `act` at `venue`.
    /// @param limitPrice Of a reduction, as `IVenue.reduce` takes it.
    /// @param idle       The caller's idle, asset units at 1e18.
    /// @return data What `finish` takes; empty where nothing may be done yet, because a critical top-up has only been noted.
    function begin(Act act, address venue, uint256 unit, uint256 limitPrice, uint256 idle)
        external
        returns (bytes memory data);

    /// @notice Reverts with a typed error unless what was done since `begin` is allowed; charges its loss.
    /// @param data   What `begin` returned.
    /// @param answer What was posted, asset units at 1e18; ignored for other acts.
    /// @param idle   The caller's idle now, asset units at 1e18.
    function finish(bytes calldata data, uint256 answer, uint256 idle) external returns (Outcome memory);

    /// @notice Whether the guardian froze `venue`.
    function frozen(address venue) external view returns (bool);
}
