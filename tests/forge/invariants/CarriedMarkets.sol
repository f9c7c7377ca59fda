// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../../../contracts/IVault.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {Black76} from "../../../contracts/pricing/Black76.sol";
import {Book, Greeks} from "../../../contracts/venues/IVenue.sol";
import {OptionBook, PerpBook} from "../doubles/BookVenues.sol";
import {DoubleToken} from "../doubles/DoubleToken.sol";

/// @notice Cash that the vault posted, and what a venue's other side pays in where it owes more than is here.
abstract contract Till {
    DoubleToken internal immutable _token;
    uint256 internal constant SCALE = 1e12;
    /// @notice What went from the vault to here, and back, in the asset's decimals.
    uint256 public drawn;
    uint256 public returned;

    constructor(DoubleToken token) {
        _token = token;
    }

    function _draw(address vault, uint256 assets) internal {
        IVault(vault).fund(assets);
        drawn += assets;
    }

    function _pay(address vault, uint256 assets) internal {
        uint256 here = _token.balanceOf(address(this));
        if (assets > here) _token.mint(address(this), assets - here);
        returned += assets;
        _token.transfer(vault, assets);
    }
}

/// @notice Options of any strike and expiry, paid in the asset, bought and sold at whatever premium the caller names. One that has expired is
/// worth its intrinsic value at spot until somebody settles it.
contract OptionMarket is OptionBook, Till {
    uint256 private constant MOST = 6;

    constructor(address vault_, DoubleToken token) OptionBook(vault_, address(token)) Till(token) {}

    function trade(Option calldata o, int256 premium) external onlyVault {
        require(_options.length < MOST);
        _options.push(o);
        collateral -= premium;
    }

    /// @notice The position is closed for `premium` of the vault's cash here.
    function close(uint256 at, int256 premium) external onlyVault {
        _remove(at);
        collateral -= premium;
    }

    /// @notice ANYONE. Pays for what has expired at `price`.
    function settle(uint256 price) external returns (uint256 settled) {
        for (uint256 i = _options.length; i > 0; --i) {
            Option memory o = _options[i - 1];
            if (o.expiry > block.timestamp) continue;
            collateral += o.size * int256(_intrinsic(o, price)) / 1e18;
            _remove(i - 1);
            ++settled;
        }
    }

    /// @notice ANYONE. Sends cash that is free to the vault.
    function pay(uint256 assets) external {
        collateral -= int256(assets * SCALE);
        _pay(vault, assets);
    }

    /// @notice The venue loses (negative: gains) cash by itself.
    function lose(int256 loss) external {
        collateral -= loss;
    }

    function count() external view returns (uint256) {
        return _options.length;
    }

    function held(uint256 at) external view returns (Option memory) {
        return _options[at];
    }

    /// @notice What one contract is worth at this price and vol.
    function priceOf(Option memory o, uint256 price, uint256 vol) public view returns (uint256) {
        if (o.expiry <= block.timestamp) return _intrinsic(o, price);
        Black76.Result memory r = Black76.evaluate(price, o.strike, o.expiry - block.timestamp, vol);
        return o.isCall ? r.call : r.put;
    }

    function worth(int256 price, int256 vol) external view returns (int256 sum) {
        sum = collateral;
        for (uint256 i; i < _options.length; ++i) {
            sum += _options[i].size * int256(priceOf(_options[i], uint256(price), uint256(vol))) / 1e18;
        }
    }

    function post(uint256, uint256 assets, uint256) external override onlyVault returns (uint256) {
        _draw(vault, assets);
        collateral += int256(assets * SCALE);
        return assets;
    }

    function free(uint256, uint256 assets, uint256) external override onlyVault returns (uint256) {
        collateral -= int256(assets * SCALE);
        _pay(vault, assets);
        return assets;
    }

    function _value(Option memory o, uint256 paid, uint256 dollar)
        internal
        view
        override
        returns (uint256 price, Greeks memory g, uint256 vol)
    {
        if (o.expiry > block.timestamp) return super._value(o, paid, dollar);
        price = _intrinsic(o, _spot(o.underlying));
        if (price != 0) g.delta = o.isCall ? o.size : -o.size;
    }

    function _intrinsic(Option memory o, uint256 price) private pure returns (uint256) {
        if (o.isCall) return price > o.strike ? price - o.strike : 0;
        return o.strike > price ? o.strike - price : 0;
    }

    function _remove(uint256 at) private {
        _options[at] = _options[_options.length - 1];
        _options.pop();
    }
}

/// @notice A perp filled at whatever price the caller names, whose funding accrues by the second at a daily rate.
contract FundingMarket is PerpBook, Till {
    uint256 private _accruedAt = block.timestamp;

    constructor(address vault_, address underlying_, DoubleToken token) PerpBook(vault_, underlying_) Till(token) {
        mark = 3_000e18;
    }

    /// @notice Pays funding up to now, at `price`.
    function accrue(int256 price) public {
        cash -= _owed(price);
        _accruedAt = block.timestamp;
    }

    function trade(int256 change, int256 pay, int256 price) external onlyVault {
        accrue(price);
        size += change;
        cash -= pay;
    }

    /// @notice Another rate from now on.
    function setFunding(int256 rate, int256 price) external {
        accrue(price);
        fundingRate = rate;
    }

    function setMark(uint256 mark_) external {
        mark = mark_;
    }

    /// @notice The venue loses (negative: gains) cash by itself.
    function lose(int256 loss) external {
        cash -= loss;
    }

    function worth(int256 price) public view returns (int256) {
        return cash - _owed(price) + size * price / 1e18;
    }

    function book() public view override returns (Book memory b) {
        b = super.book();
        (, uint256 price,,) = IPriceOracle(IVault(vault).oracle()).quote(_underlying);
        b.mid -= _owed(int256(price));
    }

    function post(uint256, uint256 assets, uint256) external override onlyVault returns (uint256) {
        _draw(vault, assets);
        cash += int256(assets * SCALE);
        return assets;
    }

    function free(uint256, uint256 assets, uint256) external override onlyVault returns (uint256) {
        cash -= int256(assets * SCALE);
        _pay(vault, assets);
        return assets;
    }

    function _owed(int256 price) private view returns (int256) {
        return size * price / 1e18 * fundingRate / 1e18 * int256(block.timestamp - _accruedAt) / 1 days;
    }
}
