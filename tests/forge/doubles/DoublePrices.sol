// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IVolSource} from "../../../contracts/oracle/IVolSource.sol";

/// @notice An oracle that answers what it was told; a token with mid 0 is unknown to it.
contract DoubleOracle is IPriceOracle {
    struct Interval {
        uint256 low;
        uint256 mid;
        uint256 high;
    }

    address public immutable asset;
    mapping(address token => Interval) private _intervals;

    constructor(address asset_) {
        asset = asset_;
    }

    function set(address token, uint256 low, uint256 mid, uint256 high) external {
        _intervals[token] = Interval(low, mid, high);
    }

    function quote(address token) external view returns (uint256, uint256, uint256, uint256) {
        return _quote(token);
    }

    /// @dev It has no breaker.
    function poke(address) external {}

    /// @dev Nor pins: it answers what it was told last.
    function pin(address) external {}

    function pinAll(address[] calldata) external virtual {}

    function primary(address token) public view virtual returns (uint256, uint256, uint256, uint256) {
        return _quote(token);
    }

    function _quote(address token) private view returns (uint256, uint256, uint256, uint256) {
        if (token == asset) return (1e18, 1e18, 1e18, block.timestamp);
        Interval memory i = _intervals[token];
        if (i.mid == 0) revert UnknownToken(token);
        return (i.low, i.mid, i.high, block.timestamp);
    }
}

/// @notice A vol source with one interval for every slice; mid 0 is no slice at all.
contract DoubleVol is IVolSource {
    uint256 private _mid = 0.75e18;
    uint256 private _half = 0.02e18;
    /// @dev When `set` was last called, for every underlying alike, and when anything changed.
    uint256 private _setAt;
    uint256 private _changedAt;

    function set(uint256 mid, uint256 half) external {
        (_mid, _half, _setAt, _changedAt) = (mid, half, block.timestamp, block.timestamp);
    }

    /// @notice As if a venue had stored its vol anew, inside the interval.
    function sync() external {
        _changedAt = block.timestamp;
    }

    function postedAt(address) external view returns (uint256) {
        return _changedAt;
    }

    function slicedAt(address) external view returns (uint256) {
        return _setAt;
    }

    function vol(address underlying, uint64 expiry, uint256)
        external
        view
        returns (uint256, uint256, uint256, uint256)
    {
        if (_mid == 0) revert UnknownSlice(underlying, expiry);
        return (_mid - _half, _mid, _mid + _half, block.timestamp);
    }
}
