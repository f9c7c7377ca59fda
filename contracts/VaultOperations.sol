// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IRebalanceJudge, Verdict} from "./guard/IRebalanceJudge.sol";
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {Act, IVenueActs, Outcome} from "./guard/IVenueActs.sol";
import {Instruction, IVault, VenueConfig} from "./IVault.sol";
import {VaultShares} from "./VaultShares.sol";
import {WriteOffs} from "./recovery/WriteOffs.sol";
import {VenueSet} from "./VenueSet.sol";
import {IVenue} from "./venues/IVenue.sol";

/// @title VaultOperations: venues, rebalanced and topped up under guard
/// @notice REBALANCE. The keeper's instructions are calldata for registered venues only, which can neither be the asset nor this
/// contract. The judge values the vault, has it make the calls, values it again, and the guard allows or refuses (`RebalanceJudge`); a
/// breach of any rule undoes all of it.
///
/// TOP-UPS, REDUCTIONS AND FREED MARGIN go to one venue and are judged by that venue alone, so that a price missing elsewhere does
/// not get a unit liquidated. The rules and who may do what when are the guard's (`VenueActs`).
///
/// FUND. A venue draws idle only inside a call that this vault is making to it.
///
/// WRITE-OFF. `writeOff` takes a venue out of NAV for good, so that entry opens again where it could not be read. It is called no more but by
/// `recover`, without a claim on idle, and what it pays goes to those who held shares when it was written off (`WriteOffs`). A token that
/// `recover` sends to a venue of the vault instead is the present holders'. A venue that can still be read, at next to nothing, lets those in
/// who know that it will be written off: write off what was lost before it is known what may come back. Until the next rebalance the guard's last
/// accepted NAV, by which top-ups and reductions are bounded, has the venue in it.
///
/// ROLES, by the authority: `rebalance`, `topUp`, `keeperReduce`, `keeperFree` (keeper), `reduce`, `free` (guardian), `addVenue`,
/// `configureVenue`, `removeVenue` (curator), `tightenVenue` (sentinel), `writeOff`, `recover` (governor). `topUpCritical` is anyone's.
///
/// ASSUMPTIONS. ADAPTERS ARE OURS; THE PROTOCOLS BEHIND THEM MAY BE HOSTILE, AND COST AT MOST WHAT THEIR ADAPTER HOLDS.
abstract contract VaultOperations is VaultShares {
    using SafeERC20 for IERC20;
    using VenueSet for VenueSet.Set;

    uint256 public constant MAX_INSTRUCTIONS = 32;

    /// @notice More instructions than one rebalance carries.
    error TooManyInstructions(uint256 count, uint256 maximum);

    /// @inheritdoc IVault
    mapping(bytes32 planId => bool) public planUsed;
    VenueSet.Set private _venues;
    /// @dev The venue that is being called and may draw funds.
    address private transient _calling;

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

        uint256 supply = totalSupply();
        _idleBefore = _idle() + 1;
        Verdict memory v;
        (results, v) = IRebalanceJudge(judge).rebalance(calls, _flow());
        if (totalSupply() != supply) revert SupplyChanged(supply, totalSupply());
        _struck(v.low, v.mid, v.high);
        _idleBefore = 0;
        emit Rebalanced(planId, msg.sender, v.midBefore, v.mid, v.loss);
    }

    /// @inheritdoc IVault
    function makeCalls(Instruction[] calldata calls, address[] calldata touched)
        external
        returns (bytes[] memory results, int256[] memory posted)
    {
        if (msg.sender != judge) revert NotJudging(msg.sender);
        results = new bytes[](calls.length);
        posted = new int256[](touched.length);
        int256 wei_ = int256(_wei());
        uint256 idle = _idle();
        for (uint256 i; i < calls.length; ++i) {
            results[i] = _call(calls[i].venue, i, calls[i].data);
            uint256 left = _idle();
            uint256 at;
            while (touched[at] != calls[i].venue) ++at;
            posted[at] += (int256(idle) - int256(left)) * wei_;
            idle = left;
        }
    }

    /// @inheritdoc IVault
    function topUp(address venue, uint256 unit, uint256 assets, uint256 minPosted)
        external
        restricted
        nonReentrant
        returns (uint256 posted)
    {
        (posted,) = _act(Act.TopUp, venue, unit, assets, minPosted);
    }

    /// @inheritdoc IVault
    function topUpCritical(address venue, uint256 unit, uint256 assets)
        external
        nonReentrant
        returns (uint256 posted, uint256 tip)
    {
        return _act(Act.CriticalTopUp, venue, unit, assets, 0);
    }

    /// @inheritdoc IVault
    function reduce(address venue, uint256 unit, uint256 fraction, uint256 limitPrice)
        external
        restricted
        nonReentrant
    {
        _act(Act.Reduce, venue, unit, fraction, limitPrice);
    }

    /// @inheritdoc IVault
    function keeperReduce(address venue, uint256 unit, uint256 fraction, uint256 limitPrice)
        external
        restricted
        nonReentrant
    {
        _act(Act.KeeperReduce, venue, unit, fraction, limitPrice);
    }

    /// @inheritdoc IVault
    function free(address venue, uint256 unit, uint256 assets, uint256 minFreed)
        external
        restricted
        nonReentrant
        returns (uint256 freed)
    {
        (freed,) = _act(Act.Free, venue, unit, assets, minFreed);
    }

    /// @inheritdoc IVault
    function keeperFree(address venue, uint256 unit, uint256 assets, uint256 minFreed)
        external
        restricted
        nonReentrant
        returns (uint256 freed)
    {
        (freed,) = _act(Act.KeeperFree, venue, unit, assets, minFreed);
    }

    /// @inheritdoc IVault
    function fund(uint256 assets) external {
        if (msg.sender != _calling) revert NotCalling(msg.sender);
        uint256 idle = _idle();
        if (assets > idle) revert IdleShort(idle, assets);
        IERC20(asset()).safeTransfer(msg.sender, assets);
    }

    /// @notice RESTRICTED. Registers an adapter of this vault; reverts with `VenueSet.NotOurs`, `VenueKnown`, `TooManyVenues`
    /// or `VenueSet.DisorderedHealth`.
    function addVenue(address venue, VenueConfig calldata config) external restricted nonReentrant {
        if (venue == asset() || venue == address(this)) revert VenueSet.NotOurs(venue);
        if (payee(venue) != address(this)) revert VenueKnown(venue);
        _venues.add(venue, config);
        _forgetMark();
        emit VenueAdded(venue, config);
    }

    /// @notice RESTRICTED. Sets cap and health levels of a registered venue.
    function configureVenue(address venue, VenueConfig calldata config) external restricted nonReentrant {
        _venues.configure(venue, config);
        emit VenueConfigured(venue, config);
    }

    /// @notice SENTINEL. The same where nothing lets more risk in: no higher cap, target or critical health, no lower minimum
    /// (`IRiskGuard.NotLower`, its numbers swapped for the minimum).
    function tightenVenue(address venue, VenueConfig calldata config) external restricted nonReentrant {
        _venues.tighten(venue, config);
        emit VenueConfigured(venue, config);
    }

    /// @notice RESTRICTED. Drops a venue whose book is empty but for dust: value and each delta at most `VenueSet.MAX_DUST`,
    /// no other Greeks, no pending orders; `VenueSet.NotEmpty` otherwise.
    function removeVenue(address venue) external restricted nonReentrant {
        _venues.remove(venue, oracle);
        _forgetMark();
        emit VenueRemoved(venue);
    }

    /// @inheritdoc IVault
    function writeOff(address venue) external restricted nonReentrant {
        _venues.drop(venue);
        emit VenueWrittenOff(venue, _open(venue));
    }

    /// @inheritdoc IVault
    function recover(address venue, bytes calldata data)
        external
        restricted
        nonReentrant
        returns (bytes memory answer)
    {
        address purse = payee(venue);
        if (purse == address(this)) revert NotWrittenOff(venue);
        uint256 idle = _idle();
        uint256 kept = IERC20(asset()).balanceOf(purse);
        _idleBefore = idle + 1;
        bool done;
        (done, answer) = venue.call(data);
        if (!done) revert VenueCallFailed(venue, 0, answer);
        // An adapter pays the purse; a protocol that pays the vault pays it here.
        IERC20(asset()).safeTransfer(purse, _idle() - idle);
        _idleBefore = 0;
        emit Recovered(venue, IERC20(asset()).balanceOf(purse) - kept);
    }

    /// @inheritdoc IVault
    function venues() external view returns (address[] memory) {
        return _venues.list;
    }

    /// @inheritdoc IVault
    function payee(address venue) public view returns (address) {
        address purse = _venues.known[venue] ? address(0) : WriteOffs(writeOffs).purseOf(venue);
        return purse == address(0) ? address(this) : purse;
    }

    /// @inheritdoc IVault
    function isVenue(address venue) external view returns (bool) {
        return _venues.known[venue];
    }

    /// @inheritdoc IVault
    function acting() external view returns (bool) {
        return _idleBefore != 0;
    }

    /// @inheritdoc IVault
    function venueConfig(address venue) external view returns (VenueConfig memory) {
        return _venues.config(venue);
    }

    /// @dev One call of one venue outside a rebalance. `limit` is the least that must be posted or freed, or a reduction's price.
    function _act(Act act, address venue, uint256 unit, uint256 amount, uint256 limit)
        private
        returns (uint256 answer, uint256 tip)
    {
        Outcome memory o;
        _idleBefore = _idle() + 1;
        (answer, o) = _judged(act, venue, unit, limit, abi.encodeWithSelector(_actionOf(act), unit, amount, limit));
        if (act == Act.TopUp || act == Act.CriticalTopUp) {
            if (answer != 0) emit ToppedUp(venue, unit, amount, o.healthBefore, o.healthAfter);
        } else {
            emit Eased(venue, unit, act, amount, o.loss);
        }
        tip = o.tip / _wei();
        if (tip != 0) {
            IERC20(asset()).safeTransfer(msg.sender, tip);
            emit TipPaid(venue, msg.sender, tip);
        }
        // What was only noted moved nothing.
        if (act != Act.CriticalTopUp || answer != 0) {
            int256 flow = int256(_idleBefore - 1) - int256(_idle());
            _moved(flow * int256(_wei()), o.loss + o.tip, _actionOf(act) != IVenue.reduce.selector);
        }
        _idleBefore = 0;
    }

    /// @dev Calls `venue` between the guard's `begin` and `finish`; does nothing where the guard says so.
    function _judged(Act act, address venue, uint256 unit, uint256 limit, bytes memory call)
        private
        returns (uint256 answer, Outcome memory o)
    {
        uint256 wei_ = _wei();
        uint256 idle = _idle() * wei_;
        IVenueActs acts = IVenueActs(IRiskGuard(guard).acts());
        bytes memory data = acts.begin(act, venue, unit, limit, idle);
        if (data.length == 0) return (0, o);
        answer = abi.decode(_call(venue, 0, call), (uint256));
        o = acts.finish(data, answer * wei_, _idle() * wei_);
    }

    function _actionOf(Act act) private pure returns (bytes4) {
        if (act == Act.TopUp || act == Act.CriticalTopUp) return IVenue.post.selector;
        return act == Act.Free || act == Act.KeeperFree ? IVenue.free.selector : IVenue.reduce.selector;
    }

    /// @dev Asset units at 1e18 in a wei of the asset.
    function _wei() private view returns (uint256) {
        return 10 ** (18 + _decimalsOffset() - decimals());
    }

    function _call(address venue, uint256 index, bytes memory data) private returns (bytes memory) {
        if (!_venues.known[venue]) revert UnknownVenue(venue);
        _calling = venue;
        (bool done, bytes memory answer) = venue.call(data);
        _calling = address(0);
        if (!done) revert VenueCallFailed(venue, index, answer);
        return answer;
    }
}
