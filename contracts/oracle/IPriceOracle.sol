// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IPriceOracle: interval prices in units of the vault's asset
interface IPriceOracle {
    /// @notice No sources are configured for `token`.
    error UnknownToken(address token);
    /// @notice Fewer fresh, in-bounds sources than the quorum.
    error TooFewSources(address token, uint256 fresh, uint256 quorum);
    /// @notice The interval is wider than allowed; both at 1e18 of mid.
    error TooWide(address token, uint256 width, uint256 maximum);
    /// @notice `mid` is farther from the last accepted price than `allowance` (at 1e18: 0.4e18 is up by 40% or down by 1 / 1.4).
    error BreakerTripped(address token, uint256 mid, uint256 accepted, uint256 allowance);
    /// @notice A source failed with less gas than it is owed, so the failure says nothing of the source; send more gas.
    error GasTooLow(uint256 available, uint256 needed);

    /// @notice The price of one whole `token` in asset units at 1e18; the asset itself is (1e18, 1e18, 1e18, now).
    /// @dev low <= mid <= high; low rounds down, high rounds up. Reverts with a typed error when no price can be stood behind.
    /// @return low The least price the oracle stands behind.
    /// @return mid The median.
    /// @return high The greatest price the oracle stands behind.
    /// @return updatedAt Unix seconds of the oldest reading used.
    function quote(address token) external view returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt);

    /// @notice As `quote`, from the first configured source alone: for carrying a mark that `quote` struck, in the fewest cold reads.
    /// @dev A dollar reading is divided by the first source of the asset. ONE SOURCE: NOTHING IS STRUCK AT IT. The source's own error
    ///      where it refuses; TooWide and BreakerTripped as `quote`.
    function primary(address token) external view returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt);

    /// @notice Anyone. Shows the breaker the price of now: accepts it, or counts a round towards accepting it.
    /// @dev Does nothing where there is no price or nothing to do; reverts for want of gas alone.
    function poke(address token) external;

    /// @notice Anyone. `quote` and `primary` of `token`, and `assetQuote` where it counts in them, are from now to the end of the transaction what
    /// they are now. Of the asset itself, `assetQuote`.
    /// @dev Does nothing where there is no price or it is pinned; reverts for want of gas alone. A change of configuration ends it.
    function pin(address token) external;

    /// @notice `pin` of each.
    function pinAll(address[] calldata tokens) external;

    /// @notice The token that prices are in.
    function asset() external view returns (address);
}
