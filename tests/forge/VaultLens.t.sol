// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VenueConfig} from "../../contracts/IVault.sol";
import {VenueActs} from "../../contracts/guard/VenueActs.sol";
import {RedeemQueue} from "../../contracts/RedeemQueue.sol";
import {VaultLens} from "../../contracts/lens/VaultLens.sol";
import {VaultState} from "../../contracts/lens/VaultState.sol";
import {Kind} from "../../contracts/venues/IVenue.sol";
import {DoubleVenue, Mode} from "./doubles/DoubleVenue.sol";
import {TwoStepVenue} from "./doubles/TwoStepVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

contract VaultLensTest is VaultCase {
    VaultLens private lens = new VaultLens();
    TwoStepVenue private slow;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        slow = new TwoStepVenue(address(vault), eth);
        vault.addVenue(address(slow), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        _rebalance(address(slow), abi.encodeCall(slow.post, (0, 50_000e6, 0)));
        _rebalance(address(venue), _trade(30_000e6, 30_000e18, _delta(10e18)));
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, -10e18, 0, false)));
    }

    function test_TheWholeStateInOneView() public view {
        VaultState memory s = lens.state(address(vault));
        assertEq(s.chainId, block.chainid);
        assertEq(s.blockNumber, block.number);
        assertEq(s.timestamp, block.timestamp);
        assertEq(s.asset, address(usdc));
        assertEq(s.oracle, address(oracle));
        assertEq(s.assetDecimals, 6);
        assertEq(s.shareDecimals, 12);
        assertEq(s.idle, 920_000e6);
        assertEq(s.totalAssets, 1_000_000e6);
        assertEq(s.totalSupply, vault.totalSupply());
        assertEq(s.maxLossPerCall, 0.0025e18);
        assertEq(s.maxLossPerDay, guard.maxLossPerDay());
        (, uint256 left) = guard.budget(address(vault));
        assertEq(s.lossLeft, left);
        assertEq(s.queue.queue, address(0));
        assertEq(s.underlyings[1].breaker.jump, 0);
        assertTrue(s.valuation.priced);
        assertEq(s.valuation.mid, 1_000_000e18);
        assertEq(s.valuation.exposures[0].greeks.delta, 10e18);
        assertEq(s.valuation.pending[0].greeks.delta, -10e18);

        assertEq(s.underlyings.length, 2);
        assertEq(s.underlyings[0].symbol, "USDC");
        assertEq(s.underlyings[0].decimals, 6);
        assertEq(s.underlyings[0].mid, 1e18);
        assertEq(s.underlyings[1].token, eth);
        assertEq(s.underlyings[1].mid, 3_000e18);
        assertEq(s.underlyings[1].limits.delta.max, 0.05e18);

        assertEq(s.venues.length, 3);
        assertTrue(s.venues[0].readable);
        assertEq(s.venues[0].book.mid, 30_000e18);
        assertEq(uint8(s.venues[2].kind), uint8(Kind.Perp));
        assertEq(s.venues[2].protocol, "two-step");
        assertEq(s.venues[2].perps.length, 1);
        assertEq(s.venues[2].perps[0].cash, 50_000e18);
        assertEq(s.venues[2].units.length, 1);
        assertEq(s.venues[2].units[0].health, type(uint256).max);
        assertEq(s.venues[2].config.targetHealth, 1.5e18);
    }

    function test_ABrokenVenueIsShownAsOneWithItsReason() public {
        venue.setHealth(4, 1.3e18, 0);
        venue.setMode(Mode.Reverts);
        VaultState memory s = lens.state(address(vault));
        assertFalse(s.valuation.priced);
        assertFalse(s.venues[0].readable);
        assertFalse(s.venues[0].frozen);
        assertEq(s.venues[0].book.mid, 0);
        assertEq(s.venues[0].units.length, 1);
        assertEq(s.venues[0].units[0].unit, 4);
        assertEq(s.venues[0].units[0].health, 1.3e18);
        assertEq(s.venues[0].units[0].margin.maintenance, 1e18);
        assertEq(s.venues[0].failure, abi.encodeWithSelector(DoubleVenue.Broken.selector, 7));
        assertEq(s.venues[0].protocol, "double");
        assertEq(s.venues[0].config.cap, 0.5e18);
        assertTrue(s.venues[1].readable);
        assertTrue(s.venues[2].readable);
        assertEq(s.totalAssets, 1_000_000e6);

        for (uint256 mode = uint256(Mode.Garbage); mode <= uint256(Mode.BurnsGas); ++mode) {
            venue.setMode(Mode(mode));
            s = lens.state(address(vault));
            assertFalse(s.venues[0].readable);
            assertEq(s.venues[0].failure.length, 0);
        }
    }

    function test_AFrozenVenueIsShownAsOne() public {
        VenueActs acts = VenueActs(guard.acts());
        acts.freeze(address(slow));
        VaultState memory s = lens.state(address(vault));
        assertTrue(s.venues[2].frozen);
        assertTrue(s.venues[2].readable);
        assertFalse(s.venues[0].frozen);
    }

    function test_TheQueueIsShown() public {
        RedeemQueue queue = new RedeemQueue(address(vault));
        vault.setRedeemQueue(address(queue));
        vm.startPrank(alice);
        vault.approve(address(queue), 2e12);
        queue.requestRedeem(1e12, alice, alice);
        queue.requestRedeem(1e12, alice, alice);
        vault.transfer(address(queue), 5e12);
        vm.stopPrank();
        VaultState memory s = lens.state(address(vault));
        assertEq(s.queue.queue, address(queue));
        // What was sent by mistake does not wait.
        assertEq(s.queue.waiting, 2e12);
        assertEq(s.queue.requests, 2);
        assertEq(s.queue.maxWidth, 0.02e18);
        assertEq(s.queue.claimable, 0);
        queue.process(1);
        s = lens.state(address(vault));
        assertEq(s.queue.waiting, 1e12);
        assertEq(s.queue.requests, 1);
        assertGt(s.queue.claimable, 0);
    }

    function test_AMissingPriceIsShownAsOne() public {
        oracle.set(eth, 0, 0, 0);
        VaultState memory s = lens.state(address(vault));
        assertFalse(s.underlyings[1].priced);
        assertTrue(s.underlyings[0].priced);
        assertEq(s.underlyings[1].symbol, "");
        assertEq(s.underlyings[1].decimals, 18);
    }
}
