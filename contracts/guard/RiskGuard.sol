// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CornerLoss} from "./CornerLoss.sol";
import {FlowCaps} from "./FlowCaps.sol";
import {IRiskGuard, Limits, Measure, Range} from "./IRiskGuard.sol";
import {PricePoint, Valuation} from "./IValuer.sol";
import {VenueActs} from "./VenueActs.sol";
import {LimitRule} from "./LimitRule.sol";

/// @title RiskGuard: what a rebalance must satisfy
/// @notice Holds the limits and judges two valuations of a vault, from before and after a call:
/// - priced: every venue was priced in both (`Unpriced`);
/// - loss: `CornerLoss` is at most `maxLossPerCall` of low NAV before the call (`LossTooLarge`), and at most what is left of the vault's
///   bucket (`BudgetExceeded`), which is specified in `LossBudget`;
/// - limits: with b the largest breach of any measure of any underlying, b ends at 0, or at most at nine tenths of what it was with
///   no measure going from outside one end of its range to outside the other (`LimitBreached` names the worst). A
///   call may also leave what is breached exactly as it was if it moves no measure farther from zero: a book whose options
///   cannot be traded now must still be hedged, and fetch cash from a lending venue for its margin. A breach that grows
///   meanwhile ends at most at nine tenths of b or of `MAX_ROOM`, whichever is less: a breach of a tiny limit must not
///   open the others. Pending orders count filled and unfilled, what expires within a
///   day counts there and gone. An exposure to a token without limits may not
///   grow (`NoLimits`); one that a stranger sent may stay;
/// - caps: what grew stays under its caps, and the day's turnover under its own (`FlowCaps`).
///
/// `RebalanceJudge` makes the two valuations, and sees to the health of margin units. What is done at one venue outside a rebalance is judged
/// as `VenueActs` says.
///
/// FRACTIONS are at 1e18. `type(int256).min` and `max` stand for no limit, as does any beyond 2^119.
///
/// ROLES. Setters are restricted by the authority: `setX` is the curator's and may raise risk, `lowerX` is the sentinel's and cannot.
///
/// ASSUMPTIONS. THE JUDGE THAT A VAULT NAMES PASSES TRUE VALUATIONS OF IT. ALL STATE IS KEPT BY VAULT, AND CHANGED FOR IT ONLY BY ITSELF, ITS JUDGE
/// AND `acts`, SO THAT A FALSE VAULT DECEIVES ITSELF ALONE.
contract RiskGuard is FlowCaps {
    using SafeCast for int256;

    uint256 public constant MAX_UNDERLYINGS = 16;
    /// @notice The most of a breach, as a multiple of its limit at 1e18, that lets another breach grow.
    uint256 public constant MAX_ROOM = 1e18;

    /// @notice A range that does not hold zero: a book must be allowed to be empty.
    error RangeWithoutZero(int256 min, int256 max);
    /// @notice More tokens with limits than `MAX_UNDERLYINGS`.
    error TooManyUnderlyings(uint256 maximum);

    /// @dev Seconds before an expiry from which limits must hold without it too.
    uint256 private constant EXPIRY_NOTICE = 1 days;
    /// @dev Seconds after which a last accepted price is replaced.
    uint256 private constant PRICE_AGE = 1 hours;

    /// @dev A price accepted in a rebalance.
    struct LastPrice {
        uint128 mid;
        uint64 at;
    }

    /// @dev Low NAV and the venues' part of it, as last accepted and moved since. The valuer's bounds keep both under 2^127.
    struct LastNav {
        int128 venues;
        int128 all;
    }

    VenueActs private immutable ACTS;
    mapping(address vault => LastNav) private _navs;
    mapping(address vault => mapping(address token => LastPrice)) private _prices;
    address[] private _underlyings;
    /// @dev By `Measure`, packed.
    mapping(address underlying => uint256[4]) private _ranges;

    /// @dev The largest breach before and after a call, what a breach may grow by, the largest after it of a measure that the call moved, whether it took
    /// any measure farther from zero, a breach that crossed over, if any, and the largest that grew.
    struct Finding {
        uint256 before;
        uint256 room;
        LimitRule.Breach afterwards;
        LimitRule.Breach moved;
        bool farther;
        LimitRule.Breach crossing;
        LimitRule.Breach grown;
    }

    modifier onlyActs() {
        _requireActs();
        _;
    }

    constructor(address authority) AccessManaged(authority) {
        ACTS = new VenueActs(authority);
    }

    /// @notice RESTRICTED. Sets the limits of `underlying`; tokens are never forgotten, only limited to zero.
    function setLimits(address underlying, Limits calldata limits_) external restricted {
        if (_ranges[underlying][0] == 0) {
            if (_underlyings.length == MAX_UNDERLYINGS) revert TooManyUnderlyings(MAX_UNDERLYINGS);
            _underlyings.push(underlying);
        }
        // The same words, by `Measure`.
        Range[4] calldata ranges;
        assembly ("memory-safe") {
            ranges := limits_
        }
        for (uint256 m; m < 4; ++m) {
            if (ranges[m].min > 0 || ranges[m].max < 0) revert RangeWithoutZero(ranges[m].min, ranges[m].max);
            _ranges[underlying][m] = LimitRule.packed(ranges[m]);
        }
        emit LimitsSet(underlying, limits_);
    }

    /// @inheritdoc IRiskGuard
    function check(
        address vault,
        Valuation memory before,
        Valuation memory afterwards,
        address[] memory touched,
        int256[] memory posted
    ) external returns (uint256 loss) {
        _requireJudge(vault);
        if (!before.priced || !afterwards.priced) revert Unpriced();
        loss = CornerLoss.charge(before, afterwards);
        _spend(vault, loss, before.low > 0 ? uint256(before.low) : 0);
        Finding memory found = _find(before, afterwards);
        if (found.crossing.size > 0) LimitRule.refuse(found.crossing);
        if (found.grown.size * 10 > found.room * 9) LimitRule.refuse(found.grown);
        bool mending = found.afterwards.size * 10 <= found.before * 9;
        bool harmless = found.moved.size == 0 && !found.farther;
        if (!mending && !harmless) LimitRule.refuse(found.moved.size > 0 ? found.moved : found.afterwards);
        _checkCaps(vault, before, afterwards, touched, posted);
        _remember(vault, afterwards);
    }

    /// @inheritdoc IRiskGuard
    function toppedUp(address vault, address venue, uint256 spent, uint256 worth, uint256 nav)
        external
        onlyActs
        returns (uint256 loss)
    {
        loss = spent > worth ? spent - worth : 0;
        _spendOnTopUp(vault, loss, nav);
        _shift(vault, int256(worth));
        _postTopUp(vault, venue, spent, nav);
    }

    /// @inheritdoc IRiskGuard
    function eased(address vault, address venue, int256 flow, uint256 loss, uint256 nav, bool byKeeper)
        external
        onlyActs
    {
        if (byKeeper) _spend(vault, loss, nav);
        else _spendOnReduce(vault, loss, nav);
        _shift(vault, flow - int256(loss));
        if (flow != 0) _post(vault, venue, flow);
    }

    /// @inheritdoc IRiskGuard
    function tipped(address vault, uint256 most, uint256 nav) external onlyActs returns (uint256 tip) {
        // The other half is left to top-ups, or a tip could be what stops the next.
        tip = Math.min(most, _topUpLeft(vault, nav) / 2);
        _spendOnTopUp(vault, tip, nav);
    }

    /// @inheritdoc IRiskGuard
    function acts() external view returns (address) {
        return address(ACTS);
    }

    /// @inheritdoc IRiskGuard
    function lastLow(address vault, uint256 idle) external view returns (uint256) {
        LastNav memory last = _navs[vault];
        int256 low = int256(idle) + last.venues;
        if (last.all != 0 && low > last.all) low = last.all;
        return low > 0 ? uint256(low) : 0;
    }

    /// @inheritdoc IRiskGuard
    function lastPrice(address vault, address token) external view returns (uint256 mid, uint256 at) {
        LastPrice memory p = _prices[vault][token];
        return (p.mid, p.at);
    }

    /// @inheritdoc IRiskGuard
    function cornerLoss(Valuation memory before, Valuation memory afterwards) external pure returns (uint256) {
        return CornerLoss.charge(before, afterwards);
    }

    /// @inheritdoc IRiskGuard
    function limits(address underlying) external view returns (Limits memory limits_) {
        Range[4] memory ranges;
        for (uint256 m; m < 4; ++m) {
            ranges[m] = LimitRule.unpacked(_ranges[underlying][m]);
        }
        // The same words again.
        assembly ("memory-safe") {
            limits_ := ranges
        }
    }

    /// @inheritdoc IRiskGuard
    function underlyings() external view returns (address[] memory) {
        return _underlyings;
    }

    function _requireActs() private view {
        if (msg.sender != address(ACTS)) revert OnlyActs(msg.sender);
    }

    /// @dev The venues' part of the last accepted low changed by `worth`.
    function _shift(address vault, int256 worth) private {
        _navs[vault].venues += worth.toInt128();
    }

    /// @dev Remembers what of a valuation is needed where there is none.
    function _remember(address vault, Valuation memory v) private {
        _navs[vault] = LastNav(int128(v.low - int256(v.idle)), int128(v.low));
        for (uint256 i; i < v.prices.length; ++i) {
            PricePoint memory p = v.prices[i];
            LastPrice storage last = _prices[vault][p.underlying];
            // The valuer bounds prices by 2^100.
            if (block.timestamp >= last.at + PRICE_AGE) {
                (last.mid, last.at) = (uint128(p.mid), uint64(block.timestamp));
            }
        }
    }

    function _find(Valuation memory before, Valuation memory afterwards)
        private
        view
        returns (Finding memory found)
    {
        uint256 soon = block.timestamp + EXPIRY_NOTICE;
        address[] memory tokens = LimitRule.underlyings(before, afterwards);
        for (uint256 i; i < tokens.length; ++i) {
            LimitRule.Spans memory was = LimitRule.spans(before, tokens[i], before.low, soon);
            LimitRule.Spans memory is_ = LimitRule.spans(afterwards, tokens[i], afterwards.low, soon);
            // Delta over the NAV of before the call: what the call cost must not make it look moved.
            LimitRule.Spans memory still = LimitRule.over(is_, before.low);
            uint256[4] storage words = _ranges[tokens[i]];
            bool known = words[0] != 0;
            for (uint256 m; m < 4; ++m) {
                // What is not there is within any range, whose word then need not be read.
                if (was.least[m] | was.most[m] | is_.least[m] | is_.most[m] == 0) continue;
                if (LimitRule.reach(still, m) > LimitRule.reach(was, m)) {
                    if (!known) revert NoLimits(tokens[i]);
                    found.farther = true;
                }
                if (known) _findOne(found, tokens[i], m, LimitRule.unpacked(words[m]), was, is_, still);
            }
        }
    }

    function _findOne(
        Finding memory found,
        address token,
        uint256 m,
        Range memory range,
        LimitRule.Spans memory was,
        LimitRule.Spans memory is_,
        LimitRule.Spans memory still
    ) private pure {
        (uint256 belowBefore, uint256 aboveBefore) = LimitRule.breaches(was.least[m], was.most[m], range);
        (uint256 below, uint256 above) = LimitRule.breaches(is_.least[m], is_.most[m], range);
        uint256 worstBefore = belowBefore > aboveBefore ? belowBefore : aboveBefore;
        if (worstBefore > found.before) found.before = worstBefore;
        if ((aboveBefore > belowBefore ? range.max : range.min) != 0) {
            found.room = Math.max(found.room, Math.min(worstBefore, MAX_ROOM));
        }
        if (below == 0 && above == 0) return;
        LimitRule.Breach memory breach = LimitRule.Breach(below, token, Measure(m), is_.least[m], range);
        if (above > below) (breach.size, breach.value) = (above, is_.most[m]);
        if (breach.size > found.afterwards.size) found.afterwards = breach;
        if (breach.size > found.moved.size && _moved(m, was, still)) found.moved = breach;
        if (breach.size > found.grown.size && LimitRule.worst(still, m, range) > worstBefore) found.grown = breach;
        if ((below > 0 && belowBefore == 0 && aboveBefore > 0) || (above > 0 && aboveBefore == 0 && belowBefore > 0)) {
            found.crossing = breach;
        }
    }

    function _moved(uint256 m, LimitRule.Spans memory was, LimitRule.Spans memory still) private pure returns (bool) {
        return still.least[m] != was.least[m] || still.most[m] != was.most[m];
    }
}
