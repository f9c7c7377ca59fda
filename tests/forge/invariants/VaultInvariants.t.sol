// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Missing} from "../attacks/MutantGuard.sol";
import {WorldCase} from "./WorldCase.sol";

/// @notice The invariants of docs/invariants.md that a campaign of VaultWorld's actions must leave standing.
contract VaultInvariantsTest is WorldCase {
    function setUp() public override {
        super.setUp();
        _build(Missing.Nothing);
        targetContract(address(world));
        bytes4[] memory actions = new bytes4[](22);
        actions[0] = world.deposit.selector;
        actions[1] = world.mint.selector;
        actions[2] = world.withdraw.selector;
        actions[3] = world.redeem.selector;
        actions[4] = world.roundTrip.selector;
        actions[5] = world.move.selector;
        actions[6] = world.moveVol.selector;
        actions[7] = world.warp.selector;
        actions[8] = world.mark.selector;
        actions[9] = world.donate.selector;
        actions[10] = world.breakVenue.selector;
        actions[11] = world.mendVenues.selector;
        actions[12] = world.trade.selector;
        actions[13] = world.post.selector;
        actions[14] = world.free.selector;
        actions[15] = world.topUp.selector;
        actions[16] = world.intrude.selector;
        actions[17] = world.request.selector;
        actions[18] = world.process.selector;
        actions[19] = world.cancel.selector;
        actions[20] = world.takeBack.selector;
        actions[21] = world.claim.selector;
        targetSelector(FuzzSelector(address(world), actions));
    }

    /// @dev One function, since each would run the same campaign again.
    function invariant_TheVaultHolds() public view {
        assertEq(world.broken(), "");

        (uint256 drawn, uint256 returned) = world.flows();
        uint256 idle = usdc.balanceOf(address(vault));
        uint256 left = world.exited() + world.claimed() + usdc.balanceOf(address(queue));
        assertEq(idle + left + drawn, world.entered() + world.donated() + returned, "S1: idle leaked");
        assertEq(world.holders(), vault.totalSupply(), "S1: a share has no holder");

        (bool priced, int256 low, int256 mid, int256 high) = vault.nav();
        assertLe(low, mid, "V2: low above mid");
        assertLe(mid, high, "V2: mid above high");
        vault.totalAssets();
        assertEq(
            vault.maxDeposit(alice) > 0,
            priced && (high > 0 || vault.totalSupply() <= vault.SEED()),
            "V1: entry without a price"
        );
        assertLe(vault.maxWithdraw(alice), idle, "S6: more than idle may be withdrawn");
        assertLe(vault.previewRedeem(vault.maxRedeem(alice)), idle, "S6: more than idle may be redeemed");

        (uint256 claimable, uint256 waiting, uint256 takenBack) = world.owed();
        assertEq(queue.claimableAssets(), claimable, "Q1: a claim is not counted");
        assertLe(claimable, usdc.balanceOf(address(queue)), "Q1: claims without cash");
        assertEq(queue.waiting(), waiting, "Q1: a request is not counted");
        assertLe(waiting + takenBack, vault.balanceOf(address(queue)), "Q1: requests without shares");
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
            emit log_named_uint(names[i], world.done(names[i]));
            assertGt(world.done(names[i]), 0, names[i]);
        }
        invariant_TheVaultHolds();
    }
}
