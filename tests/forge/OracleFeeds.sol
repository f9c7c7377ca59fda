// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PythPrice} from "../../contracts/interfaces/pyth/IPyth.sol";

/// @notice A feed whose every field a test sets; the real aggregators are exercised by the integration tests.
contract TestFeed {
    uint8 public immutable decimals;
    int256 private _answer;
    uint256 private _startedAt;
    uint256 private _updatedAt;
    uint80 private _round = 7;
    uint80 private _answeredIn = 7;

    constructor(uint8 decimals_, int256 answer) {
        decimals = decimals_;
        set(answer, block.timestamp);
    }

    function set(int256 answer, uint256 updatedAt) public {
        (_answer, _startedAt, _updatedAt) = (answer, updatedAt, updatedAt);
    }

    function setStartedAt(uint256 startedAt) external {
        _startedAt = startedAt;
    }

    function setRounds(uint80 round, uint80 answeredIn) external {
        (_round, _answeredIn) = (round, answeredIn);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (_round, _answer, _startedAt, _updatedAt, _answeredIn);
    }
}

/// @notice A Pyth contract whose every field a test sets; the official mock is exercised by the integration tests.
contract TestPyth {
    error PriceFeedNotFound();

    mapping(bytes32 id => PythPrice) private _prices;

    function set(bytes32 id, int64 price, uint64 conf, int32 expo, uint256 publishTime) external {
        _prices[id] = PythPrice(price, conf, expo, publishTime);
    }

    function getPriceUnsafe(bytes32 id) external view returns (PythPrice memory price) {
        price = _prices[id];
        if (price.publishTime == 0) revert PriceFeedNotFound();
    }
}

/// @notice A token's decimals and nothing else.
contract TestDecimals {
    uint8 public immutable decimals;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }
}

/// @notice A pool that held one tick and one liquidity for as long as it remembers.
contract TestPool {
    address public immutable token0;
    address public immutable token1;
    int56 private _tick;
    uint128 private _liquidity;
    uint256 private _memory = type(uint32).max;

    constructor(address zero, address one, int24 tick, uint128 liquidity) {
        (token0, token1) = (zero, one);
        set(tick, liquidity);
    }

    function set(int24 tick, uint128 liquidity) public {
        (_tick, _liquidity) = (tick, liquidity);
    }

    function remember(uint256 time) external {
        _memory = time;
    }

    function observe(uint32[] calldata ago) external view returns (int56[] memory ticks, uint160[] memory perLiquidity) {
        ticks = new int56[](ago.length);
        perLiquidity = new uint160[](ago.length);
        for (uint256 i = 0; i < ago.length; i++) {
            require(ago[i] <= _memory, "OLD");
            // Counted from a time that makes both accumulators pass zero inside the window.
            int56 time = 100 - int56(uint56(ago[i]));
            ticks[i] = _tick * time;
            unchecked {
                perLiquidity[i] = uint160(uint256(int256(time)) * ((1 << 128) / _liquidity));
            }
        }
    }
}
