// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IChainlinkFeed: a Chainlink aggregator proxy, price or sequencer uptime
interface IChainlinkFeed {
    /// @return roundId         Round of the answer.
    /// @return answer          Price at `decimals()`; on an uptime feed 0 is up and 1 down.
    /// @return startedAt       Unix seconds of the round's start; on an uptime feed, of the last change.
    /// @return updatedAt       Unix seconds of the answer; 0 while the round is unfinished.
    /// @return answeredInRound Round in which the answer was computed.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    function decimals() external view returns (uint8);
}
