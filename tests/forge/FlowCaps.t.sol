// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {Valuation, VenueValue} from "../../contracts/guard/IValuer.sol";
import {FlowWindow} from "../../contracts/guard/FlowWindow.sol";
import {Exposure, Greeks} from "../../contracts/venues/IVenue.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Caps by id, on what is there and on what was posted, and turnover.
contract FlowCapsTest is VaultCase {
    using FlowWindow for FlowWindow.Window;

    uint64 private constant EXPIRY = 1_900_000_000;
    uint256 private constant WEEK = 7 days;
    FlowWindow.Window private _window;
    uint256[] private _times;
    int256[] private _flows;

    function setUp() public override {
        super.setUp();
        vm.warp(1_800_000_000);
        _deposit(alice, 1_000_000e6);
    }

    function _expectId(bytes32 id, uint256 value, uint256 cap) private {
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.IdCapExceeded.selector, id, value, cap));
    }

    function _move(DoubleVenue to, uint256 assets, int256 mid) private {
        _rebalance(address(to), _trade(assets, mid, _delta(0)));
    }

    function _giveBack(DoubleVenue from, uint256 assets, int256 mid) private {
        usdc.mint(address(from), assets);
        _rebalance(address(from), abi.encodeCall(DoubleVenue.trade, (0, assets, mid, 0, _delta(0))));
    }

    function test_WhatWasPostedCountsWhereTheValueIsGone() public {
        _move(venue, 300_000e6, 300_000e18);
        // The venue's protocol loses it all; its cap is half of NAV.
        venue.setBook(0, 0, _delta(0));
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.CapExceeded.selector, address(venue), 400_000e18, 350_000e18));
        _move(venue, 100_000e6, 100_000e18);
        _move(venue, 50_000e6, 50_000e18);
        assertEq(guard.netPosted(address(vault), guard.venueId(address(venue))), 350_000e18);
        skip(2 * WEEK);
        _move(venue, 100_000e6, 150_000e18);
    }

    function test_WhatComesBackMakesRoom() public {
        _move(venue, 450_000e6, 450_000e18);
        _giveBack(venue, 400_000e6, 50_000e18);
        assertEq(guard.netPosted(address(vault), guard.venueId(address(venue))), 50_000e18);
        _move(venue, 400_000e6, 450_000e18);
    }

    function test_AProtocolIsCappedOverItsVenues() public {
        bytes32 id = guard.protocolId("double");
        guard.setCap(id, type(uint128).max, 0.3e18);
        _move(venue, 200_000e6, 200_000e18);
        _expectId(id, 301_000e18, 300_000e18);
        _move(hedge, 101_000e6, 101_000e18);
        _move(hedge, 100_000e6, 100_000e18);
        // Emptied by the protocol, and not to be filled again.
        venue.setBook(0, 0, _delta(0));
        vm.expectPartialRevert(IRiskGuard.IdCapExceeded.selector);
        _move(venue, 50_000e6, 50_000e18);
    }

    function test_AnAbsoluteCapHoldsWhateverNavIs() public {
        bytes32 id = guard.venueId(address(venue));
        guard.setCap(id, 100_000e18, type(uint128).max);
        _expectId(id, 100_001e18, 100_000e18);
        _move(venue, 100_001e6, 100_001e18);
        _move(venue, 100_000e6, 100_000e18);
    }

    function test_ATokenIsCappedByItsDeltasRegardlessOfSign() public {
        bytes32 id = guard.tokenId(eth);
        guard.setCap(id, type(uint128).max, 0.04e18);
        guard.setLimits(eth, _limits());
        _rebalance(address(venue), _trade(0, 0, _delta(10e18)));
        vm.expectPartialRevert(IRiskGuard.IdCapExceeded.selector);
        _rebalance(address(venue), _trade(0, 0, _delta(14e18)));
        // What is above its cap may shrink.
        guard.lowerCap(id, type(uint128).max, 0.01e18);
        _rebalance(address(venue), _trade(0, 0, _delta(8e18)));
    }

    function test_AnExpiryIsCappedByDeltaAndVega() public {
        bytes32 id = guard.expiryId(eth, EXPIRY);
        guard.setCap(id, 20_000e18, type(uint128).max);
        _rebalance(address(venue), _trade(0, 0, _one(eth, EXPIRY, 6e18, 0, 0, 0)));
        _expectId(id, 21_000e18, 20_000e18);
        _rebalance(address(venue), _trade(0, 0, _one(eth, EXPIRY, 7e18, 0, 0, 0)));
        _expectId(id, 20_001e18, 20_000e18);
        _rebalance(address(venue), _trade(0, 0, _one(eth, EXPIRY, 0, 0, 20_001e18, 0)));
    }

    function test_TurnoverIsBoundedADay() public {
        guard.setMaxTurnover(0.1e18);
        _rebalance(address(venue), _trade(0, 0, _delta(15e18)));
        _rebalance(address(venue), _trade(0, 0, _delta(0)));
        vm.expectPartialRevert(IRiskGuard.TurnoverExceeded.selector);
        _rebalance(address(venue), _trade(0, 0, _delta(15e18)));
        skip(2 days);
        _rebalance(address(venue), _trade(0, 0, _delta(15e18)));
    }

    function test_CapsAreLoweredAtOnceAndNeverRaised() public {
        bytes32 id = guard.venueId(address(venue));
        (uint256 absolute, uint256 relative) = guard.cap(id);
        assertEq(absolute, type(uint128).max);
        assertEq(relative, type(uint128).max);
        vm.expectEmit(address(guard));
        emit IRiskGuard.CapSet(id, 5e18, 0.2e18);
        guard.lowerCap(id, 5e18, 0.2e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 6e18, 5e18));
        guard.lowerCap(id, 6e18, 0.1e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 0.3e18, 0.2e18));
        guard.lowerCap(id, 5e18, 0.3e18);
        guard.setCap(id, 7e18, 0.3e18);
        guard.lowerMaxTurnover(1e18);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 2e18, 1e18));
        guard.lowerMaxTurnover(2e18);
        bytes[4] memory calls = [
            abi.encodeCall(guard.setCap, (id, 0, 0)),
            abi.encodeCall(guard.lowerCap, (id, 0, 0)),
            abi.encodeCall(guard.setMaxTurnover, (0)),
            abi.encodeCall(guard.lowerMaxTurnover, (0))
        ];
        for (uint256 i; i < 4; ++i) {
            vm.prank(bob);
            (bool done,) = address(guard).call(calls[i]);
            assertFalse(done);
        }
    }

    /// @notice Over any span of one window's length, what went less what came back is at most the greatest net seen in it.
    function testFuzz_NoSpanOfAWindowHidesWhatWent(uint256 seed, uint8 steps) public {
        for (uint256 i; i < uint256(steps) % 64 + 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip((seed >> 8) % 3 days);
            int256 flow = int256((seed >> 64) % 1_000e18) - 400e18;
            uint256 net = _window.add(flow, WEEK);
            assertEq(net, _window.net(WEEK));
            _times.push(block.timestamp);
            _flows.push(flow);
            int256 sum;
            for (uint256 j = _times.length; j > 0 && block.timestamp - _times[j - 1] <= WEEK; --j) {
                sum += _flows[j - 1];
                if (sum > 0) assertLe(uint256(sum), net);
            }
        }
    }
}
