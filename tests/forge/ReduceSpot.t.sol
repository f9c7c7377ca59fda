// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {VenueWitness} from "../../contracts/guard/VenueWitness.sol";
import {IVault, VenueConfig} from "../../contracts/IVault.sol";
import {IVenue} from "../../contracts/venues/IVenue.sol";
import {UniswapV3SpotVenue} from "../../contracts/venues/spot/UniswapV3SpotVenue.sol";
import {DoubleRouter} from "./doubles/DoubleRouter.sol";
import {DoubleToken} from "./doubles/DoubleToken.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Reductions of a spot venue of two tokens, 40 WETH at 3,000 held, while there is no price of them.
contract ReduceSpotTest is VaultCase {
    uint64 private constant GUARDIAN = 3;
    address private immutable guardian = makeAddr("guardian");
    DoubleToken private weth;
    DoubleToken private wbtc;
    DoubleRouter private router;
    UniswapV3SpotVenue private spot;

    function setUp() public override {
        super.setUp();
        vm.warp(1_800_000_000);
        _deposit(alice, 1_000_000e6);
        (weth, wbtc, router) = (new DoubleToken("WETH", 18), new DoubleToken("WBTC", 18), new DoubleRouter());
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (address(weth), address(wbtc));
        uint24[] memory fees = new uint24[](2);
        (fees[0], fees[1]) = (500, 500);
        spot = new UniswapV3SpotVenue(address(vault), address(router), tokens, fees);
        vault.addVenue(address(spot), VenueConfig(0.5e18, 0, 0, 0));
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IVault.keeperReduce.selector;
        manager.setTargetFunctionRole(address(vault), selectors, KEEPER);
        selectors[0] = IVault.reduce.selector;
        manager.setTargetFunctionRole(address(vault), selectors, GUARDIAN);
        manager.grantRole(GUARDIAN, guardian, 0);
        oracle.set(address(weth), 2_985e18, 3_000e18, 3_015e18);
        guard.setLimits(address(weth), _limits());
        weth.mint(address(spot), 40e18);
        router.set(address(weth), 3_000e18);
        router.set(address(wbtc), 60_000e18);
        // Accepts the price.
        _rebalance(address(hedge), _trade(0, 0, _delta(0)));
        oracle.set(address(weth), 0, 0, 0);
    }

    function _reduce(address by, uint256 unit, uint256 fraction, uint256 limitPrice) private {
        vm.prank(by);
        if (by == keeper) vault.keeperReduce(address(spot), unit, fraction, limitPrice);
        else vault.reduce(address(spot), unit, fraction, limitPrice);
    }

    /// @notice A stranger's grain of a second token, never priced or of another price, does not stop the first from being sold.
    function test_AStrangersTokenDoesNotBlockASaleOfAnother() public {
        wbtc.mint(address(spot), 1);
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        _reduce(guardian, 0, 1e18, 2_900e18);
        _reduce(guardian, 1, 1e18, 2_900e18);
        assertEq(weth.balanceOf(address(spot)), 0);
        assertEq(usdc.balanceOf(address(vault)), 1_120_000e6);
        assertEq(wbtc.balanceOf(address(spot)), 1);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.Unpriced.selector));
        _reduce(guardian, 2, 1e18, 1);
    }

    function test_OneTokenIsHeldToItsOwnLimit() public {
        vm.expectRevert(abi.encodeWithSelector(VenueWitness.FarLimit.selector, 2_849e18, 3_000e18, 0.05e18));
        _reduce(guardian, 1, 1e18, 2_849e18);
        vm.expectRevert();
        _reduce(guardian, 3, 1e18, 2_900e18);
    }

    /// @notice The price rises by a third while there is none of ours; who holds the keeper's key pushes the pool to the last accepted one
    /// and sells into it.
    function test_AnOldPriceIsNotTheThiefs() public {
        skip(6 hours);
        uint256 most = guard.lastLow(address(vault), usdc.balanceOf(address(vault)) * 1e12) * 0.0025e18 / 1e18;
        for (uint256 i; i < 20; ++i) {
            vm.prank(keeper);
            try vault.keeperReduce(address(spot), 1, 0.02e18, 2_700e18) {} catch {}
        }
        uint256 sold = 40e18 - weth.balanceOf(address(spot));
        // The last accepted price may be 11% off after six hours: that is what the bucket is charged.
        assertGt(sold, 0);
        assertLe(sold * 330, most);
        // So what was sold at 3,000 of a truth of 4,000 is three buckets, and not 40 times 1,000.
        assertLe(sold * 1_000, most * 100 / 33);
        // The guardian's bucket is another.
        _reduce(guardian, 1, 1e18, 2_900e18);
        assertEq(weth.balanceOf(address(spot)), 0);
    }
}
