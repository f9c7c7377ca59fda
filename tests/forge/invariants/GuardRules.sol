// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IRiskGuard} from "../../../contracts/guard/IRiskGuard.sol";
import {IValuer, Valuation} from "../../../contracts/guard/IValuer.sol";
import {Instruction} from "../../../contracts/IVault.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Exposure, Greeks} from "../../../contracts/venues/IVenue.sol";
import {DoubleOracle, DoubleVol} from "../doubles/DoublePrices.sol";
import {DoubleToken} from "../doubles/DoubleToken.sol";
import {DoubleVenue} from "../doubles/DoubleVenue.sol";
import {MarketVenue} from "./MarketVenue.sol";

/// @notice What must hold of one rebalance (G1 to G6), worked out from the books and not asked of the guard. The first failure is kept.
abstract contract GuardRules is Test {
    struct Parts {
        Vault vault;
        DoubleToken usdc;
        DoubleOracle oracle;
        DoubleVol vols;
        address eth;
        address keeper;
        MarketVenue[2] markets;
        DoubleVenue frail;
    }

    /// @dev How far the four measures of ETH lie outside their limits, at 1e18.
    struct Breaches {
        uint256[4] below;
        uint256[4] above;
    }

    struct Before {
        bool priced;
        int256 low;
        uint256 supply;
        Breaches breaches;
        int256[9] truths;
        uint256[2] healths;
        Valuation value;
    }

    uint256 internal constant SCALE = 1e12;
    uint256 internal constant VOL_HALF = 0.02e18;

    Vault internal immutable vault;
    DoubleToken internal immutable usdc;
    DoubleOracle internal immutable oracle;
    DoubleVol internal immutable vols;
    address internal immutable eth;
    address internal immutable keeper;
    DoubleVenue internal immutable frail;
    MarketVenue[2] internal _markets;

    uint256 public price = 3_000e18;
    uint256 public priceHalf = 15e18;
    uint256 public vol = 0.75e18;
    uint256 internal _plans = 1e6;

    /// @notice The first thing that did not hold after an action, "" while all did.
    string public broken;
    mapping(string action => uint256) public done;

    constructor(Parts memory p) {
        (vault, usdc, oracle, vols) = (p.vault, p.usdc, p.oracle, p.vols);
        (eth, keeper, frail) = (p.eth, p.keeper, p.frail);
        _markets = p.markets;
    }

    /// @dev What other venues than the markets are worth.
    function _others(int256 price_, int256 vol_) internal view virtual returns (int256) {}

    /// @dev What a call of this venue may lose beside its charge, because its book is not of second order.
    function _beyondSecondOrder(address venue) internal view virtual returns (uint256) {}

    /// @dev What else must hold of a call of this venue.
    function _checkMore(Valuation memory was, Valuation memory is_, address touched) internal virtual {}

    function _rebalance(address venue, bytes memory data, string memory action) internal {
        Instruction[] memory calls = new Instruction[](1);
        calls[0] = Instruction(venue, data);
        Before memory was = _before();
        vm.prank(keeper);
        try vault.rebalance(calls, block.timestamp, bytes32(_plans++)) {
            ++done[action];
            _check(was, venue);
        } catch {}
    }

    function _value() internal view returns (Valuation memory) {
        return IValuer(vault.valuer()).value(address(vault));
    }

    function _holds(bool held, string memory what) internal {
        if (!held && bytes(broken).length == 0) broken = what;
    }

    function _before() private view returns (Before memory b) {
        Valuation memory v = _value();
        (b.priced, b.low, b.supply, b.value) = (v.priced, v.low, vault.totalSupply(), v);
        b.breaches = _breaches(v);
        b.truths = _truths();
        for (uint256 i; i < 2; ++i) {
            b.healths[i] = _markets[i].unitHealth(0);
        }
    }

    function _check(Before memory was, address touched) private {
        Valuation memory v = _value();
        _holds(was.priced && v.priced, "G1: traded unpriced");
        _holds(vault.totalSupply() == was.supply, "G2: the supply changed");
        uint256 most = was.low > 0 ? uint256(was.low) * IRiskGuard(vault.guard()).maxLossPerCall() / 1e18 : 0;
        most += 1e6 + _beyondSecondOrder(touched);
        int256[9] memory truths = _truths();
        for (uint256 i; i < 9; ++i) {
            _holds(was.truths[i] - truths[i] <= int256(most), "G3: a call lost more than it may");
        }
        _checkLimits(was.breaches, _breaches(v));
        for (uint256 i; i < 2; ++i) {
            if (address(_markets[i]) != touched) continue;
            uint256 health = _markets[i].unitHealth(0);
            uint256 least = vault.venueConfig(touched).minHealth;
            _holds(health >= least || health >= was.healths[i], "G6: a unit was left unhealthy");
        }
        for (uint256 i; i < v.venues.length; ++i) {
            int256 mid = v.venues[i].mid;
            if (mid <= was.value.venues[i].mid || mid <= 0) continue;
            uint256 cap = vault.venueConfig(v.venues[i].venue).cap;
            _holds(v.low > 0 && uint256(mid) <= uint256(v.low) * cap / 1e18, "G5: a venue grew past its cap");
        }
        _checkMore(was.value, v, touched);
    }

    function _checkLimits(Breaches memory was, Breaches memory is_) private {
        uint256 largest;
        for (uint256 m; m < 4; ++m) {
            if (_worst(was, m) > largest) largest = _worst(was, m);
        }
        // A breach of a tiny limit does not open the others.
        uint256 room = largest < 1e18 ? largest : 1e18;
        for (uint256 m; m < 4; ++m) {
            // Delta is a fraction of NAV, and what the call cost moves it a little.
            if (_worst(is_, m) > 1e12 + _worst(was, m) * 1001 / 1000) {
                _holds(_worst(is_, m) * 10 <= room * 9, "G4: a limit was left or left further");
            }
            bool up = is_.above[m] > 0 && was.above[m] == 0 && was.below[m] > 0;
            bool down = is_.below[m] > 0 && was.below[m] == 0 && was.above[m] > 0;
            _holds(!up && !down, "G4: a measure went from outside one limit to outside the other");
        }
    }

    function _worst(Breaches memory b, uint256 m) private pure returns (uint256) {
        return b.below[m] > b.above[m] ? b.below[m] : b.above[m];
    }

    function _breaches(Valuation memory v) private view returns (Breaches memory b) {
        for (uint256 m; m < 4; ++m) {
            (int256 least, int256 most) = _span(v, m);
            (int256 min, int256 max) = m == 0
                ? (-0.05e18, int256(0.05e18))
                : (m == 1 ? -10_000e18 : m == 2 ? -750e18 : -200e18, type(int256).max);
            if (least < min) b.below[m] = uint256(min - least) * 1e18 / uint256(-min);
            if (most > max) b.above[m] = uint256(most - max) * 1e18 / uint256(max);
        }
    }

    /// @dev One measure of ETH, from the least to the most that it can be: what expires within a day may be gone, and what was ordered filled.
    function _span(Valuation memory v, uint256 m) private view returns (int256 least, int256 most) {
        for (uint256 i; i < v.exposures.length; ++i) {
            Exposure memory e = v.exposures[i];
            if (e.underlying != eth) continue;
            int256 one = _one(e.greeks, m);
            bool gone = e.expiry != 0 && e.expiry <= block.timestamp + 1 days;
            if (!gone || one < 0) least += one;
            if (!gone || one > 0) most += one;
        }
        for (uint256 i; i < v.pending.length; ++i) {
            if (v.pending[i].underlying != eth) continue;
            int256 one = _one(v.pending[i].greeks, m);
            if (one < 0) least += one;
            else most += one;
        }
        (least, most) = (_reported(least, m, v.low), _reported(most, m, v.low));
    }

    function _one(Greeks memory g, uint256 m) private pure returns (int256) {
        if (m == 0) return g.delta;
        if (m == 1) return g.gamma;
        return m == 2 ? g.vega : g.theta;
    }

    function _reported(int256 at, uint256 m, int256 low) private view returns (int256) {
        if (m == 0 && low <= 0) return at == 0 ? at : at > 0 ? type(int128).max : type(int128).min;
        if (m == 0) return at * int256(price) / low;
        if (m == 1) return at * int256(price) / 1e18 * int256(price) / 100e18;
        return m == 2 ? at / 100 : at / 365;
    }

    /// @dev What the vault is worth if the truth is the low, the mid or the high of either interval.
    function _truths() private view returns (int256[9] memory sums) {
        for (uint256 i; i < 9; ++i) {
            int256 p = int256(price) + (int256(i % 3) - 1) * int256(priceHalf);
            int256 s = int256(vol) + (int256(i / 3) - 1) * int256(VOL_HALF);
            sums[i] = int256(usdc.balanceOf(address(vault)) * SCALE) + _markets[0].worth(p, s) + _markets[1].worth(p, s)
                + _others(p, s);
        }
    }
}
