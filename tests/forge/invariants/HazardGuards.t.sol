// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Missing} from "../attacks/MutantGuard.sol";
import {HazardCase} from "./HazardCase.sol";

/// @notice The campaign of HazardWorld leaves the guard standing, and finds the hole in each that lacks one of its other rules.
contract HazardGuardsTest is HazardCase {
    uint256 private constant CAMPAIGNS = 24;
    uint256 private constant ACTIONS = 400;

    /// @notice The go-between by itself opens no hole, and a campaign is not one of refusals.
    function test_WithoutAnythingMissing() public {
        string[15] memory names = [
            "leak",
            "force",
            "fill",
            "swap",
            "overshoot",
            "pair",
            "order",
            "postMuch",
            "freeze",
            "unfreeze",
            "trade",
            "deposit",
            "redeem",
            "topUpLossy",
            "process"
        ];
        _survives(1_000);
        for (uint256 i; i < names.length; ++i) {
            _assertDone(names[i]);
        }
    }

    function test_WithoutAnythingMissingWhereUnitsAreMended() public {
        _mending = true;
        _survives(600);
        string[4] memory names = ["squeeze", "topUpLossy", "mend", "tip"];
        for (uint256 i; i < names.length; ++i) {
            _assertDone(names[i]);
        }
    }

    function test_WithoutTheRuleOnCrossing() public {
        _assertFound(Missing.Crossing, "G4: a measure went");
    }

    function test_WithoutTheRuleOnWhatGrows() public {
        _assertFound(Missing.Room, "G4: a limit was left");
    }

    function test_WithoutTheRuleOnExpiries() public {
        _assertFound(Missing.Soon, "G4");
    }

    function test_WithoutTheRuleOnOrders() public {
        _assertFound(Missing.Pending, "G4");
    }

    function test_WithoutTheRuleOnTokensWithoutLimits() public {
        _assertFound(Missing.NoLimits, "G4: what has no limits grew");
    }

    function test_WithoutTheCapOnWhatIsPosted() public {
        _assertFound(Missing.Posted, "G5: more was posted");
    }

    function test_WithoutTheCapOnAProtocol() public {
        _assertFound(Missing.ProtocolCap, "G5: a protocol");
    }

    function test_WithoutTheCapOnAToken() public {
        _assertFound(Missing.TokenCap, "G5: a token");
    }

    function test_WithoutTheCapOnAnExpiry() public {
        _assertFound(Missing.ExpiryCap, "G5: an expiry");
    }

    function test_WithoutTheTurnover() public {
        _assertFound(Missing.Turnover, "G5: more was turned");
    }

    function test_WithoutTheFreeze() public {
        _assertFound(Missing.Frozen, "G9");
    }

    function test_WithoutTheTarget() public {
        _mending = true;
        _assertFound(Missing.Target, "T1");
    }

    function test_WithoutTheBoundOnSlip() public {
        _mending = true;
        _assertFound(Missing.Slip, "T4");
    }

    function test_WithoutTheNote() public {
        _mending = true;
        _assertFound(Missing.Note, "T5");
    }

    function test_WithoutTheCooldown() public {
        _mending = true;
        _assertFound(Missing.Cooldown, "T2: two tips");
    }

    function test_WithoutTheMostOfATip() public {
        _mending = true;
        _assertFound(Missing.TipMost, "T2: a tip");
    }

    function test_WithoutTheMostOfADay() public {
        _mending = true;
        _assertFound(Missing.TipDay, "T2: more tips");
    }

    /// @dev `make fuzz` sets FOUNDRY_FUZZ_RUNS, and runs a campaign for every thousand; the last one's successes are counted.
    function _survives(uint256 actions) private {
        vm.pauseGasMetering();
        uint256 campaigns = 1 + vm.envOr("FOUNDRY_FUZZ_RUNS", uint256(0)) / 1_000;
        for (uint256 seed = campaigns; seed > 0; --seed) {
            uint256 state = vm.snapshotState();
            _build(Missing.NothingBehindIt);
            _campaign(actions, 6 + seed);
            _assertStanding();
            if (seed > 1) vm.revertToState(state);
        }
    }

    function _assertFound(Missing missing, string memory invariant) private {
        assertTrue(_finds(missing, invariant, CAMPAIGNS, ACTIONS));
    }
}
