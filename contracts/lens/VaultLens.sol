// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IRiskGuard} from "../guard/IRiskGuard.sol";
import {IValuer, Valuation, VolPoint} from "../guard/IValuer.sol";
import {IVault} from "../IVault.sol";
import {IVenueActs} from "../guard/IVenueActs.sol";
import {IRedeemQueue} from "../IRedeemQueue.sol";
import {IDollarOracle} from "../oracle/IDollarOracle.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {IPriceSource} from "../oracle/IPriceSource.sol";
import {ISyncedVol} from "../oracle/ISyncedVol.sol";
import {OracleAdapter} from "../oracle/OracleAdapter.sol";
import {VolOracle} from "../oracle/VolOracle.sol";
import {ILendingVenue} from "../venues/lending/ILendingVenue.sol";
import {IOptionVenue, OptionTerms} from "../venues/option/IOptionVenue.sol";
import {IPerpVenue} from "../venues/perp/IPerpVenue.sol";
import {ISpotVenue} from "../venues/spot/ISpotVenue.sol";
import {IVenue, Kind} from "../venues/IVenue.sol";
import {IVaultLens} from "./IVaultLens.sol";
import {QueueState, UnderlyingState, UnitState, VaultState, VenueState, VenueVolState} from "./VaultState.sol";

/// @title VaultLens: the whole state of a vault in one view
/// @notice Stateless; serves any vault; made to be called off chain.
///
/// WHAT CANNOT BE READ. Each venue is read in a call of this contract to itself with `VENUE_GAS`, so that one that reverts, answers
/// what does not decode or burns its gas comes back with `readable` false, empty arrays, and its revert data in `failure`
/// (first `MAX_FAILURE` bytes; empty when the data did not decode or the gas ran out). `kind` and `protocol` are then filled where
/// they at least can be read, and so are margins and health of its units, which are the protocol's and need no price of ours, and the terms of
/// an option venue. A token without a price has `priced` false and the oracle's reason; one that is no ERC-20 has an empty symbol and
/// 18 decimals; an oracle without a breaker shows an empty one.
///
/// UNDERLYINGS are the asset first, then the tokens that have limits at the guard, each once.
///
/// VENUES' VOLS are those of what the book is valued at: one for each vol of the valuation that a venue with stored vols widens.
///
/// ASSUMPTIONS. THE VAULT, ITS GUARD, VALUER AND ORACLE ARE WHAT THEY CLAIM TO BE. THE CALLER BRINGS ENOUGH GAS FOR 2 x 8 VENUES; THE
/// VALUER REVERTS WITH `GasTooLow` OTHERWISE.
contract VaultLens is IVaultLens {
    /// @notice Gas for the details of one venue.
    uint256 public constant VENUE_GAS = 8_000_000;
    /// @notice Gas for a constant of a venue or token.
    uint256 public constant NAME_GAS = 100_000;
    /// @notice Gas for a breaker, and for one source of its token.
    uint256 public constant BREAKER_GAS = 1_500_000;
    uint256 public constant SOURCE_GAS = 200_000;
    uint256 public constant MAX_FAILURE = 1_024;

    /// @inheritdoc IVaultLens
    function state(address vault) external view returns (VaultState memory s) {
        s.chainId = block.chainid;
        s.blockNumber = block.number;
        s.timestamp = block.timestamp;
        s.baseFee = block.basefee;
        s.vault = vault;
        s.oracle = IVault(vault).oracle();
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
        s.queue = _queue(IVault(vault).redeemQueue());
        s.valuation = IValuer(IVault(vault).valuer()).value(vault);
        s.underlyings = _underlyings(vault, s.asset);
        s.venues = _venues(vault);
        s.venueVols = _venueVols(IVault(vault).volSource(), s.valuation.vols);
    }

    /// @notice One venue in full; reverts where it cannot be read. The lens calls this on itself.
    function venueState(address vault, address venue) external view returns (VenueState memory s) {
        s.venue = venue;
        s.config = IVault(vault).venueConfig(venue);
        s.kind = IVenue(venue).kind();
        s.protocol = IVenue(venue).protocol();
        s.book = IVenue(venue).book();
        s.units = venueUnits(venue);
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

    /// @notice The margins of one venue; reverts where they cannot be read. The lens calls this on itself.
    function venueUnits(address venue) public view returns (UnitState[] memory states) {
        uint256[] memory units = IVenue(venue).marginUnits();
        states = new UnitState[](units.length);
        for (uint256 i; i < units.length; ++i) {
            states[i] = UnitState(units[i], IVenue(venue).margin(units[i]), IVenue(venue).unitHealth(units[i]));
        }
    }

    /// @notice The terms of an option venue; reverts where they cannot be read. The lens calls this on itself.
    function venueTerms(address venue) external view returns (OptionTerms memory) {
        return IOptionVenue(venue).terms();
    }

    /// @notice The breaker of `token` and, while it counts rounds, the time of the newest reading; reverts where they cannot be read. The lens
    /// calls this on itself.
    function breakerOf(address oracle, address token)
        external
        view
        returns (OracleAdapter.Breaker memory breaker, uint256 readAt)
    {
        breaker = OracleAdapter(oracle).breaker(token);
        if (breaker.rounds == 0) return (breaker, 0);
        address[] memory sources = OracleAdapter(oracle).configuration(token).sources;
        for (uint256 i; i < sources.length; ++i) {
            try IPriceSource(sources[i]).read{gas: SOURCE_GAS}() returns (uint256, uint256, uint256 at) {
                if (at > readAt && at <= block.timestamp) readAt = at;
            } catch {}
        }
    }

    /// @notice The venue whose vol widens that of an underlying, and when it was stored; reverts where there is none. The lens calls this on itself.
    function venueVolOf(address volSource, address underlying, uint64 expiry)
        external
        view
        returns (address venue, uint256 syncedAt)
    {
        venue = address(VolOracle(volSource).venueVol(underlying));
        syncedAt = ISyncedVol(venue).syncedAt(underlying, expiry);
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
        IVenueActs acts = IVenueActs(IRiskGuard(IVault(vault).guard()).acts());
        for (uint256 i; i < venues.length; ++i) {
            try this.venueState{gas: VENUE_GAS}(vault, venues[i]) returns (VenueState memory read) {
                states[i] = read;
            } catch (bytes memory reason) {
                states[i] = _unreadable(vault, venues[i], reason);
            }
            states[i].frozen = acts.frozen(venues[i]);
        }
    }

    function _unreadable(address vault, address venue, bytes memory reason) private view returns (VenueState memory s) {
        s.venue = venue;
        s.config = IVault(vault).venueConfig(venue);
        s.failure = _cut(reason);
        try this.venueName{gas: NAME_GAS}(venue) returns (Kind kind, bytes32 protocol) {
            (s.kind, s.protocol) = (kind, protocol);
        } catch {}
        try this.venueUnits{gas: VENUE_GAS}(venue) returns (UnitState[] memory units) {
            s.units = units;
        } catch {}
        if (s.kind != Kind.Option) return s;
        try this.venueTerms{gas: VENUE_GAS}(venue) returns (OptionTerms memory terms) {
            s.optionTerms = terms;
        } catch {}
    }

    function _venueVols(address volSource, VolPoint[] memory vols) private view returns (VenueVolState[] memory states) {
        states = new VenueVolState[](vols.length);
        uint256 count;
        for (uint256 i; i < vols.length; ++i) {
            (address underlying, uint64 expiry) = (vols[i].underlying, vols[i].expiry);
            try this.venueVolOf{gas: NAME_GAS}(volSource, underlying, expiry) returns (address venue, uint256 syncedAt) {
                states[count++] = VenueVolState(venue, underlying, expiry, syncedAt);
            } catch {}
        }
        assembly ("memory-safe") {
            mstore(states, count)
        }
    }

    function _queue(address queue) private view returns (QueueState memory s) {
        if (queue == address(0)) return s;
        IRedeemQueue q = IRedeemQueue(queue);
        (uint256 head, uint256 tail) = q.line();
        return QueueState(queue, q.waiting(), tail - head, q.maxProcessWidth(), q.claimableAssets());
    }

    /// @dev Revert data, no longer than `MAX_FAILURE`.
    function _cut(bytes memory reason) private pure returns (bytes memory) {
        if (reason.length > MAX_FAILURE) {
            uint256 most = MAX_FAILURE;
            assembly ("memory-safe") {
                mstore(reason, most)
            }
        }
        return reason;
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
            _describe(states[i], oracle, asset);
            states[i].limits = guard.limits(states[i].token);
        }
    }

    function _describe(UnderlyingState memory s, address oracle, address asset) private view {
        s.decimals = 18;
        try this.tokenName{gas: NAME_GAS}(s.token) returns (string memory symbol, uint8 decimals) {
            (s.symbol, s.decimals) = (symbol, decimals);
        } catch {}
        try IPriceOracle(oracle).quote(s.token) returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt) {
            s.priced = true;
            (s.low, s.mid, s.high, s.updatedAt) = (low, mid, high, updatedAt);
        } catch (bytes memory reason) {
            s.failure = _cut(reason);
        }
        if (s.token == asset) {
            try IDollarOracle(oracle).assetQuote() returns (uint256, uint256, uint256, uint256) {}
            catch (bytes memory reason) {
                s.failure = _cut(reason);
            }
        }
        try this.breakerOf{gas: BREAKER_GAS}(oracle, s.token) returns (
            OracleAdapter.Breaker memory breaker, uint256 readAt
        ) {
            (s.breaker, s.readAt) = (breaker, readAt);
        } catch {}
    }
}
