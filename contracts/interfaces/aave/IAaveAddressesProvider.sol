// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IAaveAddressesProvider: where a market's parts are
interface IAaveAddressesProvider {
    function getPriceOracle() external view returns (address);
}
