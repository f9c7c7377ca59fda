// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ICuriePriceFeedDispatcher: chooses the feed of a Perp v2 market
interface ICuriePriceFeedDispatcher {
    function getChainlinkPriceFeedV3() external view returns (address);
}

/// @title ICuriePriceFeed: Perp v2's reading of a Chainlink feed
interface ICuriePriceFeed {
    /// @return price In the feed's own decimals.
    /// @return updatedAt Unix seconds.
    function getLatestOrCachedPrice() external view returns (uint256 price, uint256 updatedAt);
}
