// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev The part of a Chainlink feed that is read here.
interface IRoundFeed {
    function decimals() external view returns (uint8);
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}

/// @title ExchangeRates: Synthetix rates taken from a Chainlink feed, for local chains
/// @notice Lyra reads its spot price from a Synthetix `ExchangeRates`. Synthetix itself is not on a sandbox, so this contract
/// answers that one call from the feed that every other protocol on the chain reads: one price drives them all.
/// @dev FOR SANDBOXES ONLY. ONE SYNTH IS SERVED; any other key answers (0, true), which Lyra's adapter refuses.
/// ASSUMES THE FEED IS IN US DOLLARS AND THAT ONE sUSD IS ONE DOLLAR, as Synthetix does. Answers never revert for a bad
/// reading: the rate is flagged invalid, and Lyra stops trading.
contract ExchangeRates {
    /// @notice The feed must have at most 18 decimals.
    error TooManyDecimals(uint8 decimals);

    IRoundFeed public immutable feed;
    /// @notice The synth served, as Synthetix names it: ASCII, padded right with zeros.
    bytes32 public immutable currencyKey;
    /// @notice Seconds after which a reading is invalid.
    uint256 public immutable maxAge;
    uint256 private immutable _scale;

    constructor(IRoundFeed feed_, bytes32 currencyKey_, uint256 maxAge_) {
        uint8 decimals = feed_.decimals();
        if (decimals > 18) revert TooManyDecimals(decimals);
        feed = feed_;
        currencyKey = currencyKey_;
        maxAge = maxAge_;
        _scale = 10 ** (18 - decimals);
    }

    /// @notice The price of one whole synth in sUSD at 1e18, and whether it must not be used.
    /// @param key The synth asked for.
    /// @return rate Zero where there is no price.
    /// @return isInvalid True for an unknown synth, an answer that is not positive, or one older than `maxAge`.
    function rateAndInvalid(bytes32 key) external view returns (uint256 rate, bool isInvalid) {
        if (key != currencyKey) return (0, true);
        (, int256 answer,, uint256 updatedAt,) = feed.latestRoundData();
        if (answer <= 0) return (0, true);
        return (uint256(answer) * _scale, block.timestamp > updatedAt + maxAge);
    }
}
