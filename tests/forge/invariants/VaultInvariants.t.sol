// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Missing} from "../attacks/MutantGuard.sol";
import {WorldCase} from "./WorldCase.sol";

/// @notice The invariants of docs/invariants.md that a campaign of VaultWorld's actions must leave standing.
contract VaultInvariantsTest is WorldCase {
    function setUp() public override {
        super.setUp();
        _build(Missing.Nothing);
        _target(_actions());
    }

    /// @dev One function, since each would run the same campaign again.
    function invariant_TheVaultHolds() public view {
        _assertStanding();
    }

    /// @notice A campaign is not one of refusals: of a thousand random actions, each kind succeeds.
    function test_ACampaignSucceedsAtEveryAction() public {
        vm.pauseGasMetering();
        _campaign(2_000, 1);
        string[22] memory names = [
            "deposit",
            "mint",
            "withdraw",
            "redeem",
            "roundTrip",
            "move",
            "moveVol",
            "warp",
            "mark",
            "donate",
            "breakVenue",
            "mendVenues",
            "trade",
            "post",
            "free",
            "topUp",
            "intrude",
            "request",
            "process",
            "cancel",
            "takeBack",
            "claim"
        ];
        for (uint256 i; i < names.length; ++i) {
            _assertDone(names[i]);
        }
        _assertStanding();
    }
}
