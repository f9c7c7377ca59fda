// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRebalanceJudge} from "./guard/IRebalanceJudge.sol";
import {IRedeemQueue, QueuedRedeem} from "./IRedeemQueue.sol";
import {QueueFront} from "./QueueFront.sol";
import {IWriteOffs} from "./recovery/IWriteOffs.sol";

/// @title RedeemQueue: redemptions that wait for cash, in the order in which they came
/// @notice THE LINE. A request takes its shares at once and the next id, from 1. They stay shares, with the vault's gains and losses,
/// until `process` pays for them. Nobody is paid while someone before him is still in line.
///
/// PROCESSING. Anyone may call it, while every venue is priced and the interval is no wider than `maxProcessWidth` of mid. It
/// marks the vault, fixes one price (the low NAV) for everyone it pays in that call, and goes from the head of the line as far as
/// idle reaches, the last request in part. Idle is taken less what units under critical health lack (`CriticalNeed`). Payments round
/// down. What is paid lies here as cash, out of the vault and of NAV. At most `maxRequests` are looked at, so no
/// number of requests, however small, blocks the head.
///
/// MINIMUM. A request whose turn comes at a price under its `minAssetsPerShare` leaves the line unpaid, with its fee, and those
/// behind it move up. The minimum is compared with the price; rounding then takes at most a wei of the asset a payment.
///
/// CANCELLING. `cancelRedeemRequest` announces; the request stays in line, is paid if its turn comes, and after `CANCEL_DELAY` leaves
/// the line with its fee. It cannot be taken back, so nobody decides with the price in sight. What was paid before stays
/// paid. Until then the controller makes no new requests. A new request goes last.
///
/// FEE. A request that leaves the line unpaid had cash raised for it that others paid for. `cancelFee` of its shares, rounded up, is
/// taken for that: the next `process` burns them, and their worth stays with those who remain.
///
/// WHAT IS SENT HERE by mistake or malice belongs to nobody: such shares are burned, and such assets and roundings returned to
/// the vault, by the next `process` with anything to pay or burn. They change no price and no claim.
///
/// WRITE-OFFS. What is recovered of a venue that the vault wrote off while shares waited here, or were to be taken back, belongs to the
/// controllers of their requests (`IWriteOffs.claimQueued`).
///
/// CLAIMS. What was paid to a controller is one pool; `redeem` and `withdraw` draw on it at its average price, and count its oldest
/// requests first. The last share takes the last wei. There is no deadline.
///
/// WHO MAY. Owner or controller, or an operator of theirs. The share is another contract, so the owner must approve this one on it (operators
/// included); the third way of ERC-7540, an allowance of the caller on the share, is not offered: such a caller can move the shares to
/// itself and request as their owner.
///
/// ENTRY passes through to the vault (`QueueFront`).
///
/// SETTERS are bounded so that none can close the queue: `PROCESS_WIDTH_FLOOR` is one that a well-kept book stays within. Both
/// directions of both numbers are the curator's and wait for its delay: a wider interval costs those who leave, a narrower one makes them
/// wait, a higher fee costs those who cancel, a lower one those who stay.
///
/// ASSUMPTIONS. THE VAULT IS TRUSTED AND ITS ASSET NEITHER REBASES NOR TAKES A FEE ON TRANSFER.
contract RedeemQueue is QueueFront, AccessManaged {
    using Math for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice From the announcement of a cancelation until the request leaves the line.
    uint256 public constant CANCEL_DELAY = 1 days;
    uint256 public constant PROCESS_WIDTH_FLOOR = 0.01e18;
    uint256 public constant PROCESS_WIDTH_CAP = 0.1e18;
    uint256 public constant CANCEL_FEE_FLOOR = 0.0005e18;
    uint256 public constant CANCEL_FEE_CAP = 0.01e18;

    /// @dev What was paid to a controller and waits for it, and the shares it claimed before.
    struct Pool {
        uint256 shares;
        uint256 assets;
        uint256 claimed;
    }

    /// @dev One `process`: `assets` for `shares` is the price, `budget` the shares that idle still reaches for.
    struct Price {
        uint256 shares;
        uint256 assets;
        uint256 perShare;
        uint256 budget;
    }

    /// @dev Wei of asset a wei of share, times this, is asset units at 1e18 a whole share.
    uint256 private immutable _wholeShare;
    /// @dev Asset units at 1e18 per wei of the asset.
    uint256 private immutable _scale;
    IWriteOffs private immutable _writeOffs;

    /// @inheritdoc IRedeemQueue
    uint256 public waiting;
    /// @inheritdoc IRedeemQueue
    uint256 public claimableAssets;
    /// @inheritdoc IRedeemQueue
    uint256 public maxProcessWidth = 0.02e18;
    /// @inheritdoc IRedeemQueue
    uint256 public cancelFee = 0.0025e18;
    /// @inheritdoc IRedeemQueue
    mapping(address controller => mapping(address operator => bool)) public isOperator;

    /// @dev Shares to be taken back.
    uint256 private _returned;
    uint256 private _head = 1;
    uint256 private _tail = 1;
    mapping(uint256 requestId => QueuedRedeem) private _requests;
    mapping(address controller => Pool) private _pools;
    /// @dev When the last of a controller's announced cancelations takes effect.
    mapping(address controller => uint256) private _blockedUntil;

    /// @dev The caller acts for `account`.
    modifier onlyFor(address account) {
        if (msg.sender != account && !isOperator[account][msg.sender]) revert NotOperator(account, msg.sender);
        _;
    }

    /// @param vault_ Whose shares wait here; its authority is this contract's at deployment.
    constructor(address vault_) QueueFront(vault_) AccessManaged(IAccessManaged(vault_).authority()) {
        uint8 decimals = IERC20Metadata(address(_asset)).decimals();
        _scale = 10 ** (18 - decimals);
        _wholeShare = _scale * 10 ** _vault.decimals();
        _writeOffs = IWriteOffs(_vault.writeOffs());
    }

    /// @inheritdoc IRedeemQueue
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256) {
        return requestRedeemAt(shares, controller, owner, 0);
    }

    /// @inheritdoc IRedeemQueue
    function requestRedeemAt(uint256 shares, address controller, address owner, uint256 minAssetsPerShare)
        public
        nonReentrant
        onlyFor(owner)
        returns (uint256 requestId)
    {
        if (shares == 0) revert ZeroShares();
        if (controller == address(0)) revert ZeroController();
        uint256 until = _blockedUntil[controller];
        if (block.timestamp < until) revert RequestsBlocked(controller, until);
        requestId = _tail++;
        QueuedRedeem storage r = _requests[requestId];
        (r.controller, r.shares) = (controller, shares.toUint128());
        waiting += shares;
        if (minAssetsPerShare != 0) {
            r.minAssetsPerShare = minAssetsPerShare;
            emit MinimumSet(requestId, minAssetsPerShare);
        }
        emit RedeemRequest(controller, owner, requestId, msg.sender, shares);
        IERC20(_vault).safeTransferFrom(owner, address(this), shares);
    }

    /// @inheritdoc IRedeemQueue
    function process(uint256 maxRequests) external nonReentrant returns (uint256 shares, uint256 assets) {
        _vault.mark();
        Price memory price = _price();
        if (price.shares == 0) return (0, 0);

        (uint256 head, uint256 tail) = (_head, _tail);
        for (uint256 looked; looked < maxRequests && head < tail; ++looked) {
            QueuedRedeem storage r = _requests[head];
            if (_inLine(r)) {
                if (_cancelled(r)) {
                    _return(head, r);
                } else if (price.budget == 0) {
                    break;
                } else if (price.perShare < r.minAssetsPerShare) {
                    _return(head, r);
                } else {
                    (uint256 filled, uint256 paid) = _fill(head, r, price);
                    (shares, assets) = (shares + filled, assets + paid);
                    if (r.shares > 0) break;
                }
            }
            ++head;
        }
        _head = head;
        waiting -= shares;
        claimableAssets += assets;

        uint256 retired = Math.min(IERC20(_vault).balanceOf(address(this)) - waiting - _returned - shares, price.budget);
        if (shares + retired == 0) return (0, 0);
        emit Processed(msg.sender, shares, assets, retired, price.perShare);
        _vault.processExit(shares + retired);
        uint256 balance = _asset.balanceOf(address(this));
        if (balance < claimableAssets) revert PaidShort(balance, claimableAssets);
        if (balance > claimableAssets) _asset.safeTransfer(address(_vault), balance - claimableAssets);
    }

    /// @inheritdoc IRedeemQueue
    function cancelRedeemRequest(uint256 requestId, address controller) external nonReentrant onlyFor(controller) {
        QueuedRedeem storage r = _requests[requestId];
        if (r.controller != controller || !_inLine(r)) revert UnknownRequest(requestId, controller);
        if (r.cancelAt != 0) revert CancelationPending(requestId, r.cancelAt);
        uint256 cancelAt = block.timestamp + CANCEL_DELAY;
        r.cancelAt = uint40(cancelAt);
        _blockedUntil[controller] = cancelAt;
        emit CancelRedeemRequest(controller, requestId, msg.sender);
    }

    /// @inheritdoc IRedeemQueue
    function settleCancelation(uint256 requestId) external nonReentrant {
        QueuedRedeem storage r = _requests[requestId];
        if (!_inLine(r)) revert UnknownRequest(requestId, r.controller);
        if (!_cancelled(r)) revert CancelationPending(requestId, r.cancelAt);
        _return(requestId, r);
    }

    /// @inheritdoc IRedeemQueue
    function claimCancelRedeemRequest(uint256 requestId, address receiver, address controller)
        external
        nonReentrant
        onlyFor(controller)
    {
        QueuedRedeem storage r = _requests[requestId];
        if (r.controller != controller || r.shares == 0) revert UnknownRequest(requestId, controller);
        if (!r.returned) {
            if (!_cancelled(r)) revert CancelationPending(requestId, r.cancelAt);
            _return(requestId, r);
        }
        uint256 shares = r.shares;
        _note(requestId, r);
        r.shares = 0;
        _returned -= shares;
        emit CancelRedeemClaim(controller, receiver, requestId, msg.sender, shares);
        IERC20(_vault).safeTransfer(receiver, shares);
    }

    /// @inheritdoc IRedeemQueue
    function redeem(uint256 shares, address receiver, address controller)
        external
        nonReentrant
        onlyFor(controller)
        returns (uint256 assets)
    {
        Pool storage pool = _pools[controller];
        if (shares > pool.shares) revert ExceedsClaimableShares(controller, shares, pool.shares);
        assets = shares == 0 ? 0 : shares.mulDiv(pool.assets, pool.shares);
        _claim(pool, controller, receiver, shares, assets);
    }

    /// @inheritdoc IRedeemQueue
    function withdraw(uint256 assets, address receiver, address controller)
        external
        nonReentrant
        onlyFor(controller)
        returns (uint256 shares)
    {
        Pool storage pool = _pools[controller];
        if (assets > pool.assets) revert ExceedsClaimableAssets(controller, assets, pool.assets);
        shares = assets == 0 ? 0 : assets.mulDiv(pool.shares, pool.assets, Math.Rounding.Ceil);
        _claim(pool, controller, receiver, shares, assets);
    }

    /// @inheritdoc IRedeemQueue
    function setOperator(address operator, bool approved) external returns (bool) {
        isOperator[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    /// @inheritdoc IRedeemQueue
    function setMaxProcessWidth(uint256 fraction) external restricted {
        _bounded(fraction, PROCESS_WIDTH_FLOOR, PROCESS_WIDTH_CAP);
        maxProcessWidth = fraction;
        emit MaxProcessWidthSet(fraction);
    }

    /// @inheritdoc IRedeemQueue
    function setCancelFee(uint256 fraction) external restricted {
        _bounded(fraction, CANCEL_FEE_FLOOR, CANCEL_FEE_CAP);
        cancelFee = fraction;
        emit CancelFeeSet(fraction);
    }

    /// @inheritdoc IRedeemQueue
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        QueuedRedeem storage r = _requests[requestId];
        return _shown(r, controller) && !r.returned && !_cancelled(r) ? r.shares : 0;
    }

    /// @inheritdoc IRedeemQueue
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        QueuedRedeem storage r = _requests[requestId];
        if (!_shown(r, controller)) return 0;
        uint256 end = r.startsAt + r.filled;
        return end - Math.min(end, Math.max(r.startsAt, _pools[controller].claimed));
    }

    /// @inheritdoc IRedeemQueue
    function pendingCancelRedeemRequest(uint256 requestId, address controller) external view returns (bool) {
        QueuedRedeem storage r = _requests[requestId];
        return _shown(r, controller) && _inLine(r) && r.cancelAt != 0 && !_cancelled(r);
    }

    /// @inheritdoc IRedeemQueue
    function claimableCancelRedeemRequest(uint256 requestId, address controller) external view returns (uint256) {
        QueuedRedeem storage r = _requests[requestId];
        if (!_shown(r, controller)) return 0;
        if (r.returned) return r.shares;
        return _cancelled(r) ? r.shares - _fee(r.shares) : 0;
    }

    /// @inheritdoc IRedeemQueue
    function maxRedeem(address controller) external view returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _pools[controller].shares;
    }

    /// @inheritdoc IRedeemQueue
    function maxWithdraw(address controller) external view returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _pools[controller].assets;
    }

    /// @inheritdoc IRedeemQueue
    function request(uint256 requestId) external view nonReentrantView returns (QueuedRedeem memory) {
        return _requests[requestId];
    }

    /// @inheritdoc IRedeemQueue
    function line() external view nonReentrantView returns (uint256 head, uint256 tail) {
        return (_head, _tail);
    }

    /// @dev The price of every share that is not to be taken back, and for how many of them idle reaches.
    function _price() private view returns (Price memory p) {
        (, int256 low, int256 mid, int256 high) = _vault.navView();
        if (mid <= 0 || uint256(high - low) > uint256(mid).mulDiv(maxProcessWidth, 1e18)) {
            revert IntervalTooWide(low, mid, high, maxProcessWidth);
        }
        p.shares = IERC20(_vault).balanceOf(address(this)) - _returned;
        if (p.shares == 0) return p;
        p.assets = _vault.previewRedeem(p.shares);
        p.perShare = p.assets.mulDiv(_wholeShare, p.shares);
        uint256 need = IRebalanceJudge(_vault.judge()).criticalNeed(address(_vault), uint256(mid)).ceilDiv(_scale);
        uint256 idle = _asset.balanceOf(address(_vault));
        idle = idle > need ? idle - need : 0;
        // The preview hides less than a wei, and the part of it that falls to these shares is smaller still: the vault, which rounds
        // down too, asks for no more than idle.
        p.budget = p.assets <= idle ? p.shares : p.shares.mulDiv(idle, p.assets);
    }

    /// @dev Pays for as much of `r` as the budget reaches, and takes it from the budget.
    function _fill(uint256 requestId, QueuedRedeem storage r, Price memory price)
        private
        returns (uint256 shares, uint256 assets)
    {
        shares = Math.min(r.shares, price.budget);
        assets = shares.mulDiv(price.assets, price.shares);
        // A part that is worth nothing would be taken for nothing; the line waits for more idle.
        if (shares < r.shares && assets == 0) return (0, 0);
        _note(requestId, r);
        Pool storage pool = _pools[r.controller];
        if (r.filled == 0) r.startsAt = pool.claimed + pool.shares;
        (r.shares, r.filled) = (r.shares - uint128(shares), r.filled + uint128(shares));
        (pool.shares, pool.assets) = (pool.shares + shares, pool.assets + assets);
        price.budget -= shares;
        emit RedeemFilled(r.controller, requestId, shares, assets);
    }

    /// @dev Takes `r` out of the line unpaid. The fee stays here as shares that are nobody's.
    function _return(uint256 requestId, QueuedRedeem storage r) private {
        _note(requestId, r);
        uint256 shares = r.shares;
        uint256 fee = _fee(shares);
        (r.returned, r.shares) = (true, uint128(shares - fee));
        waiting -= shares;
        _returned += shares - fee;
        emit RedeemReturned(r.controller, requestId, shares - fee, fee);
    }

    /// @dev What waited when a venue was written off must be kept before it changes.
    function _note(uint256 requestId, QueuedRedeem storage r) private {
        if (_writeOffs.epochs() != 0) _writeOffs.noteRequest(requestId, r.shares);
    }

    function _claim(Pool storage pool, address controller, address receiver, uint256 shares, uint256 assets) private {
        (pool.shares, pool.assets, pool.claimed) = (pool.shares - shares, pool.assets - assets, pool.claimed + shares);
        claimableAssets -= assets;
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        _asset.safeTransfer(receiver, assets);
    }

    function _shown(QueuedRedeem storage r, address controller) private view returns (bool) {
        return r.controller == controller && !_reentrancyGuardEntered();
    }

    function _inLine(QueuedRedeem storage r) private view returns (bool) {
        return r.shares != 0 && !r.returned;
    }

    /// @dev An announced cancelation has taken effect.
    function _cancelled(QueuedRedeem storage r) private view returns (bool) {
        return r.cancelAt != 0 && r.cancelAt <= block.timestamp;
    }

    function _fee(uint256 shares) private view returns (uint256) {
        return shares.mulDiv(cancelFee, 1e18, Math.Rounding.Ceil);
    }

    function _bounded(uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) revert NumberOutOfBounds(value, minimum, maximum);
    }
}
