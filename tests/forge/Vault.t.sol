// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRiskGuard, Measure} from "../../contracts/guard/IRiskGuard.sol";
import {Instruction, IVault, VaultParts, VenueConfig} from "../../contracts/IVault.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultOperations} from "../../contracts/VaultOperations.sol";
import {VaultPricing} from "../../contracts/VaultPricing.sol";
import {VenueSet} from "../../contracts/VenueSet.sol";
import {DoubleOracle} from "./doubles/DoublePrices.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {TwoStepVenue} from "./doubles/TwoStepVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Rebalance, top-up, venues and roles; shares are in VaultShares.t.sol.
contract VaultTest is VaultCase {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
    }

    function test_ARebalanceMovesIdleReturnsResultsAndMarks() public {
        bytes[] memory results = _rebalance(address(venue), _trade(30_000e6, 30_000e18, _delta(10e18)));
        assertEq(abi.decode(results[0], (int256)), -30_000e6);
        assertEq(usdc.balanceOf(address(vault)), 970_000e6);
        assertEq(vault.totalAssets(), 1_000_000e6);
        (int256 venuesMid, uint256 markedAt) = vault.lastMark();
        assertEq(venuesMid, 30_000e18);
        assertEq(markedAt, block.timestamp);
        (bool priced, int256 low, int256 mid, int256 high) = vault.nav();
        assertTrue(priced);
        assertEq(mid, 1_000_000e18);
        assertEq(mid - low, 150e18);
        assertEq(high - mid, 150e18);
    }

    function test_ARebalanceIsLoggedWithItsLoss() public {
        Instruction[] memory calls = _calls(address(venue), _trade(30_000e6, 30_000e18, _delta(10e18)));
        vm.expectEmit(address(vault));
        emit IVault.Rebalanced("plan", keeper, 1_000_000e18, 1_000_000e18, 150e18);
        vm.prank(keeper);
        vault.rebalance(calls, block.timestamp, "plan");
        assertTrue(vault.planUsed("plan"));
    }

    function test_TheGuardUndoesABreach() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRiskGuard.LimitBreached.selector,
                eth,
                Measure.Delta,
                int256(20e18) * 3_000e18 / (1_000_000e18 - 300e18),
                -0.05e18,
                0.05e18
            )
        );
        _rebalance(address(venue), _trade(60_000e6, 60_000e18, _delta(20e18)));
        assertEq(usdc.balanceOf(address(vault)), 1_000_000e6);
    }

    function test_TheGuardUndoesALoss() public {
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, 3_000e18, 2_500e18));
        _rebalance(address(venue), _trade(3_000e6, 0, _delta(0)));
    }

    function test_TheGuardHoldsCapsAndHealth() public {
        vm.expectPartialRevert(IRiskGuard.CapExceeded.selector);
        _rebalance(address(venue), _trade(600_000e6, 600_000e18, _delta(0)));
        venue.setHealth(1, 1.0e18, 0);
        _rebalance(address(venue), _trade(1e6, 1e18, _delta(0)));
        bytes memory weaken = abi.encodeCall(DoubleVenue.setHealth, (1, 0.9e18, 0));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.UnitUnhealthy.selector, address(venue), 1, 0.9e18, 1.2e18));
        _rebalance(address(venue), weaken);
    }

    function test_DeadlinePlanAndCount() public {
        Instruction[] memory none;
        vm.startPrank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.PastDeadline.selector, block.timestamp - 1, block.timestamp));
        vault.rebalance(none, block.timestamp - 1, "a");
        vault.rebalance(none, block.timestamp, "a");
        vm.expectRevert(abi.encodeWithSelector(IVault.PlanUsed.selector, bytes32("a")));
        vault.rebalance(none, block.timestamp, "a");
        vm.expectRevert(abi.encodeWithSelector(VaultOperations.TooManyInstructions.selector, 33, 32));
        vault.rebalance(new Instruction[](33), block.timestamp, "b");
    }

    function test_OnlyVenuesCanBeCalled() public {
        address[3] memory targets = [address(usdc), address(vault), address(guard)];
        bytes memory grab = abi.encodeCall(IERC20.approve, (keeper, type(uint256).max));
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.UnknownVenue.selector, targets[i]));
            _rebalance(targets[i], grab);
        }
    }

    function test_AVenuesOwnErrorComesThrough() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VenueCallFailed.selector,
                address(venue),
                0,
                abi.encodeWithSelector(DoubleVenue.Broken.selector, 42)
            )
        );
        _rebalance(address(venue), abi.encodeCall(DoubleVenue.fail, (42)));
    }

    function test_FundIsClosedButToTheVenueBeingCalled() public {
        vm.prank(address(venue));
        vm.expectRevert(abi.encodeWithSelector(IVault.NotCalling.selector, address(venue)));
        vault.fund(1);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotCalling.selector, keeper));
        vault.fund(1);
    }

    function test_FundStopsAtIdle() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VenueCallFailed.selector,
                address(venue),
                0,
                abi.encodeWithSelector(IVault.IdleShort.selector, 1_000_000e6, 1_000_001e6)
            )
        );
        _rebalance(address(venue), _trade(1_000_001e6, 0, _delta(0)));
    }

    function test_AVenueCannotEnterTheVaultWhileCalled() public {
        bytes[4] memory entries = [
            abi.encodeCall(vault.deposit, (0, address(venue))),
            abi.encodeCall(vault.redeem, (0, address(venue), address(venue))),
            abi.encodeCall(vault.mark, ()),
            abi.encodeCall(vault.nav, ())
        ];
        for (uint256 i; i < entries.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IVault.VenueCallFailed.selector,
                    address(venue),
                    0,
                    abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
                )
            );
            _rebalance(address(venue), abi.encodeCall(DoubleVenue.intrude, (entries[i])));
        }
    }

    function test_ATopUpMendsAUnitAndStopsAtItsTarget() public {
        venue.setHealth(7, 1.3e18, 0.0001e12);
        vm.startPrank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.PastTarget.selector, address(venue), 7, 1.6e18, 1.5e18));
        vault.topUp(address(venue), 7, 3_000e6, 0);
        vm.expectEmit(address(vault));
        emit IVault.ToppedUp(address(venue), 7, 2_000e6, 1.3e18, 1.5e18);
        assertEq(vault.topUp(address(venue), 7, 2_000e6, 0), 2_000e6);
        vm.expectRevert(abi.encodeWithSelector(IVault.PastTarget.selector, address(venue), 7, 1.5e18, 1.5e18));
        vault.topUp(address(venue), 7, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownVenue.selector, bob));
        vault.topUp(bob, 7, 1, 0);
        vm.stopPrank();
        assertEq(vault.totalAssets(), 1_000_000e6);
    }

    function test_ATopUpIsNotHeldUpByABreachElsewhere() public {
        hedge.setBook(0, 0, _delta(-30e18));
        venue.setHealth(7, 1.1e18, 0.0001e12);
        vm.prank(keeper);
        vault.topUp(address(venue), 7, 2_000e6, 0);
    }

    function test_APendingOrderThatWouldBreachIsRefusedUnfilled() public {
        TwoStepVenue slow = _addTwoStep();
        vm.expectRevert(
            abi.encodeWithSelector(IRiskGuard.LimitBreached.selector, eth, Measure.Delta, -0.06e18, -0.05e18, 0.05e18)
        );
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, -20e18, 0, false)));
    }

    function test_APendingOrderIsCarriedFilledAndCancelled() public {
        TwoStepVenue slow = _addTwoStep();
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, -12e18, 0, false)));
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, -12e18, 0, false)));

        _rebalance(address(slow), abi.encodeCall(slow.cancel, (0)));
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, -12e18, 0, false)));
        slow.makeReady(1);
        slow.poll(1);
        assertEq(slow.size(), -12e18);
        (, int256 low,, int256 high) = vault.nav();
        assertEq(high - low, 2 * 12 * 15e18);
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, -12e18, 0, false)));
        _rebalance(address(slow), abi.encodeCall(slow.order, (eth, 12e18, 0, true)));
    }

    function _addTwoStep() private returns (TwoStepVenue slow) {
        slow = new TwoStepVenue(address(vault), eth);
        vault.addVenue(address(slow), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        _rebalance(address(slow), abi.encodeCall(slow.post, (0, 50_000e6, 0)));
    }

    function test_VenuesAreAddedConfiguredAndRemoved() public {
        VenueConfig memory c = VenueConfig(0.3e18, 1.2e18, 1.5e18, 1.1e18);
        DoubleVenue fresh = new DoubleVenue(address(vault));
        vm.expectEmit(address(vault));
        emit IVault.VenueAdded(address(fresh), c);
        vault.addVenue(address(fresh), c);
        assertTrue(vault.isVenue(address(fresh)));
        assertEq(vault.venues().length, 3);
        vm.expectRevert(abi.encodeWithSelector(IVault.VenueKnown.selector, address(fresh)));
        vault.addVenue(address(fresh), c);

        c.cap = 0.4e18;
        vm.expectEmit(address(vault));
        emit IVault.VenueConfigured(address(fresh), c);
        vault.configureVenue(address(fresh), c);
        assertEq(vault.venueConfig(address(fresh)).cap, 0.4e18);
        c.minHealth = 1.6e18;
        vm.expectRevert(abi.encodeWithSelector(VenueSet.DisorderedHealth.selector, 1.1e18, 1.6e18, 1.5e18));
        vault.configureVenue(address(fresh), c);

        fresh.setBook(1e18 + 1, 0, _delta(0));
        vm.expectRevert(abi.encodeWithSelector(VenueSet.NotEmpty.selector, address(fresh), 1e18 + 1, 0));
        vault.removeVenue(address(fresh));
        // 0.0004 ETH are 1.2 dollars.
        fresh.setBook(0, 0, _delta(-0.0004e18));
        vm.expectRevert(abi.encodeWithSelector(VenueSet.NotEmpty.selector, address(fresh), 0, 0));
        vault.removeVenue(address(fresh));
        fresh.setBook(0, 0, _one(eth, 1, 0, 0, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(VenueSet.NotEmpty.selector, address(fresh), 0, 0));
        vault.removeVenue(address(fresh));
        // Dust of a stranger, who must not be able to keep a venue in the vault.
        fresh.setBook(0.9e18, 0, _delta(0.0003e18));
        vm.expectEmit(address(vault));
        emit IVault.VenueRemoved(address(fresh));
        vault.removeVenue(address(fresh));
        assertFalse(vault.isVenue(address(fresh)));
        assertEq(vault.venues().length, 2);
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownVenue.selector, address(fresh)));
        vault.venueConfig(address(fresh));
    }

    function test_OnlyThisVaultsAdaptersAreVenues() public {
        VenueConfig memory c;
        DoubleVenue foreign = new DoubleVenue(bob);
        vm.expectRevert(abi.encodeWithSelector(VenueSet.NotOurs.selector, address(foreign)));
        vault.addVenue(address(foreign), c);
        vm.expectRevert(abi.encodeWithSelector(VenueSet.NotOurs.selector, address(usdc)));
        vault.addVenue(address(usdc), c);
        vm.expectRevert(abi.encodeWithSelector(VenueSet.NotOurs.selector, address(vault)));
        vault.addVenue(address(vault), c);
        for (uint256 i; i < 6; ++i) {
            vault.addVenue(address(new DoubleVenue(address(vault))), c);
        }
        address ninth = address(new DoubleVenue(address(vault)));
        vm.expectRevert(abi.encodeWithSelector(IVault.TooManyVenues.selector, 8));
        vault.addVenue(ninth, c);
    }

    function test_EveryRestrictedFunctionIsClosedToOthers() public {
        VenueConfig memory c;
        bytes[5] memory entries = [
            abi.encodeCall(vault.rebalance, (new Instruction[](0), block.timestamp, bytes32(0))),
            abi.encodeCall(vault.topUp, (address(venue), 0, 0, 0)),
            abi.encodeCall(vault.addVenue, (address(venue), c)),
            abi.encodeCall(vault.configureVenue, (address(venue), c)),
            abi.encodeCall(vault.removeVenue, (address(venue)))
        ];
        for (uint256 i; i < entries.length; ++i) {
            vm.prank(bob);
            (bool done, bytes memory answer) = address(vault).call(entries[i]);
            assertFalse(done);
            assertEq(answer, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob));
            if (i < 2) continue;
            vm.prank(keeper);
            (done, answer) = address(vault).call(entries[i]);
            assertEq(answer, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, keeper));
        }
    }

    function test_TheOracleMustPriceInTheAsset() public {
        DoubleOracle other = new DoubleOracle(eth);
        VaultParts memory parts = _parts();
        parts.oracle = address(other);
        vm.expectRevert(abi.encodeWithSelector(VaultPricing.WrongOracle.selector, address(other), address(usdc)));
        new Vault(parts);
    }
}
