// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IRiskGuard} from "./IRiskGuard.sol";
import {IValuer} from "./IValuer.sol";
import {IVenueActs} from "./IVenueActs.sol";
import {IVault, VenueConfig} from "../IVault.sol";
import {IVenue, Margin} from "../venues/IVenue.sol";

/// @title CriticalNeed: what top-ups may claim of idle before anyone who leaves
/// @notice The need of a venue is, summed over its margin units under critical health, what their equity lacks to it:
/// critical x maintenance - equity, and at most the venue's cap. So a unit that nobody can mend, or a protocol that
/// shows absurd numbers, holds back a bounded part of idle and not all of it. A venue that counts cash at less than its
/// worth (a lending venue below its threshold) needs more than this says.
///
/// A VENUE THAT IS FROZEN needs nothing: no top-up reaches it. So the guardian can let go what a protocol that only looks critical holds back.
///
/// WHAT CANNOT BE READ counts as no need. A read that fails with less than its allowance reverts with `IValuer.GasTooLow`, or a
/// caller could choose whose need counts by choosing the gas of a transaction.
///
/// ASSUMPTIONS. ADAPTERS ARE OURS; THE PROTOCOLS BEHIND THEM MAY BE HOSTILE.
library CriticalNeed {
    /// @notice Gas that one read of a venue may take.
    uint256 internal constant READ_GAS = 1_500_000;
    /// @notice Margins and health levels beyond this count as this.
    uint256 internal constant BOUND = 2 ** 120;

    /// @notice The need of `vault`, asset units at 1e18, rounded up.
    /// @param worth NAV at 1e18, which caps are fractions of.
    function needOf(IVault vault, uint256 worth) internal view returns (uint256 need) {
        address[] memory venues = vault.venues();
        IVenueActs acts = IVenueActs(IRiskGuard(vault.guard()).acts());
        for (uint256 i; i < venues.length; ++i) {
            if (acts.frozen(venues[i])) continue;
            VenueConfig memory config = vault.venueConfig(venues[i]);
            uint256 available = gasleft();
            try IVenue(venues[i]).health{gas: READ_GAS}() returns (uint256 health) {
                if (health >= config.criticalHealth) continue;
                uint256 cap = Math.mulDiv(worth, Math.min(config.cap, 1e18), 1e18);
                need += Math.min(_lack(IVenue(venues[i]), Math.min(config.criticalHealth, BOUND)), cap);
            } catch {
                _owed(available);
            }
        }
    }

    function _lack(IVenue venue, uint256 critical) private view returns (uint256 lack) {
        uint256[] memory units = venue.marginUnits();
        for (uint256 i; i < units.length; ++i) {
            uint256 available = gasleft();
            try venue.margin{gas: READ_GAS}(units[i]) returns (Margin memory m) {
                int256 needed = int256(Math.mulDiv(Math.min(m.maintenance, BOUND), critical, 1e18, Math.Rounding.Ceil));
                int256 short = needed - SignedMath.max(m.equity, -int256(BOUND));
                if (short > 0) lack += uint256(short);
            } catch {
                _owed(available);
            }
        }
    }

    function _owed(uint256 available) private pure {
        uint256 needed = READ_GAS + READ_GAS / 63 + 10_000;
        if (available < needed) revert IValuer.GasTooLow(available, needed);
    }
}
