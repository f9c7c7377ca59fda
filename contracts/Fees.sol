// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVault} from "./IVault.sol";

/// @title IFeePayer: what the fees of a vault ask of it
interface IFeePayer is IVault {
    /// @notice FEES. Accrues the management fee up to now and sets its `rate`, in millionths a year; then, where
    /// there is a `recipient`, mints to it what is owed and `shares` more.
    /// @return minted What was minted.
    function settleFees(uint16 rate, address recipient, uint256 shares) external returns (uint256 minted);

    /// @notice The management fee's rate, in millionths a year, and the shares owed by now.
    function feesOwed() external view returns (uint16 rate, uint256 owed);
}

/// @title Fees: the terms of a vault's fees, and its high-water mark
/// @notice Made by a vault for itself.
///
/// MANAGEMENT. A fraction of the supply a year; the vault keeps the account (`FeeLedger`), the rate is set here.
///
/// PERFORMANCE, charged by `collect` alone, at most once in PERIOD, on a live interval of at most MAX_WIDTH of its mid: a fraction of
/// what the low of all shares lies above the high-water mark becomes shares at that low, and the mark rises to the low of a share
/// after it. The mark is a price of a share, in wei of the asset.
///
/// ENTRIES. An entrant pays the high, which lifts the low of a share for all: the mark rises with it, by the low with the entries of late less the
/// low without them, so that no share is charged more than it would be had nobody entered. Nothing else moves the mark: no exit,
/// no management fee, no fee that is minted, and no round trip resets it. An entrant shares the charge on gains from before it, which
/// the price it pays does not reflect.
///
/// A RAISED PERFORMANCE FEE begins at the first `collect` after it that values a narrow interval, which only lifts the mark: gains up to then are free,
/// and a loss does not lower it.
///
/// WITHOUT A RECIPIENT no gain is charged; what is over the mark stays there to be charged when there is one.
///
/// ROLES, by the authority: `setManagementFee`, `setPerformanceFee`, `setRecipient` (curator), `lowerManagementFee`,
/// `lowerPerformanceFee` (sentinel).
contract Fees is AccessManaged {
    using Math for uint256;

    /// @notice The most that the management fee may be, a fraction of the supply a year at 1e18.
    uint256 public constant MAX_MANAGEMENT = 0.02e18;
    /// @notice The most that the performance fee may be, a fraction of gains at 1e18.
    uint256 public constant MAX_PERFORMANCE = 0.2e18;
    /// @notice Fees are in whole steps of these.
    uint256 public constant MANAGEMENT_STEP = 1e12;
    uint256 public constant PERFORMANCE_STEP = 1e14;
    /// @notice The widest interval on which gains are charged, a fraction of mid at 1e18.
    uint256 public constant MAX_WIDTH = 0.01e18;
    /// @notice The least seconds between two charges.
    uint256 public constant PERIOD = 30 days;
    /// @dev One wei of the asset a share, as a price.
    uint256 private constant UNIT = 2 ** 96;

    /// @notice The caller is not the vault.
    error OnlyVault(address caller);
    /// @notice A fee above its cap; fractions at 1e18.
    error FeeTooHigh(uint256 fraction, uint256 maximum);
    /// @notice What may only be lowered would not be; fractions at 1e18.
    error FeeNotLower(uint256 fraction, uint256 current);

    event ManagementFeeSet(uint256 fraction);
    event PerformanceFeeSet(uint256 fraction);
    event RecipientSet(address indexed recipient);
    /// @notice `gain` (wei of the asset) over the high-water mark was charged with `shares`.
    event GainCharged(uint256 gain, uint256 shares);
    event Collected(address indexed recipient, uint256 shares);

    /// @notice What the vault reports before an exit and after a mark. Shares are whole, amounts in wei of the asset.
    /// @param flow      Entries less exits since its last mark.
    /// @param supply    The supply that this flow has made.
    /// @param owed      Shares owed besides.
    /// @param worth     The low of all; 0 where it is not known.
    /// @param flowNow   The flow from which it goes on counting.
    /// @param supplyNow The supply from which it does.
    struct Sync {
        int256 flow;
        uint256 supply;
        uint256 owed;
        uint256 worth;
        int256 flowNow;
        uint256 supplyNow;
    }

    address public immutable vault;
    /// @notice Who gets all fees of the vault; while it is zero they stay owed.
    address public recipient;
    /// @notice When gains were last charged or the mark set, unix seconds.
    uint32 public chargedAt;
    uint16 private _performance;
    /// @dev A raised fee waits for its mark.
    bool private _waiting;
    uint128 private _highWater;
    /// @dev The vault's flow up to which entries have lifted the mark, and its supply then.
    int128 private _joined;
    uint256 private _supply;

    modifier onlyVault() {
        if (msg.sender != vault) revert OnlyVault(msg.sender);
        _;
    }

    constructor(address authority) AccessManaged(authority) {
        vault = msg.sender;
    }

    /// @notice CURATOR. Sets the management fee, a fraction of the supply a year at 1e18, from now on.
    function setManagementFee(uint256 fraction) external restricted {
        if (fraction > MAX_MANAGEMENT) revert FeeTooHigh(fraction, MAX_MANAGEMENT);
        _setManagement(fraction);
    }

    /// @notice SENTINEL. Lowers it.
    function lowerManagementFee(uint256 fraction) external restricted {
        if (fraction >= managementFee()) revert FeeNotLower(fraction, managementFee());
        _setManagement(fraction);
    }

    /// @notice CURATOR. Sets the performance fee, a fraction of gains at 1e18.
    function setPerformanceFee(uint256 fraction) external restricted {
        if (fraction > MAX_PERFORMANCE) revert FeeTooHigh(fraction, MAX_PERFORMANCE);
        if (fraction > performanceFee()) _waiting = true;
        _setPerformance(fraction);
    }

    /// @notice SENTINEL. Lowers it.
    function lowerPerformanceFee(uint256 fraction) external restricted {
        if (fraction >= performanceFee()) revert FeeNotLower(fraction, performanceFee());
        _setPerformance(fraction);
    }

    /// @notice CURATOR. Names who gets the fees, what is owed already too.
    function setRecipient(address recipient_) external restricted {
        recipient = recipient_;
        emit RecipientSet(recipient_);
    }

    /// @notice Anyone. Marks the vault, charges the performance fee where it is due, and has all that is owed minted to the recipient.
    /// `IRiskGuard.Unpriced` while a venue or price cannot be read.
    function collect() external returns (uint256 shares) {
        IFeePayer payer = IFeePayer(vault);
        payer.mark();
        (, int256 low, int256 mid, int256 high) = payer.nav();
        (uint16 rate, uint256 owed) = payer.feesOwed();
        uint256 charged;
        if (low > 0 && uint256(high - low) <= (uint256(mid) * MAX_WIDTH) / 1e18) {
            uint256 scale = 10 ** (24 - payer.decimals());
            charged = _charge(uint256(low) / scale, payer.totalSupply() + owed);
        }
        shares = payer.settleFees(rate, recipient, charged);
        emit Collected(recipient, shares);
    }

    /// @notice VAULT. Raises the mark by what the entries since the last call lifted the low of a share; where that is not known, by a later call.
    function sync(Sync calldata s) external onlyVault {
        int256 entered = s.flow - _joined;
        if (entered > 0 && s.worth == 0) {
            // Those who leave take their part of what has not been counted yet with them.
            int256 left = int256(uint256(entered).mulDiv(s.supplyNow, s.supply, Math.Rounding.Ceil));
            (_joined, _supply) = (int128(s.flowNow - left), _supply.mulDiv(s.supplyNow, s.supply));
            return;
        }
        if (entered > 0 && s.worth > uint256(entered) && _supply != 0) {
            uint256 with = s.worth.mulDiv(UNIT, s.supply + s.owed, Math.Rounding.Ceil);
            uint256 without = (s.worth - uint256(entered)).mulDiv(UNIT, _supply + s.owed);
            if (with > without) _highWater = uint128((_highWater + with - without).min(type(uint128).max));
        }
        (_joined, _supply) = (int128(s.flowNow), s.supplyNow);
    }

    /// @notice The management fee, a fraction of the supply a year at 1e18.
    function managementFee() public view returns (uint256) {
        (uint16 rate,) = IFeePayer(vault).feesOwed();
        return rate * MANAGEMENT_STEP;
    }

    /// @notice The performance fee, a fraction of gains at 1e18.
    function performanceFee() public view returns (uint256) {
        return _performance * PERFORMANCE_STEP;
    }

    /// @notice The high-water mark of 10^18 shares, wei of the asset; what entered since the vault's last mark or exit has not lifted it yet.
    function highWater() external view returns (uint256) {
        return uint256(_highWater).mulDiv(1e18, UNIT);
    }

    function _setManagement(uint256 fraction) private {
        IFeePayer(vault).settleFees(uint16(fraction / MANAGEMENT_STEP), address(0), 0);
        emit ManagementFeeSet(fraction);
    }

    function _setPerformance(uint256 fraction) private {
        _performance = uint16(fraction / PERFORMANCE_STEP);
        emit PerformanceFeeSet(fraction);
    }

    /// @dev Charges what is due; `worth` is the low in wei of the asset, `supply` all shares, those owed included.
    function _charge(uint256 worth, uint256 supply) private returns (uint256 shares) {
        if (supply == 0) return 0;
        if (_waiting) {
            uint256 price = Math.max(_highWater, _price(worth, supply));
            (_waiting, _highWater, chargedAt) = (false, uint128(price), uint32(block.timestamp));
            return 0;
        }
        if (_performance == 0 || recipient == address(0) || block.timestamp < chargedAt + PERIOD) return 0;
        uint256 gain = _gain(worth, supply);
        if (gain == 0) return 0;
        uint256 due = (gain * performanceFee()) / 1e18;
        shares = due.mulDiv(supply, worth - due);
        (_highWater, chargedAt) = (_price(worth, supply + shares), uint32(block.timestamp));
        emit GainCharged(gain, shares);
    }

    function _gain(uint256 worth, uint256 supply) private view returns (uint256) {
        // A price that has reached its bound is never passed.
        if (_highWater == type(uint128).max) return 0;
        uint256 marked = supply.mulDiv(_highWater, UNIT, Math.Rounding.Ceil);
        return worth > marked ? worth - marked : 0;
    }

    function _price(uint256 worth, uint256 supply) private pure returns (uint128) {
        return uint128(worth.mulDiv(UNIT, supply, Math.Rounding.Ceil).min(type(uint128).max));
    }
}
