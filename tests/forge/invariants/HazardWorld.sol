// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Valuation} from "../../../contracts/guard/IValuer.sol";
import {VenueActs} from "../../../contracts/guard/VenueActs.sol";
import {VenueConfig} from "../../../contracts/IVault.sol";
import {RedeemQueue} from "../../../contracts/RedeemQueue.sol";
import {Exposure} from "../../../contracts/venues/IVenue.sol";
import {IVenue} from "../../../contracts/venues/IVenue.sol";
import {HazardMarket} from "./HazardMarket.sol";
import {Package} from "./MarketVenue.sol";
import {QueueWorld} from "./QueueWorld.sol";

/// @notice What this world holds the guard to, besides what it is told: caps as fractions of low NAV, the tips in the asset's decimals.
struct Rules {
    uint256 protocolCap;
    uint256 tokenCap;
    uint256 expiryCap;
    uint256 maxTurnover;
    uint256 tip;
    uint256 tipsPerDay;
}

/// @notice The same world with what the guard's other rules are for: venues that leak and are refilled, positions that come unasked, orders that
/// wait, expiries within a day, a token without limits, frozen venues, and units that strangers mend for a tip.
contract HazardWorld is QueueWorld {
    struct Flow {
        uint256 at;
        int256 assets;
        uint256 most;
    }

    Rules private _rules;
    /// @dev Where venues are frozen and units noted, and as whom the guard knows the vault.
    VenueActs private immutable _freezer;
    VenueActs private immutable _acts;
    address private immutable _known;
    address private immutable _stray;

    Flow[] private _turned;
    mapping(address venue => Flow[]) private _posted;
    mapping(address venue => bool) private _frozen;
    mapping(address venue => uint256) private _notedAt;
    mapping(address venue => uint256) private _tippedAt;
    Flow[] private _tips;
    uint256 private _idle;

    constructor(
        Parts memory p,
        RedeemQueue queue_,
        Rules memory rules,
        VenueActs freezer,
        VenueActs acts,
        address known,
        address stray
    ) QueueWorld(p, queue_) {
        (_rules, _freezer, _acts, _known, _stray) = (rules, freezer, acts, known, stray);
    }

    // Venues by themselves.

    /// @notice A market loses up to all that it holds.
    function leak(uint256 at, uint256 part) external watched {
        int256 held = _market(at).worth(int256(price), int256(vol));
        if (held <= 0) return;
        _market(at).lose(held * int256(bound(part, 1, 10)) / 10);
        ++done["leak"];
    }

    function force(uint256 at, int256 size, int256 vols_) external watched {
        Package memory p =
            Package(bound(size, -60e18, 60e18), 0, size % 2 == 0 ? bound(vols_, -150_000e18, 0) : int256(0));
        _market(at).force(p, _market(at).valueOf(p, int256(price), int256(vol)));
        ++done["force"];
    }

    function fill(uint256 at) external watched {
        if (_market(at).ordered() == 0) return;
        _market(at).fill();
        ++done["fill"];
    }

    function settleDated(uint256 at) external watched {
        _market(at).settle(int256(price));
    }

    /// @notice A unit becomes critical, or nearly.
    function squeeze(uint256 at, uint256 health) external watched {
        int256 left = int256(_market(at).requirement() * bound(health, 0.9e18, 1.15e18) / 1e18);
        int256 held = _market(at).worth(int256(price), int256(vol));
        if (left == 0 || held <= left) return;
        _market(at).lose(held - left);
        ++done["squeeze"];
    }

    // The keeper.

    /// @notice Mends the largest breach of delta by a part and lets vega go meanwhile.
    function swap(uint256 at, uint256 part, int256 vols_) external watched {
        Package memory p = Package(-_delta() * int256(bound(part, 1, 6)) / 10, 0, bound(vols_, -80_000e18, 0));
        _exchange(at, p, "swap");
    }

    /// @notice Takes delta out, and as much again to the other side.
    function overshoot(uint256 at, uint256 part) external watched {
        _exchange(at, Package(-_delta() * int256(bound(part, 10, 20)) / 10, 0, 0), "overshoot");
    }

    /// @notice The underlying against a forward on it: no delta, until the forward expires.
    function pair(uint256 at, int256 size, uint256 life) external watched {
        size = bound(size, -60e18, 60e18);
        uint64 expiry = uint64(block.timestamp + bound(life, 2 hours, life % 2 == 0 ? 23 hours : 60 hours));
        _rebalance(address(_market(at)), abi.encodeCall(HazardMarket.pair, (size, -size, expiry, 0)), "pair");
    }

    function order(uint256 at, int256 size) external watched {
        size = bound(size, -40e18, 40e18);
        bytes memory data = abi.encodeCall(HazardMarket.order, (size, size * int256(price) / 1e18));
        _rebalance(address(_market(at)), data, "order");
    }

    function tradeStray(uint256 at, int256 size) external watched {
        size = bound(size, -10e18, 10e18);
        (, uint256 mid,,) = oracle.quote(_stray);
        bytes memory data = abi.encodeCall(HazardMarket.exchangeStray, (size, size * int256(mid) / 1e18));
        _rebalance(address(_market(at)), data, "tradeStray");
    }

    function postMuch(uint256 at, uint256 assets) external watched {
        assets = bound(assets, 1, usdc.balanceOf(address(vault)) / 4 + 1);
        _rebalance(address(_market(at)), abi.encodeCall(IVenue.post, (0, assets, 0)), "postMuch");
    }

    /// @notice Tops up to somewhere between minimum and target, or past it, through a market that keeps up to a twentieth.
    function topUpLossy(uint256 at, uint256 to, uint256 kept) external watched {
        (uint256 assets, bool any) = _missing(at, to);
        if (!any) return;
        kept = kept % 3 == 0 ? assets * (kept % 50) / 1_000 : 0;
        HazardMarket market = _market(at);
        market.keep(kept);
        uint256 idle = usdc.balanceOf(address(vault));
        vm.prank(keeper);
        try vault.topUp(address(market), 0, assets, 0) {
            ++done["topUpLossy"];
            _topped(market, idle - usdc.balanceOf(address(vault)), kept);
        } catch {}
        market.keep(0);
    }

    // The guardian.

    function freeze(uint256 at, uint256 how) external watched {
        address venue = address(_market(at));
        _frozen[venue] = how % 4 == 0;
        if (_frozen[venue]) _freezer.freeze(venue);
        else _freezer.unfreeze(venue);
        ++done[_frozen[venue] ? "freeze" : "unfreeze"];
    }

    // Strangers.

    function roll(uint256 blocks) external watched {
        vm.roll(block.number + bound(blocks, 1, blocks % 4 == 0 ? 100 : 3));
    }

    function note(uint256 at) external watched {
        if (_acts.noteCritical(_known, address(_market(at)), 0)) _remember(at);
        else delete _notedAt[address(_market(at))];
    }

    /// @notice Mends a critical unit, at a second try in the next block if need be.
    function mend(uint256 at, uint256 to, uint256 again) external watched {
        if (!_mend(at, to) && again % 2 == 0) {
            vm.roll(block.number + 1);
            _mend(at, to);
        }
    }

    // What must hold.

    function _checkMore(Valuation memory was, Valuation memory is_, address touched) internal override {
        _holds(!_frozen[touched], "G9: a frozen venue was called");
        uint256 low = is_.low > 0 ? uint256(is_.low) : 0;
        _holds(_abs(_net(is_, _stray)) <= _abs(_net(was, _stray)), "G4: what has no limits grew");
        _checkCaps(was, is_, low);
        uint256 idle = usdc.balanceOf(address(vault));
        if (idle != _idle) {
            // What idle paid in a week less what came back; top-ups have a hundredth of their own.
            Flow[] storage flows_ = _posted[touched];
            flows_.push(Flow(block.timestamp, int256(_idle) - int256(idle), low));
            (int256 sum, uint256 most) = _over(flows_, 7 days);
            if (idle < _idle) {
                most = most * (vault.venueConfig(touched).cap + 0.01e18) / 1e18;
                _holds(sum <= int256(most / SCALE), "G5: more was posted in a week than the cap");
            }
        }
        uint256 turned = _turnover(was, is_);
        if (turned > 0) {
            _turned.push(Flow(block.timestamp, int256(turned), low));
            (int256 sum,) = _over(_turned, 1 days);
            _holds(uint256(sum) <= low * _rules.maxTurnover / 1e18, "G5: more was turned over in a day than may be");
        }
    }

    function _begin() internal override {
        _idle = usdc.balanceOf(address(vault));
    }

    function _checkCaps(Valuation memory was, Valuation memory is_, uint256 low) private {
        uint256 sum;
        bool grew;
        for (uint256 i; i < is_.venues.length; ++i) {
            if (is_.venues[i].mid > was.venues[i].mid) grew = true;
            if (is_.venues[i].mid > 0) sum += uint256(is_.venues[i].mid);
        }
        _holds(!grew || sum <= low * _rules.protocolCap / 1e18, "G5: a protocol grew past its cap");
        uint256 gross = _gross(is_);
        _holds(
            gross <= _gross(was) || gross * price / 1e18 <= low * _rules.tokenCap / 1e18,
            "G5: a token grew past its cap"
        );
        uint256 size = _sizeOf(is_);
        _holds(size <= _sizeOf(was) || size <= low * _rules.expiryCap / 1e18, "G5: an expiry grew past its cap");
    }

    /// @dev Of the markets' own expiry: what it is worth for a move of the whole price, or of 100 points of vol.
    function _sizeOf(Valuation memory v) private view returns (uint256) {
        for (uint256 i; i < v.exposures.length; ++i) {
            Exposure memory e = v.exposures[i];
            if (e.expiry != _markets[0].EXPIRY()) continue;
            uint256 byPrice = _abs(e.greeks.delta) * price / 1e18;
            return byPrice > _abs(e.greeks.vega) ? byPrice : _abs(e.greeks.vega);
        }
        return 0;
    }

    function _gross(Valuation memory v) private view returns (uint256 sum) {
        for (uint256 i; i < v.exposures.length; ++i) {
            if (v.exposures[i].underlying == eth) sum += _abs(v.exposures[i].greeks.delta);
        }
    }

    function _net(Valuation memory v, address token) private pure returns (int256 sum) {
        for (uint256 i; i < v.exposures.length; ++i) {
            if (v.exposures[i].underlying == token) sum += v.exposures[i].greeks.delta;
        }
    }

    /// @dev Price x |change of delta| of every expiry, rounded down by a wei each.
    function _turnover(Valuation memory was, Valuation memory is_) private view returns (uint256 sum) {
        for (uint256 i; i < is_.exposures.length; ++i) {
            Exposure memory e = is_.exposures[i];
            if (e.underlying == eth) sum += _abs(e.greeks.delta - _of(was, e)) * price / 1e18;
        }
        for (uint256 i; i < was.exposures.length; ++i) {
            Exposure memory e = was.exposures[i];
            if (e.underlying == eth && !_has(is_, e)) sum += _abs(e.greeks.delta) * price / 1e18;
        }
    }

    function _of(Valuation memory v, Exposure memory e) private pure returns (int256) {
        for (uint256 i; i < v.exposures.length; ++i) {
            Exposure memory x = v.exposures[i];
            if (x.underlying == e.underlying && x.expiry == e.expiry) return x.greeks.delta;
        }
        return 0;
    }

    function _has(Valuation memory v, Exposure memory e) private pure returns (bool) {
        for (uint256 i; i < v.exposures.length; ++i) {
            if (v.exposures[i].underlying == e.underlying && v.exposures[i].expiry == e.expiry) return true;
        }
        return false;
    }

    /// @dev What flowed in this long, and the highest NAV meanwhile.
    function _over(Flow[] storage flows_, uint256 length) private view returns (int256 sum, uint256 most) {
        for (uint256 i = flows_.length; i > 0 && flows_[i - 1].at + length > block.timestamp; --i) {
            sum += flows_[i - 1].assets;
            if (flows_[i - 1].most > most) most = flows_[i - 1].most;
        }
    }

    function _exchange(uint256 at, Package memory p, string memory action) private {
        int256 pay = _market(at).valueOf(p, int256(price), int256(vol));
        _rebalance(address(_market(at)), abi.encodeCall(_market(at).exchange, (p, pay)), action);
    }

    function _mend(uint256 at, uint256 to) private returns (bool) {
        (uint256 assets, bool any) = _missing(at, to);
        if (!any) return true;
        HazardMarket market = _market(at);
        uint256 idle = usdc.balanceOf(address(vault));
        vm.prank(makeAddr("stranger"));
        try vault.topUpCritical(address(market), 0, assets) returns (uint256 posted, uint256 tip) {
            if (posted == 0) {
                _remember(at);
                return false;
            }
            ++done["mend"];
            uint256 noted = _notedAt[address(market)];
            _holds(noted != 0 && noted < block.number, "T5: a unit was mended that nobody had seen critical before");
            _topped(market, idle - usdc.balanceOf(address(vault)) - tip, 0);
            if (tip > 0) _tipped(address(market), tip);
        } catch {}
        return true;
    }

    function _topped(HazardMarket market, uint256 spent, uint256 kept) private {
        _holds(!_frozen[address(market)], "G9: a frozen venue was topped up");
        _holds(market.unitHealth(0) <= vault.venueConfig(address(market)).targetHealth, "T1: past the target");
        _holds(kept * 100 <= spent, "T4: a top-up lost more than a hundredth on the way");
        _posted[address(market)].push(Flow(block.timestamp, int256(spent), 0));
    }

    function _tipped(address venue, uint256 tip) private {
        ++done["tip"];
        exited += tip;
        _holds(tip <= _rules.tip, "T2: a tip above the most");
        uint256 at = _tippedAt[venue];
        _holds(at == 0 || block.timestamp >= at + 1 hours, "T2: two tips at a venue within an hour");
        _tippedAt[venue] = block.timestamp;
        _tips.push(Flow(block.timestamp, int256(tip), 0));
        (int256 sum,) = _over(_tips, 1 days);
        _holds(uint256(sum) <= _rules.tipsPerDay, "T2: more tips in a day than may be");
    }

    /// @dev A note holds for 50 blocks, then the next is one.
    function _remember(uint256 at) private {
        uint256 was = _notedAt[address(_market(at))];
        if (was == 0 || block.number > was + 50) _notedAt[address(_market(at))] = block.number;
    }

    /// @dev What brings a unit to a health between 1.1 and 1.6.
    function _missing(uint256 at, uint256 to) private view returns (uint256 assets, bool any) {
        int256 wanted = int256(_market(at).requirement() * bound(to, 1.1e18, 1.6e18) / 1e18);
        wanted -= _market(at).worth(int256(price), int256(vol));
        any = wanted >= int256(SCALE);
        if (any) assets = uint256(wanted) / SCALE;
    }

    function _delta() private view returns (int256) {
        return _net(_value(), eth);
    }

    function _market(uint256 at) private view returns (HazardMarket) {
        return HazardMarket(address(_markets[at % 2]));
    }

    function _abs(int256 a) private pure returns (uint256) {
        return a < 0 ? uint256(-a) : uint256(a);
    }
}
