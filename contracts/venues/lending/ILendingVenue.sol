// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVenue} from "../IVenue.sol";

/// @notice One reserve of a lending protocol. Amounts are whole tokens at 1e18, rates a year at 1e18.
/// @param supplied             What the adapter lends, interest included.
/// @param borrowed             What it owes, interest included.
/// @param ltv                  Fraction of value that can be borrowed against.
/// @param liquidationThreshold Fraction of value at which the position can be liquidated.
/// @param available            What the protocol can pay out now.
struct LendingAccount {
    address token;
    uint256 supplied;
    uint256 borrowed;
    uint256 supplyRate;
    uint256 borrowRate;
    uint256 ltv;
    uint256 liquidationThreshold;
    uint256 available;
}

/// @notice What a mark needs of a reserve with a balance.
/// @param yearly Interest a year at the rates of now on what is supplied, less that on what is borrowed; whole tokens at 1e18.
struct LendingCarry {
    address token;
    int256 yearly;
}

/// @title ILendingVenue: supply, borrow
/// @notice Amounts are in the token's own decimals. The asset comes from and goes to the vault's idle; any other token
/// comes from the adapter's own balance (see `ISpotVenue.move`) and goes to `recipient`, which must be a venue of the
/// same vault.
interface ILendingVenue is IVenue {
    error BadRecipient(address recipient);

    event Supplied(address indexed token, uint256 amount);
    event Withdrawn(address indexed token, uint256 amount);
    event Borrowed(address indexed token, uint256 amount);
    event Repaid(address indexed token, uint256 amount);

    /// @notice VAULT.
    function supply(address token, uint256 amount) external;

    /// @notice VAULT. `type(uint256).max` withdraws all.
    function withdraw(address token, uint256 amount, address recipient) external returns (uint256 withdrawn);

    /// @notice VAULT. Variable rate.
    function borrow(address token, uint256 amount, address recipient) external;

    /// @notice VAULT. `type(uint256).max` repays all that is owed or all that is held, whichever is less.
    function repay(address token, uint256 amount) external returns (uint256 repaid);

    /// @notice Every reserve that the adapter uses.
    function accounts() external view returns (LendingAccount[] memory);

    /// @notice The reserves in which something is supplied or borrowed, with what a mark needs of them and no more.
    function carried() external view returns (LendingCarry[] memory);
}
