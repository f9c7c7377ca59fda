// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Missing} from "../attacks/MutantGuard.sol";
import {WorldCase} from "./WorldCase.sol";

/// @notice The campaign of VaultInvariants.t.sol finds the hole in each guard that lacks one check, and names the invariant it broke.
/// @dev A guard without a bucket breaks none of these in a single action: StolenKey.t.sol finds it.
contract MutantGuardsTest is WorldCase {
    uint256 private constant CAMPAIGNS = 32;
    uint256 private constant ACTIONS = 400;

    function test_WithoutTheLossOfMid() public {
        _assertFound(Missing.Loss, "G3: a call lost more than it may");
    }

    function test_WithoutCorners() public {
        _assertFound(Missing.Corners, "G3: a call lost more than it may");
    }

    function test_WithoutThePrice() public {
        _assertFound(Missing.Priced, "G1: traded unpriced");
    }

    function test_WithoutLimits() public {
        _assertFound(Missing.Limits, "G4");
    }

    function test_WithoutHealth() public {
        _assertFound(Missing.Health, "G6: a unit was left unhealthy");
    }

    function test_WithoutCaps() public {
        _assertFound(Missing.Caps, "G5: a venue grew past its cap");
    }

    function _assertFound(Missing missing, string memory invariant) private {
        assertTrue(_finds(missing, invariant, CAMPAIGNS, ACTIONS));
    }
}
