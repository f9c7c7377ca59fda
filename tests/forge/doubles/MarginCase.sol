// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VenueActs} from "../../../contracts/guard/VenueActs.sol";
import {IVault, VenueConfig} from "../../../contracts/IVault.sol";
import {MarginVenue} from "./MarginVenue.sol";
import {VaultCase} from "./VaultCase.sol";

/// @notice A vault of a million that is long 10 ETH at a perp venue: maintenance 1,875 at 3,000, health 1.92 on 3,600 of margin. Minimum
/// health 1.8, target 3, critical 1.3. The short 10 ETH of `hedge` keep delta inside its limits.
abstract contract MarginCase is VaultCase {
    uint64 internal constant GUARDIAN = 3;
    address internal immutable guardian = makeAddr("guardian");
    MarginVenue internal perp;
    VenueActs internal acts;

    function setUp() public virtual override {
        super.setUp();
        vm.warp(1_800_000_000);
        vm.roll(1_000);
        _deposit(alice, 1_000_000e6);
        acts = VenueActs(guard.acts());
        perp = new MarginVenue(address(vault), eth);
        vault.addVenue(address(perp), VenueConfig(0.15e18, 1.8e18, 3e18, 1.3e18));
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (IVault.keeperReduce.selector, IVault.keeperFree.selector);
        manager.setTargetFunctionRole(address(vault), selectors, KEEPER);
        (selectors[0], selectors[1]) = (IVault.reduce.selector, IVault.free.selector);
        manager.setTargetFunctionRole(address(vault), selectors, GUARDIAN);
        (selectors[0], selectors[1]) = (VenueActs.freeze.selector, VenueActs.unfreeze.selector);
        manager.setTargetFunctionRole(address(acts), selectors, GUARDIAN);
        manager.grantRole(GUARDIAN, guardian, 0);
        _rebalance(address(perp), abi.encodeCall(perp.post, (0, 3_600e6, 0)));
        _rebalance(address(perp), abi.encodeCall(perp.order, (eth, 10e18, 0, false)));
        _rebalance(address(hedge), _trade(0, 0, _delta(-10e18)));
        skip(1 days);
    }

    /// @dev No price of ETH: the perp venue cannot be valued, nor can the vault.
    function _blind() internal {
        oracle.set(eth, 0, 0, 0);
    }

    function _topUp(uint256 assets) internal returns (uint256) {
        vm.prank(keeper);
        return vault.topUp(address(perp), 0, assets, 0);
    }
}
