// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRedeemQueue, QueuedRedeem} from "../../contracts/IRedeemQueue.sol";
import {QueueFront} from "../../contracts/QueueFront.sol";
import {RedeemQueue} from "../../contracts/RedeemQueue.sol";
import {Vault} from "../../contracts/Vault.sol";
import {DoubleOracle} from "./doubles/DoublePrices.sol";
import {HookToken} from "./doubles/HookToken.sol";
import {QueueCase} from "./doubles/QueueCase.sol";

/// @notice What holds of the queue in any order of calls and at any sizes.
contract RedeemQueueFuzzTest is QueueCase {
    uint256 private constant STEPS = 32;
    address[3] private _users;
    uint256 private _seed;
    uint256 private _brought;

    function setUp() public override {
        super.setUp();
        _users = [alice, bob, carol];
    }

    function _next(uint256 below) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % below;
    }

    /// @notice Any order of requests, cancelations, cash in and out, gains, losses, gifts, processes and claims.
    function testFuzz_AnyOrderOfCalls(uint256 seed) public {
        _seed = seed;
        for (uint256 i; i < 3; ++i) {
            _deposit(_users[i], 1e6 + _next(1_000_000e6));
        }
        for (uint256 i; i < STEPS; ++i) {
            _step(_next(11), _users[_next(3)]);
            _check();
        }
        _finish();
    }

    function _step(uint256 what, address user) private {
        (, uint256 tail) = queue.line();
        uint256 id = 1 + _next(tail);
        if (what < 3) {
            uint256 held = vault.balanceOf(user);
            uint256 shares = what == 0 ? 1 + _next(10) : 1 + _next(held + 1);
            if (shares > held) return;
            _approve(user);
            vm.prank(user);
            try queue.requestRedeemAt(shares, user, user, what == 1 ? _next(2e18) : 0) {} catch {}
        } else if (what == 3) {
            _invest(_next(_idle() + 1));
        } else if (what == 4) {
            uint256 held = usdc.balanceOf(address(venue));
            (, int256 mid) = (0, venue.book().mid);
            _unwind(_next((held < uint256(mid) / 1e12 ? held : uint256(mid) / 1e12) + 1));
        } else if (what == 5) {
            _revalue(uint256(venue.book().mid) / 1e12 * (80 + _next(45)) / 100, 0);
        } else if (what == 6) {
            vm.prank(user);
            try queue.cancelRedeemRequest(id, user) {} catch {}
        } else if (what == 7) {
            vm.warp(block.timestamp + _next(2 days));
            try queue.settleCancelation(id) {} catch {}
            vm.prank(user);
            try queue.claimCancelRedeemRequest(id, user, user) {} catch {}
        } else if (what == 8) {
            uint256 shares = _next(queue.maxRedeem(user) + 1);
            vm.prank(user);
            queue.redeem(shares, user, user);
        } else if (what == 9) {
            usdc.mint(address(queue), _next(1e6));
            uint256 held = vault.balanceOf(user);
            vm.prank(user);
            vault.transfer(address(queue), held / 1_000);
        } else {
            _process(_next(6));
        }
    }

    /// @dev Processes, and holds what was paid against the low NAV of before.
    function _process(uint256 requests) private {
        (, int256 low,,) = vault.nav();
        if (low <= 0) return;
        uint256 supply = vault.totalSupply();
        uint256 perShare = vault.previewRedeem(1e24);
        (uint256 shares, uint256 assets) = queue.process(requests);
        assertLe(assets * supply, shares * (uint256(low) / 1e12 + 1), "more than the low NAV");
        if (vault.totalSupply() > 1e12) assertGe(vault.previewRedeem(1e24) + 1e7, perShare, "those who stay lost");
    }

    function _check() private view {
        uint256 owed;
        for (uint256 i; i < 3; ++i) {
            owed += queue.maxWithdraw(_users[i]);
        }
        assertEq(owed, queue.claimableAssets());
        assertLe(owed, usdc.balanceOf(address(queue)), "claims without cash");
        (, uint256 tail) = queue.line();
        uint256 inLine;
        uint256 back;
        bool unpaid;
        for (uint256 id = 1; id < tail; ++id) {
            QueuedRedeem memory r = queue.request(id);
            assertFalse(unpaid && r.filled > 0, "paid before one who came first");
            if (r.returned) back += r.shares;
            else inLine += r.shares;
            // One whose cancelation took effect gave its place up, whether or not it was taken out yet.
            if (!r.returned && r.shares > 0 && (r.cancelAt == 0 || r.cancelAt > block.timestamp)) unpaid = true;
        }
        assertEq(inLine, queue.waiting());
        assertLe(inLine + back, vault.balanceOf(address(queue)), "shares that are not here");
        _checkClaims(tail);
    }

    /// @dev What each request shows as claimable sums up to what its controller can claim.
    function _checkClaims(uint256 tail) private view {
        for (uint256 i; i < 3; ++i) {
            uint256 sum;
            for (uint256 id = 1; id < tail; ++id) {
                sum += queue.claimableRedeemRequest(id, _users[i]);
            }
            assertEq(sum, queue.maxRedeem(_users[i]));
        }
    }

    /// @dev With all cash in and all cancelations due, everyone gets out, and nothing but roundings stays.
    function _finish() private {
        (, uint256 tail) = queue.line();
        uint256 held = usdc.balanceOf(address(venue));
        _revalue(held, 0);
        _unwind(held);
        usdc.mint(address(vault), 1e6);
        vm.warp(block.timestamp + 2 days);
        _process(tail);
        _process(tail);
        for (uint256 id = 1; id < tail; ++id) {
            QueuedRedeem memory r = queue.request(id);
            vm.prank(r.controller);
            if (r.shares > 0) queue.claimCancelRedeemRequest(id, r.controller, r.controller);
        }
        for (uint256 i; i < 3; ++i) {
            _claim(_users[i]);
        }
        assertEq(queue.waiting(), 0);
        assertEq(queue.claimableAssets(), 0);
        assertEq(usdc.balanceOf(address(queue)), 0);
        assertEq(vault.balanceOf(address(queue)), 0);
    }

    /// @notice The same shares in one request or in many, dust among them, with the same cash.
    function testFuzz_SplittingARequestGainsNothing(uint256 assets, uint256 idle, uint256 pieces, uint256 seed) public {
        _seed = seed;
        uint256 shares = _deposit(alice, bound(assets, 1e6, 1e15));
        _deposit(bob, 1_000_000e6);
        _revalue(_next(1e12), 0);
        idle = bound(idle, 0, _idle());
        _invest(_idle() - idle);
        uint256 snapshot = vm.snapshotState();
        _request(alice, shares);
        queue.process(1);
        uint256 whole = _claim(alice);
        uint256 left = vault.totalSupply();
        vm.revertToState(snapshot);
        pieces = bound(pieces, 2, 12);
        for (uint256 i = 1; i < pieces; ++i) {
            uint256 piece = 1 + _next(shares / pieces);
            _request(alice, piece);
            shares -= piece;
        }
        _request(alice, shares);
        queue.process(pieces);
        assertLe(_claim(alice), whole + 1);
        // Not even by being paid for fewer shares.
        assertApproxEqAbs(vault.totalSupply(), left, 2e6);
    }

    function testFuzz_DustDoesNotBlockTheHead(uint256 count, uint256 dust, bool impossible) public {
        count = bound(count, 1, 40);
        dust = bound(dust, 1, 1e6);
        uint256 shares = _deposit(bob, 1_000e6);
        _deposit(alice, 1_000e6);
        for (uint256 i; i < count; ++i) {
            _requestAt(alice, dust, impossible ? type(uint256).max : 0);
        }
        _request(bob, shares);
        for (uint256 i; i <= count; i += 8) {
            queue.process(8);
        }
        assertGe(queue.maxWithdraw(bob) + 1, 1_000e6);
        assertLe(queue.maxWithdraw(bob), 1_000e6 + count, "what dust rounds away stays with the others");
    }

    /// @notice The same cash in any number of parts pays the same, but for a wei a part.
    function testFuzz_PartialFillsConserve(uint256 seed, uint256 parts) public {
        _seed = seed;
        parts = bound(parts, 1, 12);
        uint256 total;
        for (uint256 i; i < 3; ++i) {
            uint256 assets = 1e6 + _next(1e12);
            _request(_users[i], _deposit(_users[i], assets));
            total += assets;
        }
        _invest(total);
        for (uint256 i; i < parts; ++i) {
            _unwind(_next(usdc.balanceOf(address(venue)) + 1));
            queue.process(1 + _next(3));
        }
        _unwind(usdc.balanceOf(address(venue)));
        queue.process(3);
        uint256 paid;
        for (uint256 i; i < 3; ++i) {
            paid += _claim(_users[i]);
        }
        assertEq(queue.waiting(), 0);
        assertLe(paid, total);
        assertApproxEqAbs(paid, total, 3 * (parts + 1));
        assertEq(paid + _idle() + usdc.balanceOf(address(queue)), total);
    }

    /// @notice Shares and assets sent to the queue change neither price nor place nor claim of anyone in it.
    function testFuzz_GiftsChangeNothingForOthers(uint256 shares, uint256 assets, uint256 idle) public {
        uint256 mine = _deposit(alice, 1_000e6);
        uint256 gift = _deposit(stranger, 1_000e6);
        _deposit(bob, 1_000e6);
        idle = bound(idle, 0, _idle());
        _invest(_idle() - idle);
        _request(alice, mine);
        uint256 snapshot = vm.snapshotState();
        queue.process(1);
        (uint256 paidFor, uint256 paid) = (queue.maxRedeem(alice), queue.maxWithdraw(alice));
        vm.revertToState(snapshot);
        vm.prank(stranger);
        vault.transfer(address(queue), bound(shares, 0, gift));
        usdc.mint(address(queue), bound(assets, 0, 1e15));
        assertEq(queue.waiting(), mine);
        assertEq(queue.maxRedeem(alice), 0);
        queue.process(1);
        assertApproxEqAbs(queue.maxRedeem(alice), paidFor, 4e6, "shares, to the worth of some wei");
        assertApproxEqAbs(queue.maxWithdraw(alice), paid, 2);
        if (idle > 0) assertEq(usdc.balanceOf(address(queue)), queue.claimableAssets());
    }

    /// @notice An instant exit, however large, leaves what the queue is owed at the high NAV.
    function testFuzz_InstantExitsStopAtIdleLessWhatTheQueueIsOwed(
        uint256 waiting,
        uint256 idle,
        uint256 width,
        bool byShares
    ) public {
        // An exit at the low leaves the same width over less NAV.
        queue.setMaxProcessWidth(0.1e18);
        uint256 shares = _deposit(alice, 1_000_000e6);
        _deposit(bob, 1_000_000e6);
        idle = bound(idle, 0, _idle());
        _invest(_idle() - idle);
        _revalue(2_000_000e6 - idle, bound(width, 0, 15_000e18));
        waiting = bound(waiting, 1e12, shares);
        _request(alice, waiting);
        (,,, int256 high) = vault.nav();
        uint256 owed = waiting * (uint256(high) / 1e12 + 2) / vault.totalSupply() + 1;
        uint256 most = byShares ? vault.maxRedeem(bob) : vault.maxWithdraw(bob);
        vm.startPrank(bob);
        if (byShares) vault.redeem(most, bob, bob);
        else vault.withdraw(most, bob, bob);
        vm.stopPrank();
        if (usdc.balanceOf(bob) > 0) assertGe(_idle() + 2, owed);
        bool reaches = _idle() + 2 >= owed;
        queue.process(1);
        if (reaches) assertEq(queue.maxRedeem(alice), waiting, "all of it, at the low");
    }

    /// @notice Claims in any parts, by shares or assets, come to the same, and never to more than was paid.
    function testFuzz_ClaimsInPartsComeToTheWhole(uint256 assets, uint256 gain, uint256 seed) public {
        _seed = seed;
        uint256 shares = _deposit(alice, bound(assets, 1e6, 1e15));
        usdc.mint(address(vault), bound(gain, 0, 1e12));
        _request(alice, shares);
        queue.process(1);
        uint256 whole = queue.maxWithdraw(alice);
        for (uint256 i; i < 6; ++i) {
            (uint256 restShares, uint256 restAssets) = (queue.maxRedeem(alice), queue.maxWithdraw(alice));
            if (_next(2) == 0) {
                uint256 part = _next(queue.maxRedeem(alice) + 1);
                vm.prank(alice);
                queue.redeem(part, alice, alice);
            } else {
                uint256 part = _next(queue.maxWithdraw(alice) + 1);
                vm.prank(alice);
                queue.withdraw(part, alice, alice);
            }
            assertEq(usdc.balanceOf(alice) + queue.maxWithdraw(alice), whole);
            assertGe(
                queue.maxWithdraw(alice) * restShares, restAssets * queue.maxRedeem(alice), "rounded for the caller"
            );
        }
        _claim(alice);
        assertEq(usdc.balanceOf(alice), whole);
        assertEq(queue.maxRedeem(alice), 0);
    }

    /// @notice A token that calls back finds every door of the queue closed and every number of it zero.
    function test_NothingIsEnteredTwice() public {
        HookToken hook = new HookToken();
        usdc = hook;
        oracle = new DoubleOracle(address(hook));
        vault = new Vault(_parts());
        queue = new RedeemQueue(address(vault));
        vault.setRedeemQueue(address(queue));
        uint256 shares = _deposit(alice, 1_000e6);
        _request(alice, shares / 2);
        _request(alice, shares / 4);
        queue.process(1);
        bytes[8] memory closed = [
            abi.encodeCall(IRedeemQueue.process, (1)),
            abi.encodeCall(IRedeemQueue.redeem, (1, alice, alice)),
            abi.encodeCall(IRedeemQueue.withdraw, (1, alice, alice)),
            abi.encodeCall(IRedeemQueue.cancelRedeemRequest, (2, alice)),
            abi.encodeCall(IRedeemQueue.claimCancelRedeemRequest, (2, alice, alice)),
            abi.encodeCall(IRedeemQueue.settleCancelation, (2)),
            abi.encodeCall(IRedeemQueue.request, (2)),
            abi.encodeCall(IRedeemQueue.line, ())
        ];
        for (uint256 i; i < closed.length; ++i) {
            hook.hook(address(queue), closed[i]);
            vm.prank(alice);
            queue.redeem(1e12, alice, alice);
            assertEq(hook.calls(), 1);
            assertFalse(hook.done());
            assertEq(bytes4(hook.answer()), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        }
        bytes[5] memory zero = [
            abi.encodeCall(IRedeemQueue.maxRedeem, (alice)),
            abi.encodeCall(IRedeemQueue.maxWithdraw, (alice)),
            abi.encodeCall(IRedeemQueue.pendingRedeemRequest, (2, alice)),
            abi.encodeCall(IRedeemQueue.claimableRedeemRequest, (1, alice)),
            abi.encodeCall(QueueFront.maxDeposit, (alice))
        ];
        for (uint256 i; i < zero.length; ++i) {
            hook.hook(address(queue), zero[i]);
            queue.process(i == 0 ? 1 : 0);
            vm.prank(alice);
            queue.redeem(1e12, alice, alice);
            assertTrue(hook.done());
            assertEq(abi.decode(hook.answer(), (uint256)), 0);
        }
    }
}
