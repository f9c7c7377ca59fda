// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";
import {Limits, Range} from "../../../contracts/guard/IRiskGuard.sol";
import {RebalanceJudge} from "../../../contracts/guard/RebalanceJudge.sol";
import {RiskGuard} from "../../../contracts/guard/RiskGuard.sol";
import {Valuer} from "../../../contracts/guard/Valuer.sol";
import {Instruction, IVault, VaultParts, VenueConfig} from "../../../contracts/IVault.sol";
import {Marks} from "../../../contracts/nav/Marks.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Exposure, Greeks} from "../../../contracts/venues/IVenue.sol";
import {DoubleOracle, DoubleVol} from "./DoublePrices.sol";
import {DoubleToken} from "./DoubleToken.sol";
import {DoubleVenue} from "./DoubleVenue.sol";

/// @notice A vault of 6-decimal dollars with two venues and ETH at 3,000 +- 0.5%, run by this contract.
abstract contract VaultCase is Test {
    uint64 internal constant KEEPER = 1;
    address internal immutable keeper = makeAddr("keeper");
    address internal immutable alice = makeAddr("alice");
    address internal immutable bob = makeAddr("bob");
    address internal immutable eth = makeAddr("eth");

    AccessManager internal manager;
    DoubleToken internal usdc;
    DoubleOracle internal oracle;
    DoubleVol internal vols;
    Valuer internal valuer;
    RiskGuard internal guard;
    RebalanceJudge internal judge;
    Marks internal marks;
    Vault internal vault;
    DoubleVenue internal venue;
    DoubleVenue internal hedge;
    uint256 private _plans;

    function setUp() public virtual {
        manager = new AccessManager(address(this));
        usdc = new DoubleToken("USDC", _decimals());
        oracle = _oracle();
        vols = new DoubleVol();
        valuer = new Valuer();
        guard = new RiskGuard(address(manager));
        judge = new RebalanceJudge();
        marks = _marks();
        vault = new Vault(_parts());
        venue = new DoubleVenue(address(vault));
        hedge = new DoubleVenue(address(vault));
        oracle.set(eth, 2_985e18, 3_000e18, 3_015e18);
        vault.addVenue(address(venue), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        vault.addVenue(address(hedge), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        guard.setLimits(eth, _limits());
        guard.setMaxLossPerCall(0.0025e18);
        guard.setMaxLossPerDay(0.0075e18);
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (IVault.rebalance.selector, IVault.topUp.selector);
        manager.setTargetFunctionRole(address(vault), selectors, KEEPER);
        manager.grantRole(KEEPER, keeper, 0);
    }

    function _parts() internal view returns (VaultParts memory) {
        return VaultParts({
            asset: address(usdc),
            name: "Evenkeel",
            symbol: "EVEN",
            authority: address(manager),
            oracle: address(oracle),
            volSource: address(vols),
            valuer: address(valuer),
            guard: address(guard),
            judge: address(judge),
            marks: address(marks)
        });
    }

    function _decimals() internal pure virtual returns (uint8) {
        return 6;
    }

    function _oracle() internal virtual returns (DoubleOracle) {
        return new DoubleOracle(address(usdc));
    }

    /// @dev Marks that are never carried, so that a venue's change shows at once.
    function _marks() internal virtual returns (Marks) {
        return new Marks(0, 0.01e18, 0);
    }

    function _limits() internal pure returns (Limits memory) {
        return Limits(
            Range(-0.05e18, 0.05e18),
            Range(-10_000e18, type(int256).max),
            Range(-750e18, type(int256).max),
            Range(-200e18, type(int256).max)
        );
    }

    function _deposit(address who, uint256 assets) internal returns (uint256 shares) {
        usdc.mint(who, assets);
        vm.startPrank(who);
        usdc.approve(address(vault), assets);
        shares = vault.deposit(assets, who);
        vm.stopPrank();
    }

    function _one(address underlying, uint64 expiry, int256 delta, int256 gamma, int256 vega, int256 theta)
        internal
        pure
        returns (Exposure[] memory list)
    {
        list = new Exposure[](1);
        list[0] = Exposure(underlying, expiry, Greeks(delta, gamma, vega, theta));
    }

    function _delta(int256 delta) internal view returns (Exposure[] memory) {
        return _one(eth, 0, delta, 0, 0, 0);
    }

    function _calls(address target, bytes memory data) internal pure returns (Instruction[] memory calls) {
        calls = new Instruction[](1);
        calls[0] = Instruction(target, data);
    }

    function _rebalance(address target, bytes memory data) internal returns (bytes[] memory) {
        Instruction[] memory calls = _calls(target, data);
        bytes32 plan = bytes32(++_plans);
        vm.prank(keeper);
        return vault.rebalance(calls, block.timestamp, plan);
    }

    /// @dev Calldata of a trade that moves `assets` of idle into a venue at no cost and ends with `exposures`.
    function _trade(uint256 assets, int256 mid, Exposure[] memory exposures) internal pure returns (bytes memory) {
        return abi.encodeCall(DoubleVenue.trade, (assets, 0, mid, 0, exposures));
    }
}
