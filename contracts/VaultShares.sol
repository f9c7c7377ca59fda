// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FeeLedger} from "./FeeLedger.sol";
import {IFeePayer} from "./Fees.sol";
import {IRebalanceJudge} from "./guard/IRebalanceJudge.sol";
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {IRedeemQueue} from "./IRedeemQueue.sol";
import {IVault} from "./IVault.sol";
import {WriteOffs} from "./recovery/WriteOffs.sol";
import {VaultPricing} from "./VaultPricing.sol";

/// @title VaultShares: entry at the high NAV, exit at the low
/// @notice ENTRY AND EXIT. Shares are minted at the high NAV and redeemed at the low, so nobody who enters or leaves
/// takes value from those who stay while the truth lies in the interval. THE SPREAD IS THE SLIPPAGE THAT ERC-4626 ALLOWS: previews
/// include it, `convertToX` do not. `previewX` values as `X` does and equals it in the same state. An exit pays from idle alone:
/// `maxWithdraw` and `maxRedeem` stop at idle less what units under critical health lack (`CriticalNeed`) and the redeem queue is owed.
///
/// WHICH INTERVAL. An entry is priced by the last mark carried to now (`IMarks`) while it may be carried and has room for it, `navView`; else by
/// a live valuation, which then is the new mark. An exit is always priced live, or whoever sees a venue's loss first would
/// leave it to the others; `mark` is live too. `maxDeposit` and `maxMint` answer by the live interval: while a venue cannot be
/// read they are 0, and what may still enter on a carried mark may.
///
/// THE SEED. Shares are priced as if SEED of them stood against one wei of the asset that is not there; the first entry mints these to a dead
/// address, for good. What lies in an empty vault, or is sent to one with dust in it, is the seed's in that proportion, so that to inflate the
/// share price costs a million times what it takes from an entrant, and the supply never is zero again.
///
/// WHEN A VENUE OR PRICE CANNOT BE READ and no mark is carried, entry is closed: `maxDeposit` and `maxMint` are 0 and their previews
/// revert with `IRiskGuard.Unpriced`. Exit stays open at the low NAV, in which an unpriced venue counts as zero; who leaves then
/// leaves its value to those who stay. At a low NAV of zero nothing can be redeemed. A transaction that brings too little gas to tell a
/// broken venue from a starved one reverts with `IValuer.GasTooLow`.
///
/// QUEUE. The shares that wait are those of which the redeem queue says so (`IRedeemQueue.waiting`), not all that lie there: what was given to
/// it, or left the line and is not taken back, keeps nobody's idle. It alone calls `processExit`, which burns some of its shares at the
/// low NAV and pays it, so that what is claimable has left NAV and the vault. It too leaves what critical units lack in idle.
///
/// FEES are shares, their terms in `Fees`, which the vault makes for itself. The management fee (`FeeLedger`) accrues by the second and
/// is part of the supply that shares are priced by before it is minted. The performance fee is charged by `Fees.collect` alone, open to anyone, so
/// that no entry or exit pays a charge that its preview did not show.
///
/// ROUNDING. Always against the caller of an entry or exit.
///
/// ROLES, by the authority: `setRedeemQueue` (governor).
///
/// ASSUMPTIONS. THE ASSET HAS AT MOST 18 DECIMALS AND DOES NOT REBASE: the vault sees only that idle is not what entries and exits made it, and then
/// carries no mark. A fee on transfer is refused with `WrongTransfer`. ORACLE, VOL SOURCE, VALUER, MARKS, GUARD AND JUDGE ARE TRUSTED.
abstract contract VaultShares is VaultPricing {
    using Math for uint256;
    using FeeLedger for FeeLedger.Ledger;

    /// @notice Where the seed is.
    address public constant SEED_HOLDER = 0x000000000000000000000000000000000000dEaD;

    /// @notice The queue serves another vault, or one is set already.
    error WrongQueue(address queue, address current);
    /// @notice The caller is not the redeem queue.
    error OnlyQueue(address caller);
    /// @notice The caller is not `fees`.
    error OnlyFees(address caller);
    /// @notice Idle did not change by what was transferred; wei of the asset.
    error WrongTransfer(uint256 change, uint256 expected);

    event RedeemQueueSet(address indexed queue);

    /// @inheritdoc IVault
    address public redeemQueue;

    /// @inheritdoc IVault
    function mark() external nonReentrant {
        Quote memory q;
        FeeLedger.Ledger ledger = _price(q, _accrued(), LIVE);
        if (!q.priced) revert IRiskGuard.Unpriced();
        _ledger = ledger;
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
        Quote memory q;
        FeeLedger.Ledger ledger = _price(q, _accrued(), LIVE);
        if (!q.priced) revert IRiskGuard.Unpriced();
        assets = _assetsFor(shares, _low(q), _supply(ledger), Math.Rounding.Floor);
        if (assets > _idle()) revert IdleShort(_idle(), assets);
        _exit(ledger, q, msg.sender, msg.sender, assets, shares);
    }

    /// @inheritdoc IFeePayer
    function settleFees(uint16 rate, address recipient, uint256 shares) external nonReentrant returns (uint256 minted) {
        if (msg.sender != fees) revert OnlyFees(msg.sender);
        FeeLedger.Ledger ledger = _accrued().withRate(rate);
        if (recipient != address(0)) {
            (ledger, minted) = ledger.take(shares);
            // `Fees` marks the vault first: nothing has entered since.
            _mint(recipient, minted);
            _sync(ledger, ledger.flow(), 0, totalSupply());
        }
        _ledger = ledger;
    }

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 shares)
    {
        Quote memory q;
        uint256 minted = totalSupply();
        FeeLedger.Ledger ledger = _price(q, _ledger.accrue(minted), assets);
        uint256 most = _maxEntry(q);
        if (assets > most) revert ERC4626ExceededMaxDeposit(receiver, assets, most);
        shares = _sharesFor(assets, _high(q), _supply(ledger, minted), Math.Rounding.Floor);
        if (minted == 0) _mint(SEED_HOLDER, SEED);
        _enter(ledger, q.idle, receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 assets)
    {
        Quote memory q;
        FeeLedger.Ledger ledger = _price(q, _accrued(), 0);
        uint256 supply = _supply(ledger);
        assets = _assetsFor(shares, _high(q), supply, Math.Rounding.Ceil);
        if (assets > q.room / _scale) {
            ledger = _price(q, ledger, LIVE);
            assets = _assetsFor(shares, _high(q), supply, Math.Rounding.Ceil);
        }
        uint256 most = _maxEntry(q) * SEED;
        if (shares > most) revert ERC4626ExceededMaxMint(receiver, shares, most);
        if (totalSupply() == 0) _mint(SEED_HOLDER, SEED);
        _enter(ledger, q.idle, receiver, assets, shares);
    }

    /// @inheritdoc IERC4626
    function withdraw(uint256 assets, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 shares)
    {
        Quote memory q;
        FeeLedger.Ledger ledger = _price(q, _accrued(), LIVE);
        uint256 supply = _supply(ledger);
        uint256 most = _maxWithdraw(owner, q, supply);
        if (assets > most) revert ERC4626ExceededMaxWithdraw(owner, assets, most);
        shares = _sharesFor(assets, _low(q), supply, Math.Rounding.Ceil);
        _exit(ledger, q, receiver, owner, assets, shares);
    }

    /// @inheritdoc IERC4626
    function redeem(uint256 shares, address receiver, address owner)
        public
        override(ERC4626, IERC4626)
        nonReentrant
        returns (uint256 assets)
    {
        Quote memory q;
        FeeLedger.Ledger ledger = _price(q, _accrued(), LIVE);
        uint256 supply = _supply(ledger);
        uint256 most = _maxRedeem(owner, q, supply);
        if (shares > most) revert ERC4626ExceededMaxRedeem(owner, shares, most);
        assets = _assetsFor(shares, _low(q), supply, Math.Rounding.Floor);
        _exit(ledger, q, receiver, owner, assets, shares);
    }

    /// @inheritdoc IFeePayer
    function feesOwed() external view returns (uint16 rate, uint256 owed) {
        FeeLedger.Ledger ledger = _accrued();
        return (ledger.rate(), ledger.owed());
    }

    /// @inheritdoc IERC4626
    function maxDeposit(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _maxEntry(_quote(_accrued(), LIVE));
    }

    /// @inheritdoc IERC4626
    function maxMint(address receiver) public view override(ERC4626, IERC4626) returns (uint256) {
        return maxDeposit(receiver) * SEED;
    }

    /// @inheritdoc IERC4626
    function maxWithdraw(address owner) public view override(ERC4626, IERC4626) returns (uint256) {
        if (_reentrancyGuardEntered()) return 0;
        (Quote memory q, uint256 supply) = _exitQuote();
        return _maxWithdraw(owner, q, supply);
    }

    /// @inheritdoc IERC4626
    function maxRedeem(address owner) public view override(ERC4626, IERC4626) returns (uint256) {
        if (_reentrancyGuardEntered()) return 0;
        (Quote memory q, uint256 supply) = _exitQuote();
        return _maxRedeem(owner, q, supply);
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256) {
        FeeLedger.Ledger ledger = _accrued();
        return _sharesFor(assets, _high(_entry(_quote(ledger, assets))), _supply(ledger), Math.Rounding.Floor);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 assets) {
        FeeLedger.Ledger ledger = _accrued();
        Quote memory q = _entry(_quote(ledger, 0));
        uint256 supply = _supply(ledger);
        assets = _assetsFor(shares, _high(q), supply, Math.Rounding.Ceil);
        if (assets > q.room / _scale) {
            assets = _assetsFor(shares, _high(_entry(_quote(ledger, LIVE))), supply, Math.Rounding.Ceil);
        }
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets)
        public
        view
        override(ERC4626, IERC4626)
        nonReentrantView
        returns (uint256)
    {
        (Quote memory q, uint256 supply) = _exitQuote();
        return _sharesFor(assets, _low(q), supply, Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256) {
        (Quote memory q, uint256 supply) = _exitQuote();
        return _assetsFor(shares, _low(q), supply, Math.Rounding.Floor);
    }

    /// @dev Balances as they were when a venue was written off must be kept before they change.
    function _update(address from, address to, uint256 shares) internal override {
        if (_ledger.epoch() != 0) WriteOffs(writeOffs).note(from, balanceOf(from), to, balanceOf(to));
        super._update(from, to, shares);
    }

    function _enter(FeeLedger.Ledger ledger, uint256 idle, address receiver, uint256 assets, uint256 shares)
        private
    {
        _ledger = ledger.withFlow(int256(assets));
        _deposit(msg.sender, receiver, assets, shares);
        _differ(_idle(), idle, assets);
    }

    function _exit(
        FeeLedger.Ledger ledger,
        Quote memory q,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) private {
        uint256 idle = _idle();
        int256 flow = ledger.flow();
        ledger = ledger.withFlow(-int256(assets));
        _sync(ledger, flow, q.priced ? _low(q) : 0, totalSupply() - shares);
        _ledger = ledger;
        _withdraw(msg.sender, receiver, owner, assets, shares);
        _differ(idle, _idle(), assets);
    }

    /// @dev Sees to it that `more` is above `less` by `assets`; where it is below, the change that the error shows is nearly 2^256.
    function _differ(uint256 more, uint256 less, uint256 assets) private pure {
        unchecked {
            if (more - less != assets) revert WrongTransfer(more - less, assets);
        }
    }

    function _exitQuote() private view returns (Quote memory q, uint256 supply) {
        FeeLedger.Ledger ledger = _accrued();
        return (_quote(ledger, LIVE), _supply(ledger));
    }

    function _entry(Quote memory q) private view returns (Quote memory) {
        if (_maxEntry(q) == 0) revert IRiskGuard.Unpriced();
        return q;
    }

    /// @dev Shares of a vault that is worth nothing have no price to enter at, unless all but the seed have left.
    function _maxEntry(Quote memory q) private view returns (uint256) {
        return q.priced && (q.high > 0 || totalSupply() <= SEED) ? MAX_ENTRY : 0;
    }

    function _maxWithdraw(address owner, Quote memory q, uint256 supply) private view returns (uint256) {
        if (_low(q) == 0) return 0;
        return Math.min(_assetsFor(balanceOf(owner), _low(q), supply, Math.Rounding.Floor), _free(q, supply));
    }

    function _maxRedeem(address owner, Quote memory q, uint256 supply) private view returns (uint256) {
        if (_low(q) == 0) return 0;
        return Math.min(balanceOf(owner), _sharesFor(_free(q, supply), _low(q), supply, Math.Rounding.Floor));
    }

    /// @dev Idle that neither critical units lack nor the redeem queue is owed; both are taken at the high NAV, or at the low where there
    /// is no high.
    function _free(Quote memory q, uint256 supply) private view returns (uint256) {
        uint256 worth = q.priced ? _high(q) : _low(q);
        uint256 owed = IRebalanceJudge(judge).criticalNeed(address(this), worth * _scale).ceilDiv(_scale);
        uint256 waiting = redeemQueue == address(0) ? 0 : IRedeemQueue(redeemQueue).waiting();
        if (waiting != 0) owed += _assetsFor(waiting, worth, supply, Math.Rounding.Ceil);
        uint256 idle = _idle();
        return idle > owed ? idle - owed : 0;
    }
}
