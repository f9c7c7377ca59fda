// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Marks} from "../../contracts/nav/Marks.sol";
import {DoubleOracle} from "./doubles/DoublePrices.sol";
import {DoubleToken} from "./doubles/DoubleToken.sol";
import {VaultCase} from "./doubles/VaultCase.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultShares} from "../../contracts/VaultShares.sol";

/// @notice A queue in which all the shares it holds wait, and that does nothing.
contract QuietQueue {
    address public immutable vault;

    constructor(address vault_) {
        vault = vault_;
    }

    function waiting() external view returns (uint256) {
        return VaultShares(vault).balanceOf(address(this));
    }
}

/// @notice A token that keeps a part of what is transferred.
contract FeeToken is DoubleToken {
    uint256 public fee;

    constructor() DoubleToken("FEE", 6) {}

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0) && fee != 0) super._update(to, address(0), fee);
    }
}

/// @notice Every property of the standard, with a spread, venues, shares in the queue, fees owed, and marks that are carried or not; at 6
/// decimals here, at 18 below.
contract Erc4626Test is VaultCase {
    address private immutable carol = makeAddr("carol");
    uint256 private _whole;

    /// @dev A state: idle, a venue of any value and width, shares waiting, a donation, management fee owed, a mark carried or not.
    struct State {
        uint256 idle;
        int256 mid;
        uint256 delta;
        uint256 waiting;
        uint256 gift;
        uint256 time;
    }

    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        _whole = 10 ** _decimals();
        vault.setRedeemQueue(address(new QuietQueue(address(vault))));
    }

    function _marks() internal override returns (Marks) {
        return new Marks(600, 0.01e18, 0.02e18);
    }

    modifier given(State memory s) {
        _deposit(alice, bound(s.idle, 1, 7e7 * _whole));
        _deposit(bob, bound(s.idle, 1, 1e6 * _whole));
        (bool charged,) = vault.fees().call(abi.encodeWithSignature("setManagementFee(uint256)", 0.02e18));
        assertTrue(charged);
        venue.setBook(bound(s.mid, 0, 1e27), 0, _delta(int256(bound(s.delta, 0, 1e22))));
        address queue = vault.redeemQueue();
        uint256 waiting = bound(s.waiting, 0, vault.balanceOf(bob));
        vm.prank(bob);
        vault.transfer(queue, waiting);
        vm.warp(block.timestamp + 30 days);
        vault.mark();
        usdc.mint(address(vault), s.gift % 3 == 0 ? bound(s.gift, 0, 1e9 * _whole) : 0);
        vm.warp(block.timestamp + bound(s.time, 0, 1200));
        for (uint256 i; i < 3; ++i) {
            address who = [alice, bob, carol][i];
            vm.prank(who);
            usdc.approve(address(vault), type(uint256).max);
        }
        usdc.mint(carol, 1e12 * _whole);
        _;
    }

    function testFuzz_TheAssetAndViewsThatNeverRevert(State memory s, uint256 amount, address who) public given(s) {
        amount = bound(amount, 0, 1e40);
        assertEq(vault.asset(), address(usdc));
        vault.totalAssets();
        vault.convertToShares(amount);
        vault.convertToAssets(amount);
        vault.maxDeposit(who);
        vault.maxMint(who);
        vault.maxWithdraw(who);
        vault.maxRedeem(who);
    }

    function testFuzz_ConversionsAreTheSameForAllAndRoundDown(State memory s, uint256 amount) public given(s) {
        amount = bound(amount, 0, 1e12 * _whole);
        vm.prank(alice);
        uint256 shares = vault.convertToShares(amount);
        vm.prank(carol);
        assertEq(vault.convertToShares(amount), shares);
        assertLe(vault.convertToAssets(shares), amount);
        assertLe(vault.convertToShares(vault.convertToAssets(amount)), amount);
    }

    /// @notice Deposit: the preview is exact, exactly `assets` are taken, exactly the shares are minted.
    function testFuzz_Deposit(State memory s, uint256 assets) public given(s) {
        vm.assume(vault.maxDeposit(carol) > 0);
        assets = bound(assets, 0, 7e7 * _whole);
        uint256 shown = vault.previewDeposit(assets);
        (uint256 held, uint256 supply) = (usdc.balanceOf(carol), vault.totalSupply());
        vm.prank(carol);
        uint256 shares = vault.deposit(assets, alice);
        assertEq(shares, shown);
        assertEq(held - usdc.balanceOf(carol), assets);
        assertEq(vault.totalSupply() - supply, shares);
    }

    function testFuzz_Mint(State memory s, uint256 shares) public given(s) {
        vm.assume(vault.maxMint(carol) > 0);
        uint256 most = vault.maxMint(carol);
        shares = bound(shares, 0, vault.totalSupply() < most ? vault.totalSupply() : most);
        uint256 shown = vault.previewMint(shares);
        vm.assume(shown < 1e12 * _whole);
        (uint256 held, uint256 before) = (usdc.balanceOf(carol), vault.balanceOf(alice));
        vm.prank(carol);
        uint256 assets = vault.mint(shares, alice);
        assertEq(assets, shown);
        assertEq(held - usdc.balanceOf(carol), assets);
        assertEq(vault.balanceOf(alice) - before, shares);
    }

    function testFuzz_Withdraw(State memory s, uint256 assets) public given(s) {
        assets = bound(assets, 0, vault.maxWithdraw(alice));
        uint256 shown = vault.previewWithdraw(assets);
        uint256 before = vault.balanceOf(alice);
        vm.prank(alice);
        uint256 shares = vault.withdraw(assets, bob, alice);
        assertEq(shares, shown);
        assertEq(before - vault.balanceOf(alice), shares);
        assertEq(usdc.balanceOf(bob), assets);
    }

    function testFuzz_Redeem(State memory s, uint256 shares) public given(s) {
        shares = bound(shares, 0, vault.maxRedeem(alice));
        uint256 shown = vault.previewRedeem(shares);
        uint256 before = vault.balanceOf(alice);
        vm.prank(alice);
        uint256 assets = vault.redeem(shares, bob, alice);
        assertEq(assets, shown);
        assertEq(before - vault.balanceOf(alice), shares);
        assertEq(usdc.balanceOf(bob), assets);
    }

    /// @notice Whoever is not the owner needs, and uses up, its allowance.
    function testFuzz_OthersExitByAllowanceAlone(State memory s, uint256 shares) public given(s) {
        uint256 most = vault.maxRedeem(alice);
        vm.assume(most > 0);
        shares = bound(shares, 1, most);
        vm.prank(carol);
        vm.expectRevert();
        vault.redeem(shares, carol, alice);
        vm.prank(alice);
        vault.approve(carol, shares);
        vm.prank(carol);
        vault.redeem(shares, carol, alice);
        assertEq(vault.allowance(alice, carol), 0);
    }

    /// @notice No order of entry and exit by assets or shares brings a wei.
    function testFuzz_RoundTripsNeverProfit(State memory s, uint256 amount, uint8 kind) public given(s) {
        vm.assume(vault.maxDeposit(carol) > 0);
        amount = bound(amount, 1, 1e6 * _whole);
        vm.startPrank(carol);
        uint256 held = usdc.balanceOf(carol);
        if (kind % 2 == 0) {
            vault.deposit(amount, carol);
        } else {
            uint256 shares = vault.previewDeposit(amount);
            vm.assume(shares > 0);
            vault.mint(shares, carol);
        }
        if (kind % 4 < 2) vault.redeem(vault.maxRedeem(carol), carol, carol);
        else vault.withdraw(vault.maxWithdraw(carol), carol, carol);
        assertLe(usdc.balanceOf(carol), held);
    }

    function testFuzz_AnExitLeavesWhatTheQueueIsOwed(State memory s) public given(s) {
        uint256 most = vault.maxWithdraw(alice);
        // At the low; the vault keeps it at the high.
        uint256 owed = vault.previewRedeem(vault.balanceOf(vault.redeemQueue()));
        vm.prank(alice);
        vault.withdraw(most, alice, alice);
        if (most > 0) assertGe(usdc.balanceOf(address(vault)), owed);
    }

    function test_TheFirstEntryBurnsTheSeedAndAnEmptiedVaultOpensAgain() public {
        uint256 shown = vault.previewDeposit(1);
        assertEq(shown, 1e6);
        assertEq(_deposit(alice, 1), shown);
        assertEq(vault.balanceOf(vault.SEED_HOLDER()), vault.SEED());
        vm.startPrank(alice);
        vault.redeem(vault.maxRedeem(alice), alice, alice);
        vm.stopPrank();
        assertGt(vault.maxDeposit(alice), 0);
        uint256 shares = _deposit(alice, 1_000 * _whole);
        // A carried mark is wider by 1e-9 of an asset unit.
        assertApproxEqRel(vault.previewRedeem(shares), 1_000 * _whole, 1e10);
    }

    function test_ATransferFeeIsRefused() public {
        FeeToken token = new FeeToken();
        usdc = token;
        oracle = new DoubleOracle(address(token));
        vault = new Vault(_parts());
        _deposit(alice, 1_000e6);
        token.setFee(1);
        token.mint(bob, 10e6);
        vm.startPrank(bob);
        token.approve(address(vault), 10e6);
        vm.expectRevert(abi.encodeWithSelector(VaultShares.WrongTransfer.selector, 10e6 - 1, 10e6));
        vault.deposit(10e6, bob);
    }
}

contract Erc4626EighteenTest is Erc4626Test {
    function _decimals() internal pure override returns (uint8) {
        return 18;
    }
}
