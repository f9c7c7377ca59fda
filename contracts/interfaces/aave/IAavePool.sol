// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice State of one reserve. Indices and rates at 1e27; the configuration's low 16 bits are the loan-to-value in basis
/// points, the next 16 the liquidation threshold.
struct AaveReserve {
    uint256 configuration;
    uint128 liquidityIndex;
    uint128 currentLiquidityRate;
    uint128 variableBorrowIndex;
    uint128 currentVariableBorrowRate;
    uint128 currentStableBorrowRate;
    uint40 lastUpdateTimestamp;
    uint16 id;
    address aToken;
    address stableDebtToken;
    address variableDebtToken;
    address interestRateStrategy;
    uint128 accruedToTreasury;
    uint128 unbacked;
    uint128 isolationModeTotalDebt;
}

/// @title IAavePool: Aave v3's pool
interface IAavePool {
    function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
    function withdraw(address asset, uint256 amount, address to) external returns (uint256);
    function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf)
        external;
    function repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf)
        external
        returns (uint256);
    function repayWithATokens(address asset, uint256 amount, uint256 interestRateMode) external returns (uint256);
    function getReserveData(address asset) external view returns (AaveReserve memory);
    /// @return totalCollateralBase In the oracle's base currency.
    /// @return totalDebtBase In the oracle's base currency.
    /// @return availableBorrowsBase In the oracle's base currency.
    /// @return currentLiquidationThreshold Basis points, averaged over the collateral.
    /// @return ltv Basis points, averaged over the collateral.
    /// @return healthFactor At 1e18; the greatest uint256 where nothing is owed.
    function getUserAccountData(address user)
        external
        view
        returns (
            uint256 totalCollateralBase,
            uint256 totalDebtBase,
            uint256 availableBorrowsBase,
            uint256 currentLiquidationThreshold,
            uint256 ltv,
            uint256 healthFactor
        );
    function ADDRESSES_PROVIDER() external view returns (address);
}
