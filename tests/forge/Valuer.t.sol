// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IValuer, Valuation} from "../../contracts/guard/IValuer.sol";
import {VenueConfig} from "../../contracts/IVault.sol";
import {Exposure, Greeks} from "../../contracts/venues/IVenue.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {TwoStepVenue} from "./doubles/TwoStepVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

contract ValuerTest is VaultCase {
    uint64 private constant EXPIRY = 2_000_000_000;

    function test_AnEmptyVaultIsWorthItsIdle() public {
        usdc.mint(address(vault), 1_000_000e6);
        Valuation memory v = valuer.value(address(vault));
        assertTrue(v.priced);
        assertEq(v.idle, 1_000_000e18);
        assertEq(v.low, 1_000_000e18);
        assertEq(v.mid, 1_000_000e18);
        assertEq(v.high, 1_000_000e18);
        assertEq(v.venues.length, 2);
        assertEq(v.exposures.length, 0);
    }

    function test_WidthIsTheFormula() public {
        venue.setBook(10_000e18, 7e18, _one(eth, EXPIRY, -2e18, 0.03e18, 400e18, -90e18));
        Valuation memory v = valuer.value(address(vault));
        // 2 x 15 + 1/2 x 0.03 x 15^2 + 400 x 0.02 + 7
        assertEq(v.high - v.mid, 30e18 + 3.375e18 + 8e18 + 7e18);
        assertEq(v.mid - v.low, v.high - v.mid);
        assertEq(v.prices.length, 1);
        assertEq(v.vols.length, 1);
        assertEq(v.vols[0].expiry, EXPIRY);
    }

    function test_TheLargerHalfOfAnIntervalCounts() public {
        oracle.set(eth, 2_999e18, 3_000e18, 3_020e18);
        venue.setBook(0, 0, _delta(-1e18));
        Valuation memory v = valuer.value(address(vault));
        assertEq(v.high - v.mid, 20e18);
    }

    function test_AHedgedPairIsUnderATenthOfTheNaiveSum() public {
        venue.setBook(300_000e18, 0, _delta(100e18));
        hedge.setBook(0, 0, _delta(-99.5e18));
        Valuation memory v = valuer.value(address(vault));
        uint256 naive = 100 * 15e18 + 99.5 * 15e18;
        assertLt(uint256(v.high - v.mid) * 10, naive);
        assertEq(v.exposures.length, 1);
        assertEq(v.exposures[0].greeks.delta, 0.5e18);
    }

    function test_VegaNetsWithinAnExpiryOnly() public {
        venue.setBook(0, 0, _one(eth, EXPIRY, 0, 0, 500e18, 0));
        hedge.setBook(0, 0, _one(eth, EXPIRY + 1, 0, 0, -500e18, 0));
        assertEq(valuer.value(address(vault)).high, 20e18);
        hedge.setBook(0, 0, _one(eth, EXPIRY, 0, 0, -500e18, 0));
        assertEq(valuer.value(address(vault)).high, 0);
    }

    function test_TheAssetHasNoWidthAndNoExposure() public {
        venue.setBook(5e18, 0, _one(address(usdc), 0, 5e18, 0, 0, 0));
        Valuation memory v = valuer.value(address(vault));
        assertTrue(v.priced);
        assertEq(v.low, 5e18);
        assertEq(v.exposures.length, 0);
    }

    function test_ABrokenVenueIsUnpricedAndNeverARevert(uint8 seed) public {
        Mode mode = Mode(bound(seed, uint256(Mode.Reverts), uint256(Mode.Overlong)));
        usdc.mint(address(vault), 100e6);
        venue.setBook(50e18, 1e18, _delta(1e18));
        hedge.setBook(20e18, 1e18, _delta(1e18));
        venue.setMode(mode);
        Valuation memory v = valuer.value{gas: 12_000_000}(address(vault));
        assertFalse(v.priced);
        assertFalse(v.venues[0].priced);
        assertTrue(v.venues[1].priced);
        assertEq(v.mid, 120e18);
        assertEq(v.low, 120e18 - 16e18);
    }

    function test_AMissingPriceUnpricesTheVenuesThatNeedIt() public {
        venue.setBook(50e18, 0, _delta(1e18));
        hedge.setBook(20e18, 0, new Exposure[](0));
        oracle.set(eth, 0, 0, 0);
        Valuation memory v = valuer.value(address(vault));
        assertFalse(v.priced);
        assertEq(v.mid, 20e18);
    }

    function test_AnInvertedPriceIsNoPrice() public {
        venue.setBook(50e18, 0, _delta(1e18));
        oracle.set(eth, 3_001e18, 3_000e18, 3_015e18);
        assertFalse(valuer.value(address(vault)).priced);
    }

    function test_AMissingVolUnpricesVegaOnly() public {
        venue.setBook(50e18, 0, _one(eth, EXPIRY, 0, 0, 1e18, 0));
        hedge.setBook(20e18, 0, _one(eth, EXPIRY, 1e18, 0, 0, 0));
        vols.set(0, 0);
        Valuation memory v = valuer.value(address(vault));
        assertFalse(v.venues[0].priced);
        assertTrue(v.venues[1].priced);
    }

    function test_VegaWithoutExpiryIsUnpriced() public {
        venue.setBook(50e18, 0, _one(eth, 0, 0, 0, 1e18, 0));
        assertFalse(valuer.value(address(vault)).priced);
    }

    function test_StarvingAVenueOfGasRevertsInsteadOfUnpricingIt() public {
        venue.setBook(50e18, 0, _delta(1e18));
        venue.setMode(Mode.BurnsGas);
        (bool done, bytes memory answer) =
            address(valuer).staticcall{gas: 2_000_000}(abi.encodeCall(IValuer.value, (address(vault))));
        assertFalse(done);
        assertEq(bytes4(answer), IValuer.GasTooLow.selector);
    }

    function test_PendingOrdersAreCarriedApart() public {
        TwoStepVenue slow = new TwoStepVenue(address(vault), eth);
        vault.addVenue(address(slow), VenueConfig(1e18, 1.2e18, 1.5e18, 1.1e18));
        vm.startPrank(address(vault));
        slow.order(eth, -2e18, 0, false);
        slow.order(eth, 3e18, 0, false);
        vm.stopPrank();
        Valuation memory v = valuer.value(address(vault));
        assertTrue(v.priced);
        assertEq(v.pending.length, 2);
        assertEq(v.pending[0].greeks.delta, -2e18);
        assertEq(v.pending[1].greeks.delta, 3e18);
        assertEq(v.high, v.low);
    }

    function testFuzz_LowMidHighAreOrderedAndHedgingNeverWidens(
        int96 delta,
        int96 gamma,
        int96 vega,
        uint64 halfWidth,
        uint256 part
    ) public {
        venue.setBook(1e24, halfWidth, _one(eth, EXPIRY, delta, gamma, vega, 0));
        Valuation memory alone = valuer.value(address(vault));
        assertLe(alone.low, alone.mid);
        assertLe(alone.mid, alone.high);
        int256 share = int256(bound(part, 0, 100));
        Exposure[] memory opposite = new Exposure[](1);
        opposite[0] = Exposure(
            eth,
            EXPIRY,
            Greeks(-int256(delta) * share / 100, -int256(gamma) * share / 100, -int256(vega) * share / 100, 0)
        );
        hedge.setBook(0, 0, opposite);
        Valuation memory hedged = valuer.value(address(vault));
        assertLe(hedged.high - hedged.low, alone.high - alone.low);
    }
}
