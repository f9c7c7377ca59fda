// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Black76} from "../../contracts/pricing/Black76.sol";

contract Black76Harness {
    function evaluate(uint256 forward, uint256 strike, uint256 secondsToExpiry, uint256 vol)
        external
        pure
        returns (Black76.Result memory)
    {
        return Black76.evaluate(forward, strike, secondsToExpiry, vol);
    }
}

/// @notice Accuracy against 50-digit vectors (vectors/black76.py), gas, limits and shape.
contract Black76Test is Test {
    uint256 private constant YEAR = 365 days;

    Black76Harness private library_ = new Black76Harness();

    mapping(string column => int256[]) private vectors;

    function setUp() public {
        string memory json = vm.readFile("tests/forge/vectors/black76.json");
        string[10] memory names =
            ["forward", "strike", "seconds", "vol", "call", "put", "delta", "gamma", "vega", "theta"];
        for (uint256 i = 0; i < names.length; i++) {
            vectors[names[i]] = vm.parseJsonIntArray(json, string.concat(".", names[i]));
        }
    }

    function _point(uint256 i) private view returns (uint256, uint256, uint256, uint256) {
        return (
            uint256(vectors["forward"][i]),
            uint256(vectors["strike"][i]),
            uint256(vectors["seconds"][i]),
            uint256(vectors["vol"][i])
        );
    }

    function _distance(int256 a, int256 b) private pure returns (uint256) {
        return a > b ? uint256(a - b) : uint256(b - a);
    }

    /// @dev |got - wanted| at 1e18 of `wanted` where |wanted| > `floor`, else 0.
    function _relative(int256 got, int256 wanted, uint256 floor) private pure returns (uint256) {
        uint256 size = _distance(wanted, 0);
        return size <= floor ? 0 : _distance(got, wanted) * 1e18 / size;
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    function test_agreesWithFiftyDigitVectors() public {
        uint256[7] memory worst;
        for (uint256 i = 0; i < vectors["forward"].length; i++) {
            (uint256 forward, uint256 strike, uint256 time, uint256 vol) = _point(i);
            Black76.Result memory r = library_.evaluate(forward, strike, time, vol);
            (int256 call, int256 put) = (vectors["call"][i], vectors["put"][i]);
            worst[0] = _max(worst[0], _max(_distance(int256(r.call), call), _distance(int256(r.put), put)));
            worst[1] = _max(worst[1], _relative(int256(r.call), call, 0.01e18));
            worst[1] = _max(worst[1], _relative(int256(r.put), put, 0.01e18));
            worst[2] = _max(worst[2], _distance(r.callDelta, vectors["delta"][i]));
            worst[3] = _max(worst[3], _relative(int256(r.gamma), vectors["gamma"][i], 1e12));
            worst[4] = _max(worst[4], _relative(int256(r.vega), vectors["vega"][i], 0.01e18));
            worst[5] = _max(worst[5], _relative(r.theta, vectors["theta"][i], 0.01e18));
        }
        emit log_named_uint("price, absolute, 1e-18", worst[0]);
        emit log_named_uint("price, relative, 1e-18", worst[1]);
        emit log_named_uint("delta, absolute, 1e-18", worst[2]);
        emit log_named_uint("gamma, relative, 1e-18", worst[3]);
        emit log_named_uint("vega, relative, 1e-18", worst[4]);
        emit log_named_uint("theta, relative, 1e-18", worst[5]);
        assertLe(worst[0], 1e4, "price within 1e-14");
        assertLe(worst[1], 1e4, "price within 1e-14 of itself");
        assertLe(worst[2], 2, "delta within 2e-18");
        assertLe(worst[3], 1e6, "gamma within 1e-12");
        assertLe(worst[4], 1e3, "vega within 1e-15");
        assertLe(worst[5], 1e3, "theta within 1e-15");
    }

    function test_gas() public {
        uint256[] memory used = new uint256[](vectors["forward"].length);
        uint256 count;
        library_.evaluate(2000e18, 2000e18, 1 days, 1e18);
        for (uint256 i = 0; i < used.length; i++) {
            (uint256 forward, uint256 strike, uint256 time, uint256 vol) = _point(i);
            bytes memory data = abi.encodeCall(Black76Harness.evaluate, (forward, strike, time, vol));
            address target = address(library_);
            uint256 before = gasleft();
            assembly {
                pop(staticcall(gas(), target, add(data, 32), mload(data), 0, 0))
            }
            uint256 spent = before - gasleft();
            if (spent > 2000) used[count++] = spent; // The rest left early: |d1| past 9.1.
        }
        assembly {
            mstore(used, count)
        }
        uint256 median = vm.sort(used)[count / 2];
        emit log_named_uint("median gas of a warm call", median);
        emit log_named_uint("points", count);
        assertLe(median, 4000);
    }

    function test_atExpiryIsIntrinsic() public view {
        Black76.Result memory r = library_.evaluate(2100e18, 2000e18, 0, 0.8e18);
        assertEq(r.call, 100e18);
        assertEq(r.put, 0);
        assertEq(r.callDelta, 1e18);
        assertEq(r.gamma + r.vega, 0);
        assertEq(r.theta, 0);
        r = library_.evaluate(1900e18, 2000e18, 0, 0.8e18);
        assertEq(r.call, 0);
        assertEq(r.put, 100e18);
        assertEq(r.callDelta, 0);
        assertEq(library_.evaluate(2000e18, 2000e18, 0, 0.8e18).callDelta, 0.5e18);
        assertEq(library_.evaluate(2000e18, 2000e18, 1 days, 0).callDelta, 0.5e18);
    }

    function test_zeroStrikeIsTheForward() public view {
        Black76.Result memory r = library_.evaluate(2000e18, 0, 1 days, 0.8e18);
        assertEq(r.call, 2000e18);
        assertEq(r.put, 0);
        assertEq(r.callDelta, 1e18);
        assertEq(library_.evaluate(0, 2000e18, 1 days, 0.8e18).put, 2000e18);
    }

    function test_refusesWhatItsFixedPointCannotHold() public {
        uint256 tooLarge = 1 << 112;
        vm.expectRevert(abi.encodeWithSelector(Black76.OutOfDomain.selector, tooLarge, 1, 1, 1));
        library_.evaluate(tooLarge, 1, 1, 1);
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_neverRevertsAndStaysInsideItsBounds(uint256 forward, uint256 ratio, uint256 time, uint256 vol)
        public
        view
    {
        forward = bound(forward, 1e15, 1e24);
        uint256 strike = forward * bound(ratio, 0.01e18, 100e18) / 1e18;
        time = bound(time, 1, 5 * YEAR);
        vol = bound(vol, 0.01e18, 10e18);
        Black76.Result memory r = library_.evaluate(forward, strike, time, vol);
        assertEq(r.call + strike, r.put + forward, "call - put = F - K");
        assertLe(r.call, forward);
        assertLe(r.put, strike);
        assertGe(r.callDelta, 0);
        assertLe(r.callDelta, 1e18);
        assertLe(r.theta, 0);
    }

    function testFuzz_neverRevertsWhereItsTypesReach(uint112 forward, uint112 strike, uint40 time, uint96 vol) public view {
        Black76.Result memory r = library_.evaluate(forward, strike, time, vol);
        assertEq(r.call + strike, r.put + uint256(forward));
    }

    function testFuzz_risesWithVolAndForwardAndFallsWithStrike(uint256 ratio, uint256 time, uint256 vol) public view {
        uint256 forward = 2000e18;
        uint256 strike = forward * bound(ratio, 0.2e18, 5e18) / 1e18;
        time = bound(time, 60, 2 * YEAR);
        vol = bound(vol, 0.05e18, 4e18);
        uint256 call = library_.evaluate(forward, strike, time, vol).call;
        // A few units of 1e-18 of the forward: what rounding may take.
        uint256 slack = 2e5;
        assertGe(library_.evaluate(forward, strike, time, vol * 101 / 100).call + slack, call, "vol");
        assertGe(library_.evaluate(forward * 101 / 100, strike, time, vol).call + slack, call, "forward");
        assertLe(library_.evaluate(forward, strike * 101 / 100, time, vol).call, call + slack, "strike");
    }

    function testFuzz_greeksAreSlopesOfThePrice(uint256 ratio, uint256 time, uint256 vol) public view {
        uint256 forward = 2000e18;
        uint256 strike = forward * bound(ratio, 0.7e18, 1.4e18) / 1e18;
        time = bound(time, 7 days, YEAR);
        vol = bound(vol, 0.3e18, 2e18);
        Black76.Result memory r = library_.evaluate(forward, strike, time, vol);
        uint256 up = library_.evaluate(forward + 1e18, strike, time, vol).call;
        uint256 down = library_.evaluate(forward - 1e18, strike, time, vol).call;
        assertApproxEqAbs((int256(up) - int256(down)) / 2, r.callDelta, 1e13, "delta");
        assertApproxEqAbs(up + down - 2 * r.call, r.gamma, 1e12, "gamma");
        up = library_.evaluate(forward, strike, time, vol + 0.001e18).call;
        down = library_.evaluate(forward, strike, time, vol - 0.001e18).call;
        assertApproxEqAbs((up - down) * 500, r.vega, 1e15 + r.vega / 1e4, "vega");
        up = library_.evaluate(forward, strike, time + 1 hours, vol).call;
        down = library_.evaluate(forward, strike, time - 1 hours, vol).call;
        uint256 decay = (up - down) * (YEAR / 2 hours);
        assertApproxEqAbs(decay, uint256(-r.theta), 1e15 + decay / 1e4, "theta");
    }
}
