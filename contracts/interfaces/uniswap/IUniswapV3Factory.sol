// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IUniswapV3Factory: where the pool of a pair and fee is
interface IUniswapV3Factory {
    function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address pool);
}
