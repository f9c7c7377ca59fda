// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {IVault} from "../IVault.sol";
import {IOptionVenue} from "../venues/option/IOptionVenue.sol";
import {Exposure, IVenue, Kind} from "../venues/IVenue.sol";
import {FlowRule} from "./FlowRule.sol";
import {FlowWindow} from "./FlowWindow.sol";
import {IRiskGuard} from "./IRiskGuard.sol";
import {IValuer, PricePoint, Valuation, VenueValue} from "./IValuer.sol";
import {LossBudget} from "./LossBudget.sol";

/// @title FlowCaps: how much may be in one place, and how much may go there
/// @notice A cap holds for the larger of what is there and what was posted to it, net, over `WINDOW` (see `FlowWindow`): a venue
/// that leaks looks empty and may not be filled again and again. Posted is what idle paid and what came in kind from other
/// venues (`FlowRule`). Caps bind what grows; what is above its cap may stay.
///
/// EACH VENUE is capped by its own configuration, as a fraction of low NAV.
///
/// IDS. Further caps are set by id, the hash of what they cap, each in asset units and as a fraction of low NAV; both hold. An id
/// without caps is not capped.
/// - `venueId(venue)`: the venue's value;
/// - `protocolId(name)`: the value of all venues of that protocol;
/// - `tokenId(token)`, an underlying or a quote token: price x the sum of |delta| over its expiries; net posted is what went to option
///   venues that margin in it;
/// - `expiryId(token, expiry)`: the larger of price x |delta| and |vega|, what the expiry is worth for a move of the whole price or of 100
///   points. Nothing is posted to it.
///
/// PERPS. Longs at one perp venue and shorts at another are no delta, and pay funding at both: to whoever holds those markets off their index,
/// and perhaps holds the keeper's key. So what perp venues have of price x |delta|, each netting only itself, is at most `maxPerpGross` of low NAV
/// where it grew: that times the most that the protocols charge in a day is what funding can cost. What of it shows at marks fills the bucket
/// (`IMarks.unexplained`).
///
/// TURNOVER of a call: price x |change of delta|, netted over venues and summed over tokens and expiries. Over a window of a day it is at
/// most `maxTurnover` of low NAV. Top-ups and reductions are free of it.
abstract contract FlowCaps is LossBudget {
    using FlowWindow for FlowWindow.Window;
    using SignedMath for int256;

    /// @notice Seconds over which what is posted is counted.
    uint256 public constant WINDOW = 7 days;
    /// @notice What top-ups may always post to a venue in a window, whatever a rebalance posted, as a fraction of NAV at 1e18: no
    /// setter can block one.
    uint256 public constant TOP_UP_FLOOR = 0.01e18;

    /// @dev As stored: what is missing to the greatest number, so that what was never set is no cap.
    struct Room {
        uint128 absolute;
        uint128 relative;
    }

    bool private _anyCap;
    mapping(bytes32 id => Room) private _rooms;
    /// @dev By id what was posted, by the address of a venue what top-ups posted there.
    mapping(address vault => mapping(bytes32 id => FlowWindow.Window)) private _posted;
    mapping(address vault => FlowWindow.Window) private _turned;
    uint128 private _turnoverRoom;
    uint128 private _grossRoom;

    /// @notice CURATOR. Caps `id` in asset units and as a fraction of low NAV, both at 1e18; the greatest uint128 is no cap.
    function setCap(bytes32 id, uint128 absolute, uint128 relative) external restricted {
        _setCap(id, absolute, relative);
    }

    /// @notice SENTINEL. The same, neither number upward.
    function lowerCap(bytes32 id, uint128 absolute, uint128 relative) external restricted {
        (uint256 absolute_, uint256 relative_) = cap(id);
        if (absolute > absolute_) revert NotLower(absolute, absolute_);
        if (relative > relative_) revert NotLower(relative, relative_);
        _setCap(id, absolute, relative);
    }

    /// @notice CURATOR. Sets the greatest turnover in a day as a fraction of low NAV at 1e18; the greatest uint128 is no limit.
    function setMaxTurnover(uint128 fraction) external restricted {
        _setMaxTurnover(fraction);
    }

    /// @notice SENTINEL. The same, downward only.
    function lowerMaxTurnover(uint128 fraction) external restricted {
        if (fraction >= maxTurnover()) revert NotLower(fraction, maxTurnover());
        _setMaxTurnover(fraction);
    }

    /// @notice CURATOR. Sets the greatest gross exposure of perps as a fraction of low NAV at 1e18; the greatest uint128 is no limit.
    function setMaxPerpGross(uint128 fraction) external restricted {
        _setMaxPerpGross(fraction);
    }

    /// @notice SENTINEL. The same, downward only.
    function lowerMaxPerpGross(uint128 fraction) external restricted {
        if (fraction >= maxPerpGross()) revert NotLower(fraction, maxPerpGross());
        _setMaxPerpGross(fraction);
    }

    /// @inheritdoc IRiskGuard
    function cap(bytes32 id) public view returns (uint256 absolute, uint256 relative) {
        Room memory room = _rooms[id];
        return (type(uint128).max - room.absolute, type(uint128).max - room.relative);
    }

    /// @inheritdoc IRiskGuard
    function maxTurnover() public view returns (uint256) {
        return type(uint128).max - _turnoverRoom;
    }

    /// @inheritdoc IRiskGuard
    function maxPerpGross() public view returns (uint256) {
        return type(uint128).max - _grossRoom;
    }

    /// @inheritdoc IRiskGuard
    function netPosted(address vault, bytes32 id) external view returns (uint256) {
        return _posted[vault][id].net(WINDOW);
    }

    /// @inheritdoc IRiskGuard
    function venueId(address venue) public pure returns (bytes32) {
        return keccak256(abi.encode("venue", venue));
    }

    /// @inheritdoc IRiskGuard
    function protocolId(bytes32 protocol) public pure returns (bytes32) {
        return keccak256(abi.encode("protocol", protocol));
    }

    /// @inheritdoc IRiskGuard
    function tokenId(address token) public pure returns (bytes32) {
        return keccak256(abi.encode("token", token));
    }

    /// @inheritdoc IRiskGuard
    function expiryId(address token, uint64 expiry) public pure returns (bytes32) {
        return keccak256(abi.encode("expiry", token, expiry));
    }

    /// @dev Caps of a rebalance of `vault`; `posted` as `IRiskGuard.check`.
    function _checkCaps(
        address vault,
        Valuation memory before,
        Valuation memory afterwards,
        address[] memory touched,
        int256[] memory posted
    ) internal {
        uint256 nav = afterwards.low > 0 ? uint256(afterwards.low) : 0;
        for (uint256 i; i < afterwards.venues.length; ++i) {
            VenueValue memory part = afterwards.venues[i];
            // Both valuations list the vault's venues in one order: it cannot change during a call.
            if (part.mid > 0 && part.mid > before.venues[i].mid) {
                _checkVenue(vault, part.venue, uint256(part.mid), nav);
            }
        }
        int256[] memory flows = FlowRule.flows(before.venues, afterwards.venues, touched, posted);
        for (uint256 i; i < touched.length; ++i) {
            if (flows[i] == 0) continue;
            uint256 net = _post(vault, touched[i], flows[i]);
            if (flows[i] < 0) continue;
            _checkVenue(vault, touched[i], net, nav);
            _checkPosted(vault, touched[i], nav);
        }
        if (_anyCap) {
            for (uint256 i; i < afterwards.venues.length; ++i) {
                if (afterwards.venues[i].mid > before.venues[i].mid) _checkProtocol(afterwards, i, nav);
            }
            for (uint256 i; i < afterwards.exposures.length; ++i) {
                _checkExposure(before, afterwards, afterwards.exposures[i], nav);
            }
        }
        if (_grossRoom != 0) _checkGross(before.venues, afterwards.venues, nav);
        if (_turnoverRoom != 0) _checkTurnover(vault, before, afterwards, nav);
    }

    /// @dev Reverts where `value` at `venue` is above one of its caps.
    function _checkVenue(address vault, address venue, uint256 value, uint256 nav) private view {
        uint256 most = Math.mulDiv(nav, IVault(vault).venueConfig(venue).cap, 1e18);
        if (value > most) revert CapExceeded(venue, value, most);
        if (_anyCap) _checkId(venueId(venue), value, nav);
    }

    /// @dev Counts what a top-up took of idle, and reverts where top-ups are above the floor and the venue above its caps.
    function _postTopUp(address vault, address venue, uint256 spent, uint256 nav) internal {
        uint256 net = _post(vault, venue, int256(spent));
        uint256 topped = _posted[vault][bytes32(bytes20(venue))].add(int256(spent), WINDOW);
        if (topped <= Math.mulDiv(nav, TOP_UP_FLOOR, 1e18)) return;
        (, int256 mid) = IValuer(IVault(vault).valuer()).venueMid(vault, venue);
        _checkVenue(vault, venue, mid > int256(net) ? uint256(mid) : net, nav);
        _checkPosted(vault, venue, nav);
    }

    /// @dev Counts `flow` of idle into `venue`, and into its protocol and its margin token where there are caps by id.
    function _post(address vault, address venue, int256 flow) internal returns (uint256 net) {
        net = _posted[vault][venueId(venue)].add(flow, WINDOW);
        if (!_anyCap) return net;
        _posted[vault][protocolId(IVenue(venue).protocol())].add(flow, WINDOW);
        if (IVenue(venue).kind() == Kind.Option) {
            _posted[vault][tokenId(IOptionVenue(venue).terms().quote)].add(flow, WINDOW);
        }
    }

    /// @dev Reverts where what was posted to the protocol or margin token of `venue` is above their caps.
    function _checkPosted(address vault, address venue, uint256 nav) private view {
        if (!_anyCap) return;
        _checkPostedId(vault, protocolId(IVenue(venue).protocol()), nav);
        if (IVenue(venue).kind() == Kind.Option) {
            _checkPostedId(vault, tokenId(IOptionVenue(venue).terms().quote), nav);
        }
    }

    function _checkPostedId(address vault, bytes32 id, uint256 nav) private view {
        _checkId(id, _posted[vault][id].net(WINDOW), nav);
    }

    function _checkProtocol(Valuation memory v, uint256 which, uint256 nav) private view {
        bytes32 protocol = IVenue(v.venues[which].venue).protocol();
        uint256 sum;
        for (uint256 i; i < v.venues.length; ++i) {
            if (v.venues[i].mid > 0 && IVenue(v.venues[i].venue).protocol() == protocol) {
                sum += uint256(v.venues[i].mid);
            }
        }
        _checkId(protocolId(protocol), sum, nav);
    }

    function _checkExposure(Valuation memory before, Valuation memory v, Exposure memory e, uint256 nav)
        private
        view
    {
        uint256 price = _mid(v.prices, e.underlying);
        uint256 sum = _gross(v.exposures, e.underlying);
        if (sum > _gross(before.exposures, e.underlying)) _checkId(tokenId(e.underlying), sum * price / 1e18, nav);
        if (e.expiry == 0) return;
        uint256 size = Math.max(e.greeks.delta.abs() * price / 1e18, e.greeks.vega.abs());
        (int256 delta, int256 vega) = _of(before.exposures, e);
        if (size > Math.max(delta.abs() * price / 1e18, vega.abs())) {
            _checkId(expiryId(e.underlying, e.expiry), size, nav);
        }
    }

    function _checkId(bytes32 id, uint256 value, uint256 nav) private view {
        (uint256 absolute, uint256 relative) = cap(id);
        uint256 most = Math.min(absolute, Math.mulDiv(nav, relative, 1e18));
        if (value > most) revert IdCapExceeded(id, value, most);
    }

    function _checkGross(VenueValue[] memory before, VenueValue[] memory afterwards, uint256 nav) private view {
        uint256 was;
        uint256 gross;
        for (uint256 i; i < afterwards.length; ++i) {
            if (IVenue(afterwards[i].venue).kind() != Kind.Perp) continue;
            was += before[i].gross;
            gross += afterwards[i].gross;
        }
        uint256 most = Math.mulDiv(nav, maxPerpGross(), 1e18);
        if (gross > was && gross > most) revert GrossTooLarge(gross, most);
    }

    function _checkTurnover(address vault, Valuation memory before, Valuation memory afterwards, uint256 nav)
        private
    {
        uint256 sum;
        for (uint256 i; i < afterwards.exposures.length; ++i) {
            Exposure memory e = afterwards.exposures[i];
            (int256 delta,) = _of(before.exposures, e);
            sum += (e.greeks.delta - delta).abs() * _mid(afterwards.prices, e.underlying) / 1e18;
        }
        for (uint256 i; i < before.exposures.length; ++i) {
            Exposure memory e = before.exposures[i];
            if (!_has(afterwards.exposures, e)) sum += e.greeks.delta.abs() * _mid(before.prices, e.underlying) / 1e18;
        }
        sum = _turned[vault].add(int256(sum), 1 days);
        uint256 most = Math.mulDiv(nav, maxTurnover(), 1e18);
        if (sum > most) revert TurnoverExceeded(sum, most);
    }

    function _setCap(bytes32 id, uint128 absolute, uint128 relative) private {
        _rooms[id] = Room(type(uint128).max - absolute, type(uint128).max - relative);
        _anyCap = true;
        emit CapSet(id, absolute, relative);
    }

    function _setMaxPerpGross(uint128 fraction) private {
        _grossRoom = type(uint128).max - fraction;
        emit MaxPerpGrossSet(fraction);
    }

    function _setMaxTurnover(uint128 fraction) private {
        _turnoverRoom = type(uint128).max - fraction;
        emit MaxTurnoverSet(fraction);
    }

    function _gross(Exposure[] memory list, address token) private pure returns (uint256 sum) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].underlying == token) sum += list[i].greeks.delta.abs();
        }
    }

    function _of(Exposure[] memory list, Exposure memory e) private pure returns (int256 delta, int256 vega) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].underlying == e.underlying && list[i].expiry == e.expiry) {
                return (list[i].greeks.delta, list[i].greeks.vega);
            }
        }
    }

    function _has(Exposure[] memory list, Exposure memory e) private pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].underlying == e.underlying && list[i].expiry == e.expiry) return true;
        }
        return false;
    }

    function _mid(PricePoint[] memory prices, address token) private pure returns (uint256) {
        for (uint256 i; i < prices.length; ++i) {
            if (prices[i].underlying == token) return prices[i].mid;
        }
        return 0;
    }
}
