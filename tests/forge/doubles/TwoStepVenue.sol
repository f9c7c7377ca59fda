// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../../../contracts/IVault.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IPerpVenue, PerpCarry, PerpPosition} from "../../../contracts/venues/perp/IPerpVenue.sol";
import {Book, Exposure, Greeks, Kind, Margin, Status, UnitHealth} from "../../../contracts/venues/IVenue.sol";

/// @notice A perp venue whose orders wait until someone polls after the protocol filled them, as on GMX or Synthetix.
/// @dev Fills whole at the oracle's mid, costs nothing, has one market and holds 18-decimal sums of a 6-decimal asset.
contract TwoStepVenue is IPerpVenue {
    struct Order {
        int256 size;
        Status status;
        bool ready;
    }

    address public immutable vault;
    address private immutable _underlying;
    int256 public size;
    int256 public cash;
    Order[] private _orders;

    modifier onlyVault() {
        if (msg.sender != vault) revert OnlyVault(msg.sender);
        _;
    }

    constructor(address vault_, address underlying_) {
        vault = vault_;
        _underlying = underlying_;
    }

    /// @notice The protocol's own keeper reaches the order: the next `poll` finds it filled.
    function makeReady(uint256 id) external {
        _orders[id].ready = true;
    }

    function order(address market, int256 sizeDelta, uint256, bool reduceOnly)
        external
        onlyVault
        returns (uint256 id, Status)
    {
        if (market != _underlying) revert UnknownMarket(market);
        if (sizeDelta == 0) revert ZeroAmount();
        if (reduceOnly && size * (size + sizeDelta) > size * size) revert NotReducing(size, sizeDelta);
        id = _orders.length;
        _orders.push(Order(sizeDelta, Status.Pending, false));
        emit Ordered(id, market, 0, 0, Status.Pending);
        return (id, Status.Pending);
    }

    function poll(uint256 id) external returns (Status) {
        Order storage o = _known(id);
        if (o.status == Status.Pending && o.ready) {
            o.status = Status.Filled;
            size += o.size;
            cash -= o.size * _price() / 1e18;
            emit OrderSettled(id, Status.Filled, o.size);
        }
        return o.status;
    }

    function cancel(uint256 id) external onlyVault returns (Status) {
        Order storage o = _known(id);
        if (o.status == Status.Pending) {
            o.status = Status.Cancelled;
            emit OrderSettled(id, Status.Cancelled, 0);
        }
        return o.status;
    }

    function settleFunding(address) external onlyVault {}

    function post(uint256, uint256 assets, uint256) external onlyVault returns (uint256) {
        IVault(vault).fund(assets);
        cash += int256(assets * 1e12);
        emit Posted(0, assets, assets);
        return assets;
    }

    function free(uint256, uint256, uint256) external view onlyVault returns (uint256) {
        revert Unsupported();
    }

    function reduce(uint256, uint256, uint256) external view onlyVault returns (Status) {
        revert Unsupported();
    }

    function standing() external view returns (Book memory, UnitHealth[] memory healths) {
        healths = new UnitHealth[](1);
        healths[0].health = unitHealth(0);
        return (book(), healths);
    }

    function book() public view returns (Book memory b) {
        b.mid = _value();
        b.exposures = new Exposure[](1);
        b.exposures[0] = Exposure(_underlying, 0, Greeks(size, 0, 0, 0));
    }

    function pending() external view returns (Exposure[] memory entries) {
        uint256 count;
        for (uint256 i; i < _orders.length; ++i) {
            if (_orders[i].status == Status.Pending) ++count;
        }
        entries = new Exposure[](count);
        for (uint256 i = _orders.length; i > 0; --i) {
            if (_orders[i - 1].status != Status.Pending) continue;
            entries[--count] = Exposure(_underlying, 0, Greeks(_orders[i - 1].size, 0, 0, 0));
        }
    }

    function carried() external view returns (PerpCarry[] memory held) {
        held = new PerpCarry[](size == 0 ? 0 : 1);
        if (size != 0) held[0] = PerpCarry(_underlying, size, 0);
    }

    function positions() external view returns (PerpPosition[] memory held) {
        held = new PerpPosition[](1);
        (held[0].market, held[0].underlying, held[0].size, held[0].cash) = (_underlying, _underlying, size, cash);
        held[0].mark = held[0].index = uint256(_price());
    }

    function marginUnits() external pure returns (uint256[] memory) {
        return new uint256[](1);
    }

    function margin(uint256 unit) public view returns (Margin memory m) {
        if (unit != 0) revert UnknownUnit(unit);
        uint256 notional = uint256((size < 0 ? -size : size) * _price() / 1e18);
        return Margin(_value(), notional / 10, notional / 16);
    }

    function unitHealth(uint256 unit) public view returns (uint256) {
        Margin memory m = margin(unit);
        if (m.maintenance == 0) return type(uint256).max;
        return m.equity > 0 ? uint256(m.equity) * 1e18 / m.maintenance : 0;
    }

    function health() external view returns (uint256) {
        return unitHealth(0);
    }

    function kind() external pure returns (Kind) {
        return Kind.Perp;
    }

    function protocol() external pure returns (bytes32) {
        return "two-step";
    }

    function _known(uint256 id) private view returns (Order storage) {
        if (id >= _orders.length) revert UnknownOrder(id);
        return _orders[id];
    }

    function _value() private view returns (int256) {
        return cash + size * _price() / 1e18;
    }

    function _price() private view returns (int256) {
        (, uint256 mid,,) = IPriceOracle(IVault(vault).oracle()).quote(_underlying);
        return int256(mid);
    }
}
