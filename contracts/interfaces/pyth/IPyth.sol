// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A price of Pyth: `price` and `conf` times 10^`expo`.
/// @param price       Signed; what the publishers agree on.
/// @param conf        The half-width they give it.
/// @param expo        Usually negative.
/// @param publishTime Unix seconds of the aggregate.
struct PythPrice {
    int64 price;
    uint64 conf;
    int32 expo;
    uint256 publishTime;
}

/// @title IPyth: the Pyth contract of a chain
interface IPyth {
    /// @notice The last price that anybody brought on chain, however old. Reverts with PriceFeedNotFound before the first.
    function getPriceUnsafe(bytes32 id) external view returns (PythPrice memory price);
}
