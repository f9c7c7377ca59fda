// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV3PoolOracle: the observations of a Uniswap v3 pool
interface IUniswapV3PoolOracle {
    function token0() external view returns (address);

    function token1() external view returns (address);

    /// @notice Accumulators as of each of `secondsAgos`; reverts with "OLD" further back than the pool remembers.
    /// @return tickCumulatives                    Sum over time of the tick (log 1.0001 of raw token1 per raw token0).
    /// @return secondsPerLiquidityCumulativeX128s Sum over time of 1 / max(1, liquidity in range), at 2^128, modulo 2^160.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);
}
