// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILyraOptionMarket} from "./ILyraOptionMarket.sol";

/// @title ILyraGreekCache: cached Greeks and margin rules of Lyra v1
interface ILyraGreekCache {
    function updateBoardCachedGreeks(uint256 boardId) external;
    function isBoardCacheStale(uint256 boardId) external view returns (bool);
    function getMinCollateral(
        ILyraOptionMarket.OptionType optionType,
        uint256 strikePrice,
        uint256 expiry,
        uint256 spotPrice,
        uint256 amount
    ) external view returns (uint256 minCollateral);

    /// @notice Geometric mean of the board's base vol over the last `secondsAgo` seconds.
    function getIvGWAV(uint256 boardId, uint256 secondsAgo) external view returns (uint256 ivGWAV);
    /// @notice Geometric mean of the strike's skew over the last `secondsAgo` seconds.
    function getSkewGWAV(uint256 strikeId, uint256 secondsAgo) external view returns (uint256 skewGWAV);
}
