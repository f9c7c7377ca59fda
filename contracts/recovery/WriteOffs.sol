// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IRedeemQueue, QueuedRedeem} from "../IRedeemQueue.sol";
import {IVault} from "../IVault.sol";
import {IWriteOffs, WrittenOff} from "./IWriteOffs.sol";
import {Purse} from "./Purse.sol";

/// @title WriteOffs: what is recovered of venues that a vault wrote off, for those who held shares then
/// @notice EPOCHS. Writing a venue off takes it out of the vault's NAV and begins an epoch. Whoever held shares at that moment bore the loss,
/// so whatever comes back later is theirs, in proportion, whether they stayed or left; who enters later neither pays for it nor has part in it.
///
/// BALANCES are not copied when an epoch begins. Before an account's balance first changes afterwards, the vault has it noted here; until
/// then the balance of now is the balance of then. That costs those who move shares one word an epoch, and the vault no loop.
///
/// QUEUED SHARES lie in the redeem queue and count for the controllers of their requests, unpaid or to be taken back, by the same rule.
/// A share that was sent to the queue or lies at the seed's address has a part that nobody claims. Fee shares that are owed and not yet
/// minted have none.
///
/// PURSES. What is recovered goes to an account of the epoch's own, from the adapter itself or through the vault, and anyone may pay into it. Claims are
/// for what has come so far; who claims early claims again. Rounding is down, so that claims never exceed what came.
///
/// ASSUMPTIONS. THE VAULT NOTES EVERY CHANGE OF A BALANCE BEFORE IT HAPPENS, ITS QUEUE THOSE OF REQUESTS. THE ASSET NEITHER REBASES NOR TAKES A FEE.
contract WriteOffs is IWriteOffs, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice The most epochs.
    uint256 public constant MAX_EPOCHS = type(uint8).max;

    /// @inheritdoc IWriteOffs
    address public immutable vault;
    IERC20 private immutable _asset;

    /// @inheritdoc IWriteOffs
    mapping(address venue => address) public purseOf;
    WrittenOff[] private _epochs;
    /// @dev By the last epoch before the balance changed, what it was.
    mapping(address holder => Checkpoints.Trace208) private _balances;
    mapping(uint256 requestId => Checkpoints.Trace208) private _queued;
    mapping(uint256 epoch => mapping(address holder => uint256)) private _paid;
    mapping(uint256 epoch => mapping(uint256 requestId => uint256)) private _paidQueued;

    modifier onlyVault() {
        if (msg.sender != vault) revert OnlyVault(msg.sender);
        _;
    }

    /// @notice Made by the vault whose shares it counts.
    constructor(IERC20 asset) {
        (vault, _asset) = (msg.sender, asset);
    }

    /// @inheritdoc IWriteOffs
    function open(address venue, uint256 supply) external onlyVault returns (uint8) {
        if (_epochs.length == MAX_EPOCHS) revert TooManyEpochs(MAX_EPOCHS);
        WrittenOff memory w;
        (w.venue, w.purse, w.supply) = (venue, address(new Purse(_asset)), supply);
        w.queue = IVault(vault).redeemQueue();
        if (w.queue != address(0)) (, w.requests) = IRedeemQueue(w.queue).line();
        _epochs.push(w);
        purseOf[venue] = w.purse;
        emit Opened(_epochs.length, venue, w.purse, supply);
        return uint8(_epochs.length);
    }

    /// @inheritdoc IWriteOffs
    function note(address from, uint256 fromShares, address to, uint256 toShares) external onlyVault {
        if (from != address(0)) _note(_balances[from], fromShares);
        if (to != address(0)) _note(_balances[to], toShares);
    }

    /// @inheritdoc IWriteOffs
    function noteRequest(uint256 requestId, uint256 shares) external {
        if (msg.sender != IVault(vault).redeemQueue()) revert OnlyVault(msg.sender);
        _note(_queued[requestId], shares);
    }

    /// @inheritdoc IWriteOffs
    function claim(uint256 epoch, address receiver) external nonReentrant returns (uint256 assets) {
        assets = claimable(epoch, msg.sender);
        _paid[epoch][msg.sender] += assets;
        emit Claimed(epoch, msg.sender, receiver, assets);
        _pay(epoch, receiver, assets);
    }

    /// @inheritdoc IWriteOffs
    function claimQueued(uint256 epoch, uint256 requestId, address receiver)
        external
        nonReentrant
        returns (uint256 assets)
    {
        address controller = _request(epoch, requestId).controller;
        bool may = msg.sender == controller || IRedeemQueue(_at(epoch).queue).isOperator(controller, msg.sender);
        if (!may) revert NotController(requestId, msg.sender);
        assets = claimableQueued(epoch, requestId);
        _paidQueued[epoch][requestId] += assets;
        emit QueuedClaimed(epoch, requestId, controller, receiver, assets);
        _pay(epoch, receiver, assets);
    }

    /// @inheritdoc IWriteOffs
    function writtenOff(uint256 epoch) external view returns (WrittenOff memory) {
        return _at(epoch);
    }

    /// @inheritdoc IWriteOffs
    function epochs() external view returns (uint256) {
        return _epochs.length;
    }

    /// @inheritdoc IWriteOffs
    function claimable(uint256 epoch, address holder) public view returns (uint256) {
        // The queue's shares are its requests'.
        if (holder == _at(epoch).queue) return 0;
        return _part(epoch, sharesAt(epoch, holder)) - _paid[epoch][holder];
    }

    /// @inheritdoc IWriteOffs
    function claimableQueued(uint256 epoch, uint256 requestId) public view returns (uint256) {
        return _part(epoch, queuedAt(epoch, requestId)) - _paidQueued[epoch][requestId];
    }

    /// @inheritdoc IWriteOffs
    function sharesAt(uint256 epoch, address holder) public view returns (uint256) {
        _at(epoch);
        (bool noted, uint256 shares) = _noted(_balances[holder], epoch);
        return noted ? shares : IERC20(vault).balanceOf(holder);
    }

    /// @inheritdoc IWriteOffs
    function queuedAt(uint256 epoch, uint256 requestId) public view returns (uint256) {
        QueuedRedeem memory r = _request(epoch, requestId);
        (bool noted, uint256 shares) = _noted(_queued[requestId], epoch);
        return noted ? shares : r.shares;
    }

    /// @inheritdoc IWriteOffs
    function recovered(uint256 epoch) public view returns (uint256) {
        WrittenOff storage w = _at(epoch);
        return _asset.balanceOf(w.purse) + w.paid;
    }

    /// @dev Notes `amount` for every epoch that began since the last note.
    function _note(Checkpoints.Trace208 storage trace, uint256 amount) private {
        (bool exists, uint48 last,) = trace.latestCheckpoint();
        if (!exists || last < _epochs.length) trace.push(uint48(_epochs.length), amount.toUint208());
    }

    function _pay(uint256 epoch, address receiver, uint256 assets) private {
        WrittenOff storage w = _at(epoch);
        w.paid += assets;
        _asset.safeTransferFrom(w.purse, receiver, assets);
    }

    function _part(uint256 epoch, uint256 shares) private view returns (uint256) {
        uint256 supply = _at(epoch).supply;
        return supply == 0 ? 0 : Math.mulDiv(recovered(epoch), shares, supply);
    }

    /// @dev What was noted when `epoch` began, if anything changed since.
    function _noted(Checkpoints.Trace208 storage trace, uint256 epoch)
        private
        view
        returns (bool noted, uint256 amount)
    {
        (bool exists, uint48 last,) = trace.latestCheckpoint();
        noted = exists && last >= epoch;
        if (noted) amount = trace.lowerLookup(uint48(epoch));
    }

    function _request(uint256 epoch, uint256 requestId) private view returns (QueuedRedeem memory) {
        WrittenOff storage w = _at(epoch);
        if (requestId >= w.requests) revert LaterRequest(requestId, w.requests);
        return IRedeemQueue(w.queue).request(requestId);
    }

    function _at(uint256 epoch) private view returns (WrittenOff storage) {
        if (epoch == 0 || epoch > _epochs.length) revert UnknownEpoch(epoch, _epochs.length);
        return _epochs[epoch - 1];
    }
}
