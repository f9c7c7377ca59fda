// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Price} from "./PriceInterval.sol";

/// @title PricePins: prices that are kept until the transaction ends
/// @notice In transient storage of the contract that uses this: two words a token and kind of price, at the token's address above 8 bits that say
/// which; mid, time and stamp in one, low and how far high lies above mid in the other. A pin counts in the second in which it was made
/// and until pins are dropped.
///
/// ASSUMPTIONS. WHAT IS PINNED PASSED `PriceInterval.tooWide` OR `isPrice`, SO THAT EACH PART HAS AT MOST 128 BITS. PINS ARE DROPPED UNDER 2^24 TIMES IN A
/// TRANSACTION.
library PricePins {
    /// @notice The answer of `quote`.
    uint256 internal constant QUOTE = 1;
    /// @notice The answer of `primary`; of the asset, its first source's reading in dollars.
    uint256 internal constant FIRST = 3;
    /// @dev The slot that counts how often pins were dropped.
    uint256 private constant CHANGES = 0;

    function keep(address token, uint256 which, Price memory price) internal {
        uint256 slot = (uint256(uint160(token)) << 8) | which;
        uint256 head = (price.mid << 128) | (price.updatedAt << 64) | _stamp();
        uint256 body = (price.low << 128) | (price.high - price.mid);
        assembly ("memory-safe") {
            tstore(slot, head)
            tstore(add(slot, 1), body)
        }
    }

    /// @notice Mid 0 where there is none.
    function pinned(address token, uint256 which)
        internal
        view
        returns (uint256 low, uint256 mid, uint256 high, uint256 updatedAt)
    {
        uint256 slot = (uint256(uint160(token)) << 8) | which;
        uint256 head;
        assembly ("memory-safe") {
            head := tload(slot)
        }
        if (head == 0 || uint64(head) != _stamp()) return (0, 0, 0, 0);
        uint256 body;
        assembly ("memory-safe") {
            body := tload(add(slot, 1))
        }
        (low, mid, updatedAt) = (body >> 128, head >> 128, uint64(head >> 64));
        high = mid + uint128(body);
    }

    /// @notice No pin made before counts any more.
    function drop() internal {
        assembly ("memory-safe") {
            tstore(CHANGES, add(tload(CHANGES), 1))
        }
    }

    /// @dev Says which pins count.
    function _stamp() private view returns (uint64) {
        uint256 changes;
        assembly ("memory-safe") {
            changes := tload(CHANGES)
        }
        return uint64((block.timestamp << 24) + changes);
    }
}
