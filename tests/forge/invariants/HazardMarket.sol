// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IVault} from "../../../contracts/IVault.sol";
import {Book, Exposure, Greeks} from "../../../contracts/venues/IVenue.sol";
import {DoubleToken} from "../doubles/DoubleToken.sol";
import {MarketVenue, Package} from "./MarketVenue.sol";

/// @notice The same market with what the guard's other rules are about: a forward on the underlying with an expiry, an order that waits, a token
/// that has no limits, and positions that come to the vault unasked.
contract HazardMarket is MarketVenue {
    address private immutable _stray;
    int256 public strays;
    int256 public dated;
    uint64 public expiry;
    int256 public ordered;
    int256 private _pay;

    constructor(address vault_, address underlying_, DoubleToken token_, address stray_)
        MarketVenue(vault_, underlying_, token_)
    {
        _stray = stray_;
    }

    /// @notice Exchanges `size` of the underlying and `forward` of it for `pay`; the forward's expiry is `expiry_` while there is none.
    function pair(int256 size, int256 forward, uint64 expiry_, int256 pay) external onlyVault {
        settle(_price(_underlying));
        _held.size += size;
        if (dated == 0) expiry = expiry_;
        dated += forward;
        cash -= pay;
    }

    function exchangeStray(int256 size, int256 pay) external onlyVault {
        strays += size;
        cash -= pay;
    }

    /// @notice Orders `size` for `pay`, to be filled by anyone.
    function order(int256 size, int256 pay) external onlyVault {
        (ordered, _pay) = (size, pay);
    }

    function fill() external {
        _held.size += ordered;
        cash -= _pay;
        (ordered, _pay) = (0, 0);
    }

    /// @notice ANYONE. Pays for a forward that has expired at this price.
    function settle(int256 price) public {
        if (dated == 0 || expiry > block.timestamp) return;
        cash += dated * price / 1e18;
        dated = 0;
    }

    /// @notice `p` comes to the vault unasked, at its value.
    function force(Package calldata p, int256 pay) external {
        _held.size += p.size;
        _held.squares += p.squares;
        _held.vols += p.vols;
        cash -= pay;
    }

    function worth(int256 price, int256 vol) public view override returns (int256) {
        return super.worth(price, vol) + _floor(dated * price, 1e18) + _floor(strays * _price(_stray), 1e18);
    }

    function requirement() public view override returns (uint256) {
        return super.requirement() + _abs(dated) * uint256(_price(_underlying)) / 10e18;
    }

    function pending() external view override returns (Exposure[] memory all) {
        if (ordered == 0) return all;
        all = new Exposure[](1);
        all[0] = Exposure(_underlying, 0, Greeks(ordered, 0, 0, 0));
    }

    function book() public view override returns (Book memory b) {
        b = super.book();
        if (b.exposures.length == 0 || (dated == 0 && strays == 0)) return b;
        Exposure[] memory all = new Exposure[](3);
        all[0] = b.exposures[0];
        all[1] = Exposure(_underlying, expiry, Greeks(dated, 0, 0, 0));
        all[2] = Exposure(_stray, 0, Greeks(strays, 0, 0, 0));
        b.exposures = all;
    }

    function _price(address token) private view returns (int256) {
        (, uint256 mid,,) = IPriceOracle(IVault(vault).oracle()).quote(token);
        return int256(mid);
    }
}
