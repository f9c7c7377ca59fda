// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {RedeemQueue} from "../../../contracts/RedeemQueue.sol";
import {VaultPricing} from "../../../contracts/VaultPricing.sol";
import {Exposure} from "../../../contracts/venues/IVenue.sol";
import {OptionBook} from "../doubles/BookVenues.sol";
import {Mode} from "../doubles/DoubleVenue.sol";
import {FundingMarket, OptionMarket} from "./CarriedMarkets.sol";
import {MarketVenue, Package} from "./MarketVenue.sol";
import {QueueWorld} from "./QueueWorld.sol";

/// @notice The same world where marks are carried over perps and options with real Greeks, and where venues also change by themselves: funding
/// beyond its rate, losses and gains, a perp's mark. After every action a full valuation must lie inside the interval that entries
/// are priced by unless a venue did, and an exit is priced by the full one.
contract CarriedWorld is QueueWorld {
    OptionMarket private immutable _options;
    FundingMarket private immutable _perp;
    /// @dev Of `Marks`: where the word of this vault's mark is.
    bytes32 private immutable _at;
    uint256 private immutable _maxInflow;
    bytes32 private _mark;
    /// @dev Since the mark: whether a venue changed by itself, what venues gained so, what came in less what left.
    bool private _changed;
    uint256 private _gained;
    int256 private _flow;
    /// @dev From before the action; and what venues had gained unseen when the last entrant came.
    int256 private _lowBefore;
    uint256 private _unseen;

    constructor(Parts memory p, RedeemQueue queue_, OptionMarket options, FundingMarket perp, uint256 maxInflow)
        QueueWorld(p, queue_)
    {
        (_options, _perp, _maxInflow) = (options, perp, maxInflow);
        _at = keccak256(abi.encode(address(vault), 0));
    }

    // Depositors, with what one mark has room for.

    function depositLittle(uint256 who, uint256 assets) external watched {
        _deposit(who, _little(assets));
    }

    function mintLittle(uint256 who, uint256 assets) external watched {
        _mint(who, vault.convertToShares(_little(assets)) + 1);
    }

    function roundTripLittle(uint256 who, uint256 assets) external watched {
        _roundTrip(_one(who), _little(assets));
    }

    /// @notice A market cannot be read for a moment, and someone enters meanwhile, which only a carried mark allows.
    function enterBlind(uint256 who, uint256 assets) external watched {
        assets = _little(assets);
        MarketVenue market = _markets[who % 2];
        // A venue's losses stop at what it holds; this one's do not.
        if (market.worth(int256(price), int256(vol)) < 0) return;
        Mode mode = market.mode();
        market.setMode(Mode.Reverts);
        usdc.mint(_one(who), assets);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.deposit(assets, _one(who)) returns (uint256 shares) {
            _entry(assets, shares, low, "enterBlind");
            _holds(_unseen > 0, "V1: entered without a mark or a price");
        } catch {}
        market.setMode(mode);
    }

    // The market.

    /// @notice A move that a mark is carried over, or nearly.
    function drift(uint256 to, uint256 half) external watched {
        price = bound(to, price * 991 / 1_000, price * 1_009 / 1_000);
        priceHalf = bound(half, price / 1_000, price / 100);
        oracle.set(eth, price - priceHalf, price, price + priceHalf);
        ++done["drift"];
    }

    /// @notice Seconds or minutes; a block sometimes.
    function wait_(uint256 time) external watched {
        vm.warp(block.timestamp + bound(time, 1, 700));
        ++done["wait"];
    }

    // Venues that change by themselves.

    function fundBeyond(int256 rate) external watched {
        rate = bound(rate, -0.01e18, 0.01e18);
        uint256 apart = _abs(rate - _perp.fundingRate());
        _perp.setFunding(rate, int256(price));
        // What the new rate pays beyond the old one in the longest carry, at a price that went as far as a mark is carried.
        _change(int256(_abs(_perp.size()) * price / 1e18 * apart / 1e18 * 11 / 10 * 30 minutes / 1 days + 1));
        ++done["fundBeyond"];
    }

    function lose(uint256 which, int256 loss) external watched {
        loss = bound(loss, -20_000e18, 20_000e18);
        if (which % 4 == 0) _options.lose(loss);
        else if (which % 4 == 1) _perp.lose(loss);
        else _markets[which % 2].lose(loss);
        _change(-loss);
        ++done["lose"];
    }

    function moveMark(uint256 to) external watched {
        _perp.setMark(bound(to, price * 97 / 100, price * 103 / 100));
        _change(0);
        ++done["moveMark"];
    }

    /// @notice Settles what has expired at a price of its own, and sends cash to the vault. No venue changes by itself: of what is carried the one
    /// concerns nothing, and the other is seen in idle.
    function settle(uint256 at, uint256 assets) external watched {
        if (_options.settle(bound(at, price * 98 / 100, price * 102 / 100)) > 0) ++done["settle"];
        int256 cash = _options.collateral() / int256(SCALE);
        if (assets % 2 == 0 || cash <= 0) return;
        _options.pay(bound(assets, 1, uint256(cash)));
        ++done["pay"];
    }

    // The keeper.

    function tradeOption(uint256 life, uint256 strike, int256 size, int256 off) external watched {
        OptionBook.Option memory o;
        o.underlying = eth;
        bool soon = life % 3 == 0;
        o.expiry = uint64(block.timestamp + bound(life, soon ? 2 hours : 2 days, soon ? 30 hours : 60 days));
        o.strike = price * bound(strike, 70, 140) / 100;
        o.isCall = off % 2 == 0;
        o.size = bound(size, -10e18, 10e18);
        int256 premium = o.size * int256(_options.priceOf(o, price, vol)) / 1e18 + _near(off);
        _rebalance(address(_options), abi.encodeCall(OptionMarket.trade, (o, premium)), "tradeOption");
    }

    function closeOption(uint256 at, int256 off) external watched {
        if (_options.count() == 0) return;
        at %= _options.count();
        OptionBook.Option memory o = _options.held(at);
        int256 premium = -o.size * int256(_options.priceOf(o, price, vol)) / 1e18 + _near(off);
        _rebalance(address(_options), abi.encodeCall(OptionMarket.close, (at, premium)), "closeOption");
    }

    function tradePerp(int256 change, int256 off) external watched {
        change = bound(change, -12e18, 12e18);
        int256 pay = change * int256(price) / 1e18 + _near(off);
        _rebalance(address(_perp), abi.encodeCall(FundingMarket.trade, (change, pay, int256(price))), "tradePerp");
    }

    /// @notice Takes all of the delta out through the perp.
    function hedge() external watched {
        int256 change = -_delta();
        int256 pay = change * int256(price) / 1e18;
        _rebalance(address(_perp), abi.encodeCall(FundingMarket.trade, (change, pay, int256(price))), "hedge");
    }

    /// @notice Closes what no option venue lists: squares and vols.
    function flatten(uint256 at) external watched {
        MarketVenue market = _markets[at % 2];
        Package memory p = market.held();
        p = Package(0, -p.squares, -p.vols);
        int256 pay = market.valueOf(p, int256(price), int256(vol));
        _rebalance(address(market), abi.encodeCall(MarketVenue.exchange, (p, pay)), "flatten");
    }

    function flows() public view override returns (uint256 drawn, uint256 returned) {
        (drawn, returned) = super.flows();
        drawn += _options.drawn() + _perp.drawn();
        returned += _options.returned() + _perp.returned();
    }

    // What must hold.

    function _begin() internal override {
        _perp.accrue(int256(price));
        (, _lowBefore,,) = vault.navView();
        vm.recordLogs();
    }

    function _end() internal override {
        _struck();
        (bool carried, bool priced, int256[3] memory full, int256[3] memory seen) = _both();
        if (!priced) return;
        _holds(seen[0] <= seen[1] && seen[1] <= seen[2], "V2: a carried interval out of order");
        // An exit is always priced live.
        uint256 low = full[0] > 0 ? uint256(full[0]) / SCALE : 0;
        _holds(_low() == (low + 1) * 1e12 / vault.totalSupply(), "S9: an exit was not priced live");
        if (!carried || _changed) return;
        ++done[_options.count() > 0 ? "carried with options" : "carried without"];
        _holds(seen[0] <= full[0], "S9: the full low lies under the carried one");
        _holds(seen[2] >= full[2], "S9: the full high lies over the carried one");
    }

    function _entered(uint256 assets, uint256 shares, string memory action) internal override {
        super._entered(assets, shares, action);
        // A valuation that was made for the entry says so, even where it made the mark that was there.
        if (_marked()) {
            _renew();
            (_flow, _unseen) = (int256(assets), 0);
            return;
        }
        ++done[string.concat("carried ", action)];
        _unseen = _gained / SCALE + 1;
        _flow += int256(assets);
        _holds(
            _flow * int256(SCALE) * 1e18 <= _lowBefore * int256(_maxInflow),
            "S9: more entered on one mark than it has room for"
        );
    }

    /// @dev An exit marks, and then leaves.
    function _left(uint256 assets) internal override {
        _renew();
        _flow = -int256(assets);
    }

    function _explained() internal view override returns (uint256) {
        return _unseen;
    }

    function _others(int256 price_, int256 vol_) internal view override returns (int256) {
        return _options.worth(price_, vol_) + _perp.worth(price_);
    }

    /// @dev An option's cross of price and vol, and its third order, inside a hundredth of the price and two points of vol: at vols from 0.3 under
    /// a thousandth of the underlying, of which less than 20 are traded at once.
    function _beyondSecondOrder(address venue) internal view override returns (uint256) {
        return venue == address(_options) ? 20 * price / 1_000 : 0;
    }

    /// @dev Most marks shall be carried, and none is over squares and vols that no option venue lists.
    function _plain(int256 off) internal pure override returns (bool) {
        return off % 16 != 1;
    }

    function _change(int256 gain) private {
        _changed = true;
        if (gain > 0) _gained += uint256(gain);
    }

    /// @dev Forgets what was known of the mark before where there is another.
    function _struck() private {
        if (vm.load(vault.marks(), _at) != _mark) _renew();
    }

    function _renew() private {
        (_mark, _changed, _gained, _flow) = (vm.load(vault.marks(), _at), false, 0, 0);
    }

    /// @dev Whether the vault told of a live valuation since the action began or this was last asked.
    function _marked() private returns (bool) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == address(vault) && logs[i].topics[0] == VaultPricing.Marked.selector) return true;
        }
        return false;
    }

    /// @dev The full valuation and the interval that an entry is priced by, and whether that is another.
    function _both() private view returns (bool carried, bool priced, int256[3] memory full, int256[3] memory seen) {
        (priced, full[0], full[1], full[2]) = vault.nav();
        (, seen[0], seen[1], seen[2]) = vault.navView();
        carried = seen[0] != full[0] || seen[1] != full[1] || seen[2] != full[2];
    }

    function _delta() private view returns (int256 sum) {
        Exposure[] memory all = _value().exposures;
        for (uint256 i; i < all.length; ++i) {
            if (all[i].underlying == eth) sum += all[i].greeks.delta;
        }
    }

    /// @dev Up to a quarter more than a mark has room for.
    function _little(uint256 assets) private view returns (uint256) {
        (, int256 low,,) = vault.navView();
        return low <= 0 ? 1 : bound(assets, 1, uint256(low) * _maxInflow * 5 / 4e18 / SCALE + 1);
    }

    /// @dev What is paid beside the value: nothing, a little, or more than the guard lets pass.
    function _near(int256 off) private pure returns (int256) {
        return off % 3 == 0 ? int256(0) : bound(off, -3_000e18, 3_000e18) / (off % 3 == 1 ? int256(10) : int256(1));
    }

    function _abs(int256 a) private pure returns (uint256) {
        return a < 0 ? uint256(-a) : uint256(a);
    }
}
