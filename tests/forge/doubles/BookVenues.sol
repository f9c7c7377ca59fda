// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../../../contracts/IVault.sol";
import {IDollarOracle} from "../../../contracts/oracle/IDollarOracle.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IVolSource} from "../../../contracts/oracle/IVolSource.sol";
import {Black76} from "../../../contracts/pricing/Black76.sol";
import {Book, Exposure, Greeks, Kind} from "../../../contracts/venues/IVenue.sol";
import {OptionPosition, OptionTerms} from "../../../contracts/venues/option/IOptionVenue.sol";
import {PerpCarry, PerpPosition} from "../../../contracts/venues/perp/IPerpVenue.sol";
import {DoubleOracle} from "./DoublePrices.sol";
import {DoubleVenue} from "./DoubleVenue.sol";

/// @notice An oracle whose primary source stands `gap` (a fraction of the price at 1e18) away from the median, with half its width.
contract GapOracle is DoubleOracle, IDollarOracle {
    int256 public gap;
    uint256 public dollar = 1e18;

    constructor(address asset_) DoubleOracle(asset_) {}

    function setGap(int256 gap_) external {
        gap = gap_;
    }

    function setDollar(uint256 dollar_) external {
        dollar = dollar_;
    }

    function assetQuote() external view returns (uint256, uint256, uint256, uint256) {
        return (dollar * 999 / 1000, dollar, dollar * 1001 / 1000, block.timestamp);
    }

    function primary(address token) public view override returns (uint256 low, uint256 mid, uint256 high, uint256 at) {
        (low, mid, high, at) = super.primary(token);
        if (gap == 0) return (low, mid, high, at);
        (low, high) = (mid - (mid - low) / 2, mid + (high - mid) / 2);
        low = low * uint256(1e18 + gap) / 1e18;
        mid = mid * uint256(1e18 + gap) / 1e18;
        high = high * uint256(1e18 + gap) / 1e18 + 1;
    }
}

/// @notice Options valued as the Lyra adapter values them: strikes in dollars, paid in a quote token.
contract OptionBook is DoubleVenue {
    struct Option {
        address underlying;
        uint64 expiry;
        uint256 strike;
        bool isCall;
        int256 size;
    }

    address public immutable quoteToken;
    int256 public collateral;
    Option[] internal _options;

    constructor(address vault_, address quoteToken_) DoubleVenue(vault_) {
        quoteToken = quoteToken_;
    }

    function add(Option calldata option) external {
        _options.push(option);
    }

    function setCollateral(int256 collateral_) external {
        collateral = collateral_;
    }

    function carried() external view returns (address, OptionPosition[] memory) {
        return (quoteToken, positions());
    }

    function positions() public view returns (OptionPosition[] memory list) {
        list = new OptionPosition[](_options.length);
        (uint256 paid, uint256 dollar) = _payment();
        for (uint256 i; i < list.length; ++i) {
            Option memory o = _options[i];
            (list[i].price, list[i].greeks, list[i].vol) = _value(o, paid, dollar);
            (list[i].underlying, list[i].expiry, list[i].strike) = (o.underlying, o.expiry, o.strike);
            (list[i].isCall, list[i].size) = (o.isCall, o.size);
        }
    }

    function terms() external view returns (OptionTerms memory t) {
        t.quote = quoteToken;
    }

    function book() public view override returns (Book memory b) {
        (uint256 paid, uint256 dollar) = _payment();
        int256 quote = collateral;
        uint256 exit;
        Exposure[] memory all = new Exposure[](_options.length + 1);
        uint256 used;
        for (uint256 i; i < _options.length; ++i) {
            Option memory o = _options[i];
            (uint256 price, Greeks memory g,) = _value(o, paid, dollar);
            quote += o.size * int256(price) / 1e18;
            uint256 size = uint256(o.size < 0 ? -o.size : o.size);
            exit += size * (price / 100 + _spot(o.underlying) * dollar / 1e18 / 2000) / 1e18;
            uint256 at;
            while (at < used && all[at].expiry != o.expiry) ++at;
            if (at == used) (all[used].underlying, all[used++].expiry) = (o.underlying, o.expiry);
            Greeks memory sum = all[at].greeks;
            sum.delta += g.delta;
            sum.gamma += g.gamma;
            sum.vega += g.vega;
            sum.theta += g.theta;
        }
        if (quoteToken != IVault(vault).asset()) {
            (all[used].underlying, all[used++].greeks.delta) = (quoteToken, quote);
            exit += uint256(quote < 0 ? -quote : quote) * 3 / 1000;
        }
        assembly ("memory-safe") {
            mstore(all, used)
        }
        return Book(quote * int256(paid) / 1e18, exit * paid / 1e18, all);
    }

    function kind() external pure override returns (Kind) {
        return Kind.Option;
    }

    function _payment() private view returns (uint256 paid, uint256 dollar) {
        if (quoteToken == IVault(vault).asset()) return (1e18, 1e18);
        (, dollar,,) = IDollarOracle(IVault(vault).oracle()).assetQuote();
        return (_spot(quoteToken), dollar);
    }

    /// @dev Price of one contract in quote tokens, Greeks of the whole position in asset units.
    function _value(Option memory o, uint256 paid, uint256 dollar)
        internal
        view
        virtual
        returns (uint256 price, Greeks memory g, uint256 vol)
    {
        (, vol,,) = IVolSource(IVault(vault).volSource()).vol(o.underlying, o.expiry, o.strike * 1e18 / dollar);
        Black76.Result memory r =
            Black76.evaluate(_spot(o.underlying) * dollar / 1e18, o.strike, o.expiry - block.timestamp, vol);
        price = o.isCall ? r.call : r.put;
        int256 factor = o.size * int256(paid) / 1e18;
        g.delta = (o.isCall ? r.callDelta : r.callDelta - 1e18) * int256(dollar) / 1e18 * factor / 1e18;
        g.gamma = int256(r.gamma * dollar / 1e18 * dollar / 1e18) * factor / 1e18;
        g.vega = int256(r.vega) * factor / 1e18;
        g.theta = r.theta * factor / 1e18;
    }

    function _spot(address token) internal view returns (uint256 mid) {
        (, mid,,) = IPriceOracle(IVault(vault).oracle()).quote(token);
    }
}

/// @notice One perp market whose mark stands still, with a taker fee of 10 bps; the gap to our price and the fee are its half-width.
contract PerpBook is DoubleVenue {
    address internal immutable _underlying;
    int256 public size;
    int256 public cash;
    uint256 public mark;
    int256 public fundingRate;

    constructor(address vault_, address underlying_) DoubleVenue(vault_) {
        _underlying = underlying_;
    }

    function set(int256 size_, int256 cash_, uint256 mark_, int256 fundingRate_) external {
        (size, cash, mark, fundingRate) = (size_, cash_, mark_, fundingRate_);
    }

    function carried() external view returns (PerpCarry[] memory list) {
        list = new PerpCarry[](size == 0 ? 0 : 1);
        if (size != 0) list[0] = PerpCarry(_underlying, size, fundingRate);
    }

    function positions() external view returns (PerpPosition[] memory list) {
        list = new PerpPosition[](1);
        (list[0].underlying, list[0].size, list[0].cash) = (_underlying, size, cash);
        (list[0].mark, list[0].fundingRate) = (mark, fundingRate);
    }

    function book() public view virtual override returns (Book memory b) {
        (, uint256 price,,) = IPriceOracle(IVault(vault).oracle()).quote(_underlying);
        uint256 gap = price > mark ? price - mark : mark - price;
        b.mid = cash + size * int256(price) / 1e18;
        b.halfWidth = uint256(size < 0 ? -size : size) * (gap + price / 1000) / 1e18;
        if (size == 0) return b;
        b.exposures = new Exposure[](1);
        b.exposures[0] = Exposure(_underlying, 0, Greeks(size, 0, 0, 0));
    }

    function kind() external pure override returns (Kind) {
        return Kind.Perp;
    }
}

/// @notice A token held outright, at our price, less a fee of 30 bps to sell it as half-width.
contract SpotBook is DoubleVenue {
    address private immutable _token;
    uint256 public balance;

    constructor(address vault_, address token_) DoubleVenue(vault_) {
        _token = token_;
    }

    function set(uint256 balance_) external {
        balance = balance_;
    }

    function book() public view override returns (Book memory b) {
        (, uint256 price,,) = IPriceOracle(IVault(vault).oracle()).quote(_token);
        b.mid = int256(balance * price / 1e18);
        b.halfWidth = balance * price / 1e18 * 3 / 1000;
        if (balance == 0) return b;
        b.exposures = new Exposure[](1);
        b.exposures[0] = Exposure(_token, 0, Greeks(int256(balance), 0, 0, 0));
    }
}
