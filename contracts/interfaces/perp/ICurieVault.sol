// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieVault: margin in Perp v2, in the settlement token's decimals
interface ICurieVault {
    function deposit(address token, uint256 amount) external;
    function withdraw(address token, uint256 amount) external;
    /// @notice The settlement token's balance without what is realised and not yet settled.
    function getBalance(address trader) external view returns (int256);
    function getSettlementToken() external view returns (address);
    /// @notice Tokens other than the settlement token that `trader` has posted.
    function getCollateralTokens(address trader) external view returns (address[] memory);
}
