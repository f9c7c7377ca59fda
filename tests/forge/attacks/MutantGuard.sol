// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Valuation} from "../../../contracts/guard/IValuer.sol";
import {RebalanceJudge} from "../../../contracts/guard/RebalanceJudge.sol";
import {RiskGuard} from "../../../contracts/guard/RiskGuard.sol";
import {IVault, VenueConfig} from "../../../contracts/IVault.sol";
import {Exposure} from "../../../contracts/venues/IVenue.sol";
import {LimitBlinds} from "./LimitBlinds.sol";

/// @notice The check that a mutant lacks.
enum Missing {
    Nothing,
    /// Nothing either, but through the go-between.
    NothingBehindIt,
    Loss,
    Corners,
    PerCall,
    Bucket,
    Priced,
    Limits,
    Health,
    Caps,
    // Of limits and flows.
    Crossing,
    Room,
    Soon,
    Pending,
    NoLimits,
    Posted,
    ProtocolCap,
    TokenCap,
    ExpiryCap,
    Turnover,
    // Of what is done outside a rebalance.
    Frozen,
    Target,
    Slip,
    Note,
    Cooldown,
    TipMost,
    TipDay
}

/// @notice The real guard behind a go-between that blinds it to one thing, so that exactly one check is missing and no line of the guard
/// is another. It stands between vault and guard in both directions.
/// @dev What it answers is the real guard's; calls that it does not alter are handed on as they are.
contract MutantGuard is LimitBlinds {
    address public vault;
    Missing public immutable missing;
    RiskGuard[] internal _guards;
    uint256 private _turn;

    constructor(Missing missing_, RiskGuard[] memory guards) {
        missing = missing_;
        _guards = guards;
    }

    function watch(address vault_) external {
        vault = vault_;
    }

    /// @notice Whom the guard takes for the judge of this vault.
    function judge() external view returns (address) {
        return address(this);
    }

    function check(
        address,
        Valuation memory before,
        Valuation memory afterwards,
        address[] calldata touched,
        int256[] memory posted
    ) external returns (uint256) {
        if (missing == Missing.Crossing || missing == Missing.Room) {
            before = this.doctored(_guards[0], before, afterwards, missing == Missing.Crossing);
        }
        _blind(before, afterwards);
        if (missing == Missing.Posted) posted = new int256[](posted.length);
        return _guard().check(address(this), before, afterwards, touched, posted);
    }

    function charge(address, uint256 loss, int256 lowNav) external {
        _guards[0].charge(address(this), loss, lowNav);
    }

    /// @notice What the guard asks of the vault.
    function venueConfig(address venue) external view returns (VenueConfig memory config) {
        config = IVault(vault).venueConfig(venue);
        if (missing == Missing.Caps) config.cap = 1e30;
        if (missing == Missing.Target) config.targetHealth = type(uint256).max;
    }

    fallback() external {
        address to = vault;
        if (msg.sender == vault || !_asksTheVault(msg.sender)) to = address(_guards[0]);
        (bool done, bytes memory answer) = to.call(msg.data);
        assembly ("memory-safe") {
            if iszero(done) { revert(add(answer, 0x20), mload(answer)) }
            return(add(answer, 0x20), mload(answer))
        }
    }

    /// @dev The first guard, or for a vault without a bucket the next of many, each of which knows nothing of the others' calls.
    function _guard() private returns (RiskGuard) {
        return missing == Missing.Bucket ? _guards[_turn++ % _guards.length] : _guards[0];
    }

    function _blind(Valuation memory before, Valuation memory afterwards) private view {
        if (missing == Missing.Loss && before.mid > afterwards.mid) before.mid = afterwards.mid;
        if (missing == Missing.Pending) (before.pending, afterwards.pending) = (new Exposure[](0), new Exposure[](0));
        if (missing == Missing.Soon) {
            _defer(before);
            _defer(afterwards);
        }
        if (missing == Missing.Priced) (before.priced, afterwards.priced) = (true, true);
        if (missing == Missing.Corners) {
            _narrow(before);
            _narrow(afterwards);
        }
    }

    /// @dev Intervals without width: a change of exposure then costs nothing.
    function _narrow(Valuation memory v) private pure {
        for (uint256 i; i < v.prices.length; ++i) {
            (v.prices[i].low, v.prices[i].high) = (v.prices[i].mid, v.prices[i].mid);
        }
        for (uint256 i; i < v.vols.length; ++i) {
            (v.vols[i].low, v.vols[i].high) = (v.vols[i].mid, v.vols[i].mid);
        }
    }

    /// @dev What expires within a day then is what stays for good.
    function _defer(Valuation memory v) private view {
        for (uint256 i; i < v.exposures.length; ++i) {
            uint64 expiry = v.exposures[i].expiry;
            if (expiry != 0 && expiry <= block.timestamp + 1 days) v.exposures[i].expiry = expiry + 1000 days;
        }
    }

    /// @dev Whose calls are for the vault: the guard's.
    function _asksTheVault(address who) internal view virtual returns (bool) {
        for (uint256 i; i < _guards.length; ++i) {
            if (address(_guards[i]) == who) return true;
        }
        return false;
    }
}

/// @notice The real judge for which no venue has a minimum health.
contract HealthBlindJudge is RebalanceJudge {
    function _minimum(address) internal pure override returns (uint256) {
        return 0;
    }
}
