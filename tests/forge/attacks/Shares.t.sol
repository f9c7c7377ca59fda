// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VaultCase} from "../doubles/VaultCase.sol";

/// @notice Deaths by the share price: donations, empty markets and rounding.
contract SharesAttackTest is VaultCase {
    /// @notice Cream and Venus: a donation to the vault lifts a share's price for whoever holds shares. The donor gets back at most
    /// what was given, and those who stay lose nothing.
    function testFuzz_CreamVenus_ADonorNeverProfits(uint256 own, uint256 donation, uint256 others) public {
        own = bound(own, 1, 10_000_000e6);
        donation = bound(donation, 1, 10_000_000e6);
        _deposit(alice, bound(others, 1e6, 10_000_000e6));
        uint256 staying = _low(alice);
        _deposit(bob, own);
        usdc.mint(address(vault), donation);
        assertLe(_leave(bob), own + donation);
        assertGe(_low(alice), staying);
    }

    /// @notice A donation to a venue is worth no more to the donor than one to the vault.
    function testFuzz_CreamVenus_ADonationToAVenueNeverProfits(uint256 own, uint256 donation) public {
        own = bound(own, 1, 10_000_000e6);
        donation = bound(donation, 1, 10_000_000e6);
        _deposit(alice, 1_000_000e6);
        _deposit(bob, own);
        venue.setBook(int256(donation * 1e12), 0, _delta(0));
        assertLe(_leave(bob), own + donation);
        assertGe(_low(alice), 1_000_000e6 - 1);
    }

    /// @notice Hundred, Sonne and ResupplyFi: whoever is alone in an empty market makes a share so dear that others' deposits
    /// round down to nothing. Alone or not, front-running costs the attacker, and the victim loses less than a millionth of the gift.
    function testFuzz_HundredSonneResupply_AnEmptyVaultTakesNothingFromTheNext(
        uint256 seed,
        uint256 donation,
        uint256 deposited
    ) public {
        seed = bound(seed, 1, 1e9);
        donation = bound(donation, 0, 100_000_000e6);
        deposited = bound(deposited, 1e6, 1_000_000e6);
        _deposit(bob, seed);
        usdc.mint(address(vault), donation);
        _deposit(alice, deposited);
        assertGe(_low(alice) + (seed + donation) / 1e6 + 2, deposited);
        assertLe(_leave(bob), seed + donation);
    }

    /// @notice The same where everybody has left, and a few wei of supply remain.
    function testFuzz_HundredSonneResupply_AVaultThatEmptiedIsAsSafe(uint256 left, uint256 donation) public {
        left = bound(left, 0, 10);
        donation = bound(donation, 0, 100_000_000e6);
        _deposit(bob, 1_000_000e6);
        uint256 most = vault.maxRedeem(bob);
        vm.prank(bob);
        uint256 paid = vault.redeem(most - left, bob, bob);
        usdc.mint(address(vault), donation);
        _deposit(alice, 1_000e6);
        assertGe(_low(alice) + donation / 1e6 + 2, 1_000e6);
        assertLe(paid + _leave(bob), 1_000_000e6 + donation);
    }

    /// @notice Balancer (2025): a rounding that favours the caller by less than a wei, a thousand times in one transaction.
    /// forge-config: default.fuzz.runs = 8
    function testFuzz_Balancer_AThousandTinyOperationsEarnNothing(uint256 seed, uint256 price) public {
        _deposit(alice, 1_000_003e6 + 7);
        // Any ratio of assets to shares, interval included.
        venue.setBook(int256(bound(price, 0, 1e24)) - 0.9e24, 0, _delta(1e18));
        uint256 start = 1_000e6;
        _deposit(bob, start);
        usdc.mint(bob, start);
        uint256 before = usdc.balanceOf(bob) + _low(bob);
        uint256 staying = _low(alice);
        vm.startPrank(bob);
        usdc.approve(address(vault), type(uint256).max);
        for (uint256 i; i < 1_000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 action = seed % 4;
            uint256 tiny = 1 + (seed >> 8) % 9;
            if (action == 0) vault.deposit(tiny, bob);
            if (action == 1) vault.mint(tiny, bob);
            if (action == 2) vault.withdraw(tiny, bob, bob);
            if (action == 3) vault.redeem(tiny, bob, bob);
        }
        vm.stopPrank();
        assertLe(usdc.balanceOf(bob) + _low(bob), before);
        assertGe(_low(alice), staying);
    }

    function _low(address who) private view returns (uint256) {
        return vault.previewRedeem(vault.balanceOf(who));
    }

    /// @dev Redeems all that `who` can, and what is left at the low.
    function _leave(address who) private returns (uint256 assets) {
        uint256 most = vault.maxRedeem(who);
        vm.prank(who);
        assets = vault.redeem(most, who, who);
        assets += _low(who);
    }
}
