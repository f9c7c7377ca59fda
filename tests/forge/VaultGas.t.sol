// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Instruction, VenueConfig} from "../../contracts/IVault.sol";
import {Marks} from "../../contracts/nav/Marks.sol";
import {OptionBook, PerpBook, SpotBook} from "./doubles/BookVenues.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice One call of the vault a test, for `forge snapshot --isolate`: four venues that cost next to nothing, with ETH, a perp, an option
/// and cash in them.
contract VaultGasTest is VaultCase {
    Instruction[] private _hedge;
    uint256 private _shares;
    OptionBook private _options;

    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        _shares = _deposit(alice, 1_000_000e6);
        _options = new OptionBook(address(vault), address(usdc));
        PerpBook perp = new PerpBook(address(vault), eth);
        VenueConfig memory config = VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18);
        vault.addVenue(address(_options), config);
        vault.addVenue(address(perp), config);
        perp.set(-3e18, 9_000e18, 3_000e18, 0);
        _options.add(OptionBook.Option(eth, uint64(block.timestamp + 30 days), 3_000e18, true, 1e18));
        _rebalance(address(venue), _trade(10_000e6, 10_000e18, _delta(3e18)));
        _hedge.push(Instruction(address(hedge), _trade(10_000e6, 10_000e18, _delta(-1e18))));
        venue.setHealth(0, 1.3e18, 1e8);
        usdc.mint(bob, 100_000e6);
        vm.startPrank(bob);
        usdc.approve(address(vault), type(uint256).max);
        vault.deposit(1_000e6, bob);
        vm.stopPrank();
        vm.warp(block.timestamp + 1 days);
        vault.mark();
        vm.warp(block.timestamp + 60);
    }

    function _marks() internal override returns (Marks) {
        return new Marks(600, 0.01e18, 0.02e18);
    }

    /// @notice The oracle here costs a cold call and three cold words, 9,720; a real primary source about three times that.
    function test_DepositOnACarriedMark() public {
        vm.prank(bob);
        vault.deposit(1_000e6, bob);
        assertLe(_spent(), 93_500);
    }

    function test_DepositThatMarks() public {
        vm.warp(block.timestamp + 601);
        vm.prank(bob);
        vault.deposit(1_000e6, bob);
        assertLe(_spent(), 370_000);
    }

    /// @dev Of the last call; without isolation it leaves out what every transaction costs and finds warm what it should not.
    function _spent() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
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
