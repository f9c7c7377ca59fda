// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ISwapRouter02} from "../../interfaces/uniswap/ISwapRouter02.sol";
import {IVault} from "../../IVault.sol";
import {IPriceOracle} from "../../oracle/IPriceOracle.sol";
import {VenueBase} from "../VenueBase.sol";

/// @title QuoteDesk: swaps between the vault's asset and the token that an option protocol margins in
/// @notice Through one Uniswap v3 pool. A swap without a limit of its own must come within the pool's fee and
/// `SWAP_TOLERANCE` of our oracle's mid, so that who moves the pool first gains at most that.
abstract contract QuoteDesk is VenueBase {
    using SafeERC20 for IERC20;

    /// @notice How far from our oracle's mid, besides the pool's fee, a swap may be, at 1e18.
    uint256 public constant SWAP_TOLERANCE = 0.005e18;

    ISwapRouter02 public immutable router;
    IERC20 internal immutable QUOTE;
    /// @dev Multiplies a quote amount to 1e18.
    uint256 internal immutable QUOTE_SCALE;
    /// @dev The pool's fee in hundredths of a basis point.
    uint24 internal immutable POOL_FEE;

    constructor(address router_, address quote_, uint24 poolFee) {
        router = ISwapRouter02(router_);
        QUOTE = IERC20(quote_);
        QUOTE_SCALE = _scaleOf(quote_);
        POOL_FEE = poolFee;
    }

    /// @dev Sells all of the quote token that rests here, for at least `minAssets`, and sends all of the asset to the
    /// vault. An amount that buys no unit of the asset stays.
    /// @return assets What the sale brought.
    function _returnQuote(uint256 minAssets) internal returns (uint256 assets) {
        uint256 amount = _quoteHeld();
        if (amount >= ASSET_SCALE) assets = _exactInput(QUOTE, ASSET, amount / QUOTE_SCALE);
        if (assets < minAssets) revert BelowMinimum(assets, minAssets);
        _giveBack();
    }

    /// @dev The same at our oracle's limit. Without a price, for the vault's call, whose cost its guard bounds, at any; what a stranger
    /// brought stays here.
    function _returnQuoteFairly() internal returns (uint256) {
        (bool priced, uint256 mid) = _quoteMid();
        if (priced) return _returnQuote(_mul(_mul(_quoteHeld(), mid), WAD - _slack()) / ASSET_SCALE);
        return msg.sender == vault ? _returnQuote(0) : 0;
    }

    /// @dev Our mid of the quote token; as the asset where it has no price.
    function _quoteMid() internal view returns (bool priced, uint256 mid) {
        try IPriceOracle(IVault(vault).oracle()).quote(address(QUOTE)) returns (
            uint256, uint256 mid_, uint256, uint256
        ) {
            return (true, mid_);
        } catch {
            return (false, WAD);
        }
    }

    /// @dev Buys exactly `amount` of the quote token, at 1e18, with idle at our oracle's limit.
    function _buyQuote(uint256 amount) internal {
        if (amount == 0) return;
        uint256 most = _mulUp(_mulUp(amount, _mid(address(QUOTE))), WAD + _slack());
        uint256 drawn = _drawUpTo(Math.ceilDiv(most, ASSET_SCALE));
        ASSET.forceApprove(address(router), drawn);
        router.exactOutputSingle(
            ISwapRouter02.ExactOutputSingleParams({
                tokenIn: address(ASSET),
                tokenOut: address(QUOTE),
                fee: POOL_FEE,
                recipient: address(this),
                amountOut: Math.ceilDiv(amount, QUOTE_SCALE),
                amountInMaximum: drawn,
                sqrtPriceLimitX96: 0
            })
        );
        ASSET.forceApprove(address(router), 0);
    }

    /// @dev Spends `assets`, already drawn, on the quote token.
    /// @return bought At 1e18.
    function _spendOnQuote(uint256 assets) internal returns (uint256 bought) {
        return _exactInput(ASSET, QUOTE, assets) * QUOTE_SCALE;
    }

    /// @dev What of the quote token rests here, at 1e18.
    function _quoteHeld() internal view returns (uint256) {
        return QUOTE.balanceOf(address(this)) * QUOTE_SCALE;
    }

    /// @dev A pool that runs dry takes less than `amount`; what it leaves stays here.
    function _exactInput(IERC20 from, IERC20 to, uint256 amount) private returns (uint256 got) {
        from.forceApprove(address(router), amount);
        got = router.exactInputSingle(
            ISwapRouter02.ExactInputSingleParams({
                tokenIn: address(from),
                tokenOut: address(to),
                fee: POOL_FEE,
                recipient: address(this),
                amountIn: amount,
                // Callers check what arrived, with typed errors.
                amountOutMinimum: 0,
                sqrtPriceLimitX96: 0
            })
        );
        from.forceApprove(address(router), 0);
    }

    /// @dev The pool's fee at 1e18.
    function _poolFee() internal view returns (uint256) {
        return uint256(POOL_FEE) * 1e12;
    }

    function _slack() private view returns (uint256) {
        return _poolFee() + SWAP_TOLERANCE;
    }
}
