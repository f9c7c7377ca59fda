// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice One venue that was written off.
/// @param venue    The adapter.
/// @param purse    Where what is recovered lies. Anyone may pay into it.
/// @param queue    The vault's redeem queue then; zero for none.
/// @param requests Requests of the queue with a lower id had been made.
/// @param supply   Shares that there were.
/// @param paid     What holders took of the purse, wei of the asset.
struct WrittenOff {
    address venue;
    address purse;
    address queue;
    uint256 requests;
    uint256 supply;
    uint256 paid;
}

/// @title IWriteOffs: what is recovered of venues that a vault wrote off, for those who held shares then
interface IWriteOffs {
    /// @notice Only the vault, or its redeem queue, may call this.
    error OnlyVault(address caller);
    /// @notice No venue was written off in this epoch.
    error UnknownEpoch(uint256 epoch, uint256 last);
    /// @notice `caller` is neither the request's controller nor its operator.
    error NotController(uint256 requestId, address caller);
    /// @notice The request was made after the epoch: its shares count for whoever held them then.
    error LaterRequest(uint256 requestId, uint256 requests);
    /// @notice As many venues as can be were written off.
    error TooManyEpochs(uint256 maximum);

    event Opened(uint256 indexed epoch, address indexed venue, address purse, uint256 supply);
    event Claimed(uint256 indexed epoch, address indexed holder, address indexed receiver, uint256 assets);
    event QueuedClaimed(
        uint256 indexed epoch, uint256 indexed requestId, address controller, address indexed receiver, uint256 assets
    );

    /// @notice VAULT. Begins an epoch for `venue`, the vault having `supply` shares. At most 255 in all.
    function open(address venue, uint256 supply) external returns (uint8 epoch);

    /// @notice VAULT. The balances of `from` and `to` are about to change; zero addresses are passed over.
    function note(address from, uint256 fromShares, address to, uint256 toShares) external;

    /// @notice QUEUE. The unpaid `shares` of a request are about to change.
    function noteRequest(uint256 requestId, uint256 shares) external;

    /// @notice Pays the caller its part of what was recovered in `epoch` and it has not had; rounds down.
    function claim(uint256 epoch, address receiver) external returns (uint256 assets);

    /// @notice The controller of a request in the redeem queue, or its operator. The same for the shares that waited in it.
    function claimQueued(uint256 epoch, uint256 requestId, address receiver) external returns (uint256 assets);

    /// @notice What `claim` would pay `holder`, wei of the asset.
    function claimable(uint256 epoch, address holder) external view returns (uint256 assets);
    /// @notice What `claimQueued` would pay.
    function claimableQueued(uint256 epoch, uint256 requestId) external view returns (uint256 assets);
    /// @notice The shares of `holder` when `epoch` began. Those of the queue stand for its requests.
    function sharesAt(uint256 epoch, address holder) external view returns (uint256);
    /// @notice The unpaid shares of a request when `epoch` began.
    function queuedAt(uint256 epoch, uint256 requestId) external view returns (uint256);
    /// @notice All that was recovered in `epoch`, wei of the asset.
    function recovered(uint256 epoch) external view returns (uint256);
    /// @notice Epochs, from 1.
    function writtenOff(uint256 epoch) external view returns (WrittenOff memory);
    /// @notice How many have begun.
    function epochs() external view returns (uint256);
    /// @notice Where what is recovered of `venue` goes; zero where it was not written off.
    function purseOf(address venue) external view returns (address);
    /// @notice The vault. Immutable.
    function vault() external view returns (address);
}
