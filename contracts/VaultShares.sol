// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20, IERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FeeLedger} from "./FeeLedger.sol";
import {Fees, IFeePayer} from "./Fees.sol";
import {IRebalanceJudge} from "./guard/IRebalanceJudge.sol";
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {IRedeemQueue} from "./IRedeemQueue.sol";
import {IVault, VaultParts} from "./IVault.sol";
import {IMarks} from "./nav/IMarks.sol";
import {IPriceOracle} from "./oracle/IPriceOracle.sol";
import {WriteOffs} from "./recovery/WriteOffs.sol";

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
/// STORED MARK. `totalAssets` and `convertToX` use idle now plus the venues' mid at the last mark and never revert. A mark is
/// struck by every live valuation, at the end of every operation, and by `mark`, open to anyone. They inform; no share is priced by them.
/// A loss that a new mark shows and the old one does not explain is charged to the guard.
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
abstract contract VaultShares is IFeePayer, ERC4626, AccessManaged, ReentrancyGuardTransient {
    using Math for uint256;
    using FeeLedger for FeeLedger.Ledger;

    /// @notice What `maxDeposit` answers while entry is open, wei of the asset; `maxMint` answers SEED times that.
    uint256 public constant MAX_ENTRY = 2 ** 86;
    /// @dev Of `IMarks`: value live.
    uint256 private constant LIVE = type(uint256).max;
    /// @notice Shares that the first entry burns.
    uint256 public constant SEED = 1e6;
    /// @notice Where they are.
    address public constant SEED_HOLDER = 0x000000000000000000000000000000000000dEaD;

    /// @notice The asset has more than 18 decimals.
    error TooManyDecimals(uint8 decimals);
    /// @notice The oracle prices in another asset than the vault's.
    error WrongOracle(address oracle, address asset);
    /// @notice The queue serves another vault, or one is set already.
    error WrongQueue(address queue, address current);
    /// @notice The caller is not the redeem queue.
    error OnlyQueue(address caller);
    /// @notice The caller is not `fees`.
    error OnlyFees(address caller);
    /// @notice Idle did not change by what was transferred; wei of the asset.
    error WrongTransfer(uint256 change, uint256 expected);

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
    /// @inheritdoc IVault
    address public immutable judge;
    /// @inheritdoc IVault
    address public immutable marks;
    /// @notice The `Fees` that this vault made for itself. Immutable.
    address public immutable fees;
    /// @inheritdoc IVault
    address public immutable writeOffs;
    /// @dev Asset units at 1e18 per wei of the asset.
    uint256 private immutable _scale;

    /// @inheritdoc IVault
    address public redeemQueue;
    int192 private _markedVenues;
    uint64 private _markedAt;
    FeeLedger.Ledger private _ledger;

    /// @dev One more than idle when the venues began to be called, 0 while they are not: a stranger who is given control meanwhile
    /// must not find money missing that is only on its way.
    uint256 internal transient _idleBefore;

    /// @dev What `marks` answered, as it lies in memory, asset units at 1e18, and the idle in it in wei of the asset. Functions fill one that they
    /// are given: one that they returned would be made twice.
    struct Quote {
        bool priced;
        int256 low;
        int256 mid;
        int256 high;
        uint256 room;
        uint256 loss;
        uint256 idle;
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
        judge = parts.judge;
        marks = parts.marks;
        fees = address(new Fees(parts.authority));
        writeOffs = address(new WriteOffs(IERC20(parts.asset)));
    }

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

    /// @inheritdoc IVault
    function nav() external view nonReentrantView returns (bool priced, int256 low, int256 mid, int256 high) {
        return _interval(LIVE);
    }

    /// @inheritdoc IVault
    function navView() external view nonReentrantView returns (bool priced, int256 low, int256 mid, int256 high) {
        return _interval(0);
    }

    /// @notice When the venues' mid was last stored, unix seconds, and what it was, asset units at 1e18.
    function lastMark() external view returns (int256 venuesMid, uint256 markedAt) {
        return (_markedVenues, _markedAt);
    }

    /// @inheritdoc IFeePayer
    function feesOwed() external view returns (uint16 rate, uint256 owed) {
        FeeLedger.Ledger ledger = _accrued();
        return (ledger.rate(), ledger.owed());
    }

    /// @notice Idle now plus the venues' mid at the last mark, in wei of the asset; at least 0.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        uint256 idle = _idleBefore == 0 ? _idle() : _idleBefore - 1;
        int256 total = int256(idle * _scale) + _markedVenues;
        return total > 0 ? uint256(total) / _scale : 0;
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

    /// @inheritdoc IERC20Metadata
    function decimals() public view override(ERC4626, IERC20Metadata) returns (uint8) {
        return super.decimals();
    }

    /// @dev The judge struck a mark at the end of an operation.
    function _struck(int256 low, int256 mid, int256 high) internal {
        _ledger = _settle(_accrued(), low, mid, high);
    }

    /// @dev Begins an epoch for a venue that is no longer the vault's, and strikes a mark without it where all else is priced.
    function _open(address venue) internal returns (uint8 epoch) {
        epoch = WriteOffs(writeOffs).open(venue, totalSupply());
        _forgetMark();
        Quote memory q;
        _ledger = _price(q, _accrued().withEpoch(epoch), LIVE);
    }

    /// @dev Balances as they were when a venue was written off must be kept before they change.
    function _update(address from, address to, uint256 shares) internal override {
        if (_ledger.epoch() != 0) WriteOffs(writeOffs).note(from, balanceOf(from), to, balanceOf(to));
        super._update(from, to, shares);
    }

    /// @dev Entries since the last mark less exits, asset units at 1e18.
    function _flow() internal view returns (int256) {
        return _ledger.flow() * int256(_scale);
    }

    /// @dev `flow` of idle (asset units at 1e18) went to venues, or came back, without a valuation, and `loss` was lost on the way. What went as
    /// margin is known; a position that was reduced leaves nothing that explains.
    function _moved(int256 flow, uint256 loss, bool asMargin) internal {
        int256 worth = flow - int256(loss);
        _markedVenues += int192(worth);
        if (asMargin) IMarks(marks).moved(flow, worth);
        else _forgetMark();
    }

    /// @dev The stored mark is carried no more: the venues are others.
    function _forgetMark() internal {
        IMarks(marks).forget();
    }

    function _idle() internal view returns (uint256 idle) {
        address token = asset();
        bytes4 selector = IERC20.balanceOf.selector;
        // `IERC20.balanceOf`, twice in every entry and exit, from the scratch space.
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, address())
            let done := staticcall(gas(), token, 0, 0x24, 0, 0x20)
            if iszero(and(done, gt(returndatasize(), 0x1f))) {
                let at := mload(0x40)
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
            idle := mload(0)
        }
    }

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        return _sharesFor(assets, totalAssets(), _supply(_accrued()), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return _assetsFor(shares, totalAssets(), _supply(_accrued()), rounding);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return 6;
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

    /// @dev The interval that an entry of `assets`, or with 0 an exit, is priced by, into `q`. One that was read live, all being priced, is the
    /// mark of now, and the ledger another.
    function _price(Quote memory q, FeeLedger.Ledger ledger, uint256 assets) private returns (FeeLedger.Ledger) {
        uint256 idle = _idle();
        q.idle = idle;
        uint256 at = _ask(IMarks.price.selector, idle, ledger, assets);
        address asked = marks;
        assembly ("memory-safe") {
            let done := call(gas(), asked, 0, at, 0xa4, q, 0xc0)
            if iszero(and(done, gt(returndatasize(), 0xbf))) {
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
        }
        if (q.loss != 0) IRiskGuard(guard).charge(address(this), q.loss, q.low);
        return q.priced && q.room == LIVE ? _settle(ledger, q.low, q.mid, q.high) : ledger;
    }

    /// @dev The same without storing anything.
    function _quote(FeeLedger.Ledger ledger, uint256 assets) private view returns (Quote memory q) {
        uint256 at = _ask(IMarks.peek.selector, _idle(), ledger, assets);
        address asked = marks;
        assembly ("memory-safe") {
            let done := staticcall(gas(), asked, at, 0xa4, q, 0xa0)
            if iszero(and(done, gt(returndatasize(), 0x9f))) {
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
        }
    }

    function _interval(uint256 assets) private view returns (bool priced, int256 low, int256 mid, int256 high) {
        Quote memory q = _quote(_ledger, assets);
        return (q.priced, q.low, q.mid, q.high);
    }

    /// @dev Writes a call of `marks` with an `IMarks.Ask` past what memory is taken, and says where. By hand, as its answer is read, because it is
    /// in every entry: a struct would be cleared, filled and encoded, and six words checked that a trusted part of the vault gives.
    function _ask(bytes4 selector, uint256 idle, FeeLedger.Ledger ledger, uint256 assets)
        private
        view
        returns (uint256 at)
    {
        (address prices, address vols) = (oracle, volSource);
        idle *= _scale;
        int256 flow;
        uint256 entering;
        // 2^88 and 2^86 times 10^18 at most.
        unchecked {
            flow = ledger.flow() * int256(_scale);
            entering = assets > MAX_ENTRY ? LIVE : assets * _scale;
        }
        assembly ("memory-safe") {
            at := mload(0x40)
            mstore(at, selector)
            mstore(add(at, 0x04), prices)
            mstore(add(at, 0x24), vols)
            mstore(add(at, 0x44), idle)
            mstore(add(at, 0x64), flow)
            mstore(add(at, 0x84), entering)
        }
    }

    /// @dev Stores the venues' mid; entries since the last mark join the high-water mark, as they are counted from this mark on.
    function _settle(FeeLedger.Ledger ledger, int256 low, int256 mid, int256 high)
        private
        returns (FeeLedger.Ledger)
    {
        int256 flow = ledger.flow();
        ledger = ledger.withoutFlow();
        _sync(ledger, flow, low > 0 ? uint256(low) / _scale : 0, totalSupply());
        // The valuer bounds every venue's value by 2^108.
        _markedVenues = int192(mid - int256(_idle() * _scale));
        _markedAt = uint64(block.timestamp);
        emit Marked(low, mid, high);
        return ledger;
    }

    /// @dev The ledger with the management fee up to now.
    function _accrued() private view returns (FeeLedger.Ledger) {
        return _ledger.accrue(totalSupply());
    }

    /// @dev All shares, those owed included; before the first entry, those that it will burn.
    function _supply(FeeLedger.Ledger ledger) private view returns (uint256) {
        return _supply(ledger, totalSupply());
    }

    function _supply(FeeLedger.Ledger ledger, uint256 minted) private pure returns (uint256) {
        // No entries add up to 2^255 shares.
        unchecked {
            return (minted == 0 ? SEED : minted) + ledger.owed();
        }
    }

    /// @dev Entries up to `flow` lift the high-water mark, `worth` being the low of all; the ledger's flow and `supply` are those to go on from.
    function _sync(FeeLedger.Ledger ledger, int256 flow, uint256 worth, uint256 supply) private {
        Fees(fees).sync(Fees.Sync(flow, totalSupply(), ledger.owed(), worth, ledger.flow(), supply));
    }

    function _exitQuote() private view returns (Quote memory q, uint256 supply) {
        FeeLedger.Ledger ledger = _accrued();
        return (_quote(ledger, LIVE), _supply(ledger));
    }

    /// @dev NAV in wei of the asset, as the next rounded outward.
    function _low(Quote memory q) private view returns (uint256) {
        return q.low > 0 ? uint256(q.low) / _scale : 0;
    }

    function _high(Quote memory q) private view returns (uint256) {
        // An int256 and 10^18 have room in 256 bits.
        unchecked {
            return q.high > 0 ? (uint256(q.high) + _scale - 1) / _scale : 0;
        }
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

    function _sharesFor(uint256 assets, uint256 worth, uint256 supply, Math.Rounding rounding)
        private
        pure
        returns (uint256)
    {
        // NAV is cut from a signed number.
        unchecked {
            return _mulDiv(assets, supply, worth + 1, rounding);
        }
    }

    function _assetsFor(uint256 shares, uint256 worth, uint256 supply, Math.Rounding rounding)
        private
        pure
        returns (uint256)
    {
        unchecked {
            return _mulDiv(shares, worth + 1, supply, rounding);
        }
    }

    function _mulDiv(uint256 a, uint256 b, uint256 by, Math.Rounding rounding) private pure returns (uint256 result) {
        // Without what 512 bits cost where 256 hold the product.
        if ((a | b | by) >> 128 != 0) return a.mulDiv(b, by, rounding);
        unchecked {
            return rounding == Math.Rounding.Floor ? a * b / by : (a * b + by - 1) / by;
        }
    }
}
