// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Valuation} from "../guard/IValuer.sol";

/// @title IMarks: a vault's last valuation, carried to now
/// @notice State is kept by vault: a vault, and the judge that it names, read and write marks of its own. Amounts are asset units at 1e18.
interface IMarks {
    /// @notice Only the judge that `vault` names may call this for it.
    error OnlyJudge(address caller, address vault);

    /// @notice What a vault says of itself when it asks.
    /// @param oracle    Its `IPriceOracle`.
    /// @param volSource Its `IVolSource`.
    /// @param idle      Its idle now.
    /// @param flow      What came into idle by entries since the mark, less what left by exits.
    /// @param entering  What is about to enter; 0 for an exit, `type(uint256).max` to be valued live whatever may be carried.
    struct Ask {
        address oracle;
        address volSource;
        uint256 idle;
        int256 flow;
        uint256 entering;
    }

    /// @notice The interval that the caller prices an entry by: its mark carried to now where that may be and has room for what
    /// is entering, else a live valuation by its own valuer, which becomes its mark. Idle is included.
    /// @return priced Whether all was priced.
    /// @return low    The least that the vault is worth, were the truth in the interval, as the next two.
    /// @return mid    Carried: the mark's mid moved by its deltas and its carry.
    /// @return high   The most that it is worth.
    /// @return room   What may enter on the carried mark; `type(uint256).max` where the valuation is live.
    /// @return loss   Of a live one: `unexplained` of the mark that it replaces.
    function price(Ask calldata ask)
        external
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 room, uint256 loss);

    /// @notice What `price` would answer, storing nothing.
    function peek(Ask calldata ask)
        external
        view
        returns (bool priced, int256 low, int256 mid, int256 high, uint256 room);

    /// @notice JUDGE of `vault`. Stores `valuation`, made in this transaction, as its mark.
    function store(address vault, Valuation calldata valuation) external;

    /// @notice The caller's mark is carried no more, and explains nothing.
    function forget() external;

    /// @notice The caller posted `idle` as margin, or below zero freed it, and its venues are worth `worth` more for it: its mark is carried no
    /// more, and goes on explaining.
    function moved(int256 idle, int256 worth) external;

    /// @notice By how much `mid`, idle included, lies under the low of the mark of `vault` carried to now: what prices, time and
    /// what carry earns do not explain. 0 where the mark is too old or slices were posted since.
    function unexplained(address vault, Ask calldata ask, int256 mid) external view returns (uint256 loss);

    /// @notice Seconds for which a mark is carried; 0: never.
    function maxAge() external view returns (uint256);
    /// @notice The greatest move of an underlying's price on which a mark is carried, as a fraction at 1e18.
    function maxMove() external view returns (uint256);
    /// @notice The most that may enter on one carried mark, less what leaves, as a fraction of its low at 1e18.
    function maxCarriedInflow() external view returns (uint256);
}
