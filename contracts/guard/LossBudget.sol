// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVault} from "../IVault.sol";
import {IRiskGuard} from "./IRiskGuard.sol";

/// @title LossBudget: what a vault may lose in a day, however many calls it takes
/// @notice A leaky bucket a vault. Losses fill it, only time empties it: gains never do. A call's loss must fit `maxLossPerCall` of low
/// NAV and what is left of the bucket, whose capacity is `maxLossPerCall` too.
///
/// UNITS. Levels are fractions of the low NAV at the time of each loss, at 1e18, rounded up. A deposit or withdrawal therefore leaves
/// them as they are: new money neither refills the bucket nor widens what is left to those who were there, and a vault that shrinks
/// is not shut by what it lost when it was larger.
///
/// TOP-UPS. A tenth of `maxLossPerDay` is kept for them: a second bucket with that capacity and that leak a day, which they fill once
/// the first is full. The first leaks four fifths of `maxLossPerDay` a day. So a full bucket does not cost a margin unit.
///
/// THE BOUND. Over any 24 hours calls and top-ups lose at most `maxLossPerCall` + 4/5 `maxLossPerDay` + 2 x 1/10 `maxLossPerDay` =
/// `maxLossPerCall` + `maxLossPerDay`, by the largest values those had meanwhile, of the highest low NAV meanwhile.
///
/// REDUCING. What the guardian's reductions and withdrawals of margin cost fills a third bucket, whose capacity is `maxLossPerReduce` and
/// which leaks that in a day. It is no part of the bound above, since a keeper cannot reach it. `maxLossPerReduce` is never under
/// `REDUCE_FLOOR`, so that no setter can block reducing.
///
/// UNEXPLAINED LOSSES, which `charge` is told of, fill the first bucket up to its capacity and no further: what a venue lost by itself
/// shall not keep the keeper from its work for longer than a full bucket does.
///
/// FLOOR. `maxLossPerDay` is never under `DAY_FLOOR`, which it is from the start, so that no setter can block top-ups.
abstract contract LossBudget is IRiskGuard, AccessManaged {
    /// @notice The most that `setMaxLossPerCall` accepts: 2%.
    uint256 public constant MAX_LOSS_CEILING = 0.02e18;
    /// @notice The most that `setMaxLossPerDay` accepts: 5%.
    uint256 public constant DAY_CEILING = 0.05e18;
    /// @notice The least `maxLossPerDay`: 0.1%.
    uint256 public constant DAY_FLOOR = 0.001e18;
    /// @notice The most that `setMaxLossPerReduce` accepts: 10%.
    uint256 public constant REDUCE_CEILING = 0.1e18;
    /// @notice The least `maxLossPerReduce`: 0.5%.
    uint256 public constant REDUCE_FLOOR = 0.005e18;

    /// @notice A fraction above what this guard accepts.
    error AboveCeiling(uint256 fraction, uint256 ceiling);
    /// @notice A fraction under what this guard accepts.
    error BelowFloor(uint256 fraction, uint256 floor);

    /// @dev Levels at `at`, fractions at 1e18; all are at most a ceiling.
    struct Bucket {
        uint64 level;
        uint64 reserve;
        uint64 reduced;
        uint40 at;
    }

    /// @inheritdoc IRiskGuard
    uint256 public maxLossPerCall;
    /// @inheritdoc IRiskGuard
    uint256 public maxLossPerDay = DAY_FLOOR;
    /// @inheritdoc IRiskGuard
    uint256 public maxLossPerReduce = REDUCE_FLOOR;
    mapping(address vault => Bucket) private _buckets;

    /// @notice CURATOR. Sets the most that a call may lose, as a fraction of low NAV at 1e18.
    function setMaxLossPerCall(uint256 fraction) external restricted {
        if (fraction > MAX_LOSS_CEILING) revert AboveCeiling(fraction, MAX_LOSS_CEILING);
        _setMaxLossPerCall(fraction);
    }

    /// @notice SENTINEL. The same, downward only.
    function lowerMaxLossPerCall(uint256 fraction) external restricted {
        if (fraction >= maxLossPerCall) revert NotLower(fraction, maxLossPerCall);
        _setMaxLossPerCall(fraction);
    }

    /// @notice CURATOR. Sets what the bucket and the top-ups' reserve leak in a day, as a fraction of low NAV at 1e18.
    function setMaxLossPerDay(uint256 fraction) external restricted {
        if (fraction > DAY_CEILING) revert AboveCeiling(fraction, DAY_CEILING);
        _setMaxLossPerDay(fraction);
    }

    /// @notice SENTINEL. The same, downward only.
    function lowerMaxLossPerDay(uint256 fraction) external restricted {
        if (fraction >= maxLossPerDay) revert NotLower(fraction, maxLossPerDay);
        _setMaxLossPerDay(fraction);
    }

    /// @notice CURATOR. Sets what the guardian's reductions may cost, as a fraction of low NAV at 1e18.
    function setMaxLossPerReduce(uint256 fraction) external restricted {
        if (fraction > REDUCE_CEILING) revert AboveCeiling(fraction, REDUCE_CEILING);
        _setMaxLossPerReduce(fraction);
    }

    /// @notice SENTINEL. The same, downward only.
    function lowerMaxLossPerReduce(uint256 fraction) external restricted {
        if (fraction >= maxLossPerReduce) revert NotLower(fraction, maxLossPerReduce);
        _setMaxLossPerReduce(fraction);
    }

    /// @inheritdoc IRiskGuard
    function charge(address vault, uint256 loss, int256 lowNav) external {
        if (msg.sender != vault) _requireJudge(vault);
        Bucket memory b = _bucket(vault);
        // A loss of all there is fills any bucket.
        bool whole = lowNav <= 0 || loss >= uint256(lowNav);
        uint256 fraction = whole ? maxLossPerCall : _fraction(loss, uint256(lowNav));
        // A level above a capacity that was lowered stays.
        b.level = uint64(Math.max(b.level, Math.min(b.level + fraction, maxLossPerCall)));
        _buckets[vault] = b;
        emit Charged(vault, loss, b.level);
    }

    /// @inheritdoc IRiskGuard
    function budget(address vault) external view returns (uint256 level, uint256 left) {
        level = _bucket(vault).level;
        left = _left(level, maxLossPerCall);
    }

    /// @inheritdoc IRiskGuard
    function reserve(address vault) external view returns (uint256 level, uint256 left) {
        level = _bucket(vault).reserve;
        left = _left(level, maxLossPerDay / 10);
    }

    function _requireJudge(address vault) internal view {
        if (msg.sender != IVault(vault).judge()) revert OnlyVault(msg.sender, vault);
    }

    /// @dev Charges a call of `vault`; reverts where it does not fit.
    function _spend(address vault, uint256 loss, uint256 nav) internal {
        if (loss == 0) return;
        uint256 most = nav * maxLossPerCall / 1e18;
        if (loss > most) revert LossTooLarge(loss, most);
        Bucket memory b = _bucket(vault);
        uint256 left = _left(b.level, maxLossPerCall);
        uint256 fraction = _fraction(loss, nav);
        if (fraction > left) revert BudgetExceeded(loss, nav * left / 1e18);
        b.level += uint64(fraction);
        _buckets[vault] = b;
        emit Charged(vault, loss, b.level);
    }

    /// @dev Charges a top-up of `vault`, whose loss may also fill the reserve; reverts where it does not fit.
    function _spendOnTopUp(address vault, uint256 loss, uint256 nav) internal {
        if (loss == 0) return;
        uint256 most = _topUpLeft(vault, nav);
        if (loss > most) revert BudgetExceeded(loss, most);
        Bucket memory b = _bucket(vault);
        uint256 fraction = _fraction(loss, nav);
        uint256 first = Math.min(_left(b.level, maxLossPerCall), fraction);
        b.level += uint64(first);
        b.reserve += uint64(fraction - first);
        _buckets[vault] = b;
        emit Charged(vault, loss, b.level);
    }

    /// @dev What a top-up of `vault` may still lose, asset units at 1e18.
    function _topUpLeft(address vault, uint256 nav) internal view returns (uint256) {
        Bucket memory b = _bucket(vault);
        return nav * (_left(b.level, maxLossPerCall) + _left(b.reserve, maxLossPerDay / 10)) / 1e18;
    }

    /// @dev Charges what the guardian does at a venue of `vault`; reverts where it does not fit.
    function _spendOnReduce(address vault, uint256 loss, uint256 nav) internal {
        if (loss == 0) return;
        Bucket memory b = _bucket(vault);
        uint256 most = nav * _left(b.reduced, maxLossPerReduce) / 1e18;
        if (loss > most) revert BudgetExceeded(loss, most);
        b.reduced += uint64(_fraction(loss, nav));
        _buckets[vault] = b;
        emit Charged(vault, loss, b.level);
    }

    function _setMaxLossPerCall(uint256 fraction) private {
        maxLossPerCall = fraction;
        emit MaxLossPerCallSet(fraction);
    }

    function _setMaxLossPerDay(uint256 fraction) private {
        if (fraction < DAY_FLOOR) revert BelowFloor(fraction, DAY_FLOOR);
        maxLossPerDay = fraction;
        emit MaxLossPerDaySet(fraction);
    }

    function _setMaxLossPerReduce(uint256 fraction) private {
        if (fraction < REDUCE_FLOOR) revert BelowFloor(fraction, REDUCE_FLOOR);
        maxLossPerReduce = fraction;
        emit MaxLossPerReduceSet(fraction);
    }

    /// @dev The buckets as they have leaked by now. What leaks rounds down.
    function _bucket(address vault) private view returns (Bucket memory b) {
        b = _buckets[vault];
        uint256 elapsed = block.timestamp - b.at;
        uint256 perDay = maxLossPerDay * elapsed;
        b.level = uint64(b.level - Math.min(b.level, perDay * 4 / 5 days));
        b.reserve = uint64(b.reserve - Math.min(b.reserve, perDay / 10 days));
        b.reduced = uint64(b.reduced - Math.min(b.reduced, maxLossPerReduce * elapsed / 1 days));
        b.at = uint40(block.timestamp);
    }

    function _left(uint256 level, uint256 capacity) private pure returns (uint256) {
        return capacity > level ? capacity - level : 0;
    }

    /// @dev At most `MAX_LOSS_CEILING` where the loss fits a capacity; rounds up.
    function _fraction(uint256 loss, uint256 nav) private pure returns (uint256) {
        return Math.mulDiv(loss, 1e18, nav, Math.Rounding.Ceil);
    }
}
