// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {RiskGuard} from "../../../contracts/guard/RiskGuard.sol";
import {Act, IVenueActs, Outcome} from "../../../contracts/guard/IVenueActs.sol";
import {IVault} from "../../../contracts/IVault.sol";
import {Missing, MutantGuard} from "./MutantGuard.sol";

/// @notice The go-between before the guard's `VenueActs` too, so that all that the guard keeps of the vault it keeps of this.
/// @dev What `VenueActs` remembers and asks nobody for is taken from its storage.
contract MutantActs is MutantGuard {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    /// @dev Slots of `VenueActs`.
    uint256 private constant NOTED_AT = 4;
    uint256 private constant TIPPED_AT = 5;

    address private _venue;
    uint256 private _unit;
    uint256 private _idle;

    constructor(Missing missing_, RiskGuard[] memory guards) MutantGuard(missing_, guards) {}

    function acts() external view returns (address) {
        return address(this);
    }

    /// @notice What the judge asks.
    function frozen(address venue) external view returns (bool) {
        return _acts().frozen(venue);
    }

    function begin(Act act, address venue, uint256 unit, uint256 limit, uint256 idle) external returns (bytes memory) {
        (_venue, _unit, _idle) = (venue, unit, idle);
        if (missing == Missing.Note) {
            bytes32 slot = _of(unit, _of(venue, _of(address(this), bytes32(NOTED_AT))));
            VM.store(address(_acts()), slot, bytes32(block.number - 1));
        }
        return _acts().begin(act, venue, unit, limit, idle);
    }

    function finish(bytes calldata data, uint256 answer, uint256 idle) external returns (Outcome memory) {
        if (missing == Missing.Cooldown) {
            VM.store(address(_acts()), _of(_venue, _of(address(this), bytes32(TIPPED_AT))), 0);
        }
        if (missing == Missing.Slip && _idle > idle + answer) {
            // What was lost on the way still fills the bucket.
            _guards[0].charge(address(this), _idle - idle - answer, int256(_guards[0].lastLow(address(this), _idle)));
            answer = _idle - idle;
        }
        return _acts().finish(data, answer, idle);
    }

    /// @dev And theirs who value the vault for it.
    function _asksTheVault(address who) internal view override returns (bool) {
        return super._asksTheVault(who) || who == address(_acts()) || who == IVault(vault).valuer();
    }

    function _acts() private view returns (IVenueActs) {
        return IVenueActs(_guards[0].acts());
    }

    function _of(address key, bytes32 slot) private pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function _of(uint256 key, bytes32 slot) private pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }
}
