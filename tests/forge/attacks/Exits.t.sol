// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Marks} from "../../../contracts/nav/Marks.sol";
import {Mode} from "../doubles/DoubleVenue.sol";
import {QueueCase} from "../doubles/QueueCase.sol";

/// @notice Idle kept from those who leave at once by shares that are owed nothing.
contract ExitsAttackTest is QueueCase {
    uint256 private _all;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _deposit(bob, 1_000_000e6);
        _all = vault.previewRedeem(vault.balanceOf(alice));
    }

    /// @notice Shares given to the queue are nobody's, and no idle is kept for them.
    function test_SharesGivenToTheQueueBlockNoExit() public {
        _invest(1_000_000e6);
        uint256 shares = vault.balanceOf(bob);
        vm.prank(bob);
        vault.transfer(address(queue), shares);
        assertEq(queue.waiting(), 0);
        assertApproxEqAbs(vault.maxWithdraw(alice), _all, 1);
        uint256 most = vault.maxRedeem(alice);
        vm.prank(alice);
        assertApproxEqAbs(vault.redeem(most, alice, alice), _all, 1);
    }

    /// @notice Nor for shares that left the line unpaid and are never taken back.
    function test_SharesThatAreNeverTakenBackBlockNoExit() public {
        _invest(1_000_000e6);
        uint256 id = _requestAt(bob, vault.balanceOf(bob), 2e18);
        assertEq(vault.maxWithdraw(alice), 0, "in line");
        queue.process(1);
        assertGt(queue.claimableCancelRedeemRequest(id, bob), 0);
        assertEq(queue.waiting(), 0);
        assertApproxEqRel(vault.maxWithdraw(alice), 1_000_000e6, 0.002e18);
        uint256 most = vault.maxWithdraw(alice);
        vm.prank(alice);
        vault.withdraw(most, alice, alice);
        assertEq(usdc.balanceOf(alice), most);
    }
}

/// @notice Leaving on a carried mark in which what a venue has lost since still counts.
contract StaleExitsAttackTest is QueueCase {
    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _deposit(bob, 1_000_000e6);
        _invest(1_500_000e6);
    }

    function _marks() internal override returns (Marks) {
        return new Marks(600, 0.01e18, 0.02e18);
    }

    /// @notice A mark that is still carried does not let the first who knows leave at it.
    function test_WhoLeavesFirstDoesNotEscapeABrokenVenue() public {
        vault.mark();
        venue.setMode(Mode.Reverts);
        assertApproxEqAbs(vault.previewRedeem(vault.balanceOf(bob)), 250_000e6, 1e6);
        uint256 most = vault.maxRedeem(bob);
        vm.prank(bob);
        uint256 paid = vault.redeem(most, bob, bob);
        assertLe(paid, 250_000e6 + 1);
        assertApproxEqAbs(vault.previewRedeem(vault.balanceOf(alice)), 250_000e6, 1e6);
    }

    /// @notice Nor a loss that can be read.
    function test_WhoLeavesFirstDoesNotEscapeAVenuesLoss() public {
        vault.mark();
        vm.warp(block.timestamp + 60);
        venue.setBook(500_000e18, 0, _delta(0));
        uint256 most = vault.maxWithdraw(bob);
        vm.prank(bob);
        vault.withdraw(most, bob, bob);
        (, int256 low,,) = vault.nav();
        assertApproxEqAbs(most + uint256(low) / 1e12, 1_000_000e6, 2);
        assertApproxEqAbs(vault.previewRedeem(vault.balanceOf(bob)) + most, 500_000e6, 2);
    }
}
