// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Test} from "forge-std/Test.sol";

import {SVI_POINTS, Svi} from "../../contracts/pricing/Svi.sol";

contract SviHarness {
    function check(Svi.Raw memory s) external pure returns (int256) {
        return Svi.check(s);
    }

    function totalVariance(Svi.Raw memory s, int256 k) external pure returns (uint256) {
        return Svi.totalVariance(s, k);
    }

    function vol(Svi.Raw memory s, int256 k, uint256 time) external pure returns (uint256) {
        return Svi.vol(s, k, time);
    }

    function g(Svi.Raw memory s, int256 k) external pure returns (int256) {
        return Svi.g(s, k);
    }

    function density(Svi.Raw memory s, int256 k) external pure returns (uint256, int256) {
        return Svi.density(s, k);
    }

    function isAtMost(Svi.Raw memory s, int256 k, int256 bound) external pure returns (bool) {
        return Svi.isAtMost(s, k, bound);
    }

    function points(Svi.Raw memory s, int256 deviation, int256 reach)
        external
        pure
        returns (int256[SVI_POINTS] memory, uint256)
    {
        return Svi.points(s, deviation, reach);
    }
}

/// @notice Accuracy against 50-digit vectors (vectors/svi.py), the conditions on parameters, and the domain.
contract SviTest is Test {
    SviHarness private library_ = new SviHarness();

    mapping(string column => int256[]) private vectors;

    function setUp() public {
        string memory json = vm.readFile("tests/forge/vectors/svi.json");
        string[11] memory names = ["a", "b", "rho", "m", "sigma", "k", "seconds", "least", "w", "vol", "g"];
        for (uint256 i = 0; i < names.length; i++) {
            vectors[names[i]] = vm.parseJsonIntArray(json, string.concat(".", names[i]));
        }
    }

    function _slice(uint256 i) private view returns (Svi.Raw memory) {
        return Svi.Raw(vectors["a"][i], vectors["b"][i], vectors["rho"][i], vectors["m"][i], vectors["sigma"][i]);
    }

    function _vogt() private pure returns (Svi.Raw memory) {
        return Svi.Raw(-0.041e18, 0.1331e18, 0.306e18, 0.3586e18, 0.4153e18);
    }

    function _distance(int256 a, int256 b) private pure returns (uint256) {
        return a > b ? uint256(a - b) : uint256(b - a);
    }

    /// @dev What the library says of its error in w: 3e-18 + 3e-17 b sqrt(x^2 + sigma^2), here in 1e-18.
    function _errorOfW(Svi.Raw memory s, int256 k) private pure returns (uint256) {
        int256 x = k - s.m;
        return 3 + uint256(30 * s.b) * FixedPointMathLib.sqrt(uint256(x * x + s.sigma * s.sigma)) / 1e36;
    }

    function test_agreesWithFiftyDigitVectors() public {
        uint256[4] memory worst;
        for (uint256 i = 0; i < vectors["k"].length; i++) {
            Svi.Raw memory s = _slice(i);
            int256 k = vectors["k"][i];
            uint256 time = uint256(vectors["seconds"][i]);
            uint256 w = library_.totalVariance(s, k);
            uint256 allowed = _errorOfW(s, k);
            uint256 apart = _distance(int256(w), vectors["w"][i]);
            assertLe(apart, allowed, "w");
            worst[0] = FixedPointMathLib.max(worst[0], apart);
            apart = _distance(int256(library_.vol(s, k, time)), vectors["vol"][i]);
            assertLe(apart, 1 + allowed * (365 days * 1e18) / (uint256(vectors["vol"][i]) * time), "vol");
            worst[1] = FixedPointMathLib.max(worst[1], apart);
            // g has the digits that w has.
            apart = _distance(library_.g(s, k), vectors["g"][i]);
            if (w < 1e14) apart = apart * w / 1e14;
            worst[2] = FixedPointMathLib.max(worst[2], apart);
            worst[3] = FixedPointMathLib.max(worst[3], _distance(library_.check(s), vectors["least"][i]));
        }
        emit log_named_uint("w, absolute, 1e-18", worst[0]);
        emit log_named_uint("vol, absolute, 1e-18", worst[1]);
        emit log_named_uint("g, absolute, times min(1, w / 1e-4), 1e-18", worst[2]);
        emit log_named_uint("least w, absolute, 1e-18", worst[3]);
        assertLe(worst[2], 1e4, "g within 1e-14 where w >= 1e-4");
        assertLe(worst[3], 2, "least within 2e-18");
    }

    function test_vogtsSliceHasItsButterflyWhereThePaperSays() public view {
        // Gatheral and Jacquier 2014: g < 0 on (0.6424, 1.2569).
        assertGt(library_.g(_vogt(), 0.642e18), 0);
        assertLt(library_.g(_vogt(), 0.643e18), 0);
        assertLt(library_.g(_vogt(), 1.256e18), 0);
        assertGt(library_.g(_vogt(), 1.257e18), 0);
    }

    function test_sigmaTooSmall() public {
        Svi.Raw memory s = _vogt();
        s.sigma = 0.001e18 - 1;
        vm.expectRevert(abi.encodeWithSelector(Svi.SigmaTooSmall.selector, s.sigma, 0.001e18));
        library_.check(s);
    }

    function test_rhoOutOfRange() public {
        Svi.Raw memory s = _vogt();
        for (int256 sign = -1; sign < 2; sign += 2) {
            s.rho = sign * 1e18;
            vm.expectRevert(abi.encodeWithSelector(Svi.RhoOutOfRange.selector, s.rho));
            library_.check(s);
        }
    }

    function test_wingOutOfRange() public {
        Svi.Raw memory s = Svi.Raw(0.1e18, 1.6e18, -0.25e18, 0, 0.1e18);
        library_.check(s);
        s.b += 1;
        vm.expectRevert(abi.encodeWithSelector(Svi.WingOutOfRange.selector, 2e18 + 2, 2e18));
        library_.check(s);
    }

    function test_negativeVariance() public {
        // b sigma sqrt(1 - 0.6^2) = 0.08.
        Svi.Raw memory s = Svi.Raw(-0.08e18, 0.5e18, 0.6e18, 0, 0.2e18);
        assertEq(library_.check(s), 0);
        s.a -= 1;
        vm.expectRevert(abi.encodeWithSelector(Svi.NegativeVariance.selector, -1));
        library_.check(s);
    }

    function test_gIsNotDefinedWhereThereIsNoVariance() public {
        vm.expectRevert(abi.encodeWithSelector(Svi.NoVariance.selector, 0.1e18));
        library_.g(Svi.Raw(0, 0, 0, 0, 0.1e18), 0.1e18);
    }

    function test_aFlatSmileIsFlat() public view {
        Svi.Raw memory s = Svi.Raw(0.64e18, 0, 0, 0, 0.1e18);
        assertEq(library_.vol(s, 1e18, 365 days), 0.8e18);
        assertEq(library_.vol(s, -3e18, 365 days), 0.8e18);
        assertEq(library_.g(s, 0), 1e18);
    }

    function test_pointsAreThirtyThreeSymmetricAndReachTheEnds() public view {
        Svi.Raw memory s = Svi.Raw(0.04e18, 0.1e18, -0.3e18, 0.05e18, 0.1e18);
        (int256[SVI_POINTS] memory k, uint256 count) = library_.points(s, 0.2e18, 1e18);
        assertEq(count, 33);
        int256[8] memory spread = [int256(0.1e18), 0.2e18, 0.3e18, 0.45e18, 0.6e18, 0.8e18, 0, 1e18];
        // Halfway from 4 x 0.2 to 1.
        spread[6] = int256(FixedPointMathLib.sqrt(0.8e36));
        int256[8] memory bends = [int256(0.025e18), 0.05e18, 0.1e18, 0.15e18, 0.2e18, 0.3e18, 0.4e18, 0.6e18];
        assertEq(k[0], 0);
        for (uint256 i = 0; i < 8; i++) {
            assertEq(k[4 * i + 1], spread[i]);
            assertEq(k[4 * i + 2], -spread[i]);
            assertEq(k[4 * i + 3], 0.05e18 + bends[i]);
            assertEq(k[4 * i + 4], 0.05e18 - bends[i]);
        }
        // m + 0.6 is beyond 0.61.
        (, count) = library_.points(s, 0.1e18, 0.61e18);
        assertEq(count, 32);
    }

    function _bounded(int256 a, uint256 b, int256 rho, int256 m, uint256 sigma)
        private
        pure
        returns (Svi.Raw memory s)
    {
        s.rho = bound(rho, -1e18 + 1, 1e18 - 1);
        int256 steep = 2e36 / (1e18 + (s.rho < 0 ? -s.rho : s.rho));
        s.b = int256(bound(b, 0, uint256(steep) - 1));
        s.m = bound(m, type(int64).min, type(int64).max);
        s.sigma = int256(bound(sigma, 0.001e18, type(uint64).max));
        int256 root = int256(FixedPointMathLib.sqrt(uint256(1e36 - s.rho * s.rho)));
        int256 lowest = -(s.b * s.sigma * root / 1e36);
        s.a = bound(a, lowest < type(int64).min ? int256(type(int64).min) : lowest, type(int64).max);
    }

    /// forge-config: default.fuzz.runs = 2000
    function testFuzz_neverRevertsInItsDomainAndIsAtLeastTheLeast(
        int256 a,
        uint256 b,
        int256 rho,
        int256 m,
        uint256 sigma,
        int256 k
    ) public view {
        Svi.Raw memory s = _bounded(a, b, rho, m, sigma);
        k = bound(k, -50e18, 50e18);
        int256 least = library_.check(s);
        uint256 w = library_.totalVariance(s, k);
        uint256 error = _errorOfW(s, k);
        assertGe(w + error, uint256(least), "least");
        (uint256 same, int256 scaled) = library_.density(s, k);
        assertEq(same, w, "density's w");
        if (w == 0) return;
        int256 g = library_.g(s, k);
        assertTrue(g == 0 || (g > 0) == (scaled > 0), "sign");
        // Below what its error in w reaches, the answer without a root is the answer.
        assertTrue(library_.isAtMost(s, k, int256(w + error)), "at most more");
        assertFalse(library_.isAtMost(s, k, int256(w) - int256(error)), "at most less");
    }

    function testFuzz_neverRevertsWhereItsTypesReach(int64 a, uint64 b, int64 rho, int64 m, uint64 sigma, int256 k)
        public
        view
    {
        Svi.Raw memory s = Svi.Raw(a, int256(uint256(b)), rho, m, int256(uint256(sigma) + 0.001e18));
        k = bound(k, -50e18, 50e18);
        library_.totalVariance(s, k);
        library_.density(s, k);
    }

    function testFuzz_isConvexAndRisesByAtMostItsWings(
        int256 a,
        uint256 b,
        int256 rho,
        int256 m,
        uint256 sigma,
        int256 k,
        uint256 step
    ) public view {
        Svi.Raw memory s = _bounded(a, b, rho, m, sigma);
        k = bound(k, -5e18, 5e18);
        int256 h = int256(bound(step, 1e6, 3e18));
        int256 error = 4 * int256(_errorOfW(s, k) + _errorOfW(s, k + h) + _errorOfW(s, k - h));
        int256 middle = int256(library_.totalVariance(s, k));
        int256 right = int256(library_.totalVariance(s, k + h));
        int256 left = int256(library_.totalVariance(s, k - h));
        assertGe(left + right + error, 2 * middle, "convex");
        assertLe(right - middle, s.b * (1e18 + s.rho) * h / 1e36 + error, "right wing");
        assertLe(left - middle, s.b * (1e18 - s.rho) * h / 1e36 + error, "left wing");
    }
}
