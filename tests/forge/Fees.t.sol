// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Fees} from "../../contracts/Fees.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Management and performance fees of a vault of a million, in shares.
contract FeesTest is VaultCase {
    address private immutable manager_ = makeAddr("fee recipient");
    Fees private fees;

    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        fees = Fees(vault.fees());
        fees.setRecipient(manager_);
        _deposit(alice, 1_000_000e6);
    }

    function test_TheManagementFeeIsThatPartOfTheSupplyAYear() public {
        fees.setManagementFee(0.02e18);
        vm.warp(block.timestamp + 365 days);
        uint256 shown = vault.previewRedeem(1_000_000e12);
        fees.collect();
        // exp(0.02) - 1 = 2.0201340%
        assertApproxEqRel(vault.balanceOf(manager_), 20_201.34e12, 1e12);
        assertApproxEqAbs(vault.previewRedeem(1_000_000e12), shown, 1);
        // Of all shares that is 1 - exp(-0.02) = 1.98013%.
        assertApproxEqRel(1_000_000e6 - shown, 19_801.33e6, 1e12);
    }

    /// @notice Accruing in every step or once, and collecting in between or not, comes to the same.
    function testFuzz_TheOrderOfAccrualsDoesNotMatter(uint256 rate, uint32[8] memory steps, uint256 collects) public {
        fees.setManagementFee(bound(rate, 0, 0.02e18));
        uint256 snapshot = vm.snapshotState();
        uint256 time;
        for (uint256 i; i < steps.length; ++i) {
            uint256 step = bound(steps[i], 0, 60 days);
            time += step;
            vm.warp(block.timestamp + step);
            if (collects >> i & 1 == 0) vault.mark();
            else fees.collect();
        }
        fees.collect();
        uint256 often = vault.balanceOf(manager_);
        vm.revertToState(snapshot);
        vm.warp(block.timestamp + time);
        fees.collect();
        assertApproxEqAbs(often, vault.balanceOf(manager_), vault.balanceOf(manager_) / 1e6 + 16);
    }

    function test_DustAccruesEverySecondWithoutTruncation() public {
        uint256 most = vault.maxRedeem(alice);
        vm.prank(alice);
        vault.redeem(most - 1e9, alice, alice);
        fees.setManagementFee(0.02e18);
        uint256 supply = vault.totalSupply();
        for (uint256 i; i < 2_000; ++i) {
            vm.warp(block.timestamp + 1);
            vault.mark();
        }
        fees.collect();
        assertApproxEqRel(vault.balanceOf(manager_), supply * 2 * 2_000 / 100 / 365 days, 0.002e18);
    }

    function test_PreviewsHoldWhileFeesAreOwed() public {
        fees.setManagementFee(0.02e18);
        vm.warp(block.timestamp + 100 days);
        uint256 shown = vault.previewDeposit(1_000e6);
        assertEq(_deposit(bob, 1_000e6), shown);
        shown = vault.previewRedeem(shown / 2);
        uint256 half = vault.balanceOf(bob) / 2;
        vm.prank(bob);
        assertEq(vault.redeem(half, bob, bob), shown);
    }

    function test_FlatNavAndEntriesAndExitsOweNothing() public {
        _performance();
        venue.setBook(0, 3_000e18, _delta(0));
        _deposit(bob, 500_000e6);
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        uint256 half = vault.balanceOf(bob) / 2;
        vm.prank(bob);
        vault.redeem(half, bob, bob);
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        assertEq(vault.balanceOf(manager_), 0);
    }

    /// @notice The entrants' spread lifts the low of a share, and is no gain.
    function testFuzz_TheSpreadOfEntrantsIsNoGain(uint256 width, uint256[4] memory entries, uint256 exits) public {
        _performance();
        venue.setBook(0, bound(width, 0, 4_000e18), _delta(0));
        uint256 before = vault.previewRedeem(1_000_000e12);
        for (uint256 i; i < entries.length; ++i) {
            _deposit(bob, bound(entries[i], 1e6, 5_000_000e6));
            uint256 part = vault.balanceOf(bob) / 3;
            vm.prank(bob);
            if (exits >> i & 1 == 1) vault.redeem(part, bob, bob);
        }
        assertGe(vault.previewRedeem(1_000_000e12) + 1, before);
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        // A wei of gain may be rounded into being.
        assertLe(vault.convertToAssets(vault.balanceOf(manager_)), 4);
    }

    function test_AGainIsChargedOnceAPeriodOverTheHighWaterMark() public {
        _performance();
        venue.setBook(100_000e18, 0, _delta(0));
        vm.warp(block.timestamp + 29 days);
        fees.collect();
        assertEq(vault.balanceOf(manager_), 0, "the period is not over");
        vm.warp(block.timestamp + 1 days);
        fees.collect();
        // A fifth of 100,000 at a low of 1,100,000.
        assertApproxEqRel(vault.previewRedeem(vault.balanceOf(manager_)), 20_000e6, 1e12);
        uint256 charged = vault.balanceOf(manager_);
        venue.setBook(50_000e18, 0, _delta(0));
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        venue.setBook(100_000e18, 0, _delta(0));
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        assertApproxEqAbs(vault.balanceOf(manager_), charged, 1e7, "back at the mark, not over it");
        venue.setBook(150_000e18, 0, _delta(0));
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        uint256 more = vault.balanceOf(manager_) - charged;
        assertApproxEqRel(vault.previewRedeem(more), 10_000e6, 1e14);
    }

    /// @notice A round trip of any size, under the mark or over it, takes nothing from it.
    function testFuzz_TheHighWaterMarkIsNotReset(uint256 entry, uint256 gain, bool over) public {
        _performance();
        venue.setBook(100_000e18, 0, _delta(0));
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        uint256 charged = vault.balanceOf(manager_);
        venue.setBook(over ? int256(150_000e18) : int256(50_000e18), 0, _delta(0));
        _deposit(bob, bound(entry, 1e6, 10_000_000e6));
        uint256 all = vault.balanceOf(bob);
        vm.prank(bob);
        vault.redeem(all, bob, bob);
        vm.warp(block.timestamp + 31 days);
        if (!over) {
            fees.collect();
            assertEq(vault.balanceOf(manager_), charged, "under the mark");
            venue.setBook(100_000e18, 0, _delta(0));
            fees.collect();
            assertApproxEqAbs(vault.balanceOf(manager_), charged, 1e7, "at the mark");
        }
        gain = bound(gain, 50_000e18, 100_000e18);
        venue.setBook(100_000e18 + int256(gain), 0, _delta(0));
        fees.collect();
        uint256 more = vault.previewRedeem(vault.balanceOf(manager_) - charged);
        assertApproxEqAbs(more, gain / 5 / 1e12, 20);
    }

    function test_NothingIsChargedOnAWideInterval() public {
        _performance();
        venue.setBook(100_000e18, 6_000e18, _delta(0));
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        assertEq(vault.balanceOf(manager_), 0);
        venue.setBook(100_000e18, 5_000e18, _delta(0));
        fees.collect();
        assertGt(vault.balanceOf(manager_), 0);
    }

    function test_GainsOfBeforeAFeeAreFree() public {
        venue.setBook(100_000e18, 0, _delta(0));
        _performance();
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        assertEq(vault.balanceOf(manager_), 0);
    }

    /// @notice A fee that is raised after a loss does not bring the mark down to it: what was lost is made good free of charge, and what is
    /// gained beyond is charged once.
    function test_ARaisedFeeDoesNotResetTheMarkAfterALoss() public {
        fees.setPerformanceFee(0.1e18);
        fees.collect();
        uint256 highWater = fees.highWater();
        venue.setBook(-200_000e18, 0, _delta(0));
        fees.setPerformanceFee(0.2e18);
        fees.collect();
        assertEq(fees.highWater(), highWater);
        venue.setBook(0, 0, _delta(0));
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        assertEq(vault.balanceOf(manager_), 0, "made good");
        venue.setBook(100_000e18, 0, _delta(0));
        fees.collect();
        assertApproxEqRel(vault.previewRedeem(vault.balanceOf(manager_)), 20_000e6, 1e12);
    }

    /// @notice An exit while a venue cannot be read does not make the spread of those who entered before a gain.
    function testFuzz_AnUnpricedExitLeavesTheSpreadOfEntrantsFree(uint256 entry, uint256 left) public {
        _performance();
        venue.setBook(0, 4_000e18, _delta(0));
        _deposit(bob, bound(entry, 1_000e6, 10_000_000e6));
        uint256 shares = vault.balanceOf(alice);
        venue.setMode(Mode.Reverts);
        left = bound(left, 1e12, shares * 9 / 10);
        vm.prank(alice);
        vault.redeem(left, alice, alice);
        venue.setMode(Mode.Fine);
        fees.collect();
        vm.warp(block.timestamp + 31 days);
        fees.collect();
        assertLe(vault.previewRedeem(vault.balanceOf(manager_)), 4);
        assertGe(fees.highWater() + 1, vault.previewRedeem(1e18));
    }

    /// @notice A gain that there is nobody to charge it for is charged when there is.
    function test_WithoutARecipientNoGainIsChargedAway() public {
        _performance();
        fees.setRecipient(address(0));
        venue.setBook(100_000e18, 0, _delta(0));
        vm.warp(block.timestamp + 31 days);
        vm.prank(bob);
        assertEq(fees.collect(), 0);
        fees.setRecipient(manager_);
        fees.collect();
        assertApproxEqRel(vault.previewRedeem(vault.balanceOf(manager_)), 20_000e6, 1e12);
    }

    function test_CapsAndDirections() public {
        vm.expectRevert(abi.encodeWithSelector(Fees.FeeTooHigh.selector, 0.02e18 + 1, 0.02e18));
        fees.setManagementFee(0.02e18 + 1);
        vm.expectRevert(abi.encodeWithSelector(Fees.FeeTooHigh.selector, 0.2e18 + 1, 0.2e18));
        fees.setPerformanceFee(0.2e18 + 1);
        fees.setManagementFee(0.01e18);
        fees.setPerformanceFee(0.1e18);
        vm.expectRevert(abi.encodeWithSelector(Fees.FeeNotLower.selector, 0.01e18, 0.01e18));
        fees.lowerManagementFee(0.01e18);
        vm.expectRevert(abi.encodeWithSelector(Fees.FeeNotLower.selector, 0.1e18, 0.1e18));
        fees.lowerPerformanceFee(0.1e18);
        fees.lowerManagementFee(0.005e18);
        fees.lowerPerformanceFee(0);
        assertEq(fees.managementFee(), 0.005e18);
        assertEq(fees.performanceFee(), 0);
    }

    function test_NobodyElseSetsOrSyncs() public {
        vm.startPrank(bob);
        vm.expectRevert();
        fees.setManagementFee(0);
        vm.expectRevert();
        fees.setRecipient(bob);
        vm.expectRevert(abi.encodeWithSelector(Fees.OnlyVault.selector, bob));
        fees.sync(Fees.Sync(0, 0, 0, 0, 0, 0));
        vm.expectRevert();
        vault.settleFees(0, bob, 1e30);
    }

    function test_WithoutARecipientFeesStayOwed() public {
        fees.setRecipient(address(0));
        fees.setManagementFee(0.02e18);
        vm.warp(block.timestamp + 365 days);
        assertEq(fees.collect(), 0);
        (, uint256 owed) = vault.feesOwed();
        assertApproxEqRel(owed, 20_201.34e12, 1e12);
        fees.setRecipient(manager_);
        assertEq(fees.collect(), owed);
    }

    function _performance() private {
        fees.setPerformanceFee(0.2e18);
        fees.collect();
    }
}

/// @notice An asset of 18 decimals has shares of 24.
contract FeesOf18DecimalsTest is VaultCase {
    function _decimals() internal pure override returns (uint8) {
        return 18;
    }

    /// @notice A performance fee is minted whole, whatever the ledger of the management fee holds.
    function test_AFeeOfTwoMillionIsPaidWhole() public {
        vm.warp(1_700_000_000);
        Fees fees = Fees(vault.fees());
        address recipient = makeAddr("recipient");
        fees.setRecipient(recipient);
        _deposit(alice, 70_000_000e18);
        fees.setPerformanceFee(0.2e18);
        fees.collect();
        usdc.mint(address(vault), 10_000_000e18);
        skip(31 days);
        fees.collect();
        assertApproxEqRel(vault.previewRedeem(vault.balanceOf(recipient)), 2_000_000e18, 0.001e18);
    }
}
