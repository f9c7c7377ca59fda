// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICurieAccountBalance} from "../../interfaces/perp/ICurieAccountBalance.sol";
import {ICurieBaseToken} from "../../interfaces/perp/ICurieBaseToken.sol";
import {ICurieClearingHouse} from "../../interfaces/perp/ICurieClearingHouse.sol";
import {ICurieConfig} from "../../interfaces/perp/ICurieConfig.sol";
import {ICurieExchange} from "../../interfaces/perp/ICurieExchange.sol";
import {ICurieMarketRegistry} from "../../interfaces/perp/ICurieMarketRegistry.sol";
import {ICuriePriceFeed, ICuriePriceFeedDispatcher} from "../../interfaces/perp/ICuriePriceFeed.sol";
import {ICurieVault} from "../../interfaces/perp/ICurieVault.sol";
import {VenueBase} from "../VenueBase.sol";
import {Book, Exposure, IVenue, Kind, Margin, Status, UnitHealth} from "../IVenue.sol";
import {IPerpVenue, PerpCarry, PerpPosition} from "./IPerpVenue.sol";

/// @title CuriePerpVenue: perpetuals of Perp v2 ("Curie"), cross margined in the asset, filled at once
/// @notice VALUE. Margin balance, realised and unsettled profit, and for each market size x our oracle's mid + open notional -
/// pending funding. Own half-width: |size| x |mark - our mid| plus the taker fee of closing. In a market that Curie has closed for good
/// a position is worth size x the closing price + open notional, without width, and is no exposure.
///
/// MARGIN. Unit 0 by Curie's own rule: equity is its account value, maintenance its requirement for liquidation, initial its
/// initial-margin ratio of the positions' value.
///
/// READING. Curie's mark price costs three averages of its pool. With a position in one open market alone, what Curie counts as
/// unrealised profit less the open notional is size x mark, so its mark is not asked for apart; and an account with nothing but
/// the settlement token is added up from the same reading, as Curie adds it up, cut to the token's decimals.
///
/// STALENESS. Curie trades on a feed of any age, so an order that is not reduce-only is refused with `VenueStale` when the
/// market's Chainlink reading is older than `maxFeedAge`. Exits are not: `reduce`, reduce-only orders and `free` pass.
///
/// ASSUMPTIONS. THE SETTLEMENT TOKEN IS THE VAULT'S ASSET. THIS ACCOUNT NEVER PROVIDES LIQUIDITY, SO ALL OF ITS POSITION IS
/// TAKER'S. CURIE'S INDEX IS IN DOLLARS AND OUR PRICE IN ASSET UNITS: AN ASSET AWAY FROM A DOLLAR COUNTS AS BASIS, IN THE HALF-WIDTH.
contract CuriePerpVenue is VenueBase, IPerpVenue {
    using SafeERC20 for IERC20;

    /// @notice More markets than the adapter carries, or lists of unlike length.
    error BadMarketList(uint256 markets, uint256 underlyings);
    /// @notice Two markets of one underlying take two adapters.
    error RepeatedUnderlying(address underlying);
    /// @notice Curie settles in another token than the vault's asset.
    error WrongSettlementToken(address token);

    uint256 public constant MAX_MARKETS = 4;
    /// @dev Curie's ratios are at 1e6.
    uint256 private constant RATIO = 1e12;

    /// @dev What is held, by market; `notional` is the sum of the open notional, `held` how many markets have a position.
    struct Holding {
        int256[] sizes;
        uint256 held;
        int256 notional;
    }

    /// @dev What Curie says of this account; all at 1e18.
    struct Account {
        Holding holding;
        int256 owed;
        int256 unrealised;
        uint256 fee;
        int256 funding;
        int256 balance;
    }

    ICurieClearingHouse public immutable clearingHouse;
    /// @notice Seconds after which Curie's own price feed is too old to open or grow a position.
    uint256 public immutable maxFeedAge;
    ICurieVault private immutable CURIE_VAULT;
    ICurieAccountBalance private immutable ACCOUNTS;
    ICurieExchange private immutable EXCHANGE;
    ICurieConfig private immutable CONFIG;
    ICurieMarketRegistry private immutable REGISTRY;

    address[] private _markets;
    mapping(address market => address) private _underlyings;
    uint256 private _lastOrder;

    /// @param markets     Curie base tokens, at most `MAX_MARKETS`.
    /// @param underlyings The token whose oracle prices each market.
    constructor(
        address vault_,
        address clearingHouse_,
        address[] memory markets,
        address[] memory underlyings,
        uint256 maxFeedAge_
    ) VenueBase(vault_) {
        if (markets.length > MAX_MARKETS || markets.length != underlyings.length) {
            revert BadMarketList(markets.length, underlyings.length);
        }
        clearingHouse = ICurieClearingHouse(clearingHouse_);
        maxFeedAge = maxFeedAge_;
        CURIE_VAULT = ICurieVault(clearingHouse.getVault());
        ACCOUNTS = ICurieAccountBalance(clearingHouse.getAccountBalance());
        EXCHANGE = ICurieExchange(clearingHouse.getExchange());
        CONFIG = ICurieConfig(clearingHouse.getClearingHouseConfig());
        REGISTRY = ICurieMarketRegistry(EXCHANGE.getMarketRegistry());
        address settlement = CURIE_VAULT.getSettlementToken();
        if (settlement != address(ASSET)) revert WrongSettlementToken(settlement);
        for (uint256 i; i < markets.length; ++i) {
            bool repeated = _underlyings[markets[i]] != address(0);
            if (repeated || !REGISTRY.hasPool(markets[i])) revert UnknownMarket(markets[i]);
            // A long and a short of one underlying would be no exposure, and pay funding twice.
            for (uint256 j; j < i; ++j) {
                if (underlyings[j] == underlyings[i]) revert RepeatedUnderlying(underlyings[i]);
            }
            _underlyings[markets[i]] = underlyings[i];
            _markets.push(markets[i]);
        }
    }

    /// @inheritdoc IVenue
    function kind() external pure returns (Kind) {
        return Kind.Perp;
    }

    /// @inheritdoc IVenue
    function protocol() external pure returns (bytes32) {
        return "perp-v2";
    }

    /// @inheritdoc VenueBase
    function book() public view override(IVenue, VenueBase) returns (Book memory) {
        return _book(_account(_holding()));
    }

    /// @inheritdoc IVenue
    function standing() external view override(IVenue, VenueBase) returns (Book memory, UnitHealth[] memory healths) {
        Account memory a = _account(_holding());
        healths = new UnitHealth[](1);
        healths[0].health = _health(a);
        return (_book(a), healths);
    }

    /// @inheritdoc VenueBase
    function marginUnits() public pure override(IVenue, VenueBase) returns (uint256[] memory) {
        return new uint256[](1);
    }

    /// @inheritdoc VenueBase
    function margin(uint256 unit) public view override(IVenue, VenueBase) returns (Margin memory m) {
        _requireUnit(unit);
        Account memory a = _account(_holding());
        uint256 worth = _worth(a);
        m.equity = _equity(a);
        m.initial = _mulUp(worth, CONFIG.getImRatio() * RATIO);
        m.maintenance = _mul(worth, CONFIG.getMmRatio() * RATIO);
    }

    /// @inheritdoc VenueBase
    function unitHealth(uint256 unit) public view override(IVenue, VenueBase) returns (uint256) {
        _requireUnit(unit);
        Holding memory h = _holding();
        return h.held == 0 ? type(uint256).max : _health(_account(h));
    }

    /// @inheritdoc IVenue
    function post(uint256 unit, uint256 assets, uint256 minPosted) external onlyVault returns (uint256 posted) {
        _requireUnit(unit);
        if (assets == 0) revert ZeroAmount();
        if (assets < minPosted) revert BelowMinimum(assets, minPosted);
        _draw(assets);
        ASSET.forceApprove(address(CURIE_VAULT), assets);
        CURIE_VAULT.deposit(address(ASSET), assets);
        emit Posted(unit, assets, assets);
        return assets;
    }

    /// @inheritdoc IVenue
    function free(uint256 unit, uint256 assets, uint256 minFreed) external onlyVault returns (uint256 freed) {
        _requireUnit(unit);
        if (assets == 0) revert ZeroAmount();
        CURIE_VAULT.withdraw(address(ASSET), assets);
        freed = _giveBack();
        if (freed < minFreed) revert BelowMinimum(freed, minFreed);
        emit Freed(unit, assets, freed);
    }

    /// @inheritdoc IVenue
    /// @dev A market that Curie has closed for good is left at its closing price, whole, whatever the fraction and limit.
    function reduce(uint256 unit, uint256 fraction, uint256 limitPrice) external onlyVault returns (Status) {
        _requireUnit(unit);
        _checkFraction(fraction);
        for (uint256 i; i < _markets.length; ++i) {
            address market = _markets[i];
            int256 size = ACCOUNTS.getTakerPositionSize(address(this), market);
            if (size == 0) continue;
            if (ICurieBaseToken(market).isClosed()) {
                clearingHouse.quitMarket(address(this), market);
                continue;
            }
            uint256 amount = Math.mulDiv(_abs(size), fraction, WAD);
            if (amount != 0) _trade(market, size > 0 ? -int256(amount) : int256(amount), limitPrice);
        }
        emit Reduced(unit, fraction, Status.Filled);
        return Status.Filled;
    }

    /// @inheritdoc IPerpVenue
    /// @dev `acceptablePrice` 0 sets no floor for a sale; for a buy it is a ceiling like any other number.
    function order(address market, int256 sizeDelta, uint256 acceptablePrice, bool reduceOnly)
        external
        onlyVault
        returns (uint256 id, Status status)
    {
        if (_underlyings[market] == address(0)) revert UnknownMarket(market);
        if (sizeDelta == 0) revert ZeroAmount();
        if (reduceOnly) {
            int256 size = ACCOUNTS.getTakerPositionSize(address(this), market);
            bool toward = size > 0 ? sizeDelta < 0 : sizeDelta > 0;
            if (!toward || _abs(sizeDelta) > _abs(size)) revert NotReducing(size, sizeDelta);
        } else {
            _checkFeed(market);
        }
        if (sizeDelta > 0 && acceptablePrice == 0) revert PriceLimit(0, 0);
        id = _trade(market, sizeDelta, acceptablePrice);
        status = Status.Filled;
    }

    /// @inheritdoc IPerpVenue
    function poll(uint256 id) external view returns (Status) {
        return _statusOf(id);
    }

    /// @inheritdoc IPerpVenue
    /// @dev Orders fill at once, so there is nothing left to drop.
    function cancel(uint256 id) external view onlyVault returns (Status) {
        return _statusOf(id);
    }

    /// @inheritdoc IPerpVenue
    /// @dev Curie settles all markets of an account together.
    function settleFunding(address market) external onlyVault {
        if (_underlyings[market] == address(0)) revert UnknownMarket(market);
        clearingHouse.settleAllFunding(address(this));
    }

    /// @inheritdoc IPerpVenue
    function positions() external view returns (PerpPosition[] memory list) {
        list = new PerpPosition[](_markets.length);
        for (uint256 i; i < list.length; ++i) {
            address market = _markets[i];
            list[i] = PerpPosition({
                market: market,
                underlying: _underlyings[market],
                size: ACCOUNTS.getTakerPositionSize(address(this), market),
                cash: ACCOUNTS.getTakerOpenNotional(address(this), market),
                mark: ACCOUNTS.getMarkPrice(market),
                index: ICurieBaseToken(market).getIndexPrice(0),
                fundingOwed: EXCHANGE.getPendingFundingPayment(address(this), market),
                fundingRate: _fundingRate(market),
                fee: _feeOf(market)
            });
        }
    }

    /// @inheritdoc IPerpVenue
    function carried() external view returns (PerpCarry[] memory list) {
        Holding memory h = _holding();
        list = new PerpCarry[](h.held);
        uint256 used;
        for (uint256 i; i < h.sizes.length; ++i) {
            if (h.sizes[i] == 0) continue;
            address market = _markets[i];
            list[used++] = PerpCarry(_underlyings[market], h.sizes[i], _fundingRate(market));
        }
    }

    function _holding() private view returns (Holding memory h) {
        h.sizes = new int256[](_markets.length);
        for (uint256 i; i < h.sizes.length; ++i) {
            address market = _markets[i];
            h.sizes[i] = ACCOUNTS.getTakerPositionSize(address(this), market);
            h.notional += ACCOUNTS.getTakerOpenNotional(address(this), market);
            if (h.sizes[i] != 0) ++h.held;
        }
    }

    function _account(Holding memory h) private view returns (Account memory a) {
        a.holding = h;
        (a.owed, a.unrealised, a.fee) = ACCOUNTS.getPnlAndPendingFee(address(this));
        a.funding = EXCHANGE.getAllPendingFundingPayment(address(this));
        a.balance = CURIE_VAULT.getBalance(address(this)) * int256(ASSET_SCALE);
    }

    function _book(Account memory a) private view returns (Book memory b) {
        Holding memory h = a.holding;
        b.mid = _strayAsset() + a.balance + a.owed - a.funding + h.notional;
        Exposure[] memory exposures = new Exposure[](h.held);
        uint256 used;
        for (uint256 i; i < h.sizes.length; ++i) {
            address market = _markets[i];
            int256 size = h.sizes[i];
            if (size == 0) continue;
            bool open = ICurieBaseToken(market).isOpen();
            if (!open && ICurieBaseToken(market).isClosed()) {
                b.mid += _mulDown(size, ICurieBaseToken(market).getClosedPrice());
                continue;
            }
            uint256 price = _mid(_underlyings[market]);
            b.mid += _mulDown(size, price);
            uint256 theirs = h.held == 1 && open
                ? _abs(a.unrealised - h.notional)
                : _mul(_abs(size), ACCOUNTS.getMarkPrice(market));
            uint256 ours = _mul(_abs(size), price);
            // Both are cut to the wei.
            b.halfWidth += (ours > theirs ? ours - theirs : theirs - ours) + 1;
            b.halfWidth += _mulUp(_abs(size), _mulUp(price, _feeOf(market)));
            exposures[used].underlying = _underlyings[market];
            exposures[used++].greeks.delta = size;
        }
        assembly ("memory-safe") {
            mstore(exposures, used)
        }
        b.exposures = exposures;
    }

    function _health(Account memory a) private view returns (uint256) {
        if (a.holding.held == 0) return type(uint256).max;
        return _healthOf(_equity(a), _mul(_worth(a), CONFIG.getMmRatio() * RATIO));
    }

    /// @dev Curie's account value.
    function _equity(Account memory a) private view returns (int256 equity) {
        // A stranger may post another token for us.
        if (CURIE_VAULT.getCollateralTokens(address(this)).length != 0) {
            return clearingHouse.getAccountValue(address(this));
        }
        int256 scale = int256(ASSET_SCALE);
        equity = a.owed + a.unrealised + int256(a.fee) - a.funding;
        int256 rest = equity % scale;
        equity += a.balance - (rest < 0 ? rest + scale : rest);
    }

    /// @dev The sum of the positions' values without their signs, at Curie's prices.
    function _worth(Account memory a) private view returns (uint256) {
        if (a.holding.held == 0) return 0;
        if (a.holding.held == 1) return _abs(a.unrealised - a.holding.notional);
        return ACCOUNTS.getTotalAbsPositionValue(address(this));
    }

    /// @dev Trades exact base; the average price includes the fee because Curie's quote amount does. `limit` 0: none.
    function _trade(address market, int256 sizeDelta, uint256 limit) private returns (uint256 id) {
        bool buy = sizeDelta > 0;
        (uint256 base, uint256 quote) = clearingHouse.openPosition(
            ICurieClearingHouse.OpenPositionParams({
                baseToken: market,
                isBaseToQuote: !buy,
                isExactInput: !buy,
                amount: _abs(sizeDelta),
                // Checked below with a typed error, and because Curie takes a bound of 0 for none.
                oppositeAmountBound: 0,
                deadline: block.timestamp,
                sqrtPriceLimitX96: 0,
                referralCode: 0
            })
        );
        uint256 price = Math.mulDiv(quote, WAD, base, buy ? Math.Rounding.Ceil : Math.Rounding.Floor);
        if (limit != 0 && (buy ? price > limit : price < limit)) revert PriceLimit(price, limit);
        id = ++_lastOrder;
        emit Ordered(
            id, market, buy ? int256(base) : -int256(base), buy ? -int256(quote) : int256(quote), Status.Filled
        );
    }

    function _statusOf(uint256 id) private view returns (Status) {
        if (id == 0 || id > _lastOrder) revert UnknownOrder(id);
        return Status.Filled;
    }

    function _checkFeed(address market) private view {
        address dispatcher = ICurieBaseToken(market).getPriceFeed();
        address feed = ICuriePriceFeedDispatcher(dispatcher).getChainlinkPriceFeedV3();
        (, uint256 updatedAt) = ICuriePriceFeed(feed).getLatestOrCachedPrice();
        if (block.timestamp > updatedAt + maxFeedAge) revert VenueStale(updatedAt, maxFeedAge);
    }

    function _feeOf(address market) private view returns (uint256) {
        return REGISTRY.getFeeRatio(market) * RATIO;
    }

    /// @dev Curie charges the premium of the market's average price over the index's, within its cap, over one day. 0 while the
    /// market is too young to have that average.
    function _fundingRate(address market) private view returns (int256) {
        uint32 interval = CONFIG.getTwapInterval();
        try EXCHANGE.getSqrtMarketTwapX96(market, interval) returns (uint160 root) {
            uint256 price = Math.mulDiv(Math.mulDiv(root, root, 1 << 96), WAD, 1 << 96);
            int256 index = int256(ICurieBaseToken(market).getIndexPrice(interval));
            int256 rate = ((int256(price) - index) * int256(WAD)) / index;
            int256 most = int256(CONFIG.getMaxFundingRate() * RATIO);
            return rate > most ? most : rate < -most ? -most : rate;
        } catch {
            return 0;
        }
    }
}
