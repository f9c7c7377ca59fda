// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVault, VenueConfig} from "../IVault.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IVenue, Kind} from "../venues/IVenue.sol";
import {FlowWindow} from "./FlowWindow.sol";
import {IRiskGuard} from "./IRiskGuard.sol";
import {IValuer} from "./IValuer.sol";
import {Act, IVenueActs, Outcome} from "./IVenueActs.sol";
import {VenueWitness} from "./VenueWitness.sol";

/// @title VenueActs: what may be done at one venue without valuing the others
/// @notice Liquidation must not happen because a price elsewhere is missing. So topping up, reducing and freeing margin are judged by that
/// venue alone, and by the vault's last accepted NAV: idle now, and the venues' part of the low NAV after the last rebalance, moved by
/// what went there and came back since, together at most that low NAV.
///
/// TOP-UP. By the keeper under the venue's target health, and never past it. Its loss is what idle paid less what was posted at the low
/// of our price of the margin token; without a price, at the last accepted one (or 1) less `HAIRCUT`. It is at most `MAX_SLIP` of what idle
/// paid, before that haircut, and filled into the bucket or the reserve. Caps bind, above a floor (`FlowCaps`): no
/// setter can block a top-up, only the guardian's `freeze` can.
///
/// CRITICAL TOP-UP. By anyone: under critical health by our own price (perp venues, whose book is their account), or by the venue's own
/// where it was critical in an earlier block too, at most `NOTE_BLOCKS` ago. `noteCritical`, or a first attempt, which then does
/// nothing else, notes the block.
///
/// TIP. Who leaves the unit at its minimum health or above is paid `TIP_OF_GAS` x gas x base fee at our low price of the gas token, at most
/// `tipTerms().most`, at most `tipTerms().perDay` in a day (see `FlowWindow`), once a venue every `TIP_COOLDOWN`, and no more than half of what
/// the loss budget has left, which it fills: a tip must not be what stops the next top-up. No price, no tip. A tip covers gas and half of it again, so making a unit critical to mend it
/// must cost less than that to pay.
///
/// REDUCE AND FREE. By the guardian at any time; what it costs fills a bucket of its own. By the keeper filling the bucket of its calls,
/// reductions only while the vault cannot be priced (a rebalance does them otherwise, within the limits). `VenueWitness` says what they
/// cost. Margin is freed down to the venue's minimum health and no further.
///
/// FREEZE. A frozen venue may not be called by a rebalance or topped up; reducing and freeing go on.
///
/// ASSUMPTIONS. THE CALLING VAULT PASSES ITS IDLE TRULY, CALLS `begin` AND `finish` IN ONE TRANSACTION AROUND ONE CALL OF THE VENUE, AND LETS NO ONE
/// ELSE IN BETWEEN. ALL STATE OF A VAULT IS KEPT BY CALLER. CASH THAT STRANGERS SEND FROM A VENUE (A SETTLEMENT) COUNTS TWICE IN THE
/// LAST ACCEPTED NAV UNTIL THE NEXT REBALANCE, UP TO THE LOW NAV AFTER THE LAST ONE.
contract VenueActs is IVenueActs, AccessManaged {
    using FlowWindow for FlowWindow.Window;

    /// @notice Most of what idle pays for a top-up that may be lost on the way, at 1e18.
    uint256 public constant MAX_SLIP = 0.01e18;
    /// @notice What a margin token counts less where it has no price, at 1e18.
    uint256 public constant HAIRCUT = 0.01e18;
    /// @notice Blocks for which a note that a unit is critical holds.
    uint256 public constant NOTE_BLOCKS = 50;
    uint256 public constant TIP_OF_GAS = 1.5e18;
    uint256 public constant TIP_COOLDOWN = 1 hours;
    /// @notice Gas of a critical top-up besides what is measured.
    uint256 public constant TIP_GAS = 100_000;

    /// @dev What `begin` hands to `finish`.
    struct Memo {
        Act act;
        address venue;
        uint256 unit;
        uint256 health;
        uint256 idle;
        uint256 gas;
        bytes stand;
    }

    struct TipTerms {
        address gasToken;
        uint128 most;
        uint128 perDay;
    }

    /// @notice Says what reductions cost. Made with this guard, stateless.
    VenueWitness public immutable witness = new VenueWitness();
    /// @notice Keeps the budget, the caps and the last accepted prices; it made this contract.
    IRiskGuard public immutable guard = IRiskGuard(msg.sender);
    /// @inheritdoc IVenueActs
    mapping(address venue => bool) public frozen;
    /// @notice What tips are: paid for gas priced as `gasToken`, each at most `most`, all at most `perDay`; asset units at 1e18.
    TipTerms public tipTerms;

    mapping(address vault => mapping(address venue => mapping(uint256 unit => uint256))) private _notedAt;
    mapping(address vault => mapping(address venue => uint256)) private _tippedAt;
    mapping(address vault => FlowWindow.Window) private _tips;

    constructor(address authority) AccessManaged(authority) {}

    /// @notice GUARDIAN. Stops rebalances from calling `venue` and top-ups from reaching it.
    function freeze(address venue) external restricted {
        frozen[venue] = true;
        emit Frozen(venue);
    }

    /// @notice GUARDIAN.
    function unfreeze(address venue) external restricted {
        frozen[venue] = false;
        emit Unfrozen(venue);
    }

    /// @notice CURATOR. Sets the tip; a `gasToken` that the oracle does not price pays none.
    function setTip(address gasToken, uint128 most, uint128 perDay) external restricted {
        tipTerms = TipTerms(gasToken, most, perDay);
        emit TipSet(gasToken, most, perDay);
    }

    /// @notice SENTINEL. Lowers the tip.
    function lowerTip(uint128 most, uint128 perDay) external restricted {
        TipTerms memory t = tipTerms;
        if (most > t.most) revert IRiskGuard.NotLower(most, t.most);
        if (perDay > t.perDay) revert IRiskGuard.NotLower(perDay, t.perDay);
        (tipTerms.most, tipTerms.perDay) = (most, perDay);
        emit TipSet(t.gasToken, most, perDay);
    }

    /// @notice Anyone. Notes that a unit is under its critical health by the venue's own rule, or forgets it where it is not.
    function noteCritical(address vault, address venue, uint256 unit) external returns (bool critical) {
        critical = IVenue(venue).unitHealth(unit) < IVault(vault).venueConfig(venue).criticalHealth;
        if (!critical) delete _notedAt[vault][venue][unit];
        else if (!_noted(vault, venue, unit)) _notedAt[vault][venue][unit] = block.number;
    }

    /// @inheritdoc IVenueActs
    function begin(Act act, address venue, uint256 unit, uint256 limitPrice, uint256 idle)
        external
        returns (bytes memory)
    {
        VenueConfig memory config = IVault(msg.sender).venueConfig(venue);
        Memo memory memo;
        (memo.act, memo.venue, memo.unit, memo.idle, memo.gas) = (act, venue, unit, idle, gasleft());
        if (act == Act.TopUp || act == Act.CriticalTopUp) {
            if (frozen[venue]) revert IRiskGuard.VenueFrozen(venue);
            memo.health = IVenue(venue).unitHealth(unit);
            if (memo.health >= config.targetHealth) {
                revert IVault.PastTarget(venue, unit, memo.health, config.targetHealth);
            }
            if (act == Act.CriticalTopUp && !_proven(memo, config.criticalHealth)) return "";
        } else {
            if (act == Act.KeeperReduce) _requireUnpriced();
            if (act == Act.Free || act == Act.KeeperFree) memo.health = IVenue(venue).unitHealth(unit);
            memo.stand = witness.stand(guard, msg.sender, venue, unit, act, limitPrice);
        }
        return abi.encode(memo);
    }

    /// @inheritdoc IVenueActs
    function finish(bytes calldata data, uint256 answer, uint256 idle) external returns (Outcome memory o) {
        Memo memory memo = abi.decode(data, (Memo));
        VenueConfig memory config = IVault(msg.sender).venueConfig(memo.venue);
        uint256 nav = guard.lastLow(msg.sender, memo.idle);
        o.healthBefore = memo.health;
        if (memo.act == Act.TopUp || memo.act == Act.CriticalTopUp) {
            o.healthAfter = IVenue(memo.venue).unitHealth(memo.unit);
            if (o.healthAfter > config.targetHealth) {
                revert IVault.PastTarget(memo.venue, memo.unit, o.healthAfter, config.targetHealth);
            }
            o.loss = _finishTopUp(memo, answer, idle, nav);
            if (memo.act == Act.CriticalTopUp && o.healthAfter >= config.minHealth) o.tip = _tip(memo, nav);
        } else {
            o.loss = witness.cost(guard, msg.sender, memo.venue, memo.unit, memo.stand, memo.idle, idle);
            if (memo.act == Act.Free || memo.act == Act.KeeperFree) {
                o.healthAfter = IVenue(memo.venue).unitHealth(memo.unit);
                if (o.healthAfter < config.minHealth && o.healthAfter < memo.health) {
                    revert IRiskGuard.UnitUnhealthy(memo.venue, memo.unit, o.healthAfter, config.minHealth);
                }
            }
            bool byKeeper = memo.act == Act.KeeperReduce || memo.act == Act.KeeperFree;
            guard.eased(msg.sender, memo.venue, int256(memo.idle) - int256(idle), o.loss, nav, byKeeper);
        }
    }

    /// @dev What a top-up lost, charged; its flow counted and held to the caps.
    function _finishTopUp(Memo memory memo, uint256 posted, uint256 idle, uint256 nav) private returns (uint256 loss) {
        uint256 spent = memo.idle - idle;
        (uint256 low, uint256 mid) = _marginPrice(memo.venue);
        uint256 slipped = _lack(spent, Math.mulDiv(posted, mid, 1e18));
        uint256 most = Math.mulDiv(spent, MAX_SLIP, 1e18);
        if (slipped > most) revert IRiskGuard.LossTooLarge(slipped, most);
        return guard.toppedUp(msg.sender, memo.venue, spent, Math.mulDiv(posted, low, 1e18), nav);
    }

    /// @dev Whether a unit is critical by our own price, or was by its own in an earlier block too; notes it where it is not known yet.
    function _proven(Memo memory memo, uint256 critical) private returns (bool) {
        if (IVenue(memo.venue).kind() == Kind.Perp) {
            (bool priced, int256 mid) = IValuer(IVault(msg.sender).valuer()).venueMid(msg.sender, memo.venue);
            uint256 maintenance = IVenue(memo.venue).margin(memo.unit).maintenance;
            if (priced && maintenance != 0) {
                if (mid <= 0 || Math.mulDiv(uint256(mid), 1e18, maintenance) < critical) return true;
            }
        }
        if (memo.health >= critical) revert NotCritical(memo.venue, memo.unit, memo.health, critical);
        if (_noted(msg.sender, memo.venue, memo.unit)) {
            return block.number > _notedAt[msg.sender][memo.venue][memo.unit];
        }
        _notedAt[msg.sender][memo.venue][memo.unit] = block.number;
        return false;
    }

    function _noted(address vault, address venue, uint256 unit) private view returns (bool) {
        uint256 at = _notedAt[vault][venue][unit];
        return at != 0 && block.number <= at + NOTE_BLOCKS;
    }

    /// @dev What is paid for a critical top-up, charged.
    function _tip(Memo memory memo, uint256 nav) private returns (uint256 tip) {
        uint256 at = _tippedAt[msg.sender][memo.venue];
        if (at != 0 && block.timestamp < at + TIP_COOLDOWN) return 0;
        TipTerms memory t = tipTerms;
        uint256 price;
        try IPriceOracle(IVault(msg.sender).oracle()).quote(t.gasToken) returns (
            uint256 low, uint256, uint256, uint256
        ) {
            price = low;
        } catch {
            return 0;
        }
        uint256 cost = (memo.gas - gasleft() + TIP_GAS) * block.basefee;
        tip = Math.min(Math.mulDiv(Math.mulDiv(cost, TIP_OF_GAS, 1e18), price, 1e18), t.most);
        tip = Math.min(tip, _lack(t.perDay, _tips[msg.sender].net(1 days)));
        if (tip == 0) return 0;
        tip = guard.tipped(msg.sender, tip, nav);
        _tippedAt[msg.sender][memo.venue] = block.timestamp;
        _tips[msg.sender].add(int256(tip), 1 days);
    }

    function _requireUnpriced() private view {
        (bool priced,,,) = IValuer(IVault(msg.sender).valuer()).interval(msg.sender);
        if (priced) revert Priced();
    }

    function _lack(uint256 wanted, uint256 there) private pure returns (uint256) {
        return wanted > there ? wanted - there : 0;
    }

    function _marginPrice(address venue) private view returns (uint256 low, uint256 mid) {
        address token = witness.marginToken(venue);
        if (token == address(0)) return (1e18, 1e18);
        try IPriceOracle(IVault(msg.sender).oracle()).quote(token) returns (
            uint256 low_, uint256 mid_, uint256, uint256
        ) {
            return (low_, mid_);
        } catch {}
        (mid,) = guard.lastPrice(msg.sender, token);
        if (mid == 0) mid = 1e18;
        low = mid - Math.mulDiv(mid, HAIRCUT, 1e18);
    }
}
