// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {Valuation} from "../../contracts/guard/IValuer.sol";
import {VenueActs} from "../../contracts/guard/VenueActs.sol";
import {Instruction, IVault} from "../../contracts/IVault.sol";
import {IMarks} from "../../contracts/nav/IMarks.sol";
import {Book, Exposure} from "../../contracts/venues/IVenue.sol";
import {DoubleOracle} from "./doubles/DoublePrices.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice A venue that can hand value over in kind, lose it, and move the oracle.
contract LooseVenue is DoubleVenue {
    DoubleVenue private _heir;

    constructor(address vault_) DoubleVenue(vault_) {}

    /// @notice Worth `value` less, and `to` that much more.
    function handOver(DoubleVenue to, int256 value) external onlyVault {
        Book memory theirs = to.book();
        _mid -= value;
        to.setBook(theirs.mid + value, 0, theirs.exposures);
    }

    function setHeir(DoubleVenue heir) external {
        _heir = heir;
    }

    /// @notice The same without naming who gets it.
    function bequeath(int256 value) external onlyVault {
        Book memory theirs = _heir.book();
        _mid -= value;
        _heir.setBook(theirs.mid + value, 0, theirs.exposures);
    }

    function lose(int256 value) external onlyVault {
        _mid -= value;
    }

    function reprice(DoubleOracle oracle, address token, uint256 price, int256 mid) external onlyVault {
        oracle.set(token, price, price, price);
        _mid = mid;
    }
}

contract RebalanceJudgeTest is VaultCase {
    LooseVenue internal a;
    LooseVenue internal b;

    function setUp() public override {
        super.setUp();
        a = new LooseVenue(address(vault));
        b = new LooseVenue(address(vault));
        vault.addVenue(address(a), vault.venueConfig(address(venue)));
        vault.addVenue(address(b), vault.venueConfig(address(venue)));
        vm.warp(1_800_000_000);
        _deposit(alice, 1_000_000e6);
        _rebalance(address(a), _trade(200_000e6, 200_000e18, _delta(0)));
        _rebalance(address(b), _trade(100_000e6, 100_000e18, _delta(0)));
    }

    function _both(bytes memory first, bytes memory second) private {
        Instruction[] memory calls = new Instruction[](2);
        calls[0] = Instruction(address(a), first);
        calls[1] = Instruction(address(b), second);
        vm.prank(keeper);
        vault.rebalance(calls, block.timestamp, keccak256(abi.encode(gasleft())));
    }

    function _posted(DoubleVenue to) private view returns (uint256) {
        return guard.netPosted(address(vault), guard.venueId(address(to)));
    }

    function test_OnlyTheJudgeHasCallsMade() public {
        Instruction[] memory calls = new Instruction[](1);
        calls[0] = Instruction(address(a), _trade(1_000e6, 201_000e18, _delta(0)));
        address[] memory touched = new address[](1);
        touched[0] = address(a);
        address[3] memory others = [keeper, address(a), address(guard)];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.NotJudging.selector, others[i]));
            vm.prank(others[i]);
            vault.makeCalls(calls, touched);
        }
    }

    function test_VenuesThatWereNotCalledAreReadOnce() public {
        vm.expectCall(address(a), abi.encodeCall(a.standing, ()), 2);
        vm.expectCall(address(b), abi.encodeCall(b.book, ()), 1);
        vm.expectCall(address(venue), abi.encodeCall(b.book, ()), 1);
        _rebalance(address(a), _trade(1_000e6, 201_000e18, _delta(1e18)));
    }

    function test_WhatWasNotReadAgainCountsAsItWas() public {
        _rebalance(address(a), _trade(1_000e6, 201_000e18, _delta(1e18)));
        (,, int256 mid,) = vault.nav();
        (int256 marked,) = vault.lastMark();
        assertEq(marked + int256(usdc.balanceOf(address(vault))) * 1e12, mid);
    }

    function test_WhatIsMovedToAVenueThatIsNamedIsReadAgain() public {
        _rebalance(address(a), abi.encodeCall(a.handOver, (b, 10_000e18)));
        assertEq(_posted(b), 110_000e18);
        assertEq(_posted(a), 190_000e18);
    }

    function test_AFrozenVenueTakesNothingInKind() public {
        VenueActs(guard.acts()).freeze(address(b));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.VenueFrozen.selector, address(b)));
        _rebalance(address(a), abi.encodeCall(a.handOver, (b, 10_000e18)));
    }

    function test_WhatIsMovedElsewhereCountsAsLost() public {
        a.setHeir(b);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, 10_000e18, 2_500e18));
        _rebalance(address(a), abi.encodeCall(a.bequeath, (10_000e18)));
    }

    function test_APriceThatMovesDuringTheCallIsNoGain() public {
        _rebalance(address(a), _trade(0, 200_000e18, _delta(10e18)));
        // The venue shows the same value in fewer coins at twice the price, and hides a loss of 3,000.
        bytes memory call = abi.encodeCall(a.reprice, (oracle, eth, 6_000e18, 197_000e18));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, 3_000e18, 2_499.625e18));
        _rebalance(address(a), call);
    }

    function test_UnitsOfCalledVenuesStayHealthyOrMend() public {
        venue.setHealth(3, 1.19e18, 0);
        bytes memory set = abi.encodeCall(DoubleVenue.setHealth, (3, 1.18e18, 0));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.UnitUnhealthy.selector, address(venue), 3, 1.18e18, 1.2e18));
        _rebalance(address(venue), set);
        _rebalance(address(venue), abi.encodeCall(DoubleVenue.setHealth, (3, 1.19e18, 0)));
        _rebalance(address(venue), abi.encodeCall(DoubleVenue.setHealth, (3, 1.195e18, 0)));
        _rebalance(address(venue), abi.encodeCall(DoubleVenue.setHealth, (3, 1.3e18, 0)));
        vm.expectPartialRevert(IRiskGuard.UnitUnhealthy.selector);
        _rebalance(address(venue), set);
        // One that was opened by the call has no earlier health to be no worse than.
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.UnitUnhealthy.selector, address(venue), 4, 1.19e18, 1.2e18));
        _rebalance(address(venue), abi.encodeCall(DoubleVenue.setHealth, (4, 1.19e18, 0)));
        // Units of venues that are not called do not matter.
        venue.setHealth(3, 0.5e18, 0);
        _rebalance(address(a), _trade(0, 200_000e18, _delta(0)));
    }

    function test_OnlyTheVaultsJudgeSpeaksForIt() public {
        Valuation memory v = valuer.value(address(vault));
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyVault.selector, bob, address(vault)));
        guard.check(address(vault), v, v, new address[](0), new int256[](0));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyVault.selector, bob, address(vault)));
        guard.charge(address(vault), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IMarks.OnlyJudge.selector, bob, address(vault)));
        marks.store(address(vault), v);
        vm.stopPrank();
        // Not even the vault, which leaves the judging to its judge.
        vm.startPrank(address(vault));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.OnlyVault.selector, address(vault), address(vault)));
        guard.check(address(vault), v, v, new address[](0), new int256[](0));
        vm.expectRevert(abi.encodeWithSelector(IMarks.OnlyJudge.selector, address(vault), address(vault)));
        marks.store(address(vault), v);
    }

    function test_WhatCameInKindCountsAsPosted() public {
        _both(abi.encodeCall(a.handOver, (b, 50_000e18)), abi.encodeCall(b.lose, (1_000e18)));
        assertEq(_posted(b), 149_000e18);
        assertEq(_posted(a), 151_000e18);
    }

    function test_ALeakingVenueIsNotFilledAgainInKind() public {
        guard.setMaxLossPerCall(0.02e18);
        guard.setMaxLossPerDay(0.05e18);
        for (uint256 i; i < 3; ++i) {
            // The protocol behind b loses all that is there once the call is over.
            _both(abi.encodeCall(a.handOver, (b, 45_000e18)), abi.encodeCall(b.lose, (0)));
            b.setBook(0, 0, new Exposure[](0));
            skip(1 days);
        }
        // 100,000 in cash and 135,000 in kind went there; its cap is half of what is left.
        assertEq(_posted(b), 235_000e18);
        _rebalance(address(a), _trade(200_000e6, 265_000e18, _delta(0)));
        bytes memory all = abi.encodeCall(a.handOver, (b, 200_000e18));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.CapExceeded.selector, address(b), 435_000e18, 382_500e18));
        _both(all, abi.encodeCall(b.lose, (0)));
    }

    function test_ALossAloneMakesNoRoom() public {
        _rebalance(address(b), abi.encodeCall(b.lose, (2_000e18)));
        assertEq(_posted(b), 100_000e18);
    }
}
