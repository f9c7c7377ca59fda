// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20, IERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRiskGuard, UnitHealth} from "./guard/IRiskGuard.sol";
import {IValuer, Valuation} from "./guard/IValuer.sol";
import {Instruction, IVault, VenueConfig} from "./IVault.sol";
import {IPriceOracle} from "./oracle/IPriceOracle.sol";
import {VenueSet} from "./VenueSet.sol";
import {IVenue} from "./venues/IVenue.sol";

/// @title Vault: shares over idle cash and venues, rebalanced under guard
/// @notice ENTRY AND EXIT. Shares are minted at the high NAV and redeemed at the low, both valued live, so nobody who enters or leaves
/// takes value from those who stay while the truth lies in the interval. The spread is the slippage that ERC-4626 allows.
/// `previewX` values as `X` does and equals it in the same state. An exit pays from idle alone: `maxWithdraw` and `maxRedeem`
/// stop at idle.
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
/// REBALANCE. The keeper's instructions are calldata for registered venues only, which can neither be the asset nor this contract.
/// The guard judges the valuations before and after; a breach of any rule undoes all of it.
///
/// FUND. A venue draws idle only inside a call that this vault is making to it.
///
/// ROUNDING. Always against the caller of an entry or exit. Virtual shares (10^6 to a wei of asset) blunt inflation attacks.
///
/// ROLES, by the authority: `rebalance`, `topUp` (keeper), `addVenue`, `configureVenue`, `removeVenue` (curator). Oracle, vol source, valuer
/// and guard are fixed at deployment; whoever the authority trusts with the oracle's and the guard's setters is trusted here.
///
/// ASSUMPTIONS. THE ASSET NEITHER REBASES NOR TAKES A FEE ON TRANSFER AND HAS AT MOST 18 DECIMALS. ORACLE, VOL SOURCE, VALUER AND GUARD ARE
/// TRUSTED. ADAPTERS ARE OURS; THE PROTOCOLS BEHIND THEM MAY BE HOSTILE, AND COST AT MOST WHAT THEIR ADAPTER HOLDS.
contract Vault is IVault, ERC4626, AccessManaged, ReentrancyGuardTransient {
    using Math for uint256;
    using SafeERC20 for IERC20;
    using VenueSet for VenueSet.Set;

    uint256 public constant MAX_INSTRUCTIONS = 32;
    /// @notice What `maxDeposit` and `maxMint` answer while entry is open; beyond any supply, below any overflow.
    uint256 public constant MAX_ENTRY = type(uint128).max;

    /// @notice The asset has more than 18 decimals.
    error TooManyDecimals(uint8 decimals);
    /// @notice The oracle prices in another asset than the vault's.
    error WrongOracle(address oracle, address asset);
    /// @notice More instructions than one rebalance carries.
    error TooManyInstructions(uint256 count, uint256 maximum);

    /// @notice The interval was read live and its venues' mid stored; asset units at 1e18.
    event Marked(int256 low, int256 mid, int256 high);

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
    mapping(bytes32 planId => bool) public planUsed;
    VenueSet.Set private _venues;
    int192 private _markedVenues;
    uint64 private _markedAt;
    /// @dev The venue that is being called and may draw funds.
    address private transient _calling;

    /// @dev Live NAV in wei of the asset, rounded outward, and whether new shares may be priced by it.
    struct Quote {
        bool priced;
        uint256 low;
        uint256 high;
    }

    constructor(
        address asset_,
        string memory name_,
        string memory symbol_,
        address authority_,
        address oracle_,
        address volSource_,
        address valuer_,
        address guard_
    ) ERC20(name_, symbol_) ERC4626(IERC20(asset_)) AccessManaged(authority_) {
        uint8 assetDecimals = IERC20Metadata(asset_).decimals();
        if (assetDecimals > 18) revert TooManyDecimals(assetDecimals);
        if (IPriceOracle(oracle_).asset() != asset_) revert WrongOracle(oracle_, asset_);
        _scale = 10 ** (18 - assetDecimals);
        oracle = oracle_;
        volSource = volSource_;
        valuer = valuer_;
        guard = guard_;
    }

    /// @inheritdoc IVault
    function rebalance(Instruction[] calldata calls, uint256 deadline, bytes32 planId)
        external
        restricted
        nonReentrant
        returns (bytes[] memory results)
    {
        if (block.timestamp > deadline) revert PastDeadline(deadline, block.timestamp);
        if (planUsed[planId]) revert PlanUsed(planId);
        if (calls.length > MAX_INSTRUCTIONS) revert TooManyInstructions(calls.length, MAX_INSTRUCTIONS);
        planUsed[planId] = true;

        address[] memory touched = _touched(calls);
        UnitHealth[] memory units = IRiskGuard(guard).healths(touched);
        Valuation memory before = IValuer(valuer).value(address(this));
        uint256 supply = totalSupply();
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            results[i] = _call(calls[i].venue, i, calls[i].data);
        }
        if (totalSupply() != supply) revert SupplyChanged(supply, totalSupply());

        Valuation memory afterwards = IValuer(valuer).value(address(this));
        uint256 loss = IRiskGuard(guard).check(address(this), before, afterwards, touched, units);
        _store(afterwards.low, afterwards.mid, afterwards.high);
        emit Rebalanced(planId, msg.sender, before.mid, afterwards.mid, loss);
    }

    /// @inheritdoc IVault
    function topUp(address venue, uint256 unit, uint256 assets, uint256 minPosted)
        external
        restricted
        nonReentrant
        returns (uint256 posted)
    {
        uint256 target = _venues.config(venue).targetHealth;
        uint256 healthBefore = IVenue(venue).unitHealth(unit);
        if (healthBefore >= target) revert PastTarget(venue, unit, healthBefore, target);
        Valuation memory before = IValuer(valuer).value(address(this));
        posted = abi.decode(_call(venue, 0, abi.encodeCall(IVenue.post, (unit, assets, minPosted))), (uint256));
        uint256 healthAfter = IVenue(venue).unitHealth(unit);
        if (healthAfter > target) revert PastTarget(venue, unit, healthAfter, target);

        Valuation memory afterwards = IValuer(valuer).value(address(this));
        IRiskGuard(guard).checkTopUp(address(this), before, afterwards);
        _store(afterwards.low, afterwards.mid, afterwards.high);
        emit ToppedUp(venue, unit, assets, healthBefore, healthAfter);
    }

    /// @inheritdoc IVault
    function fund(uint256 assets) external {
        if (msg.sender != _calling) revert NotCalling(msg.sender);
        uint256 idle = _idle();
        if (assets > idle) revert IdleShort(idle, assets);
        IERC20(asset()).safeTransfer(msg.sender, assets);
    }

    /// @notice Anyone. Reads the interval and stores the venues' mid for `totalAssets`; `IRiskGuard.Unpriced` while a
    /// venue or price cannot be read.
    function mark() external nonReentrant {
        (bool priced, int256 low, int256 mid, int256 high) = IValuer(valuer).interval(address(this));
        if (!priced) revert IRiskGuard.Unpriced();
        _store(low, mid, high);
    }

    /// @notice RESTRICTED. Registers an adapter of this vault; reverts with `VenueSet.NotOurs`, `VenueKnown`, `TooManyVenues`
    /// or `VenueSet.DisorderedHealth`.
    function addVenue(address venue, VenueConfig calldata config) external restricted nonReentrant {
        if (venue == asset() || venue == address(this)) revert VenueSet.NotOurs(venue);
        _venues.add(venue, config);
        emit VenueAdded(venue, config);
    }

    /// @notice RESTRICTED. Sets cap and health levels of a registered venue.
    function configureVenue(address venue, VenueConfig calldata config) external restricted nonReentrant {
        _venues.configure(venue, config);
        emit VenueConfigured(venue, config);
    }

    /// @notice RESTRICTED. Drops a venue whose book is empty but for dust: value and each delta at most `VenueSet.MAX_DUST`,
    /// no other Greeks, no pending orders; `VenueSet.NotEmpty` otherwise.
    function removeVenue(address venue) external restricted nonReentrant {
        _venues.remove(venue, oracle);
        emit VenueRemoved(venue);
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
    function venues() external view returns (address[] memory) {
        return _venues.list;
    }

    /// @inheritdoc IVault
    function isVenue(address venue) external view returns (bool) {
        return _venues.known[venue];
    }

    /// @inheritdoc IVault
    function venueConfig(address venue) external view returns (VenueConfig memory) {
        return _venues.config(venue);
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

    function _call(address venue, uint256 index, bytes memory data) private returns (bytes memory) {
        if (!_venues.known[venue]) revert UnknownVenue(venue);
        _calling = venue;
        (bool done, bytes memory answer) = venue.call(data);
        _calling = address(0);
        if (!done) revert VenueCallFailed(venue, index, answer);
        return answer;
    }

    /// @dev The venues of `calls`, each once, all registered.
    function _touched(Instruction[] calldata calls) private view returns (address[] memory touched) {
        touched = new address[](calls.length);
        uint256 count;
        for (uint256 i; i < calls.length; ++i) {
            address venue = calls[i].venue;
            if (!_venues.known[venue]) revert UnknownVenue(venue);
            uint256 j;
            while (j < count && touched[j] != venue) ++j;
            if (j == count) touched[count++] = venue;
        }
        assembly ("memory-safe") {
            mstore(touched, count)
        }
    }

    function _store(int256 low, int256 mid, int256 high) private {
        // The valuer bounds every venue's value by 2^108.
        _markedVenues = int192(mid - int256(_idle() * _scale));
        _markedAt = uint64(block.timestamp);
        emit Marked(low, mid, high);
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
        return q.low == 0 ? 0 : Math.min(_assetsFor(balanceOf(owner), q.low, Math.Rounding.Floor), _idle());
    }

    function _maxRedeem(address owner, Quote memory q) private view returns (uint256) {
        return q.low == 0 ? 0 : Math.min(balanceOf(owner), _sharesFor(_idle(), q.low, Math.Rounding.Floor));
    }

    function _sharesFor(uint256 assets, uint256 worth, Math.Rounding rounding) private view returns (uint256) {
        return assets.mulDiv(totalSupply() + 10 ** _decimalsOffset(), worth + 1, rounding);
    }

    function _assetsFor(uint256 shares, uint256 worth, Math.Rounding rounding) private view returns (uint256) {
        return shares.mulDiv(worth + 1, totalSupply() + 10 ** _decimalsOffset(), rounding);
    }

    function _idle() private view returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return 6;
    }
}
