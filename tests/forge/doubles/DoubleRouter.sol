// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ISwapRouter02} from "../../../contracts/interfaces/uniswap/ISwapRouter02.sol";
import {DoubleToken} from "./DoubleToken.sol";

/// @notice A router, and its own factory, that buys each token of 18 decimals for a 6-decimal asset at the price it was told.
contract DoubleRouter {
    mapping(address token => uint256) private _prices;

    function set(address token, uint256 price) external {
        _prices[token] = price;
    }

    function factory() external view returns (address) {
        return address(this);
    }

    function getPool(address, address, uint24) external view returns (address) {
        return address(this);
    }

    function slot0() external pure returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (1 << 96, 0, 0, 0, 0, 0, true);
    }

    function exactInputSingle(ISwapRouter02.ExactInputSingleParams calldata params) external returns (uint256 got) {
        IERC20Metadata(params.tokenIn).transferFrom(msg.sender, address(this), params.amountIn);
        got = params.amountIn * _prices[params.tokenIn] / 1e30;
        DoubleToken(params.tokenOut).mint(params.recipient, got);
    }
}
