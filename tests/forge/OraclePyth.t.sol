// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {IPriceSource} from "../../contracts/oracle/IPriceSource.sol";
import {PythSource, PythTerms} from "../../contracts/oracle/PythSource.sol";
import {TestPyth} from "./OracleFeeds.sol";

contract OraclePythSourceTest is Test {
    address private constant TOKEN = address(1);
    bytes32 private constant ID = "ETH/USD";

    TestPyth private pyth = new TestPyth();
    PythSource private source;

    function setUp() public {
        vm.warp(1_750_000_000);
        source = _source(_terms());
        _set(3000e8, 1e8, -8);
    }

    function _terms() private pure returns (PythTerms memory) {
        return PythTerms(ID, 1 hours, 10e18, 100_000e18, 0.01e18, 0.009e18);
    }

    function _source(PythTerms memory terms) private returns (PythSource) {
        return new PythSource(TOKEN, address(0), address(pyth), terms);
    }

    function _set(int64 price, uint64 conf, int32 expo) private {
        pyth.set(ID, price, conf, expo, block.timestamp);
    }

    function test_answersThePriceAtThreeConfidences() public view {
        (uint256 price, uint256 halfWidth, uint256 updatedAt) = source.read();
        assertEq(price, 3000e18);
        assertEq(halfWidth, 3e18);
        assertEq(updatedAt, block.timestamp);
        assertEq(source.token(), TOKEN);
        assertEq(source.denomination(), address(0));
    }

    function test_theHalfWidthGrowsWithTheRootOfAge() public {
        uint256 start = block.timestamp;
        skip(15 minutes);
        (, uint256 halfWidth, uint256 updatedAt) = source.read();
        assertEq(halfWidth, 3e18 + 13.5e18, "0.9% x sqrt(1/4)");
        assertEq(updatedAt, start);
        skip(45 minutes);
        (, halfWidth,) = source.read();
        assertEq(halfWidth, 3e18 + 27e18);
    }

    function test_exponentsOfBothSigns() public {
        _set(3, 0, 3);
        (uint256 price,,) = source.read();
        assertEq(price, 3000e18, "positive");
        _set(3000, 1, 0);
        (price,,) = source.read();
        assertEq(price, 3000e18, "zero");
        _set(3000e15, 0, -15);
        (price,,) = source.read();
        assertEq(price, 3000e18, "negative");
    }

    /// @dev Below 10^-18 the price is rounded down and its confidence up.
    function test_exponentsBelowOurs() public {
        PythTerms memory terms = _terms();
        (terms.minPrice, terms.maxPrice) = (1, 1e18);
        source = _source(terms);
        _set(12_345_678_999, 1, -20);
        (uint256 price, uint256 halfWidth,) = source.read();
        assertEq(price, 123_456_789);
        assertEq(halfWidth, 3);
    }

    function test_exponentOutOfRange() public {
        _set(1, 0, -37);
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadExponent.selector, -37, -36, 12));
        source.read();
        _set(1, 0, 13);
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadExponent.selector, 13, -36, 12));
        source.read();
    }

    function testFuzz_everyPriceIsAnAnswerOrATypedError(int64 price, uint64 conf, int32 expo, uint256 at) public {
        at = bound(at, 1, block.timestamp + 1 days);
        pyth.set(ID, price, conf, expo, at);
        try source.read() returns (uint256 answer, uint256 halfWidth, uint256 updatedAt) {
            assertGe(answer, 10e18);
            assertLe(answer, 100_000e18);
            assertLe(updatedAt, block.timestamp);
            assertLe(halfWidth, answer * (0.03e18 + 0.009e18) / 1e18 + 4);
        } catch (bytes memory reason) {
            assertGe(reason.length, 4);
            assertTrue(bytes4(reason) != bytes4(keccak256("Panic(uint256)")));
        }
    }

    function test_nobodyBroughtAPrice() public {
        PythTerms memory terms = _terms();
        terms.id = "other";
        source = _source(terms);
        vm.expectRevert(TestPyth.PriceFeedNotFound.selector);
        source.read();
    }

    function test_stale() public {
        uint256 published = block.timestamp;
        skip(1 hours);
        source.read();
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.Stale.selector, published, 1 hours));
        source.read();
    }

    function test_slightlyAheadIsNowAndFurtherIsNoPrice() public {
        pyth.set(ID, 3000e8, 1e8, -8, block.timestamp + 15);
        (,, uint256 updatedAt) = source.read();
        assertEq(updatedAt, block.timestamp);
        pyth.set(ID, 3000e8, 1e8, -8, block.timestamp + 16);
        vm.expectRevert(IPriceSource.BadReading.selector);
        source.read();
    }

    function test_zeroAndNegativePrices() public {
        _set(0, 1, -8);
        vm.expectRevert(IPriceSource.BadReading.selector);
        source.read();
        _set(-1, 1, -8);
        vm.expectRevert(IPriceSource.BadReading.selector);
        source.read();
    }

    function test_tooUncertain() public {
        _set(3000e8, 30e8, -8);
        source.read();
        _set(3000e8, 30e8 + 1, -8);
        vm.expectRevert(abi.encodeWithSelector(PythSource.TooUncertain.selector, 10000000003333334, 0.01e18));
        source.read();
    }

    function test_boundsAreInside() public {
        _set(10e8, 0, -8);
        source.read();
        _set(10e8 - 1, 0, -8);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.OutOfBounds.selector, 10e18 - 1e10, 10e18, 100_000e18));
        source.read();
        _set(100_001e8, 0, -8);
        vm.expectRevert(abi.encodeWithSelector(IPriceSource.OutOfBounds.selector, 100_001e18, 10e18, 100_000e18));
        source.read();
    }

    function test_refusesBadConfiguration() public {
        PythTerms memory terms = _terms();
        terms.maxAge = 0;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadMaxAge.selector, 0, 1 days));
        _source(terms);
        terms.maxAge = 1 days + 1;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadMaxAge.selector, 1 days + 1, 1 days));
        _source(terms);
        terms = _terms();
        terms.minPrice = 0;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadBounds.selector, 0, 100_000e18));
        _source(terms);
        terms.minPrice = terms.maxPrice;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadBounds.selector, 100_000e18, 100_000e18));
        _source(terms);
        terms = _terms();
        terms.maxConfidence = 0;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadMaxConfidence.selector, 0, 0.03e18));
        _source(terms);
        terms.maxConfidence = 0.03e18 + 1;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadMaxConfidence.selector, 0.03e18 + 1, 0.03e18));
        _source(terms);
        terms = _terms();
        terms.drift = 0.1e18;
        vm.expectRevert(abi.encodeWithSelector(PythSource.BadDrift.selector, 0.1e18, 0.1e18));
        _source(terms);
    }
}
