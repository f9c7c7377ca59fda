// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Entry at the high NAV, exit at the low; rebalance and roles are in Vault.t.sol.
contract VaultSharesTest is VaultCase {
    /// @dev Idle of alice's deposit and a position of any value and width.
    modifier standing(uint256 idle, int256 mid, uint256 delta) {
        _deposit(alice, bound(idle, 1e6, 1e15));
        venue.setBook(bound(mid, -1e24, 1e27), 0, _delta(int256(bound(delta, 0, 1e22))));
        _;
    }

    function test_EntryIsAtHighAndExitAtLow() public {
        uint256 shares = _deposit(alice, 1_000_000e6);
        assertEq(vault.decimals(), 12);
        assertEq(shares, 1_000_000e12);
        venue.setBook(0, 0, _delta(100e18)); // +- 1,500
        uint256 expected = vault.previewDeposit(1_001_500e6);
        assertApproxEqAbs(expected, 1_000_000e12, 1e6);
        assertEq(vault.previewRedeem(shares), 998_500e6);
        assertEq(_deposit(bob, 1_001_500e6), expected);
    }

    function testFuzz_PreviewsEqualOutcomes(uint256 idle, int256 mid, uint256 delta, uint256 amount, uint8 action)
        public
        standing(idle, mid, delta)
    {
        action = uint8(bound(action, 0, 3));
        uint256[4] memory most =
            [vault.maxDeposit(alice), vault.maxMint(alice), vault.maxWithdraw(alice), vault.maxRedeem(alice)];
        most[0] = most[0] > 1e15 ? 1e15 : most[0];
        most[1] = most[1] > 1e21 ? 1e21 : most[1];
        vm.assume(most[action] > 0);
        amount = bound(amount, 1, most[action]);
        if (action < 2) {
            vm.assume(action == 0 || vault.previewMint(amount) < 1e30);
            usdc.mint(alice, 1e30);
        }
        vm.startPrank(alice);
        usdc.approve(address(vault), type(uint256).max);
        uint256 expected;
        uint256 actual;
        if (action == 0) (expected, actual) = (vault.previewDeposit(amount), vault.deposit(amount, alice));
        if (action == 1) (expected, actual) = (vault.previewMint(amount), vault.mint(amount, alice));
        if (action == 2) (expected, actual) = (vault.previewWithdraw(amount), vault.withdraw(amount, alice, alice));
        if (action == 3) (expected, actual) = (vault.previewRedeem(amount), vault.redeem(amount, alice, alice));
        assertEq(actual, expected);
    }

    function testFuzz_DepositThenRedeemNeverProfits(uint256 idle, int256 mid, uint256 delta, uint256 amount)
        public
        standing(idle, mid, delta)
    {
        vm.assume(vault.maxDeposit(bob) > 0);
        amount = bound(amount, 1, 1e15);
        uint256 shares = _deposit(bob, amount);
        assertLe(vault.previewRedeem(shares), amount);
        uint256 most = vault.maxRedeem(bob);
        vm.prank(bob);
        assertLe(vault.redeem(most, bob, bob), amount);
    }

    function testFuzz_AnEntryOrExitNeverHurtsThoseWhoStay(
        uint256 idle,
        int256 mid,
        uint256 delta,
        uint256 amount,
        bool enter
    ) public standing(idle, mid, delta) {
        vm.assume(vault.maxDeposit(bob) > 0 && vault.maxRedeem(alice) > 1e6);
        uint256 lowBefore = vault.previewRedeem(1e12);
        if (enter) {
            _deposit(bob, bound(amount, 1, 1e15));
        } else {
            amount = bound(amount, 1, vault.maxRedeem(alice) / 2);
            vm.prank(alice);
            vault.redeem(amount, alice, alice);
        }
        // The low of a share never falls by an entry at the high or an exit at the low, but for a rounded wei.
        assertGe(vault.previewRedeem(1e12) + 1, lowBefore);
    }

    function testFuzz_MaximaCanBeUsedWhole(uint256 idle, int256 mid, uint256 delta, bool byShares)
        public
        standing(idle, mid, delta)
    {
        uint256 most = byShares ? vault.maxRedeem(alice) : vault.maxWithdraw(alice);
        vm.startPrank(alice);
        if (byShares) vault.redeem(most, alice, alice);
        else vault.withdraw(most, alice, alice);
        most = byShares ? vault.maxRedeem(alice) : vault.maxWithdraw(alice);
        vm.expectRevert();
        if (byShares) vault.redeem(most + 1, alice, alice);
        else vault.withdraw(most + 1, alice, alice);
    }

    function test_ExitStopsAtIdle() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _rebalance(address(venue), _trade(400e6, 400e18, _delta(0)));
        assertEq(vault.maxWithdraw(alice), 600e6);
        assertApproxEqAbs(vault.maxRedeem(alice), shares * 6 / 10, 1e6);
        vm.expectRevert(abi.encodeWithSelector(ERC4626.ERC4626ExceededMaxWithdraw.selector, alice, 600e6 + 1, 600e6));
        vm.prank(alice);
        vault.withdraw(600e6 + 1, alice, alice);
    }

    function test_AVenueThatCannotBeReadClosesEntryAndLeavesExitOpen() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _rebalance(address(venue), _trade(400e6, 400e18, _delta(0)));
        for (uint256 mode = uint256(Mode.Reverts); mode <= uint256(Mode.Overlong); ++mode) {
            venue.setMode(Mode(mode));
            assertEq(vault.maxDeposit(bob), 0);
            assertEq(vault.maxMint(bob), 0);
            vm.expectRevert(IRiskGuard.Unpriced.selector);
            vault.previewDeposit(1);
            vm.expectRevert(IRiskGuard.Unpriced.selector);
            vault.mark();
            assertEq(vault.totalAssets(), 1_000e6);
            assertEq(vault.convertToAssets(1e12), 1e6);
            assertApproxEqAbs(vault.previewRedeem(shares), 600e6, 1);
        }
        uint256 shown = vault.previewRedeem(shares / 2);
        vm.prank(alice);
        assertEq(vault.redeem(shares / 2, alice, alice), shown);
        assertApproxEqAbs(shown, 300e6, 1);
        usdc.mint(bob, 1e6);
        vm.startPrank(bob);
        usdc.approve(address(vault), 1e6);
        vm.expectRevert(abi.encodeWithSelector(ERC4626.ERC4626ExceededMaxDeposit.selector, bob, 1e6, 0));
        vault.deposit(1e6, bob);
    }

    function test_AVaultThatOwesMoreThanItHasPricesNothing() public {
        uint256 shares = _deposit(alice, 1_000e6);
        venue.setBook(-2_000e18, 0, _delta(0));
        assertEq(vault.maxDeposit(bob), 0);
        assertEq(vault.maxRedeem(alice), 0);
        assertEq(vault.maxWithdraw(alice), 0);
        assertEq(vault.previewRedeem(shares), 0);
        vault.mark();
        assertEq(vault.totalAssets(), 0);
    }

    /// @notice A first depositor who donates to inflate the share takes nothing from the next, and pays for the attempt.
    function testFuzz_InflationAttack(uint256 seed, uint256 donation) public {
        seed = bound(seed, 1, 1e6);
        donation = bound(donation, 0, 10_000_000e6);
        uint256 theirs = _deposit(bob, seed);
        usdc.mint(address(vault), donation);
        uint256 shares = _deposit(alice, 1_000e6);
        // At most one share's worth is rounded away: a millionth of (donation + seed).
        assertGe(vault.previewRedeem(shares) + (donation + seed) / 1e6 + 2, 1_000e6);
        assertLe(vault.previewRedeem(theirs), seed + donation + 1);
    }

    function test_TheMarkMovesTotalAssetsOnly() public {
        uint256 shares = _deposit(alice, 1_000e6);
        venue.setBook(500e18, 0, _delta(0));
        assertEq(vault.totalAssets(), 1_000e6);
        uint256 live = vault.previewRedeem(shares);
        vault.mark();
        assertEq(vault.totalAssets(), 1_500e6);
        assertEq(vault.previewRedeem(shares), live);
    }
}
