// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IUniswapV3PoolOracle} from "../interfaces/uniswap/IUniswapV3PoolOracle.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title UniswapV3TwapSource: the time-weighted price of a Uniswap v3 pool as a price source
/// @notice Answers the geometric mean price over the last `window` seconds, while the harmonic mean of the liquidity in range over
///         that window is at least `minLiquidity`.
/// @dev The mean log price is (tick accumulator now - then) / window x ln 1.0001 (Uniswap v3 whitepaper, section 5.2), not rounded
///      to a tick; decimals are added in the exponent, so that the result keeps 1e18 whatever the tokens' decimals.
///      Immutable: another window is another source.
///
///      `minLiquidity` MAKES MOVING THE POOL FOR A BLOCK OR TWO COST MORE THAN A WRONG PRICE CAN EARN.
///      THE POOL REMEMBERS `window` SECONDS; its observation cardinality must have been raised, else HistoryTooShort.
///      `halfWidth` COVERS THE POOL'S FEE (no arbitrage inside it) AND THE LAG OF A MEAN.
contract UniswapV3TwapSource is IPriceSource {
    /// @notice The pool does not hold exactly this pair.
    error NotThePair(address pool, address token, address denomination);
    /// @notice A window under MIN_WINDOW or over MAX_WINDOW seconds.
    error BadWindow(uint256 window, uint256 minimum, uint256 maximum);
    /// @notice A half-width of MAX_HALF_WIDTH or more.
    error BadHalfWidth(uint256 halfWidth, uint256 maximum);
    /// @notice A token of more than 18 decimals.
    error TooManyDecimals(uint256 decimals, uint256 maximum);
    /// @notice The pool's observations do not reach back `window` seconds.
    error HistoryTooShort(uint256 window);
    /// @notice The harmonic mean liquidity over the window is under the floor.
    error TooLittleLiquidity(uint256 liquidity, uint256 minimum);

    uint256 public constant MIN_WINDOW = 300;
    uint256 public constant MAX_WINDOW = 1 days;
    /// @notice The largest half-width as a fraction of the price, at 1e18.
    uint256 public constant MAX_HALF_WIDTH = 0.1e18;

    /// @dev At 1e36.
    int256 private constant LN_TICK = 99995000333308335333166680951131;
    int256 private constant LN_TEN = 2302585092994045684017991454684364208;

    address public immutable override token;
    address public immutable override denomination;
    address public immutable pool;
    /// @notice Seconds over which the price is averaged.
    uint32 public immutable window;
    /// @notice The least harmonic mean liquidity, in the pool's own unit.
    uint256 public immutable minLiquidity;
    /// @notice Half-width as a fraction of the price, at 1e18.
    uint256 public immutable halfWidthFraction;

    /// @dev ln 10^(decimals of token - decimals of denomination) at 1e36; what a raw price lacks to a whole token's.
    int256 private immutable _scale;
    bool private immutable _tokenIsZero;

    constructor(
        address token_,
        address denomination_,
        address pool_,
        uint32 window_,
        uint256 minLiquidity_,
        uint256 halfWidthFraction_
    ) {
        address zero = IUniswapV3PoolOracle(pool_).token0();
        address one = IUniswapV3PoolOracle(pool_).token1();
        bool direct = zero == token_ && one == denomination_;
        if (!direct && !(zero == denomination_ && one == token_)) revert NotThePair(pool_, token_, denomination_);
        if (window_ < MIN_WINDOW || window_ > MAX_WINDOW) revert BadWindow(window_, MIN_WINDOW, MAX_WINDOW);
        if (halfWidthFraction_ >= MAX_HALF_WIDTH) revert BadHalfWidth(halfWidthFraction_, MAX_HALF_WIDTH);
        (token, denomination, pool, window) = (token_, denomination_, pool_, window_);
        (minLiquidity, halfWidthFraction, _tokenIsZero) = (minLiquidity_, halfWidthFraction_, direct);
        _scale = (_decimals(token_) - _decimals(denomination_)) * LN_TEN;
    }

    /// @inheritdoc IPriceSource
    /// @dev `updatedAt` is now: the mean ends at this block. The half-width is rounded up.
    function read() external view returns (uint256 price, uint256 halfWidth, uint256 updatedAt) {
        (int256 ticks, uint256 perLiquidity) = _accumulated();
        // Nothing accumulated is liquidity beyond what 2^128 resolves.
        uint256 liquidity = perLiquidity == 0 ? type(uint128).max : (uint256(window) << 128) / perLiquidity;
        if (liquidity < minLiquidity) revert TooLittleLiquidity(liquidity, minLiquidity);
        int256 log = ticks * LN_TICK / int256(uint256(window));
        if (!_tokenIsZero) log = -log;
        price = uint256(FixedPointMathLib.expWad((log + _scale) / 1e18));
        if (price == 0) revert BadReading();
        halfWidth = (price * halfWidthFraction + 1e18 - 1) / 1e18;
        updatedAt = block.timestamp;
    }

    /// @dev Growth over the window of the tick and of seconds per liquidity at 2^128.
    function _accumulated() private view returns (int256 ticks, uint256 perLiquidity) {
        uint32[] memory ago = new uint32[](2);
        ago[0] = window;
        try IUniswapV3PoolOracle(pool).observe(ago) returns (int56[] memory tick, uint160[] memory seconds_) {
            ticks = int256(tick[1]) - int256(tick[0]);
            unchecked {
                perLiquidity = uint256(seconds_[1] - seconds_[0]); // The pool's accumulator wraps.
            }
        } catch Error(string memory reason) {
            if (keccak256(bytes(reason)) == keccak256("OLD")) revert HistoryTooShort(window);
            revert BadReading();
        } catch {
            revert BadReading();
        }
    }

    function _decimals(address token_) private view returns (int256) {
        uint256 decimals = IERC20Metadata(token_).decimals();
        if (decimals > 18) revert TooManyDecimals(decimals, 18);
        return int256(decimals);
    }
}
