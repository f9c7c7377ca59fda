// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IPriceSource: one reading of one token's price
interface IPriceSource {
    /// @notice The reading is older than `maxAge` seconds.
    error Stale(uint256 updatedAt, uint256 maxAge);
    /// @notice The reading lies outside this source's bounds; all at 1e18.
    error OutOfBounds(uint256 price, uint256 minimum, uint256 maximum);
    /// @notice The feed answered something that is not a price (zero, negative, an unfinished round).
    error BadReading();
    /// @notice The L2 sequencer is down (`up` false) or came back at `since`, less than `grace` seconds ago.
    error SequencerNotSettled(bool up, uint256 since, uint256 grace);

    /// @notice Price of one whole `token()` in `denomination()` at 1e18, with the source's own uncertainty.
    /// @dev Reverts with a typed error rather than answer a reading it cannot stand behind.
    function read() external view returns (uint256 price, uint256 halfWidth, uint256 updatedAt);

    function token() external view returns (address);

    /// @notice The token the price is in; `address(0)` is the US dollar.
    function denomination() external view returns (address);
}
