// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VaultCase} from "../doubles/VaultCase.sol";
import {MarketVenue} from "./MarketVenue.sol";
import {VaultWorld} from "./VaultWorld.sol";

/// @notice The invariants of docs/invariants.md that a campaign of VaultWorld's actions must leave standing.
contract VaultInvariantsTest is VaultCase {
    VaultWorld private world;
    MarketVenue[2] private markets;

    function setUp() public override {
        vm.warp(1_800_000_000);
        super.setUp();
        for (uint256 i; i < 2; ++i) {
            markets[i] = new MarketVenue(address(vault), eth, usdc);
            vault.addVenue(address(markets[i]), vault.venueConfig(address(venue)));
        }
        _deposit(alice, 1_000_000e6);
        world = new VaultWorld(VaultWorld.Parts(vault, usdc, oracle, vols, eth, keeper, markets, hedge));
        targetContract(address(world));
        bytes4[] memory actions = new bytes4[](17);
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
        targetSelector(FuzzSelector(address(world), actions));
    }

    /// @dev One function, since each would run the same campaign again.
    function invariant_TheVaultHolds() public view {
        assertEq(world.broken(), "");

        (uint256 drawn, uint256 returned) = world.flows();
        uint256 idle = usdc.balanceOf(address(vault));
        assertEq(idle + world.exited() + drawn, world.entered() + world.donated() + returned, "S1: idle leaked");
        assertEq(world.holders(), vault.totalSupply(), "S1: a share has no holder");

        (bool priced, int256 low, int256 mid, int256 high) = vault.nav();
        assertLe(low, mid, "V2: low above mid");
        assertLe(mid, high, "V2: mid above high");
        vault.totalAssets();
        assertEq(
            vault.maxDeposit(alice) > 0, priced && (high > 0 || vault.totalSupply() == 0), "V1: entry without a price"
        );
        assertLe(vault.maxWithdraw(alice), idle, "S6: more than idle may be withdrawn");
        assertLe(vault.previewRedeem(vault.maxRedeem(alice)), idle, "S6: more than idle may be redeemed");
    }

    /// @notice A campaign is not one of refusals: of a thousand random actions, each kind succeeds.
    function test_ACampaignSucceedsAtEveryAction() public {
        for (uint256 i; i < 1_000; ++i) {
            uint256[6] memory r;
            for (uint256 j; j < 6; ++j) {
                r[j] = uint256(keccak256(abi.encode(i, j)));
            }
            (uint256 a, uint256 b, uint256 c) = (r[1], r[2], r[3]);
            uint256 action = r[0] % 17;
            if (action == 0) world.deposit(a, b);
            if (action == 1) world.mint(a, b);
            if (action == 2) world.withdraw(a, b);
            if (action == 3) world.redeem(a, b);
            if (action == 4) world.roundTrip(a, b);
            if (action == 5) world.move(a, b);
            if (action == 6) world.moveVol(a);
            if (action == 7) world.warp(a);
            if (action == 8) world.mark();
            if (action == 9) world.donate(a, b);
            if (action == 10 && i % 4 == 0) world.breakVenue(a, b);
            if (action == 11) world.mendVenues();
            if (action == 12) world.trade(a, int256(b), int256(c), int256(r[4]), int256(r[5]));
            if (action == 13) world.post(a, b);
            if (action == 14) world.free(a, b);
            if (action == 15) world.topUp(a, b);
            if (action == 16) world.intrude(address(uint160(a)), b, c);
        }
        string[17] memory names = [
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
            "intrude"
        ];
        for (uint256 i; i < names.length; ++i) {
            emit log_named_uint(names[i], world.done(names[i]));
            assertGt(world.done(names[i]), 0, names[i]);
        }
        invariant_TheVaultHolds();
    }
}
