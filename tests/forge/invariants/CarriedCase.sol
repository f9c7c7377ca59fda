// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VenueConfig} from "../../../contracts/IVault.sol";
import {Marks} from "../../../contracts/nav/Marks.sol";
import {FundingMarket, OptionMarket} from "./CarriedMarkets.sol";
import {CarriedWorld} from "./CarriedWorld.sol";
import {GuardRules} from "./GuardRules.sol";
import {QueueWorld} from "./QueueWorld.sol";
import {WorldCase} from "./WorldCase.sol";

/// @notice A vault in a CarriedWorld, its marks carried for ten minutes and over a hundredth of the price, with two hundredths of room.
abstract contract CarriedCase is WorldCase {
    uint256 internal constant MAX_INFLOW = 0.02e18;
    CarriedWorld internal carried;
    /// @dev What the marks let enter; the world holds them to MAX_INFLOW.
    uint256 internal _room = MAX_INFLOW;

    function _marks() internal override returns (Marks) {
        return new Marks(600, 0.01e18, _room);
    }

    function _world(GuardRules.Parts memory parts) internal override returns (QueueWorld) {
        OptionMarket options = new OptionMarket(address(vault), usdc);
        FundingMarket perp = new FundingMarket(address(vault), eth, usdc);
        VenueConfig memory config = VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18);
        vault.addVenue(address(options), config);
        vault.addVenue(address(perp), config);
        carried = new CarriedWorld(parts, queue, options, perp, MAX_INFLOW);
        return carried;
    }

    function _actions() internal view override returns (bytes4[] memory actions) {
        bytes4[] memory plain = super._actions();
        bytes4[15] memory more = [
            carried.depositLittle.selector,
            carried.mintLittle.selector,
            carried.roundTripLittle.selector,
            carried.enterBlind.selector,
            carried.drift.selector,
            carried.wait_.selector,
            carried.fundBeyond.selector,
            carried.lose.selector,
            carried.moveMark.selector,
            carried.settle.selector,
            carried.tradeOption.selector,
            carried.closeOption.selector,
            carried.tradePerp.selector,
            carried.hedge.selector,
            carried.flatten.selector
        ];
        actions = new bytes4[](plain.length + more.length);
        for (uint256 i; i < actions.length; ++i) {
            actions[i] = i < plain.length ? plain[i] : more[i - plain.length];
        }
    }

    /// @dev Half of the actions are the plain world's.
    function _play(uint256 i, uint256[6] memory r) internal override {
        if (r[5] % 2 == 0) return super._play(i, r);
        (uint256 a, uint256 b) = (r[1], r[2]);
        uint256 action = r[0] % 18;
        if (action == 0) carried.depositLittle(a, b);
        if (action == 1) carried.mintLittle(a, b);
        if (action == 2) carried.roundTripLittle(a, b);
        if (action == 3) carried.enterBlind(a, b);
        if (action == 4 || action == 5) carried.drift(a, b);
        if (action == 6) carried.wait_(a);
        if (action == 7) carried.fundBeyond(int256(a));
        if (action == 8) carried.lose(a, int256(b));
        if (action == 9) carried.moveMark(a);
        if (action == 10) carried.settle(a, b);
        if (action == 11 || action == 12) carried.tradeOption(a, b, int256(r[3]), int256(r[4]));
        if (action == 13) carried.closeOption(a, int256(b));
        if (action == 14) carried.tradePerp(int256(a), int256(b));
        if (action == 15) carried.hedge();
        if (action == 16) carried.flatten(a);
        if (action == 17) world.mendVenues();
    }
}
