// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Missing} from "../attacks/MutantGuard.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IVolSource} from "../../../contracts/oracle/IVolSource.sol";
import {VaultCase} from "../doubles/VaultCase.sol";
import {CarriedCase} from "./CarriedCase.sol";

/// @notice What VaultInvariants.t.sol holds, where marks are carried; and S9 after every action.
contract CarriedInvariantsTest is CarriedCase {
    uint256 private constant CAMPAIGNS = 12;
    uint256 private constant ACTIONS = 400;

    function setUp() public override {
        super.setUp();
        _build(Missing.Nothing);
        _target(_actions());
    }

    function invariant_TheVaultHoldsOnCarriedMarks() public view {
        _assertStanding();
    }

    /// @notice Entries are priced by carried marks, also where a full valuation is impossible, and marks are carried over options.
    function test_ACampaignIsCarried() public {
        vm.pauseGasMetering();
        _campaign(1_000, 1);
        string[20] memory names = [
            "carried deposit",
            "carried mint",
            "carried roundTrip",
            "carried enterBlind",
            "carried with options",
            "carried without",
            "deposit",
            "mint",
            "roundTrip",
            "redeem",
            "process",
            "topUp",
            "tradeOption",
            "closeOption",
            "tradePerp",
            "hedge",
            "lose",
            "fundBeyond",
            "settle",
            "pay"
        ];
        for (uint256 i; i < names.length; ++i) {
            _assertDone(names[i]);
        }
        _assertStanding();
    }

    /// @notice A mark that goes on over a posted slice.
    function test_MarksThatDoNotSeeASlice() public {
        _assertFound(IVolSource.postedAt.selector, abi.encode(0), "S9: the full", "S5: an entry");
    }

    /// @notice A mark that a price does not move.
    function test_MarksThatDoNotSeeAPrice() public {
        bytes memory still = abi.encode(2_985e18, 3_000e18, 3_015e18, block.timestamp);
        _assertFound(IPriceOracle.primary.selector, still, "S9: the full", "S5: an entry");
    }

    /// @notice Marks with five times the room that they should have, which is as good as no limit.
    function test_MarksWithoutALimitOnWhatEnters() public {
        _room = 5 * MAX_INFLOW;
        _assertFound(0x0, "", "S9: more entered", "S9: more entered");
    }

    /// @dev With what marks ask for answered falsely, a campaign breaks an invariant whose name begins with `what` or with `or_`, and none before.
    function _assertFound(bytes4 asked, bytes memory answer, string memory what, string memory or_) private {
        vm.pauseGasMetering();
        for (uint256 seed; seed < CAMPAIGNS; ++seed) {
            uint256 state = vm.snapshotState();
            VaultCase.setUp();
            _build(Missing.Nothing);
            if (asked == IVolSource.postedAt.selector) vm.mockCall(address(vols), abi.encodePacked(asked), answer);
            if (asked == IPriceOracle.primary.selector) vm.mockCall(address(oracle), abi.encodePacked(asked), answer);
            _campaign(ACTIONS, seed);
            string memory broken = world.broken();
            vm.revertToState(state);
            if (vm.indexOf(broken, what) == 0 || vm.indexOf(broken, or_) == 0) return;
            assertEq(broken, "", "another invariant broke first");
        }
        fail();
    }
}
