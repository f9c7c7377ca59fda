// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../../../contracts/IVault.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IVolSource} from "../../../contracts/oracle/IVolSource.sol";
import {Book, Exposure, Greeks} from "../../../contracts/venues/IVenue.sol";
import {DoubleToken} from "../doubles/DoubleToken.sol";
import {DoubleVenue, Mode} from "../doubles/DoubleVenue.sol";

/// @notice What a position holds: units of the underlying, of a square and of a vol; all at 1e18.
struct Package {
    int256 size;
    int256 squares;
    int256 vols;
}

/// @notice A venue where someone takes the other side of every trade, at whatever price the caller names, and keeps the difference.
/// @dev A unit of the underlying is worth S, one of a square 1/2 (S - 3,000)^2, one of a vol v: a book of second order
/// exactly, so that what the guard promises for such books can be checked to the wei. Cash is real: what the vault posts is here,
/// what the other side owes is minted here. Equity is counted by the oracle's mid, maintenance a tenth of the gross notional.
contract MarketVenue is DoubleVenue {
    int256 public constant CENTRE = 3_000e18;
    uint64 public constant EXPIRY = 2_000_000_000;
    uint256 private constant SCALE = 1e12;

    address internal immutable _underlying;
    DoubleToken private immutable _token;
    Package internal _held;
    int256 public cash;
    uint256 private _kept;
    /// @notice What went from the vault to here, and back, in the asset's decimals.
    uint256 public drawn;
    uint256 public returned;
    /// @notice What the other side paid in to cover its losses.
    uint256 public covered;

    constructor(address vault_, address underlying_, DoubleToken token_) DoubleVenue(vault_) {
        (_underlying, _token) = (underlying_, token_);
        _units.push(0);
    }

    /// @notice Exchanges `p` for `pay` of the vault's cash here (negative: the other side pays).
    function exchange(Package calldata p, int256 pay) external onlyVault {
        _held.size += p.size;
        _held.squares += p.squares;
        _held.vols += p.vols;
        cash -= pay;
    }

    /// @notice Of what is posted next, this much goes to the other side: the slippage of a pool that somebody pushed.
    function keep(uint256 assets) external {
        _kept = assets;
    }

    /// @notice The venue loses (negative: gains) cash by itself.
    function lose(int256 loss) external {
        cash -= loss;
    }

    /// @notice The other side settles what lies between its books and the vault's, so that cash is there to be freed.
    function settle() public {
        uint256 here = _token.balanceOf(address(this));
        uint256 owed = cash > 0 ? uint256(cash) / SCALE : 0;
        if (owed <= here) return;
        covered += owed - here;
        _token.mint(address(this), owed - here);
    }

    function held() external view returns (Package memory) {
        return _held;
    }

    /// @notice What the position is worth at this price and vol, cash included, rounded down.
    function worth(int256 price, int256 vol) public view virtual returns (int256) {
        return cash + valueOf(_held, price, vol);
    }

    function valueOf(Package memory p, int256 price, int256 vol) public pure returns (int256) {
        int256 off = price - CENTRE;
        return
            _floor(p.size * price, 1e18) + _floor(_floor(p.squares * off, 1e18) * off, 2e18)
                + _floor(p.vols * vol, 1e18);
    }

    function post(uint256, uint256 assets, uint256) external override onlyVault returns (uint256) {
        IVault(vault).fund(assets);
        drawn += assets;
        cash += int256((assets - _kept) * SCALE);
        return assets - _kept;
    }

    function free(uint256, uint256 assets, uint256) external override onlyVault returns (uint256) {
        settle();
        cash -= int256(assets * SCALE);
        returned += assets;
        _token.transfer(vault, assets);
        return assets;
    }

    function unitHealth(uint256 unit) public view override returns (uint256) {
        if (unit != 0) revert UnknownUnit(unit);
        (int256 price, int256 vol) = _mids();
        int256 equity = worth(price, vol);
        uint256 needed = requirement();
        if (equity < 0) return 0;
        return needed == 0 ? type(uint256).max : uint256(equity) * 1e18 / needed;
    }

    /// @notice Maintenance: a tenth of the gross notional, and of what a whole vol is worth.
    function requirement() public view virtual returns (uint256) {
        (int256 price,) = _mids();
        return (_abs(_held.size) * uint256(price) + _abs(_held.vols) * 1e18) / 10e18;
    }

    function health() external view override returns (uint256) {
        return unitHealth(0);
    }

    function book() public view virtual override returns (Book memory b) {
        b = super.book();
        if (mode != Mode.Fine) return b;
        (int256 price, int256 vol) = _mids();
        b.mid = worth(price, vol);
        b.exposures = new Exposure[](1);
        b.exposures[0] = Exposure(
            _underlying,
            EXPIRY,
            Greeks(_held.size + _floor(_held.squares * (price - CENTRE), 1e18), _held.squares, _held.vols, 0)
        );
    }

    function _mids() internal view returns (int256, int256) {
        (, uint256 price,,) = IPriceOracle(IVault(vault).oracle()).quote(_underlying);
        (, uint256 vol,,) = IVolSource(IVault(vault).volSource()).vol(_underlying, EXPIRY, price);
        return (int256(price), int256(vol));
    }

    function _floor(int256 a, int256 b) internal pure returns (int256 q) {
        q = a / b;
        if (a < 0 && q * b != a) --q;
    }

    function _abs(int256 a) internal pure returns (uint256) {
        return a < 0 ? uint256(-a) : uint256(a);
    }
}
