// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20, IERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {IValuer} from "./guard/IValuer.sol";
import {IRedeemQueue} from "./IRedeemQueue.sol";
import {IVault, VaultParts} from "./IVault.sol";
import {IPriceOracle} from "./oracle/IPriceOracle.sol";

/// @title VaultShares: entry at the high NAV, exit at the low
/// @notice ENTRY AND EXIT. Shares are minted at the high NAV and redeemed at the low, so nobody who enters or leaves
/// takes value from those who stay while the truth lies in the interval. The spread is the slippage that ERC-4626 allows.
/// `previewX` values as `X` does and equals it in the same state. An exit pays from idle alone: `maxWithdraw` and `maxRedeem`
/// stop at idle less what the redeem queue is owed at the high NAV.
///
/// WHEN A VENUE OR PRICE CANNOT BE READ. Entry is closed: `maxDeposit` and `maxMint` are 0 and their previews revert with
/// `IRiskGuard.Unpriced`. Exit stays open at the low NAV, in which
/// an unpriced venue counts as zero; who leaves then leaves its value to those who stay. At a low NAV of zero nothing can be redeemed. A
/// transaction that brings too little gas to tell a broken venue from a starved one reverts with `IValuer.GasTooLow`.
///
/// STORED MARK. `totalAssets` and `convertToX` use idle now plus the venues' mid at the last mark and never revert. A mark is
/// stored by every entry, rebalance and top-up, by an exit while priced, and by `mark`, open to anyone. They inform; no share is
/// priced by them.
///
/// QUEUE. The shares that the redeem queue holds are those that wait. It alone calls `processExit`, which burns some of them at the
/// low NAV and pays the queue, so that what is claimable has left NAV and the vault.
///
/// ROUNDING. Always against the caller of an entry or exit. Virtual shares (10^6 to a wei of asset) blunt inflation attacks.
///
/// ASSUMPTIONS. THE ASSET NEITHER REBASES NOR TAKES A FEE ON TRANSFER AND HAS AT MOST 18 DECIMALS. ORACLE, VOL SOURCE, VALUER AND GUARD ARE
/// TRUSTED.
abstract contract VaultShares is IVault, ERC4626, AccessManaged, ReentrancyGuardTransient {
    using Math for uint256;
    using SafeERC20 for IERC20;

    /// @notice What `maxDeposit` and `maxMint` answer while entry is open; beyond any supply, below any overflow.
    uint256 public constant MAX_ENTRY = type(uint128).max;

    /// @notice The asset has more than 18 decimals.
    error TooManyDecimals(uint8 decimals);
    /// @notice The oracle prices in another asset than the vault's.
    error WrongOracle(address oracle, address asset);
    /// @notice The queue serves another vault, or one is set already.
    error WrongQueue(address queue, address current);
    /// @notice The caller is not the redeem queue.
    error OnlyQueue(address caller);

    /// @notice The interval was read live and its venues' mid stored; asset units at 1e18.
    event Marked(int256 low, int256 mid, int256 high);
    event RedeemQueueSet(address indexed queue);

    /// @inheritdoc IVault
    address public immutable oracle;
    /// @inheritdoc IVault
    address public immutable volSource;
    /// @inheritdoc IVault
    address public immutable valuer;
    /// @inheritdoc IVault
    address public immutable guard;
    /// @dev Asset units at 1e18 per wei of the asset.
    uint256 private immutable _scale;

    /// @inheritdoc IVault
    address public redeemQueue;
    int192 private _markedVenues;
    uint64 private _markedAt;

    /// @dev NAV in wei of the asset, rounded outward, and whether new shares may be priced by it.
    struct Quote {
        bool priced;
        uint256 low;
        uint256 high;
    }

    constructor(VaultParts memory parts)
        ERC20(parts.name, parts.symbol)
        ERC4626(IERC20(parts.asset))
        AccessManaged(parts.authority)
    {
        uint8 assetDecimals = IERC20Metadata(parts.asset).decimals();
        if (assetDecimals > 18) revert TooManyDecimals(assetDecimals);
        if (IPriceOracle(parts.oracle).asset() != parts.asset) revert WrongOracle(parts.oracle, parts.asset);
        _scale = 10 ** (18 - assetDecimals);
        oracle = parts.oracle;
        volSource = parts.volSource;
        valuer = parts.valuer;
        guard = parts.guard;
    }

    /// @notice Anyone. Reads the interval and stores the venues' mid for `totalAssets`; `IRiskGuard.Unpriced` while a
    /// venue or price cannot be read.
    function mark() external nonReentrant {
        (bool priced, int256 low, int256 mid, int256 high) = IValuer(valuer).interval(address(this));
        if (!priced) revert IRiskGuard.Unpriced();
        _store(low, mid, high);
    }

    /// @notice GOVERNOR. Names the redeem queue, once.
    function setRedeemQueue(address queue) external restricted {
        if (redeemQueue != address(0) || IRedeemQueue(queue).vault() != address(this)) {
            revert WrongQueue(queue, redeemQueue);
        }
        redeemQueue = queue;
        emit RedeemQueueSet(queue);
    }

    /// @inheritdoc IVault
    function processExit(uint256 shares) external nonReentrant returns (uint256 assets) {
        if (msg.sender != redeemQueue) revert OnlyQueue(msg.sender);
        Quote memory q = _liveQuote();
        if (!q.priced) revert IRiskGuard.Unpriced();
        assets = _assetsFor(shares, q.low, Math.Rounding.Floor);
        if (assets > _idle()) revert IdleShort(_idle(), assets);
        _withdraw(msg.sender, msg.sender, msg.sender, assets, shares);
    }

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 shares)
    {
        Quote memory q = _liveQuote();
        uint256 most = _maxEntry(q);
        if (assets > most) revert ERC4626ExceededMaxDeposit(receiver, assets, most);
        shares = _sharesFor(assets, q.high, Math.Rounding.Floor);
        _deposit(msg.sender, receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 assets)
    {
        Quote memory q = _liveQuote();
        uint256 most = _maxEntry(q);
        if (shares > most) revert ERC4626ExceededMaxMint(receiver, shares, most);
        assets = _assetsFor(shares, q.high, Math.Rounding.Ceil);
        _deposit(msg.sender, receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 shares)
    {
        Quote memory q = _liveQuote();
        uint256 most = _maxWithdraw(owner, q);
        if (assets > most) revert ERC4626ExceededMaxWithdraw(owner, assets, most);
        shares = _sharesFor(assets, q.low, Math.Rounding.Ceil);
        _withdraw(msg.sender, receiver, owner, assets, shares);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 assets)
    {
        Quote memory q = _liveQuote();
        uint256 most = _maxRedeem(owner, q);
        if (shares > most) revert ERC4626ExceededMaxRedeem(owner, shares, most);
        assets = _assetsFor(shares, q.low, Math.Rounding.Floor);
        _withdraw(msg.sender, receiver, owner, assets, shares);
    }

    /// @inheritdoc IVault
    function nav() external view nonReentrantView returns (bool priced, int256 low, int256 mid, int256 high) {
        return IValuer(valuer).interval(address(this));
    }

    /// @inheritdoc IVault
    function navView() external view nonReentrantView returns (bool priced, int256 low, int256 mid, int256 high) {
        return IValuer(valuer).interval(address(this));
    }

    /// @notice When the venues' mid was last stored, unix seconds, and what it was, asset units at 1e18.
    function lastMark() external view returns (int256 venuesMid, uint256 markedAt) {
        return (_markedVenues, _markedAt);
    }

    /// @notice Idle now plus the venues' mid at the last mark, in wei of the asset; at least 0.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        int256 total = int256(_idle() * _scale) + _markedVenues;
        return total > 0 ? uint256(total) / _scale : 0;
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _maxEntry(_quote());
    }

    /// @inheritdoc IERC4626
    function maxMint(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _maxEntry(_quote());
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner) public view override(ERC4626, IERC4626) returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _maxWithdraw(owner, _quote());
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner) public view override(ERC4626, IERC4626) returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _maxRedeem(owner, _quote());
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256) {
        return _sharesFor(assets, _open(_quote()).high, Math.Rounding.Floor);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256) {
        return _assetsFor(shares, _open(_quote()).high, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets)
        public
        view
        override(ERC4626, IERC4626)
        nonReentrantView
        returns (uint256)
    {
        return _sharesFor(assets, _quote().low, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256) {
        return _assetsFor(shares, _quote().low, Math.Rounding.Floor);
    }

    /// @inheritdoc IERC20Metadata
    function decimals() public view override(ERC4626, IERC20Metadata) returns (uint8) {
        return super.decimals();
    }

    function _store(int256 low, int256 mid, int256 high) internal {
        // The valuer bounds every venue's value by 2^108.
        _markedVenues = int192(mid - int256(_idle() * _scale));
        _markedAt = uint64(block.timestamp);
        emit Marked(low, mid, high);
    }

    /// @dev `flow` of idle (asset units at 1e18) went to venues, or came back, without a valuation.
    function _moved(int256 flow) internal {
        _markedVenues += int192(flow);
    }

    /// @dev The quote of an entry or exit; a mark is stored when every venue is priced.
    function _liveQuote() private returns (Quote memory) {
        (bool priced, int256 low, int256 mid, int256 high) = IValuer(valuer).interval(address(this));
        if (priced) _store(low, mid, high);
        return _rounded(priced, low, high);
    }

    function _quote() private view returns (Quote memory) {
        (bool priced, int256 low,, int256 high) = IValuer(valuer).interval(address(this));
        return _rounded(priced, low, high);
    }

    function _rounded(bool priced, int256 low, int256 high) private view returns (Quote memory q) {
        q.priced = priced;
        if (low > 0) q.low = uint256(low) / _scale;
        if (high > 0) q.high = uint256(high).ceilDiv(_scale);
    }

    function _open(Quote memory q) private view returns (Quote memory) {
        if (_maxEntry(q) == 0) revert IRiskGuard.Unpriced();
        return q;
    }

    /// @dev Shares of a vault that is worth nothing have no price to enter at.
    function _maxEntry(Quote memory q) private view returns (uint256) {
        return q.priced && (q.high > 0 || totalSupply() == 0) ? MAX_ENTRY : 0;
    }

    function _maxWithdraw(address owner, Quote memory q) private view returns (uint256) {
        return q.low == 0 ? 0 : Math.min(_assetsFor(balanceOf(owner), q.low, Math.Rounding.Floor), _free(q));
    }

    function _maxRedeem(address owner, Quote memory q) private view returns (uint256) {
        return q.low == 0 ? 0 : Math.min(balanceOf(owner), _sharesFor(_free(q), q.low, Math.Rounding.Floor));
    }

    /// @dev Idle that the redeem queue is not owed; the queue's claim is taken at the high NAV, or at the low where there is no high.
    function _free(Quote memory q) private view returns (uint256) {
        uint256 waiting = redeemQueue == address(0) ? 0 : balanceOf(redeemQueue);
        uint256 idle = _idle();
        if (waiting == 0) return idle;
        uint256 owed = _assetsFor(waiting, q.priced ? q.high : q.low, Math.Rounding.Ceil);
        return idle > owed ? idle - owed : 0;
    }

    function _sharesFor(uint256 assets, uint256 worth, Math.Rounding rounding) private view returns (uint256) {
        return assets.mulDiv(totalSupply() + 10 ** _decimalsOffset(), worth + 1, rounding);
    }

    function _assetsFor(uint256 shares, uint256 worth, Math.Rounding rounding) private view returns (uint256) {
        return shares.mulDiv(worth + 1, totalSupply() + 10 ** _decimalsOffset(), rounding);
    }

    function _idle() internal view returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return 6;
    }
}
