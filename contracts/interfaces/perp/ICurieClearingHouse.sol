// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICurieClearingHouse: trading in Perp v2
interface ICurieClearingHouse {
    struct OpenPositionParams {
        address baseToken;
        bool isBaseToQuote;
        bool isExactInput;
        uint256 amount;
        uint256 oppositeAmountBound;
        uint256 deadline;
        uint160 sqrtPriceLimitX96;
        bytes32 referralCode;
    }

    /// @return base What was traded.
    /// @return quote What was paid or received for it, the fee included.
    function openPosition(OpenPositionParams calldata params) external returns (uint256 base, uint256 quote);
    function settleAllFunding(address trader) external;
    function quitMarket(address trader, address baseToken) external returns (uint256 base, uint256 quote);
    /// @notice Account value at 1e18, by the venue's mark prices.
    function getAccountValue(address trader) external view returns (int256);
    function getVault() external view returns (address);
    function getExchange() external view returns (address);
    function getAccountBalance() external view returns (address);
    function getClearingHouseConfig() external view returns (address);
}
