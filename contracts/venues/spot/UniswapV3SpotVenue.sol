// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISwapRouter02} from "../../interfaces/uniswap/ISwapRouter02.sol";
import {IUniswapV3Factory} from "../../interfaces/uniswap/IUniswapV3Factory.sol";
import {IUniswapV3PoolPrice} from "../../interfaces/uniswap/IUniswapV3PoolPrice.sol";
import {VenueBase} from "../VenueBase.sol";
import {Book, Exposure, IVenue, Kind, Margin, Status} from "../IVenue.sol";
import {ISpotVenue, SpotHolding} from "./ISpotVenue.sol";

/// @title UniswapV3SpotVenue: tokens held outright, traded against the asset in Uniswap v3
/// @notice One pool a token, chosen at deployment. Holdings are valued at our oracle's mid; the half-width is the pool's fee on
/// their value, the cost of selling them. There is no margin: `marginUnits` is empty, `post` and `free` are `Unsupported`.
/// `reduce(0, ...)` sells a fraction of every token, `reduce(i + 1, ...)` of the i-th of `holdings` alone: one limit price cannot suit
/// two tokens, of which a stranger may have sent one.
/// A swap whose average price, fee included, is worse than the limit reverts with `PriceLimit`, except a buy that would cost
/// more than was drawn for it, which the router itself refuses.
/// ASSUMPTION: THE ROUTER TAKES NO MORE THAN IT IS GIVEN FOR ONE SWAP; NO APPROVAL IS LEFT STANDING.
contract UniswapV3SpotVenue is VenueBase, ISpotVenue {
    using SafeERC20 for IERC20;

    /// @notice More tokens than the adapter carries.
    error TooManyTokens(uint256 count, uint256 maximum);
    /// @notice There is no pool of the asset, `token` and `fee`.
    error NoPool(address token, uint24 fee);

    uint256 public constant MAX_TOKENS = 8;

    struct Market {
        address pool;
        uint24 fee;
        uint8 decimals;
        bool tokenFirst;
    }

    ISwapRouter02 public immutable router;
    address[] private _tokens;
    mapping(address token => Market) private _markets;

    /// @param router_ SwapRouter02; its factory names the pools.
    /// @param tokens  Tokens to trade, at most `MAX_TOKENS`.
    /// @param fees    The pool of each, by its fee in hundredths of a basis point.
    constructor(address vault_, address router_, address[] memory tokens, uint24[] memory fees) VenueBase(vault_) {
        if (tokens.length > MAX_TOKENS) revert TooManyTokens(tokens.length, MAX_TOKENS);
        router = ISwapRouter02(router_);
        IUniswapV3Factory factory = IUniswapV3Factory(ISwapRouter02(router_).factory());
        for (uint256 i; i < tokens.length; ++i) {
            address pool = factory.getPool(address(ASSET), tokens[i], fees[i]);
            if (pool == address(0) || _markets[tokens[i]].pool != address(0)) revert NoPool(tokens[i], fees[i]);
            _markets[tokens[i]] = Market({
                pool: pool,
                fee: fees[i],
                decimals: uint8(18 - Math.log10(_scaleOf(tokens[i]))),
                tokenFirst: tokens[i] < address(ASSET)
            });
            _tokens.push(tokens[i]);
        }
    }

    /// @inheritdoc IVenue
    function kind() external pure returns (Kind) {
        return Kind.Spot;
    }

    /// @inheritdoc IVenue
    function protocol() external pure returns (bytes32) {
        return "uniswap-v3";
    }

    /// @inheritdoc VenueBase
    function book() public view override(IVenue, VenueBase) returns (Book memory b) {
        b.mid = _strayAsset();
        uint256 count = _tokens.length;
        Exposure[] memory exposures = new Exposure[](count);
        uint256 used;
        for (uint256 i; i < count; ++i) {
            address token = _tokens[i];
            uint256 balance = _held(token);
            if (balance == 0) continue;
            uint256 price = _mid(token);
            b.mid += _mulDown(int256(balance), price);
            b.halfWidth += _mulUp(_mulUp(balance, price), _feeOf(token));
            exposures[used].underlying = token;
            exposures[used++].greeks.delta = int256(balance);
        }
        assembly ("memory-safe") {
            mstore(exposures, used)
        }
        b.exposures = exposures;
    }

    /// @inheritdoc VenueBase
    function marginUnits() public pure override(IVenue, VenueBase) returns (uint256[] memory) {
        return new uint256[](0);
    }

    /// @inheritdoc VenueBase
    function margin(uint256 unit) public view override(IVenue, VenueBase) returns (Margin memory m) {
        _requireUnit(unit);
        return m;
    }

    /// @inheritdoc IVenue
    function post(uint256, uint256, uint256) external view onlyVault returns (uint256) {
        revert Unsupported();
    }

    /// @inheritdoc IVenue
    function free(uint256, uint256, uint256) external view onlyVault returns (uint256) {
        revert Unsupported();
    }

    /// @inheritdoc IVenue
    function reduce(uint256 unit, uint256 fraction, uint256 limitPrice) external onlyVault returns (Status) {
        if (unit > _tokens.length) revert UnknownUnit(unit);
        _checkFraction(fraction);
        for (uint256 i; i < _tokens.length; ++i) {
            if (unit != 0 && unit != i + 1) continue;
            uint256 amount = Math.mulDiv(IERC20(_tokens[i]).balanceOf(address(this)), fraction, WAD);
            if (amount != 0) _sell(_tokens[i], amount, limitPrice);
        }
        emit Reduced(unit, fraction, Status.Filled);
        return Status.Filled;
    }

    /// @inheritdoc ISpotVenue
    function swap(address token, int256 size, uint256 limitPrice) external onlyVault returns (int256 cash) {
        uint256 amount = _abs(size) / 10 ** (18 - _market(token).decimals);
        if (amount == 0) revert ZeroAmount();
        if (size > 0) return -int256(_buy(token, amount, limitPrice));
        uint256 held = IERC20(token).balanceOf(address(this));
        if (amount > held) revert Insufficient(held * 10 ** (18 - _market(token).decimals), _abs(size));
        return int256(_sell(token, amount, limitPrice));
    }

    /// @inheritdoc ISpotVenue
    function move(address token, uint256 amount, address venue) external onlyVault {
        _market(token);
        if (amount == 0) revert ZeroAmount();
        _requireVenue(venue);
        IERC20(token).safeTransfer(venue, amount);
    }

    /// @inheritdoc ISpotVenue
    function holdings() external view returns (SpotHolding[] memory list) {
        list = new SpotHolding[](_tokens.length);
        for (uint256 i; i < list.length; ++i) {
            address token = _tokens[i];
            list[i] =
                SpotHolding({token: token, balance: _held(token), poolPrice: _poolPrice(token), fee: _feeOf(token)});
        }
    }

    function _buy(address token, uint256 amount, uint256 limitPrice) private returns (uint256 cost) {
        Market memory m = _market(token);
        uint256 size = amount * 10 ** (18 - m.decimals);
        uint256 drawn = _drawUpTo(_mul(size, limitPrice) / ASSET_SCALE);
        ASSET.forceApprove(address(router), drawn);
        cost = router.exactOutputSingle(
            ISwapRouter02.ExactOutputSingleParams({
                tokenIn: address(ASSET),
                tokenOut: token,
                fee: m.fee,
                recipient: address(this),
                amountOut: amount,
                amountInMaximum: drawn,
                sqrtPriceLimitX96: 0
            })
        ) * ASSET_SCALE;
        ASSET.forceApprove(address(router), 0);
        _giveBack();
        emit Swapped(token, int256(size), -int256(cost));
    }

    function _sell(address token, uint256 amount, uint256 limitPrice) private returns (uint256 cash) {
        Market memory m = _market(token);
        uint256 size = amount * 10 ** (18 - m.decimals);
        IERC20(token).forceApprove(address(router), amount);
        cash = router.exactInputSingle(
            ISwapRouter02.ExactInputSingleParams({
                tokenIn: token,
                tokenOut: address(ASSET),
                fee: m.fee,
                recipient: address(this),
                amountIn: amount,
                amountOutMinimum: 0,
                sqrtPriceLimitX96: 0
            })
        ) * ASSET_SCALE;
        // A pool that runs dry takes less than it was approved for.
        IERC20(token).forceApprove(address(router), 0);
        uint256 price = Math.mulDiv(cash, WAD, size);
        if (price < limitPrice) revert PriceLimit(price, limitPrice);
        _giveBack();
        emit Swapped(token, -int256(size), int256(cash));
    }

    function _market(address token) private view returns (Market memory m) {
        m = _markets[token];
        if (m.pool == address(0)) revert UnknownMarket(token);
    }

    /// @dev Balance of `token` at 1e18.
    function _held(address token) private view returns (uint256) {
        return IERC20(token).balanceOf(address(this)) * 10 ** (18 - _markets[token].decimals);
    }

    /// @dev The pool's fee at 1e18.
    function _feeOf(address token) private view returns (uint256) {
        return uint256(_markets[token].fee) * 1e12;
    }

    function _poolPrice(address token) private view returns (uint256) {
        Market memory m = _markets[token];
        (uint160 root,,,,,,) = IUniswapV3PoolPrice(m.pool).slot0();
        // Raw token1 for one raw token0 at 2^128; the greatest root keeps it under 2^256.
        uint256 ratio = Math.mulDiv(root, root, 1 << 64);
        uint256 scale = 10 ** m.decimals * ASSET_SCALE;
        return m.tokenFirst ? Math.mulDiv(ratio, scale, 1 << 128) : Math.mulDiv(1 << 128, scale, ratio);
    }
}
