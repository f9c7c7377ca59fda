// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IRiskGuard, UnitHealth} from "./guard/IRiskGuard.sol";
import {IValuer, Valuation} from "./guard/IValuer.sol";
import {Instruction, IVault, VenueConfig} from "./IVault.sol";
import {VaultShares} from "./VaultShares.sol";
import {VenueSet} from "./VenueSet.sol";
import {IVenue} from "./venues/IVenue.sol";

/// @title VaultOperations: venues, rebalanced and topped up under guard
/// @notice REBALANCE. The keeper's instructions are calldata for registered venues only, which can neither be the asset nor this
/// contract. The guard judges the valuations before and after; a breach of any rule undoes all of it.
///
/// FUND. A venue draws idle only inside a call that this vault is making to it.
///
/// ROLES, by the authority: `rebalance`, `topUp` (keeper), `addVenue`, `configureVenue`, `removeVenue` (curator).
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

        address[] memory touched = _touched(calls);
        UnitHealth[] memory units = IRiskGuard(guard).healths(touched);
        Valuation memory before = IValuer(valuer).value(address(this));
        uint256 supply = totalSupply();
        int256[] memory posted;
        (results, posted) = _callAll(calls, touched);
        if (totalSupply() != supply) revert SupplyChanged(supply, totalSupply());

        Valuation memory afterwards = IValuer(valuer).value(address(this));
        uint256 loss = IRiskGuard(guard).check(before, afterwards, touched, posted, units);
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
        IRiskGuard(guard).checkTopUp(before, afterwards);
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

    /// @dev `posted[i]` is what `touched[i]` took of idle less what it gave, in wei of the asset.
    function _callAll(Instruction[] calldata calls, address[] memory touched)
        private
        returns (bytes[] memory results, int256[] memory posted)
    {
        results = new bytes[](calls.length);
        posted = new int256[](touched.length);
        uint256 idle = _idle();
        for (uint256 i; i < calls.length; ++i) {
            results[i] = _call(calls[i].venue, i, calls[i].data);
            uint256 left = _idle();
            uint256 at;
            while (touched[at] != calls[i].venue) ++at;
            posted[at] += int256(idle) - int256(left);
            idle = left;
        }
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
}
