// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ILyraOptionMarket: trading in Lyra v1, amounts at 1e18
interface ILyraOptionMarket {
    enum OptionType {
        LONG_CALL,
        LONG_PUT,
        SHORT_CALL_BASE,
        SHORT_CALL_QUOTE,
        SHORT_PUT_QUOTE
    }

    struct Strike {
        uint256 id;
        uint256 strikePrice;
        uint256 skew;
        uint256 longCall;
        uint256 shortCallBase;
        uint256 shortCallQuote;
        uint256 longPut;
        uint256 shortPut;
        uint256 boardId;
    }

    struct OptionBoard {
        uint256 id;
        uint256 expiry;
        uint256 iv;
        bool frozen;
        uint256[] strikeIds;
    }

    struct TradeInputParameters {
        uint256 strikeId;
        uint256 positionId;
        uint256 iterations;
        OptionType optionType;
        uint256 amount;
        uint256 setCollateralTo;
        uint256 minTotalCost;
        uint256 maxTotalCost;
    }

    struct Result {
        uint256 positionId;
        uint256 totalCost;
        uint256 totalFee;
    }

    function openPosition(TradeInputParameters calldata params) external returns (Result memory);
    function closePosition(TradeInputParameters calldata params) external returns (Result memory);
    function forceClosePosition(TradeInputParameters calldata params) external returns (Result memory);
    function addCollateral(uint256 positionId, uint256 amountCollateral) external;
    function settleExpiredBoard(uint256 boardId) external;

    function getLiveBoards() external view returns (uint256[] memory);
    function getOptionBoard(uint256 boardId) external view returns (OptionBoard memory);
    function getBoardStrikes(uint256 boardId) external view returns (uint256[] memory strikeIds);
    function getStrikeAndBoard(uint256 strikeId) external view returns (Strike memory, OptionBoard memory);
    function getBoardAndStrikeDetails(uint256 boardId)
        external
        view
        returns (
            OptionBoard memory,
            Strike[] memory,
            uint256[] memory strikeToBaseReturnedRatios,
            uint256 priceAtExpiry
        );
    /// @notice 0 until the board is settled.
    function boardToPriceAtExpiry(uint256 boardId) external view returns (uint256);
}
