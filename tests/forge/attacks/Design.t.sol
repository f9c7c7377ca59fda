// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../../contracts/guard/IRiskGuard.sol";
import {Instruction, IVault} from "../../../contracts/IVault.sol";
import {Exposure} from "../../../contracts/venues/IVenue.sol";
import {DoubleVenue, Mode} from "../doubles/DoubleVenue.sol";
import {VaultCase} from "../doubles/VaultCase.sol";

/// @notice The ways in which this design itself could die.
contract DesignAttackTest is VaultCase {
    uint64 private constant EXPIRY = 2_000_000_000;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
    }

    /// @notice Dumping at the low side for nothing: while a venue cannot be read its worth is zero in every check, so whoever could
    /// trade then could empty it into their own hands at no measured loss. The keeper cannot trade.
    function test_DumpingAtTheLowSide_NothingIsTradedWhileAVenueIsUnpriced() public {
        _rebalance(address(venue), _trade(100_000e6, 100_000e18, _delta(0)));
        for (uint256 mode = uint256(Mode.Reverts); mode <= uint256(Mode.Overlong); ++mode) {
            venue.setMode(Mode(mode));
            Instruction[] memory calls = _calls(address(venue), _trade(0, 0, _delta(0)));
            vm.prank(keeper);
            vm.expectRevert(IRiskGuard.Unpriced.selector);
            vault.rebalance(calls, block.timestamp, bytes32(1000 + mode));
        }
    }

    /// @notice Dumping at the low side for nothing, by the other door: a venue made unreadable inside the call, so that what was
    /// taken out of it is not missed after it.
    function test_DumpingAtTheLowSide_AVenueThatBreaksInTheCallUndoesIt() public {
        _rebalance(address(venue), _trade(100_000e6, 100_000e18, _delta(0)));
        Instruction[] memory calls = new Instruction[](2);
        calls[0] = Instruction(address(venue), _trade(0, 0, _delta(0)));
        calls[1] = Instruction(address(venue), abi.encodeCall(DoubleVenue.setMode, (Mode.Reverts)));
        vm.prank(keeper);
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        vault.rebalance(calls, block.timestamp, "break");
    }

    /// @notice Leaving while a venue is unpriced gives its worth to those who stay; it never takes from them.
    function testFuzz_DumpingAtTheLowSide_LeavingUnpricedHurtsOnlyTheLeaver(uint256 part, uint256 leaving) public {
        part = bound(part, 1e6, 400_000e6);
        uint256 shares = _deposit(bob, 300_000e6);
        _rebalance(address(venue), _trade(part, int256(part * 1e12), _delta(0)));
        uint256 worth = vault.previewRedeem(shares);
        uint256 staying = vault.previewRedeem(vault.balanceOf(alice));
        leaving = bound(leaving, 1, shares);
        venue.setMode(Mode.Reverts);
        vm.prank(bob);
        uint256 paid = vault.redeem(leaving, bob, bob);
        venue.setMode(Mode.Fine);
        assertLe(paid + vault.previewRedeem(shares - leaving), worth);
        assertGe(vault.previewRedeem(vault.balanceOf(alice)), staying);
    }

    /// @notice A caller who sends too little gas for a venue to be read cannot choose that it counts as nothing.
    function test_DumpingAtTheLowSide_ACallerCannotStarveAVenue() public {
        _rebalance(address(venue), _trade(400_000e6, 400_000e18, _delta(0)));
        uint256 fair = vault.previewRedeem(1e12);
        for (uint256 gas = 100_000; gas < 12_000_000; gas = gas * 5 / 4) {
            (bool done, bytes memory answer) =
                address(vault).staticcall{gas: gas}(abi.encodeCall(vault.previewRedeem, (1e12)));
            if (done) assertEq(abi.decode(answer, (uint256)), fair);
        }
    }

    /// @notice Sandwiching a round: entering before the oracle's update and leaving after it earns nothing while the intervals
    /// before and after overlap, which is what they are for.
    function testFuzz_SandwichingARound_EarnsNothing(uint256 before, uint256 afterwards, int256 delta, uint256 entered)
        public
    {
        before = bound(before, 2_900e18, 3_100e18);
        // Each interval is half a percent to either side: the low after is at most the high before.
        afterwards = bound(afterwards, before * 0.991e18 / 1e18, before * 1.01e18 / 1e18);
        delta = bound(delta, -150e18, 150e18);
        entered = bound(entered, 1e6, 10_000_000e6);
        oracle.set(eth, before * 0.995e18 / 1e18, before, before * 1.005e18 / 1e18);
        venue.setBook(delta * int256(before) / 1e18, 0, _delta(delta));
        uint256 shares = _deposit(bob, entered);
        oracle.set(eth, afterwards * 0.995e18 / 1e18, afterwards, afterwards * 1.005e18 / 1e18);
        venue.setBook(delta * int256(afterwards) / 1e18, 0, _delta(delta));
        assertLe(vault.previewRedeem(shares), entered);
    }

    /// @notice Sandwiching a slice: the same of a vol that moves by no more than both half-widths.
    function testFuzz_SandwichingASlice_EarnsNothing(uint256 before, uint256 afterwards, int256 vega, uint256 entered)
        public
    {
        before = bound(before, 0.3e18, 1.5e18);
        afterwards = bound(afterwards, before - 0.04e18, before + 0.04e18);
        vega = bound(vega, -400_000e18, 400_000e18);
        entered = bound(entered, 1e6, 10_000_000e6);
        vols.set(before, 0.02e18);
        venue.setBook(vega * int256(before) / 1e18, 0, _one(eth, EXPIRY, 0, 0, vega, 0));
        uint256 shares = _deposit(bob, entered);
        vols.set(afterwards, 0.02e18);
        venue.setBook(vega * int256(afterwards) / 1e18, 0, _one(eth, EXPIRY, 0, 0, vega, 0));
        assertLe(vault.previewRedeem(shares), entered);
    }

    /// @notice Sandwiching a mark: storing one between an entry and an exit changes what neither pays.
    function testFuzz_SandwichingAMark_EarnsNothing(int256 delta, uint256 entered, uint256 price) public {
        delta = bound(delta, -150e18, 150e18);
        entered = bound(entered, 1e6, 10_000_000e6);
        price = bound(price, 2_980e18, 3_020e18);
        venue.setBook(delta * 3_000, 0, _delta(delta));
        vault.mark();
        oracle.set(eth, price * 0.995e18 / 1e18, price, price * 1.005e18 / 1e18);
        venue.setBook(delta * int256(price) / 1e18, 0, _delta(delta));
        uint256 shares = _deposit(bob, entered);
        vault.mark();
        assertLe(vault.previewRedeem(shares), entered);
    }

    /// @notice A one-wei "reduction" must not license a large trade: a book over its limit is mended by a tenth at least, or the call
    /// moves nothing farther from zero.
    function testFuzz_OneWeiReduction_LicensesNothing(uint256 wei_, int256 vega, int256 gamma) public {
        venue.setBook(180_000e18, 0, _one(eth, EXPIRY, 60e18, 0, 0, 0));
        // A tenth of the breach of 13% over 5% of NAV is about 4.3 ETH.
        wei_ = bound(wei_, 1, 4e18);
        vega = bound(vega, -50_000e18, 50_000e18);
        gamma = bound(gamma, -0.02e18, 0.02e18);
        // Less than a hundred wei of vega is none in the unit that limits are in.
        vm.assume(vega / 100 != 0 || gamma != 0);
        Exposure[] memory reduced = _one(eth, EXPIRY, 60e18 - int256(wei_), gamma, vega, 0);
        Instruction[] memory calls =
            _calls(address(venue), abi.encodeCall(DoubleVenue.trade, (0, 0, int256(180_000e18), 0, reduced)));
        vm.prank(keeper);
        (bool done, bytes memory answer) =
            address(vault).call(abi.encodeCall(IVault.rebalance, (calls, block.timestamp, bytes32("wei"))));
        assertFalse(done);
        bytes4 refusal = bytes4(answer);
        assertTrue(refusal == IRiskGuard.LimitBreached.selector || refusal == IRiskGuard.LossTooLarge.selector);
    }

    /// @notice The same the other way: a reduction that flips the book past its other limit is no reduction.
    function test_OneWeiReduction_AFlipIsNotAReduction() public {
        venue.setBook(180_000e18, 0, _delta(60e18));
        guard.setMaxLossPerCall(0.02e18);
        vm.expectPartialRevert(IRiskGuard.LimitBreached.selector);
        _rebalance(address(venue), _trade(0, 180_000e18, _delta(-50e18)));
    }

    /// @notice Many calls that each lose less than what one may: none of them loses more than its own bound.
    function testFuzz_NoCallLosesMoreThanItMay(uint256 loss) public {
        loss = bound(loss, 2_500e6 + 1, 1_000_000e6);
        vm.expectRevert(abi.encodeWithSelector(IRiskGuard.LossTooLarge.selector, loss * 1e12, 2_500e18));
        _rebalance(address(venue), _trade(loss, 0, _delta(0)));
    }
}
