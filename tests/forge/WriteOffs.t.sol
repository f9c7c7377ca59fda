// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IVault, VenueConfig} from "../../contracts/IVault.sol";
import {IWriteOffs} from "../../contracts/recovery/IWriteOffs.sol";
import {WriteOffs} from "../../contracts/recovery/WriteOffs.sol";
import {Exposure} from "../../contracts/venues/IVenue.sol";
import {DoubleVenue, Mode} from "./doubles/DoubleVenue.sol";
import {QueueCase} from "./doubles/QueueCase.sol";

/// @notice Venues that are written off, and what is later recovered of them.
contract WriteOffsTest is QueueCase {
    uint256 private constant LOST = 300_000e6;
    WriteOffs private _writeOffs;
    address private _purse;

    function setUp() public override {
        super.setUp();
        _writeOffs = WriteOffs(vault.writeOffs());
        _deposit(alice, 600_000e6);
        _deposit(bob, 400_000e6);
        _invest(LOST);
        venue.setMode(Mode.Reverts);
    }

    function _writeOff() private {
        vault.writeOff(address(venue));
        _purse = vault.payee(address(venue));
    }

    function _recover(uint256 assets) private {
        usdc.mint(_purse, assets);
    }

    function _claimOf(address who, uint256 epoch) private returns (uint256) {
        vm.prank(who);
        return _writeOffs.claim(epoch, who);
    }

    function test_AWrittenOffVenueLeavesNavAndEntryOpensAgain() public {
        assertEq(vault.maxDeposit(carol), 0);
        vm.expectEmit(address(vault));
        emit IVault.VenueWrittenOff(address(venue), 1);
        _writeOff();
        (bool priced, int256 low,, int256 high) = vault.nav();
        assertTrue(priced);
        assertEq(low, 700_000e18);
        assertEq(high, 700_000e18);
        assertEq(vault.totalAssets(), 700_000e6);
        assertFalse(vault.isVenue(address(venue)));
        assertEq(vault.venues().length, 1);
        uint256 shares = _deposit(carol, 70_000e6);
        assertApproxEqAbs(vault.previewRedeem(shares), 70_000e6, 1);
    }

    function test_ExitIsOpenBeforeAndAfter() public {
        vm.prank(bob);
        vault.redeem(1e12, bob, bob);
        _writeOff();
        vm.prank(bob);
        vault.redeem(1e12, bob, bob);
    }

    function test_TheLossIsNotTheKeepers() public {
        _writeOff();
        (uint256 level,) = guard.budget(address(vault));
        assertEq(level, 0);
    }

    function test_WhoHeldThenIsPaidWhereverTheSharesAreNow() public {
        _writeOff();
        _deposit(carol, 500_000e6);
        uint256 all = vault.balanceOf(alice);
        vm.prank(alice);
        vault.transfer(carol, all);
        vm.startPrank(bob);
        vault.redeem(vault.balanceOf(bob), bob, bob);
        vm.stopPrank();
        _recover(100_000e6);
        assertApproxEqAbs(_claimOf(alice, 1), 60_000e6, 1);
        assertApproxEqAbs(_claimOf(bob, 1), 40_000e6, 1);
        assertEq(_claimOf(carol, 1), 0);
        assertEq(_claimOf(alice, 1), 0);
        _recover(50_000e6);
        assertApproxEqAbs(_claimOf(alice, 1), 30_000e6, 1);
        assertApproxEqAbs(_writeOffs.claimable(1, bob), 20_000e6, 1);
        assertEq(_writeOffs.recovered(1), 150_000e6);
    }

    function test_WhatWasBoughtSinceHasNoPart() public {
        _writeOff();
        uint256 half = vault.balanceOf(alice) / 2;
        vm.prank(alice);
        vault.transfer(bob, half);
        _recover(100_000e6);
        assertApproxEqAbs(_writeOffs.claimable(1, alice), 60_000e6, 1);
        assertApproxEqAbs(_writeOffs.claimable(1, bob), 40_000e6, 1);
    }

    function test_EpochsKeepApart() public {
        _writeOff();
        uint256 all = vault.balanceOf(alice);
        vm.prank(alice);
        vault.transfer(carol, all);
        vault.writeOff(address(hedge));
        usdc.mint(vault.payee(address(hedge)), 10_000e6);
        _recover(100_000e6);
        assertEq(_writeOffs.claimable(2, alice), 0);
        assertApproxEqAbs(_writeOffs.claimable(2, carol), 6_000e6, 1);
        assertApproxEqAbs(_writeOffs.claimable(1, alice), 60_000e6, 1);
        assertEq(_writeOffs.claimable(1, carol), 0);
        assertEq(_writeOffs.epochs(), 2);
    }

    function test_QueuedSharesCountForTheirControllers() public {
        uint256 shares = vault.balanceOf(alice) / 2;
        uint256 first = _request(alice, shares);
        _writeOff();
        uint256 second = _request(bob, vault.balanceOf(bob));
        queue.process(10);
        _recover(100_000e6);
        assertApproxEqAbs(_writeOffs.claimable(1, alice), 30_000e6, 1);
        assertApproxEqAbs(_writeOffs.claimableQueued(1, first), 30_000e6, 1);
        // Made later: the shares were its owner's when the epoch began.
        assertApproxEqAbs(_writeOffs.claimable(1, bob), 40_000e6, 1);
        vm.expectRevert(abi.encodeWithSelector(IWriteOffs.LaterRequest.selector, second, 2));
        vm.prank(bob);
        _writeOffs.claimQueued(1, second, bob);
        vm.expectRevert(abi.encodeWithSelector(IWriteOffs.NotController.selector, first, bob));
        vm.prank(bob);
        _writeOffs.claimQueued(1, first, bob);
        vm.prank(alice);
        assertApproxEqAbs(_writeOffs.claimQueued(1, first, alice), 30_000e6, 1);
        assertEq(_writeOffs.claimable(1, address(queue)), 0);
    }

    function test_ARequestThatIsCancelledKeepsItsPart() public {
        uint256 id = _request(alice, vault.balanceOf(alice));
        _writeOff();
        vm.prank(alice);
        queue.cancelRedeemRequest(id, alice);
        skip(2 days);
        vm.prank(alice);
        queue.claimCancelRedeemRequest(id, alice, alice);
        _recover(100_000e6);
        assertApproxEqAbs(_writeOffs.claimableQueued(1, id), 60_000e6, 1);
        assertEq(_writeOffs.claimable(1, alice), 0);
    }

    function test_RecoverHandsOnWhatIsPaidAndLendsNothing() public {
        _writeOff();
        bytes memory give = abi.encodeCall(DoubleVenue.trade, (0, 120_000e6, 0, 0, new Exposure[](0)));
        vm.expectEmit(address(vault));
        emit IVault.Recovered(address(venue), 120_000e6);
        vault.recover(address(venue), give);
        assertEq(_writeOffs.recovered(1), 120_000e6);
        assertEq(vault.totalAssets(), 700_000e6);
        bytes memory draw = abi.encodeCall(DoubleVenue.trade, (1, 0, 0, 0, new Exposure[](0)));
        bytes memory why = abi.encodeWithSelector(IVault.NotCalling.selector, address(venue));
        vm.expectRevert(abi.encodeWithSelector(IVault.VenueCallFailed.selector, address(venue), 0, why));
        vault.recover(address(venue), draw);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotWrittenOff.selector, address(hedge)));
        vault.recover(address(hedge), give);
    }

    function test_AWrittenOffVenueDoesNotComeBack() public {
        _writeOff();
        vm.expectRevert(abi.encodeWithSelector(IVault.VenueKnown.selector, address(venue)));
        vault.addVenue(address(venue), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownVenue.selector, address(venue)));
        vault.writeOff(address(venue));
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownVenue.selector, address(venue)));
        _rebalance(address(venue), _trade(0, 0, _delta(0)));
    }

    function test_OnlyTheGovernorWritesOffAndRecovers() public {
        vm.startPrank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, keeper));
        vault.writeOff(address(venue));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, keeper));
        vault.recover(address(venue), "");
        vm.expectRevert(abi.encodeWithSelector(IWriteOffs.OnlyVault.selector, keeper));
        _writeOffs.open(address(venue), 1);
        vm.expectRevert(abi.encodeWithSelector(IWriteOffs.OnlyVault.selector, keeper));
        _writeOffs.note(alice, 1, bob, 1);
        vm.expectRevert(abi.encodeWithSelector(IWriteOffs.OnlyVault.selector, keeper));
        _writeOffs.noteRequest(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IWriteOffs.UnknownEpoch.selector, 1, 0));
        _writeOffs.claim(1, keeper);
        vm.stopPrank();
    }

    /// @notice Any order of entries, exits, transfers, requests, payments of the queue, cancelations, write-offs and recoveries: everyone is
    /// paid by what he held at the moment, and nobody more than came.
    function testFuzz_EveryoneIsPaidByWhatHeHeldAtThatMoment(uint256 seed) public {
        address[4] memory who = [alice, bob, carol, makeAddr("dave")];
        uint256[4][3] memory held;
        uint256[3] memory supply;
        uint256 opened;
        for (uint256 i; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            address one = who[(seed >> 8) % 4];
            address two = who[(seed >> 16) % 4];
            uint256 part = vault.balanceOf(one) * ((seed >> 32) % 101) / 100;
            uint256 act = seed % 8;
            if (act == 7 && opened < 3) {
                for (uint256 j; j < 4; ++j) {
                    held[opened][j] = vault.balanceOf(who[j]) + _queuedOf(who[j]);
                }
                supply[opened++] = vault.totalSupply();
                DoubleVenue fresh = new DoubleVenue(address(vault));
                vault.addVenue(address(fresh), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
                vault.writeOff(address(fresh));
            } else if (act == 0) {
                if (vault.maxDeposit(one) != 0) _deposit(one, 1 + (seed >> 32) % 100_000e6);
            } else if (act == 1) {
                vm.prank(one);
                vault.transfer(two, part);
            } else if (act == 2) {
                uint256 most = vault.maxRedeem(one);
                if (part > most) part = most;
                vm.prank(one);
                vault.redeem(part, one, one);
            } else if (act == 3 && part != 0) {
                _approve(one);
                vm.prank(one);
                try queue.requestRedeem(part, one, one) {} catch {}
            } else if (act == 4) {
                try queue.process((seed >> 64) % 4) {} catch {}
            } else if (act == 5) {
                (, uint256 tail) = queue.line();
                uint256 id = (seed >> 64) % tail;
                vm.prank(one);
                try queue.cancelRedeemRequest(id, one) {} catch {}
                skip(18 hours);
                vm.prank(one);
                try queue.claimCancelRedeemRequest(id, one, one) {} catch {}
            } else if (opened != 0) {
                uint256 epoch = 1 + (seed >> 64) % opened;
                usdc.mint(_writeOffs.writtenOff(epoch).purse, (seed >> 96) % 10_000e6);
                _claimOf(one, epoch);
            }
        }
        for (uint256 e; e < opened; ++e) {
            for (uint256 j; j < 4; ++j) {
                uint256 had = _writeOffs.sharesAt(e + 1, who[j]) + _queuedAt(e + 1, who[j]);
                assertEq(had, held[e][j]);
            }
            assertEq(_writeOffs.writtenOff(e + 1).supply, supply[e]);
            _allClaim(e + 1, who, held[e][0] + held[e][1] + held[e][2] + held[e][3]);
        }
    }

    /// @dev Everyone claims, twice; what is left is the roundings', and the part of the seed and of fees that wait in the queue to be burned.
    function _allClaim(uint256 epoch, address[4] memory who, uint256 held) private {
        uint256 requests = _writeOffs.writtenOff(epoch).requests;
        for (uint256 round; round < 2; ++round) {
            for (uint256 j; j < 4; ++j) {
                _claimOf(who[j], epoch);
            }
            for (uint256 id = 1; id < requests; ++id) {
                address controller = queue.request(id).controller;
                vm.prank(controller);
                _writeOffs.claimQueued(epoch, id, controller);
            }
        }
        uint256 supply = _writeOffs.writtenOff(epoch).supply;
        uint256 nobodys = _writeOffs.recovered(epoch) * (supply - held) / supply;
        uint256 left = usdc.balanceOf(_writeOffs.writtenOff(epoch).purse);
        assertGe(left, nobodys);
        assertLe(left, nobodys + 4 + requests);
    }

    function _queuedOf(address who) private view returns (uint256 sum) {
        (, uint256 tail) = queue.line();
        for (uint256 id = 1; id < tail; ++id) {
            if (queue.request(id).controller == who) sum += queue.request(id).shares;
        }
    }

    function _queuedAt(uint256 epoch, address who) private view returns (uint256 sum) {
        uint256 requests = _writeOffs.writtenOff(epoch).requests;
        for (uint256 id = 1; id < requests; ++id) {
            if (queue.request(id).controller == who) sum += _writeOffs.queuedAt(epoch, id);
        }
    }
}
