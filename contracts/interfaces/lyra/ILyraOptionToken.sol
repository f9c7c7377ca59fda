// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILyraOptionMarket} from "./ILyraOptionMarket.sol";

/// @title ILyraOptionToken: positions in Lyra v1, amounts at 1e18
interface ILyraOptionToken {
    enum PositionState {
        EMPTY,
        ACTIVE,
        CLOSED,
        LIQUIDATED,
        SETTLED,
        MERGED
    }

    struct OptionPosition {
        uint256 positionId;
        uint256 strikeId;
        ILyraOptionMarket.OptionType optionType;
        uint256 amount;
        uint256 collateral;
        PositionState state;
    }

    function getOptionPosition(uint256 positionId) external view returns (OptionPosition memory);
    function getOptionPositions(uint256[] calldata positionIds) external view returns (OptionPosition[] memory);
}
