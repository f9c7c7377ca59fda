// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DoubleToken} from "./DoubleToken.sol";

/// @notice A token that calls whom it was told to on every transfer, and remembers what came of the last call.
contract HookToken is DoubleToken {
    address private _target;
    bytes private _data;
    uint256 public calls;
    bool public done;
    bytes public answer;

    constructor() DoubleToken("HOOK", 6) {}

    function hook(address target, bytes calldata data) external {
        (_target, _data, calls) = (target, data, 0);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_target == address(0)) return;
        ++calls;
        (done, answer) = _target.call(_data);
    }
}
