// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Instruction} from "../../contracts/IVault.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice One call of the vault a test, for `forge snapshot --isolate`: two venues that cost next to nothing, one of them holding ETH.
contract VaultGasTest is VaultCase {
    Instruction[] private _hedge;
    uint256 private _shares;

    function setUp() public override {
        super.setUp();
        _shares = _deposit(alice, 1_000_000e6);
        _rebalance(address(venue), _trade(10_000e6, 10_000e18, _delta(3e18)));
        _hedge.push(Instruction(address(hedge), _trade(10_000e6, 10_000e18, _delta(-2e18))));
        venue.setHealth(0, 1.3e18, 1e8);
        usdc.mint(bob, 1_000e6);
        vm.prank(bob);
        usdc.approve(address(vault), type(uint256).max);
    }

    function test_Deposit() public {
        vm.prank(bob);
        vault.deposit(1_000e6, bob);
    }

    function test_RedeemHalf() public {
        vm.prank(alice);
        vault.redeem(_shares / 2, alice, alice);
    }

    function test_Mark() public {
        vault.mark();
    }

    function test_RebalanceOneVenue() public {
        vm.prank(keeper);
        vault.rebalance(_hedge, block.timestamp, "hedge");
    }

    function test_TopUp() public {
        vm.prank(keeper);
        vault.topUp(address(venue), 0, 1_000e6, 0);
    }

    function test_TotalAssets() public view {
        vault.totalAssets();
    }
}
