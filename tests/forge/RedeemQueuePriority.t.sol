// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IValuer} from "../../contracts/guard/IValuer.sol";
import {VenueActs} from "../../contracts/guard/VenueActs.sol";
import {VenueConfig} from "../../contracts/IVault.sol";
import {Margin} from "../../contracts/venues/IVenue.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {QueueCase} from "./doubles/QueueCase.sol";

/// @notice A venue whose protocol shows the margin that it likes.
contract OddVenue is DoubleVenue {
    Margin private _shown;
    bool private _reverts;
    uint256 private _burns;

    constructor(address vault_) DoubleVenue(vault_) {
        _units.push(0);
    }

    function show(int256 equity, uint256 maintenance) external {
        _shown = Margin(equity, maintenance, maintenance);
    }

    function breakDown(bool reverts, uint256 burns) external {
        (_reverts, _burns) = (reverts, burns);
    }

    function health() external view override returns (uint256) {
        if (_reverts) revert Broken(1);
        uint256 start = gasleft();
        while (start - gasleft() < _burns) {}
        return 0;
    }

    function margin(uint256) external view override returns (Margin memory) {
        return _shown;
    }
}

/// @notice Idle is for units under critical health first, the line second, instant exits last.
contract RedeemQueuePriorityTest is QueueCase {
    OddVenue private odd;

    function setUp() public override {
        super.setUp();
        odd = new OddVenue(address(vault));
        vault.addVenue(address(odd), VenueConfig(0.1e18, 1.2e18, 1.5e18, 1.1e18));
        _request(alice, _deposit(alice, 1_000e6));
    }

    /// @dev What a process pays of 1,000 in idle.
    function _paid() private returns (uint256 paid) {
        (, paid) = queue.process(1);
    }

    function test_WhatAUnitLacksIsHeldBack() public {
        odd.show(50e18, 100e18);
        assertApproxEqAbs(_paid(), 940e6, 1);
    }

    function test_WhatSeveralUnitsLackAddsUp() public {
        odd.show(50e18, 100e18);
        venue.setHealth(1, 0.1e18, 0);
        venue.setHealth(2, 0.6e18, 0);
        venue.setHealth(3, 9e18, 0);
        assertApproxEqAbs(_paid(), 940e6 - 1.5e6, 1);
    }

    function test_AUnitThatIsWellHoldsNothingBack() public {
        odd.show(110e18, 100e18);
        assertEq(_paid(), 1_000e6);
    }

    /// @notice A protocol that shows absurd numbers holds back its venue's cap of NAV, a tenth here, and no more.
    function testFuzz_AHostileProtocolHoldsBackNoMoreThanItsCap(int256 equity, uint256 maintenance) public {
        odd.show(equity, maintenance);
        assertGe(_paid() + 1, 900e6);
        if (maintenance > 1e30 && equity < 0) assertApproxEqAbs(queue.maxWithdraw(alice), 900e6, 1);
    }

    function test_WhatCannotBeReadHoldsNothingBack() public {
        odd.show(0, 100e18);
        odd.breakDown(true, 0);
        assertEq(_paid(), 1_000e6);
    }

    /// @notice Nobody chooses whose need counts by the gas that he brings.
    function testFuzz_TooLittleGasIsNotTakenForABrokenVenue(uint256 gas) public {
        odd.show(0, 90e18);
        odd.breakDown(false, 1_000_000);
        gas = bound(gas, 300_000, 4_000_000);
        try queue.process{gas: gas}(1) returns (uint256, uint256 paid) {
            assertApproxEqAbs(paid, 901e6, 1);
        } catch (bytes memory reason) {
            // Out of gas altogether, or told so.
            if (reason.length > 0) assertEq(bytes4(reason), IValuer.GasTooLow.selector);
        }
    }

    function test_AnInstantExitLeavesWhatAUnitLacks() public {
        queue.process(1);
        uint256 shares = _deposit(bob, 1_000e6);
        odd.show(50e18, 100e18);
        assertApproxEqAbs(vault.maxWithdraw(bob), 940e6, 1);
        assertLt(vault.maxRedeem(bob), shares);
        uint256 most = vault.maxWithdraw(bob);
        vm.prank(bob);
        vm.expectPartialRevert(ERC4626.ERC4626ExceededMaxWithdraw.selector);
        vault.withdraw(most + 1, bob, bob);
        vm.prank(bob);
        vault.withdraw(most, bob, bob);
        // Topped up, the rest is free.
        odd.show(110e18, 100e18);
        most = vault.maxRedeem(bob);
        vm.prank(bob);
        vault.redeem(most, bob, bob);
        assertApproxEqAbs(usdc.balanceOf(bob), 1_000e6, 1);
    }

    function test_AFrozenVenueHoldsNothingBack() public {
        _deposit(bob, 1_000e6);
        odd.show(0, type(uint256).max);
        // A tenth of NAV, its cap.
        assertApproxEqAbs(vault.maxWithdraw(bob), 800e6, 2);
        VenueActs(guard.acts()).freeze(address(odd));
        assertApproxEqAbs(vault.maxWithdraw(bob), 1_000e6, 2);
        assertEq(_paid(), 1_000e6);
        assertApproxEqAbs(vault.maxWithdraw(bob), 1_000e6, 2);
    }

    /// @notice What is left in line is owed idle before instant exits, and critical units before it.
    function test_AnInstantExitComesLast() public {
        _deposit(bob, 1_000e6);
        _invest(1_500e6);
        assertEq(vault.maxWithdraw(bob), 0);
        odd.show(0, 50e18);
        assertApproxEqAbs(_paid(), 445e6, 1);
        assertEq(vault.maxWithdraw(bob), 0);
        odd.show(55e18, 50e18);
        assertApproxEqAbs(_paid(), 55e6, 2);
        assertEq(vault.maxWithdraw(bob), 0);
        _unwind(700e6);
        assertApproxEqAbs(vault.maxWithdraw(bob), 200e6, 4);
    }
}
