// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IRiskGuard} from "../guard/IRiskGuard.sol";
import {IValuer, Valuation} from "../guard/IValuer.sol";
import {IVault} from "../IVault.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {ILendingVenue} from "../venues/lending/ILendingVenue.sol";
import {IOptionVenue} from "../venues/option/IOptionVenue.sol";
import {IPerpVenue} from "../venues/perp/IPerpVenue.sol";
import {ISpotVenue} from "../venues/spot/ISpotVenue.sol";
import {IVenue, Kind} from "../venues/IVenue.sol";
import {IVaultLens} from "./IVaultLens.sol";
import {UnderlyingState, UnitState, VaultState, VenueState} from "./VaultState.sol";

/// @title VaultLens: the whole state of a vault in one view
/// @notice Stateless; serves any vault; made to be called off chain.
///
/// WHAT CANNOT BE READ. Each venue is read in a call of this contract to itself with `VENUE_GAS`, so that one that reverts, answers
/// what does not decode or burns its gas comes back with `readable` false, empty arrays, and its revert data in `failure`
/// (first `MAX_FAILURE` bytes; empty when the data did not decode or the gas ran out). `kind` and `protocol` are then filled where
/// they at least can be read. A token without a price has `priced` false; one that is no ERC-20 has an empty symbol and 18 decimals.
///
/// UNDERLYINGS are the asset first, then the tokens that have limits at the guard, each once.
///
/// ASSUMPTIONS. THE VAULT, ITS GUARD, VALUER AND ORACLE ARE WHAT THEY CLAIM TO BE. THE CALLER BRINGS ENOUGH GAS FOR 2 x 8 VENUES; THE
/// VALUER REVERTS WITH `GasTooLow` OTHERWISE.
contract VaultLens is IVaultLens {
    /// @notice Gas for the details of one venue.
    uint256 public constant VENUE_GAS = 8_000_000;
    /// @notice Gas for a constant of a venue or token.
    uint256 public constant NAME_GAS = 100_000;
    uint256 public constant MAX_FAILURE = 1_024;

    /// @inheritdoc IVaultLens
    function state(address vault) external view returns (VaultState memory s) {
        s.chainId = block.chainid;
        s.blockNumber = block.number;
        s.timestamp = block.timestamp;
        s.baseFee = block.basefee;
        s.vault = vault;
        s.asset = IVault(vault).asset();
        s.assetDecimals = IERC20Metadata(s.asset).decimals();
        s.shareDecimals = IVault(vault).decimals();
        s.idle = IERC20Metadata(s.asset).balanceOf(vault);
        s.totalSupply = IVault(vault).totalSupply();
        s.totalAssets = IVault(vault).totalAssets();
        IRiskGuard guard = IRiskGuard(IVault(vault).guard());
        s.maxLossPerCall = guard.maxLossPerCall();
        s.maxLossPerDay = guard.maxLossPerDay();
        (, s.lossLeft) = guard.budget(vault);
        address queue = IVault(vault).redeemQueue();
        if (queue != address(0)) s.waiting = IVault(vault).balanceOf(queue);
        s.valuation = IValuer(IVault(vault).valuer()).value(vault);
        s.underlyings = _underlyings(vault, s.asset);
        s.venues = _venues(vault);
    }

    /// @notice One venue in full; reverts where it cannot be read. The lens calls this on itself.
    function venueState(address vault, address venue) external view returns (VenueState memory s) {
        s.venue = venue;
        s.config = IVault(vault).venueConfig(venue);
        s.kind = IVenue(venue).kind();
        s.protocol = IVenue(venue).protocol();
        s.book = IVenue(venue).book();
        uint256[] memory units = IVenue(venue).marginUnits();
        s.units = new UnitState[](units.length);
        for (uint256 i; i < units.length; ++i) {
            s.units[i] = UnitState(units[i], IVenue(venue).margin(units[i]), IVenue(venue).unitHealth(units[i]));
        }
        if (s.kind == Kind.Spot) s.spot = ISpotVenue(venue).holdings();
        if (s.kind == Kind.Perp) s.perps = IPerpVenue(venue).positions();
        if (s.kind == Kind.Lending) s.lending = ILendingVenue(venue).accounts();
        if (s.kind == Kind.Option) {
            s.options = IOptionVenue(venue).positions();
            s.listings = IOptionVenue(venue).listings();
            s.optionTerms = IOptionVenue(venue).terms();
        }
        s.readable = true;
    }

    /// @notice A venue's constants; reverts where they cannot be read. The lens calls this on itself.
    function venueName(address venue) external view returns (Kind kind, bytes32 protocol) {
        return (IVenue(venue).kind(), IVenue(venue).protocol());
    }

    /// @notice A token's own description; reverts where it has none. The lens calls this on itself.
    function tokenName(address token) external view returns (string memory symbol, uint8 decimals) {
        return (IERC20Metadata(token).symbol(), IERC20Metadata(token).decimals());
    }

    function _venues(address vault) private view returns (VenueState[] memory states) {
        address[] memory venues = IVault(vault).venues();
        states = new VenueState[](venues.length);
        for (uint256 i; i < venues.length; ++i) {
            try this.venueState{gas: VENUE_GAS}(vault, venues[i]) returns (VenueState memory read) {
                states[i] = read;
            } catch (bytes memory reason) {
                states[i] = _unreadable(vault, venues[i], reason);
            }
        }
    }

    function _unreadable(address vault, address venue, bytes memory reason) private view returns (VenueState memory s) {
        s.venue = venue;
        s.config = IVault(vault).venueConfig(venue);
        if (reason.length > MAX_FAILURE) {
            uint256 most = MAX_FAILURE;
            assembly ("memory-safe") {
                mstore(reason, most)
            }
        }
        s.failure = reason;
        try this.venueName{gas: NAME_GAS}(venue) returns (Kind kind, bytes32 protocol) {
            (s.kind, s.protocol) = (kind, protocol);
        } catch {}
    }

    function _underlyings(address vault, address asset) private view returns (UnderlyingState[] memory states) {
        IRiskGuard guard = IRiskGuard(IVault(vault).guard());
        address[] memory limited = guard.underlyings();
        states = new UnderlyingState[](limited.length + 1);
        states[0].token = asset;
        uint256 count = 1;
        for (uint256 i; i < limited.length; ++i) {
            if (limited[i] != asset) states[count++].token = limited[i];
        }
        assembly ("memory-safe") {
            mstore(states, count)
        }
        address oracle = IVault(vault).oracle();
        for (uint256 i; i < count; ++i) {
            _describe(states[i], oracle);
            states[i].limits = guard.limits(states[i].token);
        }
    }

    function _describe(UnderlyingState memory s, address oracle) private view {
        s.decimals = 18;
        try this.tokenName{gas: NAME_GAS}(s.token) returns (string memory symbol, uint8 decimals) {
            (s.symbol, s.decimals) = (symbol, decimals);
        } catch {}
        try IPriceOracle(oracle).quote(s.token) returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) {
            s.priced = true;
            (s.low, s.mid, s.high, s.updatedAt) = (low, mid, high, updatedAt);
        } catch {}
    }
}
