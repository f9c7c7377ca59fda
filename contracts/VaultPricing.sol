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
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {IVault, VaultParts} from "./IVault.sol";
import {IMarks} from "./nav/IMarks.sol";
import {IPriceOracle} from "./oracle/IPriceOracle.sol";
import {WriteOffs} from "./recovery/WriteOffs.sol";

/// @title VaultPricing: what a vault is worth, and what its shares are
/// @notice Asks `IMarks` for the interval that shares are priced by, and keeps what `totalAssets` answers by and the word of `FeeLedger`. Who enters
/// and leaves at which end of the interval is `VaultShares`.
///
/// STORED MARK. `totalAssets` and `convertToX` use idle now plus the venues' mid at the last mark and never revert. A mark is
/// struck by every live valuation, at the end of every operation, and by `mark`, open to anyone. They inform; no share is priced by them.
/// A loss that a new mark shows and the old one does not explain is charged to the guard.
///
/// BY HAND. The calls of `marks` and of the asset's `balanceOf` are in every entry and exit: they are encoded and read in assembly.
///
/// ASSUMPTIONS. THE ASSET HAS AT MOST 18 DECIMALS AND DOES NOT REBASE. ORACLE, VOL SOURCE, VALUER, MARKS, GUARD AND JUDGE ARE TRUSTED.
abstract contract VaultPricing is IFeePayer, ERC4626, AccessManaged, ReentrancyGuardTransient {
    using Math for uint256;
    using FeeLedger for FeeLedger.Ledger;

    /// @notice What `maxDeposit` answers while entry is open, wei of the asset; `maxMint` answers SEED times that.
    uint256 public constant MAX_ENTRY = 2 ** 86;
    /// @dev Of `IMarks`: value live.
    uint256 internal constant LIVE = type(uint256).max;
    /// @notice Shares that the first entry burns.
    uint256 public constant SEED = 1e6;

    /// @notice The asset has more than 18 decimals.
    error TooManyDecimals(uint8 decimals);
    /// @notice The oracle prices in another asset than the vault's.
    error WrongOracle(address oracle, address asset);

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
    /// @inheritdoc IVault
    address public immutable judge;
    /// @inheritdoc IVault
    address public immutable marks;
    /// @notice The `Fees` that this vault made for itself. Immutable.
    address public immutable fees;
    /// @inheritdoc IVault
    address public immutable writeOffs;
    /// @dev Asset units at 1e18 per wei of the asset.
    uint256 internal immutable _scale;

    int192 private _markedVenues;
    uint64 private _markedAt;
    FeeLedger.Ledger internal _ledger;

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

    /// @notice Idle now plus the venues' mid at the last mark, in wei of the asset; at least 0.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        uint256 idle = _idleBefore == 0 ? _idle() : _idleBefore - 1;
        int256 total = int256(idle * _scale) + _markedVenues;
        return total > 0 ? uint256(total) / _scale : 0;
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

    /// @dev The interval that an entry of `assets`, or with 0 an exit, is priced by, into `q`. One that was read live, all being priced, is the
    /// mark of now, and the ledger another.
    function _price(Quote memory q, FeeLedger.Ledger ledger, uint256 assets) internal returns (FeeLedger.Ledger) {
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
    function _quote(FeeLedger.Ledger ledger, uint256 assets) internal view returns (Quote memory q) {
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
        internal
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
    function _accrued() internal view returns (FeeLedger.Ledger) {
        return _ledger.accrue(totalSupply());
    }

    /// @dev All shares, those owed included; before the first entry, those that it will burn.
    function _supply(FeeLedger.Ledger ledger) internal view returns (uint256) {
        return _supply(ledger, totalSupply());
    }

    function _supply(FeeLedger.Ledger ledger, uint256 minted) internal pure returns (uint256) {
        // No entries add up to 2^255 shares.
        unchecked {
            return (minted == 0 ? SEED : minted) + ledger.owed();
        }
    }

    /// @dev Entries up to `flow` lift the high-water mark, `worth` being the low of all; the ledger's flow and `supply` are those to go on from.
    function _sync(FeeLedger.Ledger ledger, int256 flow, uint256 worth, uint256 supply) internal {
        Fees(fees).sync(Fees.Sync(flow, totalSupply(), ledger.owed(), worth, ledger.flow(), supply));
    }

    /// @dev NAV in wei of the asset, as the next rounded outward.
    function _low(Quote memory q) internal view returns (uint256) {
        return q.low > 0 ? uint256(q.low) / _scale : 0;
    }

    function _high(Quote memory q) internal view returns (uint256) {
        // An int256 and 10^18 have room in 256 bits.
        unchecked {
            return q.high > 0 ? (uint256(q.high) + _scale - 1) / _scale : 0;
        }
    }

    function _sharesFor(uint256 assets, uint256 worth, uint256 supply, Math.Rounding rounding)
        internal
        pure
        returns (uint256)
    {
        // NAV is cut from a signed number.
        unchecked {
            return _mulDiv(assets, supply, worth + 1, rounding);
        }
    }

    function _assetsFor(uint256 shares, uint256 worth, uint256 supply, Math.Rounding rounding)
        internal
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
