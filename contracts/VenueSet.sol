// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {IVault, VenueConfig} from "./IVault.sol";
import {IPriceOracle} from "./oracle/IPriceOracle.sol";
import {Book, Exposure, Greeks, IVenue, Kind} from "./venues/IVenue.sol";

/// @title VenueSet: the venues of a vault and what the curator allows each
/// @notice At most `MAX_VENUES`, in order of registration until one is removed.
library VenueSet {
    uint256 internal constant MAX_VENUES = 8;
    /// @notice What a venue may still hold when it is removed, asset units at 1e18: roundings, and what a stranger sends to
    /// be in the way.
    uint256 internal constant MAX_DUST = 1e18;

    /// @notice Not an adapter that names this vault as its own.
    error NotOurs(address venue);
    /// @notice A venue that still holds more than `MAX_DUST` cannot be removed.
    error NotEmpty(address venue, int256 mid, uint256 pending);
    /// @notice The least critical health of a venue that may have margin: with none, nobody could top it up.
    uint256 internal constant MIN_CRITICAL = 1.01e18;

    /// @notice A critical health under `MIN_CRITICAL`.
    error CriticalTooLow(uint256 critical, uint256 minimum);
    /// @notice Health levels must rise from critical over minimum to target.
    error DisorderedHealth(uint256 critical, uint256 minimum, uint256 target);

    struct Set {
        address[] list;
        mapping(address venue => bool) known;
        mapping(address venue => VenueConfig) configs;
    }

    /// @notice The configuration of a registered venue.
    function config(Set storage self, address venue) internal view returns (VenueConfig memory) {
        if (!self.known[venue]) revert IVault.UnknownVenue(venue);
        return self.configs[venue];
    }

    /// @notice Registers `venue`, which must name the calling contract as its vault.
    function add(Set storage self, address venue, VenueConfig calldata config_) internal {
        if (self.known[venue]) revert IVault.VenueKnown(venue);
        if (self.list.length == MAX_VENUES) revert IVault.TooManyVenues(MAX_VENUES);
        if (IVenue(venue).vault() != address(this)) revert NotOurs(venue);
        self.known[venue] = true;
        self.list.push(venue);
        _set(self, venue, config_);
    }

    /// @notice Replaces the configuration of a registered venue.
    function configure(Set storage self, address venue, VenueConfig calldata config_) internal {
        if (!self.known[venue]) revert IVault.UnknownVenue(venue);
        _set(self, venue, config_);
    }

    /// @notice Replaces the configuration of a registered venue by one that lets no more risk in. Raising the target or the critical
    /// health lets more cash be posted, so it is raising risk.
    function tighten(Set storage self, address venue, VenueConfig calldata config_) internal {
        VenueConfig memory now_ = config(self, venue);
        _notHigher(config_.cap, now_.cap);
        _notHigher(config_.targetHealth, now_.targetHealth);
        _notHigher(config_.criticalHealth, now_.criticalHealth);
        _notHigher(now_.minHealth, config_.minHealth);
        _set(self, venue, config_);
    }

    /// @notice Drops a venue that holds no more than dust at `oracle`'s mid.
    function remove(Set storage self, address venue, address oracle) internal {
        Book memory book = IVenue(venue).book();
        uint256 pending = IVenue(venue).pending().length;
        if (SignedMath.abs(book.mid) > MAX_DUST || _exposed(book.exposures, oracle) || pending != 0) {
            revert NotEmpty(venue, book.mid, pending);
        }
        drop(self, venue);
    }

    /// @notice Drops a venue whatever it holds.
    function drop(Set storage self, address venue) internal {
        if (!self.known[venue]) revert IVault.UnknownVenue(venue);
        self.known[venue] = false;
        delete self.configs[venue];
        uint256 last = self.list.length - 1;
        for (uint256 i; i < last; ++i) {
            if (self.list[i] == venue) self.list[i] = self.list[last];
        }
        self.list.pop();
    }

    function _set(Set storage self, address venue, VenueConfig calldata config_) private {
        if (config_.criticalHealth > config_.minHealth || config_.minHealth > config_.targetHealth) {
            revert DisorderedHealth(config_.criticalHealth, config_.minHealth, config_.targetHealth);
        }
        if (config_.criticalHealth < MIN_CRITICAL && IVenue(venue).kind() != Kind.Spot) {
            revert CriticalTooLow(config_.criticalHealth, MIN_CRITICAL);
        }
        self.configs[venue] = config_;
    }

    function _notHigher(uint256 value, uint256 current) private pure {
        if (value > current) revert IRiskGuard.NotLower(value, current);
    }

    function _exposed(Exposure[] memory exposures, address oracle) private view returns (bool) {
        for (uint256 i; i < exposures.length; ++i) {
            Greeks memory g = exposures[i].greeks;
            if (g.gamma != 0 || g.vega != 0 || g.theta != 0) return true;
            if (g.delta == 0) continue;
            (, uint256 price,,) = IPriceOracle(oracle).quote(exposures[i].underlying);
            if (Math.mulDiv(SignedMath.abs(g.delta), price, 1e18) > MAX_DUST) return true;
        }
        return false;
    }
}
