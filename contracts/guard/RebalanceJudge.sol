// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Instruction, IVault} from "../IVault.sol";
import {IMarks} from "../nav/IMarks.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IVenue} from "../venues/IVenue.sol";
import {CriticalNeed} from "./CriticalNeed.sol";
import {IRebalanceJudge, Verdict} from "./IRebalanceJudge.sol";
import {IRiskGuard} from "./IRiskGuard.sol";
import {IValuer, Valuation} from "./IValuer.sol";
import {IVenueActs} from "./IVenueActs.sol";
import {Reading, Valuing} from "./Valuing.sol";

/// @title RebalanceJudge: what a rebalance did to a vault, for its guard to allow or refuse
/// @notice Stateless; serves any vault that names it.
///
/// TWO VALUATIONS AT ONE SET OF PRICES. `begin` reads every venue, `finish` those that were touched and takes the rest as they were, at
/// the prices and vols of `begin`: what did not change is not paid for twice, and no price that moves during the call is a gain. Touched is
/// what is called, and what is named in the arguments of a call, whereto tokens may be moved in kind. What reaches a venue in
/// another way counts as lost.
///
/// UNEXPLAINED LOSSES. What the vault lost since its last mark, and prices, time and carry do not explain (`IMarks`), fills the guard's bucket
/// before the call is judged, so that a loss cannot hide between two calls.
///
/// HEALTH. A unit of a venue that was touched ends at its venue's minimum health or above; one that was below before may stay
/// below if it is not worse (`UnitUnhealthy`). A call must not be refused for mending half of a problem, nor for one that it did
/// not touch.
///
/// No venue that is touched is frozen (`VenueFrozen`). What units lack that are under critical health is answered here too (`CriticalNeed`). All else is the guard's (`RiskGuard`).
///
/// ASSUMPTIONS. THE CALLING VAULT CALLS `begin` AND `finish` IN ONE TRANSACTION, HANDS ON `data` AS IT WAS, AND LETS NO ONE BUT THE VENUES IN
/// BETWEEN. ADAPTERS LET STRANGERS CHANGE NOTHING MEANWHILE. A FALSE VAULT DECEIVES ITSELF ALONE: GUARD AND MARKS KEEP THEIR STATE BY VAULT, AND LISTEN
/// TO THE JUDGE THAT THE VAULT NAMES.
contract RebalanceJudge is Valuing, IRebalanceJudge {
    /// @dev Health at 1e18 of one margin unit of one venue.
    struct UnitHealth {
        address venue;
        uint256 unit;
        uint256 health;
    }

    /// @dev What `begin` hands to `finish`.
    struct Memo {
        address[] touched;
        address[] venues;
        Reading[] readings;
        Valuation before;
        UnitHealth[] units;
    }

    /// @inheritdoc IRebalanceJudge
    function begin(Instruction[] calldata calls, int256 flow)
        external
        returns (bytes memory, address[] memory touched)
    {
        IRiskGuard guard = IRiskGuard(IVault(msg.sender).guard());
        IVenueActs acts = IVenueActs(guard.acts());
        IPriceOracle(IVault(msg.sender).oracle()).pinAll(guard.underlyings());
        Memo memory memo;
        memo.venues = IVault(msg.sender).venues();
        memo.touched = touched = _touched(calls, memo.venues);
        for (uint256 i; i < touched.length; ++i) {
            if (acts.frozen(touched[i])) revert IRiskGuard.VenueFrozen(touched[i]);
        }
        memo.readings = _readAll(memo.venues);
        memo.before = _valued(memo);
        memo.units = _healths(touched);
        if (memo.before.priced) _chargeUnexplained(guard, memo.before, flow);
        return (abi.encode(memo), touched);
    }

    /// @inheritdoc IRebalanceJudge
    function finish(bytes calldata data, int256[] calldata posted) external returns (Verdict memory) {
        Memo memory memo = abi.decode(data, (Memo));
        for (uint256 i; i < memo.venues.length; ++i) {
            if (_has(memo.touched, memo.venues[i])) memo.readings[i] = _read(memo.venues[i]);
        }
        Valuation memory v = _valued(memo);
        IVault vault = IVault(msg.sender);
        uint256 loss = IRiskGuard(vault.guard()).check(msg.sender, memo.before, v, memo.touched, posted);
        _checkUnits(memo);
        IMarks(vault.marks()).store(msg.sender, v);
        return Verdict(memo.before.mid, v.low, v.mid, v.high, loss);
    }

    /// @inheritdoc IRebalanceJudge
    function criticalNeed(address vault, uint256 worth) external view returns (uint256) {
        return CriticalNeed.needOf(IVault(vault), worth);
    }

    /// @dev The least health of a unit of `venue`, at 1e18.
    function _minimum(address venue) internal view virtual returns (uint256) {
        return IVault(msg.sender).venueConfig(venue).minHealth;
    }

    function _valued(Memo memory memo) private view returns (Valuation memory) {
        return _combined(msg.sender, memo.venues, memo.readings, memo.before.prices, memo.before.vols);
    }

    function _chargeUnexplained(IRiskGuard guard, Valuation memory v, int256 flow) private {
        IVault vault = IVault(msg.sender);
        IMarks.Ask memory ask = IMarks.Ask(vault.oracle(), vault.volSource(), v.idle, flow, 0);
        uint256 loss = IMarks(vault.marks()).unexplained(msg.sender, ask, v.mid);
        if (loss != 0) guard.charge(msg.sender, loss, v.low);
    }

    function _checkUnits(Memo memory memo) private view {
        UnitHealth[] memory units = _healths(memo.touched);
        for (uint256 i; i < units.length; ++i) {
            UnitHealth memory u = units[i];
            uint256 minimum = _minimum(u.venue);
            if (u.health >= minimum) continue;
            bool mending;
            for (uint256 j; j < memo.units.length; ++j) {
                UnitHealth memory was = memo.units[j];
                if (was.venue == u.venue && was.unit == u.unit) {
                    mending = was.health < minimum && u.health >= was.health;
                }
            }
            if (!mending) revert IRiskGuard.UnitUnhealthy(u.venue, u.unit, u.health, minimum);
        }
    }

    function _healths(address[] memory venues) private view returns (UnitHealth[] memory units) {
        uint256[][] memory ids = new uint256[][](venues.length);
        uint256 count;
        for (uint256 i; i < venues.length; ++i) {
            ids[i] = IVenue(venues[i]).marginUnits();
            count += ids[i].length;
        }
        units = new UnitHealth[](count);
        count = 0;
        for (uint256 i; i < venues.length; ++i) {
            for (uint256 j; j < ids[i].length; ++j) {
                units[count++] = UnitHealth(venues[i], ids[i][j], IVenue(venues[i]).unitHealth(ids[i][j]));
            }
        }
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
