// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {VenueActs} from "../../contracts/guard/VenueActs.sol";
import {Instruction, VenueConfig} from "../../contracts/IVault.sol";
import {Marks} from "../../contracts/nav/Marks.sol";
import {OptionBook, PerpBook} from "./doubles/BookVenues.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Losses between marks that nothing explains, and what perps may have of exposure while funding is one.
contract UnexplainedTest is VaultCase {
    PerpBook private _perp;
    PerpBook private _other;

    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        _deposit(alice, 1_000_000e6);
        _perp = new PerpBook(address(vault), eth);
        _other = new PerpBook(address(vault), eth);
        VenueConfig memory config = VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18);
        vault.addVenue(address(_perp), config);
        vault.addVenue(address(_other), config);
        _rebalance(address(venue), _trade(100_000e6, 100_000e18, _delta(0)));
        venue.setHealth(0, 1.3e18, 1e6);
    }

    function _marks() internal override returns (Marks) {
        return new Marks(600, 0.01e18, 0.02e18);
    }

    function _level() private view returns (uint256 level) {
        (level,) = guard.budget(address(vault));
    }

    function _mark() private {
        skip(300);
        vault.mark();
    }

    function _topUp(uint256 assets) private {
        vm.prank(keeper);
        vault.topUp(address(venue), 0, assets, 0);
    }

    function test_FundingThatIsPaidFillsTheBucket() public {
        // A long of 10 pays 10% a day: 300 in a tenth of it.
        _perp.set(10e18, -30_000e18, 3_000e18, 0.1e18);
        vault.mark();
        skip(8640);
        _perp.set(10e18, -30_300e18, 3_000e18, 0.1e18);
        vault.mark();
        // All but the width of the mark: half a percent of price on ten, and the fee of closing them.
        assertApproxEqAbs(_level(), 0.00012e18, 0.000001e18);
    }

    function test_ATopUpHidesNoLoss() public {
        vault.mark();
        venue.setBook(98_000e18, 0, _delta(0));
        _topUp(10_000e6);
        _mark();
        assertApproxEqAbs(_level(), 0.002e18, 0.00002e18);
    }

    function test_ATopUpOfWhatCameSinceHidesNoLoss() public {
        vault.configureVenue(address(hedge), VenueConfig(1e18, 1.2e18, 1.5e18, 1.1e18));
        _rebalance(address(hedge), _trade(900_000e6, 900_000e18, _delta(0)));
        assertEq(usdc.balanceOf(address(vault)), 0);
        hedge.setBook(898_000e18, 0, _delta(0));
        _deposit(bob, 1e4);
        _topUp(1e4);
        _mark();
        assertApproxEqAbs(_level(), 0.002e18, 0.00002e18);
    }

    function test_AMomentWithoutAPriceHidesNoLoss() public {
        vault.mark();
        skip(60);
        hedge.setMode(Mode.Reverts);
        vm.prank(alice);
        vault.redeem(1e6, alice, alice);
        hedge.setMode(Mode.Fine);
        venue.setBook(98_000e18, 0, _delta(0));
        _mark();
        assertApproxEqAbs(_level(), 0.002e18, 0.00002e18);
    }

    function test_AVenuesVolThatIsStoredHidesNoLoss() public {
        OptionBook options = new OptionBook(address(vault), address(usdc));
        vault.addVenue(address(options), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        options.add(OptionBook.Option(eth, uint64(block.timestamp + 30 days), 3_000e18, true, 1e18));
        vault.mark();
        skip(60);
        venue.setBook(98_000e18, 0, _delta(0));
        vols.sync();
        _mark();
        assertApproxEqAbs(_level(), 0.002e18, 0.0001e18);
        // What takes signers is another matter.
        skip(3 days);
        vault.mark();
        venue.setBook(96_000e18, 0, _delta(0));
        vols.set(0.75e18, 0.02e18);
        _mark();
        assertEq(_level(), 0);
    }

    function test_ATipIsChargedOnce() public {
        VenueActs(guard.acts()).setTip(eth, 100e18, 1_000e18);
        vm.fee(50 gwei);
        vault.mark();
        venue.setHealth(0, 1.05e18, 1e8);
        vault.topUpCritical(address(venue), 0, 3e9);
        vm.roll(block.number + 1);
        (, uint256 tip) = vault.topUpCritical(address(venue), 0, 3e9);
        assertGt(tip, 0);
        uint256 level = _level();
        _mark();
        assertLe(_level(), level);
    }

    function test_ATopUpIsNoLoss() public {
        vault.mark();
        _topUp(10_000e6);
        _topUp(20_000e6);
        _mark();
        assertEq(_level(), 0);
    }

    function test_NothingEntersOnAMarkThatOnlyExplains() public {
        vault.mark();
        skip(60);
        (,, int256 mid,) = vault.navView();
        venue.setBook(98_000e18, 0, _delta(0));
        (,, int256 carried,) = vault.navView();
        assertEq(carried, mid);
        _topUp(10_000e6);
        (,, int256 live,) = vault.navView();
        assertEq(live, mid - 2_000e18);
    }

    function test_GrossOfPerpsIsBoundedOverVenues() public {
        guard.setMaxPerpGross(0.05e18);
        _perp.set(8e18, -24_000e18, 3_000e18, 0);
        _other.set(-8e18, 24_000e18, 3_000e18, 0);
        Instruction[] memory calls = new Instruction[](2);
        calls[0] = Instruction(address(_perp), _order(_perp, 9e18));
        calls[1] = Instruction(address(_other), _order(_other, -9e18));
        vm.startPrank(keeper);
        // 54,000 of a million, though no delta.
        vm.expectPartialRevert(IRiskGuard.GrossTooLarge.selector);
        vault.rebalance(calls, block.timestamp, "more");
        vm.stopPrank();
        guard.lowerMaxPerpGross(0.01e18);
        // What is above may shrink, and what is no perp's is not counted.
        calls[0].data = _order(_perp, 7e18);
        calls[1].data = _order(_other, -7e18);
        vm.startPrank(keeper);
        vault.rebalance(calls, block.timestamp, "less");
        calls[1] = Instruction(address(venue), _trade(0, 100_000e18, _delta(2e18)));
        vault.rebalance(calls, block.timestamp, "spot");
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.NotLower.selector, 0.01e18, 0.01e18));
        guard.lowerMaxPerpGross(0.01e18);
    }

    /// @dev Calldata that leaves the perp with `size` at its mark.
    function _order(PerpBook perp, int256 size) private view returns (bytes memory) {
        return abi.encodeCall(perp.set, (size, -size * 3_000, 3_000e18, 0));
    }
}
