// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRedeemQueue} from "../../contracts/IRedeemQueue.sol";
import {QueueCase} from "./doubles/QueueCase.sol";

/// @notice Cancelations: announced, then paid or returned, never chosen with the price in sight.
contract RedeemQueueCancelTest is QueueCase {
    uint256 private _shares;
    uint256 private _id;

    function setUp() public override {
        super.setUp();
        _shares = _deposit(alice, 500e6);
        _deposit(bob, 500e6);
        _invest(1_000e6);
        _id = _request(alice, _shares);
    }

    function _announce() private {
        vm.prank(alice);
        queue.cancelRedeemRequest(_id, alice);
    }

    function _take() private {
        vm.prank(alice);
        queue.claimCancelRedeemRequest(_id, alice, alice);
    }

    function _fee(uint256 shares) private pure returns (uint256) {
        return (shares * 25 + 9_999) / 10_000;
    }

    function test_AnAnnouncedCancelationTakesEffectAfterTheDelay() public {
        assertFalse(queue.pendingCancelRedeemRequest(_id, alice));
        vm.expectEmit(address(queue));
        emit IRedeemQueue.CancelRedeemRequest(alice, _id, alice);
        _announce();
        uint256 due = block.timestamp + 1 days;
        assertTrue(queue.pendingCancelRedeemRequest(_id, alice));
        assertFalse(queue.pendingCancelRedeemRequest(_id, bob));
        assertEq(queue.pendingRedeemRequest(_id, alice), _shares);
        assertEq(queue.claimableCancelRedeemRequest(_id, alice), 0);
        vm.warp(due - 1);
        bytes memory early = abi.encodeWithSelector(IRedeemQueue.CancelationPending.selector, _id, due);
        vm.expectRevert(early);
        _take();
        vm.expectRevert(early);
        queue.settleCancelation(_id);
        vm.warp(due);
        assertFalse(queue.pendingCancelRedeemRequest(_id, alice));
        assertEq(queue.pendingRedeemRequest(_id, alice), 0);
        uint256 back = _shares - _fee(_shares);
        assertEq(queue.claimableCancelRedeemRequest(_id, alice), back);
        assertEq(queue.claimableCancelRedeemRequest(_id, bob), 0);
        vm.expectEmit(address(queue));
        emit IRedeemQueue.CancelRedeemClaim(alice, carol, _id, alice, back);
        vm.prank(alice);
        queue.claimCancelRedeemRequest(_id, carol, alice);
        assertEq(vault.balanceOf(carol), back);
        assertEq(queue.waiting(), 0);
        assertEq(queue.claimableCancelRedeemRequest(_id, alice), 0);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, _id, alice));
        _take();
    }

    /// @notice What liquidity was freed for is paid, announced or not; only the rest comes back.
    function test_WhatWasPaidStaysPaid() public {
        _unwind(100e6);
        _announce();
        queue.process(1);
        uint256 paid = queue.claimableRedeemRequest(_id, alice);
        assertApproxEqAbs(paid, _shares / 5, 4e6);
        vm.warp(block.timestamp + 1 days);
        uint256 back = _shares - paid - _fee(_shares - paid);
        assertEq(queue.claimableCancelRedeemRequest(_id, alice), back);
        _take();
        assertEq(vault.balanceOf(alice), back);
        assertApproxEqAbs(_claim(alice), 100e6, 1);
    }

    /// @notice The price falls after the announcement: the one who announced is paid it all the same.
    function test_ItIsNoWayOutOfAPriceThatFell() public {
        _announce();
        _unwind(600e6);
        _revalue(200e6, 0); // of 400
        queue.process(1);
        assertApproxEqAbs(queue.maxWithdraw(alice), 400e6, 1);
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, _id, alice));
        _take();
    }

    /// @notice The price rises after it took effect: nobody is paid it from a place that was given up.
    function test_ItCannotBeTakenBackWhenThePriceRose() public {
        _announce();
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.CancelationPending.selector, _id, block.timestamp + 1 days));
        _announce();
        vm.warp(block.timestamp + 1 days);
        _unwind(1_000e6);
        usdc.mint(address(vault), 1_000e6);
        uint256 behind = _request(bob, 1e12);
        queue.process(2);
        assertEq(queue.claimableRedeemRequest(_id, alice), 0);
        assertEq(queue.claimableRedeemRequest(behind, bob), 1e12);
        assertEq(queue.claimableCancelRedeemRequest(_id, alice), _shares - _fee(_shares));
    }

    function test_NoNewRequestsWhileOneIsPending() public {
        _announce();
        uint256 until = block.timestamp + 1 days;
        _approve(bob);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.RequestsBlocked.selector, alice, until));
        vm.prank(bob);
        queue.requestRedeem(1e12, alice, bob);
        uint256 other = _request(bob, 1e12);
        vm.warp(until);
        _take();
        uint256 again = _request(alice, 1e12);
        assertGt(again, other, "its place is lost");
    }

    function test_AnyoneTakesItOutOfTheLineOnceItTookEffect() public {
        _announce();
        vm.warp(block.timestamp + 1 days);
        assertEq(queue.waiting(), _shares);
        vm.prank(stranger);
        queue.settleCancelation(_id);
        assertEq(queue.waiting(), 0);
        assertEq(queue.claimableCancelRedeemRequest(_id, alice), _shares - _fee(_shares));
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, _id, alice));
        queue.settleCancelation(_id);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, _id, alice));
        _announce();
    }

    function test_AFeeThatIsRaisedStaysUnderItsCap() public {
        _announce();
        vm.warp(block.timestamp + 1 days);
        queue.setCancelFee(queue.CANCEL_FEE_CAP());
        _take();
        assertEq(vault.balanceOf(alice), _shares * 99 / 100);
    }

    /// @notice The fee is burned by the next process, though nobody waits, and its worth is with those who remain.
    function testFuzz_TheFeeStaysWithThoseWhoRemain(uint256 idle) public {
        _announce();
        vm.warp(block.timestamp + 1 days);
        _take();
        _unwind(bound(idle, 0, 1_000e6));
        uint256 before = vault.previewRedeem(1e18);
        queue.process(0);
        uint256 fee = _fee(_shares);
        uint256 burned = 1_000e12 + vault.SEED() - vault.totalSupply();
        assertLe(burned, fee);
        if (_idle() > 1.3e6) assertEq(burned, fee); // 0.25% of 500
        assertGe(vault.previewRedeem(1e18), before);
        assertApproxEqRel(vault.previewRedeem(1e18), before * 1_000e12 / (1_000e12 - burned), 1e9);
        assertEq(usdc.balanceOf(address(queue)), 0);
    }

    function test_AnOperatorCancels() public {
        vm.prank(alice);
        queue.setOperator(bob, true);
        vm.startPrank(bob);
        queue.cancelRedeemRequest(_id, alice);
        vm.warp(block.timestamp + 1 days);
        queue.claimCancelRedeemRequest(_id, alice, alice);
        assertEq(vault.balanceOf(alice), _shares - _fee(_shares));
    }
}
