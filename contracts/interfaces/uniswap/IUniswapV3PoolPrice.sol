// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV3PoolPrice: the current price of a pool
interface IUniswapV3PoolPrice {
    /// @return sqrtPriceX96 Root of (raw token1 for one raw token0) at 2^96.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );
}
