// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Instruction, IVault, VenueConfig} from "../../../contracts/IVault.sol";
import {VaultCase} from "../doubles/VaultCase.sol";

/// @notice Deaths by who may call: forwarders, keys without bounds, ether counted twice.
contract AuthorityAttackTest is VaultCase {
    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
    }

    /// @notice KiloEx: a forwarder that did not check whom it spoke for. There is none here: a sender appended to the calldata, as
    /// ERC-2771 does, changes nothing.
    function testFuzz_KiloEx_NobodySpeaksForTheKeeper(address stranger) public {
        vm.assume(stranger != keeper && stranger != address(this));
        bytes memory grab = abi.encodeCall(
            IVault.rebalance,
            (_calls(address(venue), _trade(2_000e6, 0, _delta(0))), block.timestamp, bytes32("stolen"))
        );
        vm.prank(stranger);
        (bool done, bytes memory answer) = address(vault).call(abi.encodePacked(grab, keeper));
        assertFalse(done);
        assertEq(answer, abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
    }

    /// @notice Resolv: one signing key minted without bound. No role mints a share here: whoever holds all of them still pays
    /// for shares, and none of them takes a share or a wei from a depositor.
    function test_Resolv_EveryRoleTogetherMintsNothing() public {
        manager.grantRole(0, bob, 0);
        for (uint64 role = 1; role < 8; ++role) {
            manager.grantRole(role, bob, 0);
        }
        uint256 supply = vault.totalSupply();
        VenueConfig memory config = vault.venueConfig(address(venue));
        vm.startPrank(bob);
        vm.expectRevert();
        vault.deposit(1e6, bob);
        vm.expectRevert();
        vault.mint(1e12, bob);
        vm.expectRevert();
        vault.redeem(1e12, bob, alice);
        vm.expectRevert();
        vault.withdraw(1e6, bob, alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotCalling.selector, bob));
        vault.fund(1e6);
        vm.expectRevert();
        vault.processExit(1e12);
        // A venue is an adapter that names this vault, and neither the asset nor the vault: nothing that mints or pays out can be one.
        vm.expectRevert();
        vault.addVenue(address(usdc), config);
        vm.expectRevert();
        vault.addVenue(address(vault), config);
        vm.stopPrank();
        assertEq(vault.totalSupply(), supply);
        assertEq(vault.balanceOf(bob), 0);
        assertEq(usdc.balanceOf(bob), 0);
    }

    /// @notice Opyn: one `msg.value` was counted in every turn of a loop. Nothing of the vault takes ether, a loop of instructions
    /// least of all.
    function test_Opyn_NoCallTakesEther() public {
        Instruction[] memory calls = new Instruction[](2);
        calls[0] = Instruction(address(venue), _trade(1e6, 1e18, _delta(0)));
        calls[1] = Instruction(address(hedge), _trade(1e6, 1e18, _delta(0)));
        bytes[9] memory entries = [
            abi.encodeCall(IVault.rebalance, (calls, block.timestamp, bytes32("ether"))),
            abi.encodeCall(IVault.topUp, (address(venue), 0, 0, 0)),
            abi.encodeCall(vault.deposit, (0, keeper)),
            abi.encodeCall(vault.mint, (0, keeper)),
            abi.encodeCall(vault.withdraw, (0, keeper, keeper)),
            abi.encodeCall(vault.redeem, (0, keeper, keeper)),
            abi.encodeCall(vault.mark, ()),
            abi.encodeCall(vault.fund, (0)),
            bytes("")
        ];
        vm.deal(keeper, 1 ether);
        for (uint256 i; i < entries.length; ++i) {
            vm.prank(keeper);
            (bool done, bytes memory answer) = address(vault).call{value: 1}(entries[i]);
            assertFalse(done);
            assertEq(answer.length, 0);
        }
        assertEq(keeper.balance, 1 ether);
        vm.prank(keeper);
        vault.rebalance(calls, block.timestamp, "ether");
    }
}
