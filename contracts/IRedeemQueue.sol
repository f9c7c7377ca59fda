// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @notice One request to redeem.
/// @param controller Who claims and cancels it.
/// @param cancelAt   Unix seconds at which an announced cancelation takes effect; 0 where none was announced.
/// @param returned   Out of line unpaid: `shares` are the controller's to take back.
/// @param shares     Not yet paid, or to be taken back.
/// @param filled     Paid so far.
/// @param minAssetsPerShare Least price it may be paid at, asset units at 1e18 a whole share; 0 for any.
/// @param startsAt   The controller's filled shares before this request's first.
struct QueuedRedeem {
    address controller;
    uint40 cancelAt;
    bool returned;
    uint128 shares;
    uint128 filled;
    uint256 minAssetsPerShare;
    uint256 startsAt;
}

/// @title IRedeemQueue: redemptions that wait for cash
/// @notice ERC-7540 (redeem and operators), ERC-7575 and ERC-7887 (redeem) beside the vault that is the share. Views that a
/// standard forbids to revert answer 0 or false in the middle of a call of the queue.
interface IRedeemQueue is IERC165 {
    /// @notice ERC-7540 has no previews of an asynchronous redemption.
    error NoPreview();
    error ZeroShares();
    /// @notice A request that nobody could claim.
    error ZeroController();
    /// @notice `caller` is neither `account` nor its operator.
    error NotOperator(address account, address caller);
    /// @notice No request of that id and controller, or nothing of it is left.
    error UnknownRequest(uint256 requestId, address controller);
    /// @notice The request's cancelation takes effect at `cancelAt`, and cannot be taken back; 0 where none was announced.
    error CancelationPending(uint256 requestId, uint256 cancelAt);
    /// @notice No new requests while one of the controller's cancelations is pending.
    error RequestsBlocked(address controller, uint256 until);
    /// @notice More shares than the controller can claim.
    error ExceedsClaimableShares(address controller, uint256 shares, uint256 maximum);
    /// @notice More assets than the controller can claim.
    error ExceedsClaimableAssets(address controller, uint256 assets, uint256 maximum);
    /// @notice The interval is too wide to fix a price by; values at 1e18, `maximum` a fraction of mid.
    error IntervalTooWide(int256 low, int256 mid, int256 high, uint256 maximum);
    /// @notice The vault paid less than its own price.
    error PaidShort(uint256 assets, uint256 owed);
    /// @notice A setter was given a number outside its fixed bounds.
    error NumberOutOfBounds(uint256 value, uint256 minimum, uint256 maximum);

    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );
    event OperatorSet(address indexed controller, address indexed operator, bool approved);
    event CancelRedeemRequest(address indexed controller, uint256 indexed requestId, address sender);
    event CancelRedeemClaim(
        address indexed controller, address indexed receiver, uint256 indexed requestId, address sender, uint256 shares
    );
    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(
        address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares
    );
    /// @notice The request is paid at this price or better, or not at all.
    event MinimumSet(uint256 indexed requestId, uint256 minAssetsPerShare);
    /// @notice `shares` of the request were paid.
    event RedeemFilled(address indexed controller, uint256 indexed requestId, uint256 shares, uint256 assets);
    /// @notice The request left the line unpaid, by its cancelation or its minimum.
    event RedeemReturned(address indexed controller, uint256 indexed requestId, uint256 shares, uint256 fee);
    /// @notice One `process`: what was paid, what else was burned for those who stay, and the price at 1e18 a whole share.
    event Processed(address indexed caller, uint256 shares, uint256 assets, uint256 retired, uint256 assetsPerShare);
    event MaxProcessWidthSet(uint256 fraction);
    event CancelFeeSet(uint256 fraction);

    /// @notice `requestRedeem` with the least price it may be paid at, asset units at 1e18 a whole share.
    function requestRedeemAt(uint256 shares, address controller, address owner, uint256 minAssetsPerShare)
        external
        returns (uint256 requestId);

    /// @notice ERC-7540. Takes `shares` from `owner`, who must have approved this contract on the share, and puts them last
    /// in line. The caller is `owner` or its operator.
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);

    /// @notice Anyone. Marks the vault and pays from the head of the line while idle reaches, at one price: the low NAV.
    /// @param maxRequests The most requests to look at.
    /// @return shares Paid for, now claimable.
    /// @return assets What they came to.
    function process(uint256 maxRequests) external returns (uint256 shares, uint256 assets);

    /// @notice ERC-7887. Announces that what is unpaid of the request after `CANCEL_DELAY` leaves the line. Cannot be undone.
    function cancelRedeemRequest(uint256 requestId, address controller) external;

    /// @notice Anyone. Takes a request whose cancelation has taken effect out of the line now, so that idle is not kept for it.
    function settleCancelation(uint256 requestId) external;

    /// @notice ERC-7887. Hands out the shares of a request that left the line unpaid.
    function claimCancelRedeemRequest(uint256 requestId, address receiver, address controller) external;

    /// @notice ERC-7540. Pays out claimable `shares` of `controller`, to the last wei with the last share.
    function redeem(uint256 shares, address receiver, address controller) external returns (uint256 assets);

    /// @notice ERC-7540. Pays out claimable `assets` of `controller`.
    function withdraw(uint256 assets, address receiver, address controller) external returns (uint256 shares);

    /// @notice ERC-7540. Lets `operator` request, cancel and claim for the caller, or no longer.
    function setOperator(address operator, bool approved) external returns (bool);

    /// @notice CURATOR. How wide an interval may be to fix a price by, a fraction of mid at 1e18, within its bounds.
    function setMaxProcessWidth(uint256 fraction) external;

    /// @notice CURATOR. What a request that leaves the line unpaid costs, a fraction of its shares at 1e18, within its bounds.
    function setCancelFee(uint256 fraction) external;

    function isOperator(address controller, address operator) external view returns (bool);
    /// @notice Shares of the request that are in line and not yet paid.
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    /// @notice Shares of the request that are paid and not yet claimed; a controller's claims count its oldest first.
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    function pendingCancelRedeemRequest(uint256 requestId, address controller) external view returns (bool);
    function claimableCancelRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    /// @notice The controller's claimable shares, over all its requests.
    function maxRedeem(address controller) external view returns (uint256 shares);
    /// @notice The controller's claimable assets, over all its requests.
    function maxWithdraw(address controller) external view returns (uint256 assets);

    /// @notice The vault whose shares wait here. Immutable.
    function vault() external view returns (address);
    /// @notice ERC-7575: the vault, which is its own share.
    function share() external view returns (address);
    function asset() external view returns (address);
    /// @notice Shares in line. The only ones here that idle is owed to: not those to be taken back, nor those sent by mistake.
    function waiting() external view returns (uint256);
    /// @notice Everything about a request; all zero for an id that was never given.
    function request(uint256 requestId) external view returns (QueuedRedeem memory);
    /// @notice The first request that `process` will look at, and the id that the next one made will have.
    function line() external view returns (uint256 head, uint256 tail);
    /// @notice Assets that wait to be claimed, of all controllers.
    function claimableAssets() external view returns (uint256);
    /// @notice A fraction of mid at 1e18.
    function maxProcessWidth() external view returns (uint256);
    /// @notice A fraction of shares at 1e18.
    function cancelFee() external view returns (uint256);
}
