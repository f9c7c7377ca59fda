// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../../contracts/guard/IRiskGuard.sol";
import {IVenueActs} from "../../../contracts/guard/IVenueActs.sol";
import {VenueActs} from "../../../contracts/guard/VenueActs.sol";
import {VenueConfig} from "../../../contracts/IVault.sol";
import {VaultCase} from "../doubles/VaultCase.sol";

/// @notice The ways in which top-ups that are open to anyone could be turned against the vault.
contract TopUpsAttackTest is VaultCase {
    uint256 private constant UNIT = 7;
    uint128 private constant TIP = 20e18;
    uint128 private constant TIPS_A_DAY = 50e18;
    /// @dev A dollar adds this much health.
    uint256 private constant PER_ASSET = 0.0001e12;
    VenueActs private acts;
    address private immutable stranger = makeAddr("stranger");

    function setUp() public override {
        vm.warp(1_800_000_000);
        super.setUp();
        acts = VenueActs(guard.acts());
        acts.setTip(eth, TIP, TIPS_A_DAY);
        _deposit(alice, 1_000_000e6);
        venue.setHealth(UNIT, 1.05e18, PER_ASSET);
        vm.fee(50 gwei);
    }

    /// @notice Tip farming: whoever could make a unit critical again and again, for nothing, would still earn no more than a day's
    /// tips, once a venue an hour, and each at most half again what its gas costs.
    function test_TipFarming_ADayOfItEarnsADaysTipsAtMost() public {
        uint256 tips;
        uint256 last;
        for (uint256 i; i < 96; ++i) {
            venue.setHealth(UNIT, 1.05e18, PER_ASSET);
            uint256 gas = gasleft();
            uint256 tip = _mend(1_600e6);
            gas -= gasleft();
            if (tip > 0) {
                assertTrue(last == 0 || block.timestamp >= last + 1 hours, "within the cooldown");
                last = block.timestamp;
                // Gas that the test itself uses is on the side of the bound.
                assertLe(tip * 1e12, (gas + 100_000) * 50 gwei * 3_000 * 3 / 2);
            }
            tips += tip;
            vm.warp(block.timestamp + 15 minutes);
            vm.roll(block.number + 75);
        }
        assertGt(tips, 0);
        assertLe(tips, TIPS_A_DAY / 1e12);
        assertEq(usdc.balanceOf(stranger), tips);
    }

    /// @notice Tip farming by crumbs: who leaves the unit critical is paid nothing.
    function test_TipFarming_NothingForAUnitThatIsNotMended() public {
        assertEq(_mend(1e6), 0);
        assertEq(usdc.balanceOf(stranger), 0);
    }

    /// @notice Tip farming in one transaction: a unit that is critical by its own venue's price alone, which the caller may just have
    /// pushed, must have been so in an earlier block too.
    function test_TipFarming_APushedVenuePostsNothingInTheSameBlock() public {
        vm.startPrank(stranger);
        acts.noteCritical(address(vault), address(venue), UNIT);
        (uint256 posted, uint256 tip) = vault.topUpCritical(address(venue), UNIT, 1_600e6);
        vm.stopPrank();
        assertEq(posted + tip, 0);
        assertEq(usdc.balanceOf(address(vault)), 1_000_000e6);
    }

    /// @notice Tip farming with an old note: one that was made while the venue was pushed does not hold for long.
    function test_TipFarming_AnOldNoteDoesNotHold() public {
        acts.noteCritical(address(vault), address(venue), UNIT);
        vm.roll(block.number + 51);
        vm.prank(stranger);
        (uint256 posted,) = vault.topUpCritical(address(venue), UNIT, 1_600e6);
        assertEq(posted, 0);
    }

    /// @notice Tip farming on a healthy unit, or past its target.
    function test_TipFarming_AHealthyUnitIsNotToppedUp() public {
        venue.setHealth(UNIT, 1.3e18, PER_ASSET);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IVenueActs.NotCritical.selector, address(venue), UNIT, 1.3e18, 1.1e18));
        vault.topUpCritical(address(venue), UNIT, 1_600e6);
    }

    function test_TipFarming_WithoutAPriceOfGasThereIsNoTip() public {
        oracle.set(eth, 0, 0, 0);
        assertEq(_mend(1_600e6), 0);
        assertEq(usdc.balanceOf(address(vault)), 1_000_000e6 - 1_600e6);
    }

    /// @notice What tips and top-ups cost counts in the same budget as the keeper's losses: they are no second purse.
    function test_TipFarming_TipsFillTheBudget() public {
        (uint256 before,) = guard.budget(address(vault));
        uint256 tip = _mend(1_600e6);
        (uint256 level,) = guard.budget(address(vault));
        assertGt(tip, 0);
        assertApproxEqAbs(level - before, tip * 1e12 * 1e18 / 1_000_000e18, 1e9);
    }

    /// @notice Refilling a leaking venue: what is posted vanishes, the unit is critical again, and anyone may mend it. What idle pays
    /// net over a week stops at the venue's cap, though the venue looks empty all along.
    function test_RefillingALeakingVenue_StopsAtItsCap() public {
        vault.configureVenue(address(venue), _capped(0.03e18));
        uint256 lost;
        bool stopped;
        for (uint256 i; i < 40 && !stopped; ++i) {
            venue.setHealth(UNIT, 1.05e18, PER_ASSET);
            venue.setBook(0, 0, _delta(0));
            acts.noteCritical(address(vault), address(venue), UNIT);
            vm.roll(block.number + 1);
            vm.warp(block.timestamp + 12);
            vm.prank(stranger);
            try vault.topUpCritical(address(venue), UNIT, 4_000e6) returns (uint256 posted, uint256) {
                lost += posted;
            } catch (bytes memory reason) {
                stopped = true;
                assertEq(bytes4(reason), IRiskGuard.CapExceeded.selector);
            }
        }
        assertTrue(stopped);
        assertGe(lost, 26_000e6);
        assertLe(lost, 30_000e6);
    }

    /// @notice The guardian stops it before that.
    function test_RefillingALeakingVenue_AFrozenVenueGetsNothing() public {
        acts.noteCritical(address(vault), address(venue), UNIT);
        acts.freeze(address(venue));
        vm.roll(block.number + 1);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.VenueFrozen.selector, address(venue)));
        vault.topUpCritical(address(venue), UNIT, 1_600e6);
    }

    function _mend(uint256 assets) private returns (uint256 tip) {
        acts.noteCritical(address(vault), address(venue), UNIT);
        vm.roll(block.number + 1);
        vm.prank(stranger);
        (, tip) = vault.topUpCritical(address(venue), UNIT, assets);
    }

    function _capped(uint256 cap) private view returns (VenueConfig memory config) {
        config = vault.venueConfig(address(venue));
        config.cap = cap;
    }
}
