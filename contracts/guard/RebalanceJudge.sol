// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Instruction, IVault} from "../IVault.sol";
import {IMarks} from "../nav/IMarks.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IVenue, UnitHealth} from "../venues/IVenue.sol";
import {CriticalNeed} from "./CriticalNeed.sol";
import {IRebalanceJudge, Verdict} from "./IRebalanceJudge.sol";
import {IRiskGuard} from "./IRiskGuard.sol";
import {IValuer, Valuation} from "./IValuer.sol";
import {IVenueActs} from "./IVenueActs.sol";
import {Reading, Valuing} from "./Valuing.sol";

/// @title RebalanceJudge: what a rebalance did to a vault, for its guard to allow or refuse
/// @notice Stateless; serves any vault that names it.
///
/// TWO VALUATIONS AT ONE SET OF PRICES. Before the calls every venue is read, after them those that were touched, the rest taken as they were, at
/// the prices and vols of before: what did not change is not paid for twice, and no price that moves during the calls is a gain. Touched is
/// what is called, and what is named in the arguments of a call, whereto tokens may be moved in kind. What reaches a venue in
/// another way counts as lost.
///
/// UNEXPLAINED LOSSES. What the vault lost since its last mark, and prices, time and carry do not explain (`IMarks`), fills the guard's bucket
/// before the calls are judged, so that a loss cannot hide between two rebalances.
///
/// HEALTH. A unit of a venue that was touched ends at its venue's minimum health or above; one that was below before may stay
/// below if it is not worse (`UnitUnhealthy`). A call must not be refused for mending half of a problem, nor for one that it did
/// not touch.
///
/// No venue that is touched is frozen (`VenueFrozen`). What units lack that are under critical health is answered here too (`CriticalNeed`). All else is the guard's (`RiskGuard`).
///
/// ASSUMPTIONS. THE CALLING VAULT LETS NO ONE BUT THE VENUES IN WHILE IT WAITS. ADAPTERS LET STRANGERS CHANGE NOTHING MEANWHILE. THE VAULT IS CALLED
/// BACK ONLY WHILE IT CALLS HERE. A FALSE VAULT DECEIVES ITSELF ALONE: GUARD AND MARKS KEEP THEIR STATE BY VAULT, AND LISTEN TO THE JUDGE THAT THE VAULT NAMES.
contract RebalanceJudge is Valuing, IRebalanceJudge {
    /// @dev A vault that is being judged: all its venues, those that are touched, and how the units of all were before.
    struct Case {
        address[] venues;
        address[] touched;
        Reading[] readings;
        UnitHealth[][] units;
        Valuation before;
    }

    /// @inheritdoc IRebalanceJudge
    function rebalance(Instruction[] calldata calls, int256 flow)
        external
        returns (bytes[] memory results, Verdict memory)
    {
        IVault vault = IVault(msg.sender);
        IRiskGuard guard = IRiskGuard(vault.guard());
        IPriceOracle(vault.oracle()).pinAll(guard.underlyings());
        Case memory c;
        c.venues = vault.venues();
        c.touched = _touched(calls, c.venues);
        _readBefore(c, IVenueActs(guard.acts()));
        c.before = _valued(c);
        if (c.before.priced) _chargeUnexplained(guard, c.before, flow);

        int256[] memory posted;
        (results, posted) = vault.makeCalls(calls, c.touched);

        for (uint256 i; i < c.venues.length; ++i) {
            if (_has(c.touched, c.venues[i])) c.readings[i] = _readStanding(c.venues[i]);
        }
        Valuation memory v = _valued(c);
        uint256 loss = guard.check(msg.sender, c.before, v, c.touched, posted);
        _checkUnits(c);
        IMarks(vault.marks()).store(msg.sender, v);
        return (results, Verdict(c.before.mid, v.low, v.mid, v.high, loss));
    }

    /// @inheritdoc IRebalanceJudge
    function criticalNeed(address vault, uint256 worth) external view returns (uint256) {
        return CriticalNeed.needOf(IVault(vault), worth);
    }

    /// @dev The least health of a unit of `venue`, at 1e18.
    function _minimum(address venue) internal view virtual returns (uint256) {
        return IVault(msg.sender).venueConfig(venue).minHealth;
    }

    function _readBefore(Case memory c, IVenueActs acts) private view {
        if (c.venues.length > MAX_VENUES) revert IVault.TooManyVenues(MAX_VENUES);
        c.readings = new Reading[](c.venues.length);
        c.units = new UnitHealth[][](c.venues.length);
        for (uint256 i; i < c.venues.length; ++i) {
            bool touched = _has(c.touched, c.venues[i]);
            if (touched && acts.frozen(c.venues[i])) revert IRiskGuard.VenueFrozen(c.venues[i]);
            c.readings[i] = touched ? _readStanding(c.venues[i]) : _read(c.venues[i]);
            // A health that cannot be read says why; all else that cannot is the guard's `Unpriced`.
            if (touched && !c.readings[i].done) IVenue(c.venues[i]).health();
            c.units[i] = c.readings[i].units;
        }
    }

    function _valued(Case memory c) private view returns (Valuation memory) {
        return _combined(msg.sender, c.venues, c.readings, c.before.prices, c.before.vols);
    }

    function _chargeUnexplained(IRiskGuard guard, Valuation memory v, int256 flow) private {
        IVault vault = IVault(msg.sender);
        IMarks.Ask memory ask = IMarks.Ask(vault.oracle(), vault.volSource(), v.idle, flow, 0);
        uint256 loss = IMarks(vault.marks()).unexplained(msg.sender, ask, v.mid);
        if (loss != 0) guard.charge(msg.sender, loss, v.low);
    }

    function _checkUnits(Case memory c) private view {
        for (uint256 i; i < c.venues.length; ++i) {
            // Of a venue that was not touched, units were not asked for.
            UnitHealth[] memory units = c.readings[i].units;
            if (units.length == 0) continue;
            uint256 minimum = _minimum(c.venues[i]);
            for (uint256 j; j < units.length; ++j) {
                uint256 health = units[j].health;
                if (health >= minimum) continue;
                uint256 was = _healthOf(c.units[i], units[j].unit);
                if (was >= minimum || health < was) {
                    revert IRiskGuard.UnitUnhealthy(c.venues[i], units[j].unit, health, minimum);
                }
            }
        }
    }

    /// @dev No health is greater than what a unit has that was not there.
    function _healthOf(UnitHealth[] memory units, uint256 unit) private pure returns (uint256) {
        for (uint256 i; i < units.length; ++i) {
            if (units[i].unit == unit) return units[i].health;
        }
        return type(uint256).max;
    }

    /// @dev Of `venues` those that are called, or named in the arguments of a call: there value may be moved to them in kind.
    function _touched(Instruction[] calldata calls, address[] memory venues)
        private
        pure
        returns (address[] memory touched)
    {
        touched = new address[](venues.length);
        uint256 count;
        for (uint256 i; i < venues.length; ++i) {
            for (uint256 j; j < calls.length; ++j) {
                if (calls[j].venue != venues[i] && !_names(calls[j].data, venues[i])) continue;
                touched[count++] = venues[i];
                break;
            }
        }
        assembly ("memory-safe") {
            mstore(touched, count)
        }
    }

    function _names(bytes calldata data, address venue) private pure returns (bool) {
        for (uint256 at = 4; at + 32 <= data.length; at += 32) {
            if (bytes32(data[at:at + 32]) == bytes32(uint256(uint160(venue)))) return true;
        }
        return false;
    }

    function _has(address[] memory list, address venue) private pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i] == venue) return true;
        }
        return false;
    }
}
