// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Purse: an account that holds one token for the contract that made it
/// @notice Its balance is what was paid in and not yet taken out; it has no functions.
contract Purse {
    constructor(IERC20 token) {
        SafeERC20.forceApprove(token, msg.sender, type(uint256).max);
    }
}
