// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../../contracts/guard/IRiskGuard.sol";
import {IRedeemQueue} from "../../../contracts/IRedeemQueue.sol";
import {Mode} from "../doubles/DoubleVenue.sol";
import {QueueCase} from "../doubles/QueueCase.sol";

/// @notice The ways in which the redeem queue could be turned against those who wait in it or those who stay.
contract QueueAttackTest is QueueCase {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _deposit(bob, 1_000_000e6);
    }

    /// @notice Processing while a venue is unpriced would burn a victim's shares at what is left: nothing for the venue's part.
    function test_ProcessingWhileUnpriced_IsRefused() public {
        _invest(1_000_000e6);
        _request(bob, vault.balanceOf(bob));
        uint256 waiting = queue.waiting();
        for (uint256 mode = uint256(Mode.Reverts); mode <= uint256(Mode.Overlong); ++mode) {
            venue.setMode(Mode(mode));
            vm.prank(stranger);
            vm.expectRevert(IRiskGuard.Unpriced.selector);
            queue.process(10);
        }
        venue.setMode(Mode.Fine);
        oracle.set(eth, 0, 0, 0);
        venue.setBook(1_000_000e18, 0, _delta(1e18));
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        queue.process(10);
        assertEq(queue.waiting(), waiting);
        assertEq(queue.maxWithdraw(bob), 0);
    }

    /// @notice The same with a price that is hardly one: dumping those who wait at the low side of a wide interval.
    function test_DumpingAtTheLowSide_AWideIntervalIsNotProcessedAt() public {
        _invest(1_000_000e6);
        _request(bob, vault.balanceOf(bob));
        // 2% of two million is 40,000 from low to high.
        _revalue(1_000_000e6, 20_001e18);
        vm.expectPartialRevert(IRedeemQueue.IntervalTooWide.selector);
        queue.process(10);
        _revalue(1_000_000e6, 19_999e18);
        queue.process(10);
        assertGt(queue.maxWithdraw(bob), 0);
    }

    /// @notice Jumping the queue by the other door: an instant exit takes no idle that someone in line is owed.
    function testFuzz_JumpingTheQueue_InstantExitLeavesWhatTheLineIsOwed(uint256 asked, uint256 idle) public {
        uint256 shares = vault.balanceOf(bob);
        asked = bound(asked, 1e12, shares);
        idle = bound(idle, 0, 2_000_000e6);
        _invest(2_000_000e6 - idle);
        _request(bob, asked);
        uint256 owed = vault.previewRedeem(asked);
        uint256 most = vault.maxRedeem(alice);
        if (most > 0) {
            vm.prank(alice);
            vault.redeem(most, alice, alice);
        }
        assertGe(_idle() + 1, owed < idle ? owed : idle);
        queue.process(10);
        assertGe(queue.maxWithdraw(bob) + 2, owed < idle ? owed : idle);
    }

    /// @notice Jumping the queue from behind: whoever comes later is paid nothing until all before are paid whole.
    function testFuzz_JumpingTheQueue_TheLaterIsPaidAfterTheEarlier(uint256 first, uint256 second, uint256 idle)
        public
    {
        first = bound(first, 1e12, vault.balanceOf(bob));
        second = bound(second, 1, vault.balanceOf(alice));
        _invest(2_000_000e6 - bound(idle, 0, 2_000_000e6));
        uint256 one = _request(bob, first);
        _request(alice, second);
        queue.process(10);
        if (queue.pendingRedeemRequest(one, bob) > 0) assertEq(queue.maxRedeem(alice), 0);
    }

    /// @notice Jumping the queue by splitting: a thousand requests of a wei before the victim's do not keep it from being paid.
    function test_JumpingTheQueue_DustInFrontIsPaidThrough() public {
        vm.startPrank(bob);
        vault.approve(address(queue), type(uint256).max);
        for (uint256 i; i < 1_000; ++i) {
            queue.requestRedeem(1, bob, bob);
        }
        vm.stopPrank();
        _request(alice, vault.balanceOf(alice));
        for (uint256 i; i < 21; ++i) {
            queue.process(50);
        }
        assertApproxEqAbs(queue.maxWithdraw(alice), 1_000_000e6, 1);
    }

    /// @notice Cancel as a free option: wait in line, look at the price, and take the shares back when they are worth more. The
    /// decision takes a day, the line pays in the meantime, and what comes back is less than what was put in.
    function testFuzz_CancelAsAFreeOption_WaitingAndCancellingIsNeverBetterThanHolding(uint256 price, bool paid)
        public
    {
        price = bound(price, 500_000e6, 2_000_000e6);
        _invest(2_000_000e6);
        uint256 shares = vault.balanceOf(bob);
        uint256 id = _request(bob, shares);
        vm.prank(bob);
        queue.cancelRedeemRequest(id, bob);
        _revalue(price, 0);
        // Cash that comes in before the day is over is paid to him, whatever he announced.
        if (paid) {
            _unwind(price / 4);
            queue.process(10);
            assertGt(queue.maxRedeem(bob), 0);
        }
        uint256 left = queue.pendingRedeemRequest(id, bob);
        vm.warp(block.timestamp + 1 days - 1);
        vm.prank(bob);
        vm.expectRevert();
        queue.claimCancelRedeemRequest(id, bob, bob);
        vm.warp(block.timestamp + 1);
        vm.prank(bob);
        queue.claimCancelRedeemRequest(id, bob, bob);
        assertLt(vault.balanceOf(bob), left);
        assertLe(vault.balanceOf(bob) + queue.maxRedeem(bob), shares - left / 400);
    }

    /// @notice Cancel as a free option, through the minimum: a price under it takes the request out of line, at the same cost.
    function test_CancelAsAFreeOption_AMinimumThatIsNotMetCosts() public {
        uint256 shares = vault.balanceOf(bob);
        uint256 id = _requestAt(bob, shares, 1.5e18);
        queue.process(10);
        assertEq(queue.claimableCancelRedeemRequest(id, bob), shares - shares / 400);
        assertEq(queue.maxRedeem(bob), 0);
    }

    /// @notice Those who stay never pay for those who leave by the line: what a share is worth at the low does not fall.
    function testFuzz_SandwichingAProcess_TakesNothingFromThoseWhoStay(uint256 asked, uint256 idle, uint256 half)
        public
    {
        _invest(2_000_000e6 - bound(idle, 0, 2_000_000e6));
        _revalue(2_000_000e6 - _idle(), bound(half, 0, 19_000e18));
        _request(bob, bound(asked, 1, vault.balanceOf(bob)));
        uint256 low = vault.previewRedeem(1e12);
        queue.process(10);
        assertGe(vault.previewRedeem(1e12) + 1, low);
    }
}
