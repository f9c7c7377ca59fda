// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Range} from "../../../contracts/guard/IRiskGuard.sol";
import {RiskGuard} from "../../../contracts/guard/RiskGuard.sol";
import {VenueActs} from "../../../contracts/guard/VenueActs.sol";
import {Missing, MutantGuard} from "../attacks/MutantGuard.sol";
import {MutantActs} from "../attacks/MutantActs.sol";
import {GuardRules} from "./GuardRules.sol";
import {HazardMarket} from "./HazardMarket.sol";
import {HazardWorld, Rules} from "./HazardWorld.sol";
import {MarketVenue} from "./MarketVenue.sol";
import {QueueWorld} from "./QueueWorld.sol";
import {WorldCase} from "./WorldCase.sol";

/// @notice A vault in a HazardWorld behind a guard with caps by id, a turnover, tips and a guardian. Where what is missing cannot be hidden from the guard by a
/// go-between, the guard is set up as if it had no such rule: no cap, no turnover, any limits for the stray token, tips beyond what was agreed,
/// a freeze that another guard hears.
abstract contract HazardCase is WorldCase {
    address private immutable stray = makeAddr("stray");
    HazardWorld internal hazards;
    /// @dev As whom the guard knows the vault.
    address private _known;
    Missing private _without;
    /// @dev Units are mended again and again: no cap by id is in the way, and nothing leaks but what makes them critical.
    bool internal _mending;

    function _mutate(Missing missing) internal override {
        _without = missing;
        super._mutate(missing);
        vm.roll(1_000);
        vm.fee(200e9);
        oracle.set(stray, 99e18, 100e18, 101e18);
    }

    function _between(Missing missing, RiskGuard[] memory guards) internal override returns (MutantGuard) {
        RiskGuard g = new RiskGuard(address(manager));
        guards[0] = g;
        g.setLimits(eth, _limits());
        g.setMaxLossPerCall(0.01e18);
        g.setMaxLossPerDay(0.05e18);
        Range memory any = Range(type(int256).min, type(int256).max);
        if (missing == Missing.NoLimits) g.setLimits(stray, Limits(any, any, any, any));
        Rules memory rules = _rules();
        uint128 most = type(uint128).max;
        if (!_mending) {
            if (missing != Missing.ProtocolCap) g.setCap(g.protocolId("double"), most, uint128(rules.protocolCap));
            if (missing != Missing.TokenCap) g.setCap(g.tokenId(eth), most, uint128(rules.tokenCap));
            if (missing != Missing.ExpiryCap) g.setCap(g.expiryId(eth, 2_000_000_000), most, uint128(rules.expiryCap));
        }
        if (missing != Missing.Turnover) g.setMaxTurnover(uint128(rules.maxTurnover));
        VenueActs(g.acts())
            .setTip(
                eth,
                uint128(rules.tip * 1e12 * (missing == Missing.TipMost ? 20 : 1)),
                uint128(rules.tipsPerDay * 1e12 * (missing == Missing.TipDay || missing == Missing.TipMost ? 20 : 1))
            );
        guard = g;
        MutantActs between = new MutantActs(missing, guards);
        _known = address(between);
        return between;
    }

    function _market() internal override returns (MarketVenue) {
        return new HazardMarket(address(vault), eth, usdc, stray);
    }

    function _world(GuardRules.Parts memory parts) internal override returns (QueueWorld) {
        VenueActs acts = VenueActs(guard.acts());
        VenueActs freezer = _without == Missing.Frozen ? VenueActs(new RiskGuard(address(manager)).acts()) : acts;
        hazards = new HazardWorld(parts, queue, _rules(), freezer, acts, _known, stray);
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (VenueActs.freeze.selector, VenueActs.unfreeze.selector);
        manager.setTargetFunctionRole(address(freezer), selectors, 3);
        manager.grantRole(3, address(hazards), 0);
        return hazards;
    }

    function _rules() private view returns (Rules memory) {
        uint256 none = type(uint128).max;
        return Rules({
            protocolCap: _mending ? none : 0.3e18,
            tokenCap: _mending ? none : 0.15e18,
            expiryCap: _mending ? none : 0.08e18,
            maxTurnover: 0.6e18,
            tip: 50e6,
            tipsPerDay: 120e6
        });
    }

    /// @dev A third of the actions are the plain world's.
    function _play(uint256 i, uint256[6] memory r) internal override {
        if (r[5] % 3 == 0) return super._play(i, r);
        (uint256 a, uint256 b, uint256 c) = (r[1], r[2], r[3]);
        uint256 action = r[0] % 20;
        if (_mending && (action == 0 || action == 6 || action == 10)) action = 16;
        if (action == 0) hazards.leak(a, b);
        if (action == 1) hazards.force(a, int256(b), int256(c));
        if (action == 2) hazards.fill(a);
        if (action == 4) hazards.squeeze(a, b);
        if (action == 5) hazards.swap(a, b, int256(c));
        if (action == 3 || action == 6) hazards.overshoot(a, b);
        if (action == 7) hazards.pair(a, int256(b), c);
        if (action == 8) hazards.order(a, int256(b));
        if (action == 9) hazards.tradeStray(a, int256(b));
        if (action == 10 || action == 11) hazards.postMuch(a, b);
        if (action == 12) hazards.topUpLossy(a, b, c);
        if (action == 13) hazards.freeze(a, b);
        if (action == 14) {
            hazards.roll(a);
            hazards.settleDated(a);
        }
        if (action == 15) hazards.note(a);
        if (action >= 16 && action < 19) {
            hazards.squeeze(a, b >> 128);
            hazards.mend(a, b, c);
        }
        if (action == 19) world.mendVenues();
    }
}
