// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault, VenueConfig} from "../../contracts/IVault.sol";
import {WriteOffs} from "../../contracts/recovery/WriteOffs.sol";
import {Book, IVenue, Kind, Margin, Status} from "../../contracts/venues/IVenue.sol";
import {VenueBase} from "../../contracts/venues/VenueBase.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice An adapter that anyone may have give back what it holds, and that lets a stranger in when the vault calls it.
contract SettlingVenue is VenueBase {
    constructor(address vault_) VenueBase(vault_) {}

    function settle() external whileQuiet returns (uint256) {
        return _giveBack();
    }

    function letIn(SettlingVenue other) external onlyVault returns (uint256) {
        return other.settle();
    }

    function book() public view override returns (Book memory b) {
        b.mid = _strayAsset();
    }

    function marginUnits() public pure override returns (uint256[] memory) {
        return new uint256[](0);
    }

    function margin(uint256) public pure override returns (Margin memory m) {
        return m;
    }

    function kind() external pure returns (Kind) {
        return Kind.Spot;
    }

    function protocol() external pure returns (bytes32) {
        return "settling";
    }

    function post(uint256, uint256, uint256) external pure returns (uint256) {
        revert Unsupported();
    }

    function free(uint256, uint256, uint256) external pure returns (uint256) {
        revert Unsupported();
    }

    function reduce(uint256, uint256, uint256) external pure returns (Status) {
        revert Unsupported();
    }
}

contract VenueBaseTest is VaultCase {
    SettlingVenue private _a;
    SettlingVenue private _b;

    function setUp() public override {
        super.setUp();
        _a = new SettlingVenue(address(vault));
        _b = new SettlingVenue(address(vault));
        VenueConfig memory config = VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18);
        vault.addVenue(address(_a), config);
        vault.addVenue(address(_b), config);
        _deposit(alice, 1_000_000e6);
        usdc.mint(address(_b), 50_000e6);
    }

    function test_WhatAnyoneSettlesGoesToTheVault() public {
        vm.prank(bob);
        _b.settle();
        assertEq(usdc.balanceOf(address(vault)), 1_050_000e6);
    }

    function test_WhatAnyoneSettlesOfAWrittenOffVenueGoesToThoseWhoHeldShares() public {
        vault.writeOff(address(_b));
        vm.prank(bob);
        _b.settle();
        assertEq(usdc.balanceOf(address(vault)), 1_000_000e6);
        assertApproxEqAbs(WriteOffs(vault.writeOffs()).claimable(1, alice), 50_000e6, 1);
    }

    /// @notice Cash that came from a venue which is not read again would count twice.
    function test_NobodySettlesWhileTheVaultCallsAnotherVenue() public {
        bytes memory why = abi.encodeWithSelector(IVenue.VaultActing.selector);
        vm.expectRevert(abi.encodeWithSelector(IVault.VenueCallFailed.selector, address(_a), 0, why));
        _rebalance(address(_a), abi.encodeCall(_a.letIn, (_b)));
        // The vault itself may, and counts it.
        _rebalance(address(_b), abi.encodeCall(_b.settle, ()));
        assertEq(usdc.balanceOf(address(vault)), 1_050_000e6);
    }
}
