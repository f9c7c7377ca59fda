// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Range} from "../../../contracts/guard/IRiskGuard.sol";
import {RiskGuard} from "../../../contracts/guard/RiskGuard.sol";
import {VaultParts, VenueConfig} from "../../../contracts/IVault.sol";
import {RedeemQueue} from "../../../contracts/RedeemQueue.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {HealthBlindJudge, Missing, MutantGuard} from "../attacks/MutantGuard.sol";
import {DoubleVenue} from "../doubles/DoubleVenue.sol";
import {VaultCase} from "../doubles/VaultCase.sol";
import {GuardRules} from "./GuardRules.sol";
import {MarketVenue} from "./MarketVenue.sol";
import {QueueWorld} from "./QueueWorld.sol";

/// @notice A vault of a million in a VaultWorld, and a campaign of random actions that repeats itself exactly.
abstract contract WorldCase is VaultCase {
    QueueWorld internal world;
    RedeemQueue internal queue;

    /// @dev A vault of its own where the guard lacks a check.
    function _build(Missing missing) internal {
        vm.warp(1_800_000_000);
        if (missing != Missing.Nothing) _mutate(missing);
        MarketVenue[2] memory markets;
        for (uint256 i; i < 2; ++i) {
            markets[i] = _market();
            vault.addVenue(address(markets[i]), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        }
        _deposit(alice, 1_000_000e6);
        queue = new RedeemQueue(address(vault));
        vault.setRedeemQueue(address(queue));
        world = _world(GuardRules.Parts(vault, usdc, oracle, vols, eth, keeper, markets, hedge));
    }

    function _market() internal virtual returns (MarketVenue) {
        return new MarketVenue(address(vault), eth, usdc);
    }

    function _world(GuardRules.Parts memory parts) internal virtual returns (QueueWorld) {
        return new QueueWorld(parts, queue);
    }

    /// @dev What every action leaves standing.
    function _assertStanding() internal view {
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

    /// @dev A campaign is not one of refusals.
    function _assertDone(string memory action) internal {
        emit log_named_uint(action, world.done(action));
        assertGt(world.done(action), 0, action);
    }

    function _target(bytes4[] memory actions) internal {
        targetContract(address(world));
        targetSelector(FuzzSelector(address(world), actions));
    }

    function _actions() internal view virtual returns (bytes4[] memory actions) {
        actions = new bytes4[](22);
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
    }

    /// @dev Until something breaks, or to the end.
    function _campaign(uint256 actions, uint256 seed) internal {
        for (uint256 i; i < actions && bytes(world.broken()).length == 0; ++i) {
            uint256[6] memory r;
            for (uint256 j; j < 6; ++j) {
                r[j] = uint256(keccak256(abi.encode(seed, i, j)));
            }
            _play(i, r);
        }
    }

    /// @dev Whether one of so many campaigns breaks an invariant whose name begins with `what`, none before it.
    function _finds(Missing missing, string memory what, uint256 campaigns, uint256 actions) internal returns (bool) {
        vm.pauseGasMetering();
        for (uint256 seed; seed < campaigns; ++seed) {
            uint256 state = vm.snapshotState();
            _build(missing);
            _campaign(actions, seed);
            string memory broken = world.broken();
            vm.revertToState(state);
            if (bytes(broken).length == 0) continue;
            assertEq(vm.indexOf(broken, what), 0, string.concat("another invariant broke first: ", broken));
            emit log_named_uint(string.concat(broken, ", in campaign"), seed + 1);
            return true;
        }
        return false;
    }

    /// @dev The `i`th action, from random numbers.
    function _play(uint256 i, uint256[6] memory r) internal virtual {
        (uint256 a, uint256 b, uint256 c) = (r[1], r[2], r[3]);
        uint256 action = r[0] % 26;
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
        if (action == 12 || action > 22) world.trade(a, int256(b), int256(c), int256(r[4]), int256(r[5]));
        if (action == 13) world.post(a, b);
        if (action == 14) world.free(a, b);
        if (action == 15) world.topUp(a, b);
        if (action == 16) world.intrude(address(uint160(a)), b, c);
        if (action == 17) world.request(a, b, c);
        if (action == 18) world.process(a);
        if (action == 19 || action == 20) world.cancel(a);
        if (action == 21) world.takeBack(a);
        if (action == 22) world.claim(a, b);
    }

    function _mutate(Missing missing) internal virtual {
        RiskGuard[] memory guards = new RiskGuard[](1);
        MutantGuard mutant = _between(missing, guards);
        VaultParts memory parts = _parts();
        parts.guard = address(mutant);
        if (missing == Missing.Health) parts.judge = address(new HealthBlindJudge());
        vault = new Vault(parts);
        mutant.watch(address(vault));
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (vault.rebalance.selector, vault.topUp.selector);
        manager.setTargetFunctionRole(address(vault), selectors, KEEPER);
        hedge = new DoubleVenue(address(vault));
        vault.addVenue(address(hedge), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
    }

    /// @dev The go-between, and the guard behind it.
    function _between(Missing missing, RiskGuard[] memory guards) internal virtual returns (MutantGuard) {
        guards[0] = guard;
        if (missing == Missing.Limits) {
            guards[0] = new RiskGuard(address(manager));
            guards[0].setLimits(eth, _boundless());
            guards[0].setMaxLossPerCall(guard.maxLossPerCall());
            guards[0].setMaxLossPerDay(guard.maxLossPerDay());
        }
        return new MutantGuard(missing, guards);
    }

    function _boundless() private pure returns (Limits memory) {
        Range memory any = Range(type(int256).min, type(int256).max);
        return Limits(any, any, any, any);
    }
}
