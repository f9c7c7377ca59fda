// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVault} from "../../../contracts/IVault.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IPerpVenue, PerpCarry, PerpPosition} from "../../../contracts/venues/perp/IPerpVenue.sol";
import {Book, Exposure, Greeks, Kind, Margin, Status, UnitHealth} from "../../../contracts/venues/IVenue.sol";

/// @notice A perp venue of one market that holds its margin in a 6-decimal asset, fills at once at `fill`, and marks, and so claims, at `mark`; `skim` of what
/// is posted or freed is lost on the way, and a hostile one grows what it is told to reduce.
contract MarginVenue is IPerpVenue {
    address public immutable vault;
    address private immutable _underlying;
    int256 public size;
    int256 public cash;
    int256 public mark = 3_000e18;
    int256 public index = 3_000e18;
    int256 public fill = 3_000e18;
    uint256 public skim;
    bool public grows;

    modifier onlyVault() {
        if (msg.sender != vault) revert OnlyVault(msg.sender);
        _;
    }

    constructor(address vault_, address underlying_) {
        vault = vault_;
        _underlying = underlying_;
    }

    function set(int256 mark_, int256 fill_, uint256 skim_) external {
        (mark, fill, skim) = (mark_, fill_, skim_);
    }

    function setIndex(int256 index_) external {
        index = index_;
    }

    function setGrows() external {
        grows = true;
    }

    /// @notice The protocol loses `lost` of what it holds.
    function leak(uint256 lost) external {
        IERC20(IVault(vault).asset()).transfer(address(1), lost);
        cash -= int256(lost * 1e12);
    }

    function order(address market, int256 sizeDelta, uint256, bool) external onlyVault returns (uint256, Status) {
        if (market != _underlying) revert UnknownMarket(market);
        size += sizeDelta;
        cash -= sizeDelta * fill / 1e18;
        return (1, Status.Filled);
    }

    function post(uint256 unit, uint256 assets, uint256 minPosted) external onlyVault returns (uint256 posted) {
        IVault(vault).fund(assets);
        posted = assets - assets * skim / 1e18;
        if (posted < minPosted) revert BelowMinimum(posted, minPosted);
        cash += int256(posted * 1e12);
        emit Posted(unit, assets, posted);
    }

    function free(uint256 unit, uint256 assets, uint256) external onlyVault returns (uint256) {
        uint256 freed = assets - assets * skim / 1e18;
        cash -= int256(assets * 1e12);
        IERC20(IVault(vault).asset()).transfer(vault, freed);
        emit Freed(unit, assets, freed);
        return freed;
    }

    function reduce(uint256 unit, uint256 fraction, uint256 limitPrice) external onlyVault returns (Status) {
        int256 change = -size * int256(fraction) / 1e18;
        if (limitPrice != 0 && (change > 0 ? fill > int256(limitPrice) : fill < int256(limitPrice))) {
            revert PriceLimit(uint256(fill), limitPrice);
        }
        if (grows) change = -change;
        size += change;
        cash -= change * fill / 1e18;
        emit Reduced(unit, fraction, Status.Filled);
        return Status.Filled;
    }

    function standing() external view returns (Book memory, UnitHealth[] memory healths) {
        healths = new UnitHealth[](1);
        healths[0].health = unitHealth(0);
        return (book(), healths);
    }

    function book() public view returns (Book memory b) {
        (, uint256 mid,,) = IPriceOracle(IVault(vault).oracle()).quote(_underlying);
        b.mid = cash + size * int256(mid) / 1e18;
        b.exposures = new Exposure[](1);
        b.exposures[0] = Exposure(_underlying, 0, Greeks(size, 0, 0, 0));
    }

    function carried() external view returns (PerpCarry[] memory held) {
        held = new PerpCarry[](size == 0 ? 0 : 1);
        if (size != 0) held[0] = PerpCarry(_underlying, size, 0);
    }

    function positions() external view returns (PerpPosition[] memory held) {
        held = new PerpPosition[](1);
        (held[0].market, held[0].underlying, held[0].size, held[0].cash) = (_underlying, _underlying, size, cash);
        (held[0].mark, held[0].index) = (uint256(mark), uint256(index));
    }

    function margin(uint256 unit) public view returns (Margin memory m) {
        if (unit != 0) revert UnknownUnit(unit);
        uint256 notional = uint256((size < 0 ? -size : size) * mark / 1e18);
        return Margin(cash + size * mark / 1e18, notional / 10, notional / 16);
    }

    function unitHealth(uint256 unit) public view returns (uint256) {
        Margin memory m = margin(unit);
        if (m.maintenance == 0) return type(uint256).max;
        return m.equity > 0 ? uint256(m.equity) * 1e18 / m.maintenance : 0;
    }

    function health() external view returns (uint256) {
        return unitHealth(0);
    }

    function marginUnits() external pure returns (uint256[] memory) {
        return new uint256[](1);
    }

    function pending() external pure returns (Exposure[] memory) {
        return new Exposure[](0);
    }

    function kind() external pure returns (Kind) {
        return Kind.Perp;
    }

    function protocol() external pure returns (bytes32) {
        return "margin";
    }

    function poll(uint256) external pure returns (Status) {
        return Status.Filled;
    }

    function cancel(uint256) external view onlyVault returns (Status) {
        return Status.Filled;
    }

    function settleFunding(address) external view onlyVault {}
}
