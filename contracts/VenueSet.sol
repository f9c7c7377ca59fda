// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault, VenueConfig} from "./IVault.sol";
import {Book, Exposure, Greeks, IVenue} from "./venues/IVenue.sol";

/// @title VenueSet: the venues of a vault and what the curator allows each
/// @notice At most `MAX_VENUES`, in order of registration until one is removed.
library VenueSet {
    uint256 internal constant MAX_VENUES = 8;

    /// @notice Not an adapter that names this vault as its own.
    error NotOurs(address venue);
    /// @notice A venue that still holds something cannot be removed.
    error NotEmpty(address venue, int256 mid, uint256 pending);
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

    /// @notice Drops a venue that holds nothing.
    function remove(Set storage self, address venue) internal {
        if (!self.known[venue]) revert IVault.UnknownVenue(venue);
        Book memory book = IVenue(venue).book();
        uint256 pending = IVenue(venue).pending().length;
        if (book.mid != 0 || _exposed(book.exposures) || pending != 0) {
            revert NotEmpty(venue, book.mid, pending);
        }
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
        self.configs[venue] = config_;
    }

    function _exposed(Exposure[] memory exposures) private pure returns (bool) {
        for (uint256 i; i < exposures.length; ++i) {
            Greeks memory g = exposures[i].greeks;
            if (g.delta != 0 || g.gamma != 0 || g.vega != 0 || g.theta != 0) return true;
        }
        return false;
    }
}
