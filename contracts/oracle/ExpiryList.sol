// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ExpiryList: the expiries of one underlying in ascending order, and when any of its slices last changed
/// @notice Two words of numbers of 40 bits: `first` holds the time of the last change and the first 5 expiries, `second` up to 6 more.
///         The list ends at the first zero. `second` is read only where `first` is full. The 16 bits left in `first` hold how long before
///         the last change a slice did, at most MAX_GAP seconds: a venue's vol that moved is a change too.
library ExpiryList {
    struct Packed {
        uint256 first;
        uint256 second;
    }

    /// @notice As many unexpired slices of one underlying as there can be.
    error TooManyExpiries(uint256 maximum);

    uint256 internal constant CAPACITY = 11;

    uint256 internal constant MAX_GAP = type(uint16).max;

    uint256 private constant IN_FIRST = 5;
    uint256 private constant GAP_AT = 240;
    uint256 private constant BITS = 40;
    uint256 private constant MASK = (1 << BITS) - 1;

    function load(Packed storage list) internal view returns (Packed memory p) {
        p.first = list.first;
        if (p.first >> IN_FIRST * BITS & MASK != 0) p.second = list.second;
    }

    function changedAt(Packed storage list) internal view returns (uint256) {
        return list.first & MASK;
    }

    /// @return When a slice last changed, or later where that was more than MAX_GAP before another change.
    function slicedAt(Packed storage list) internal view returns (uint256) {
        uint256 first = list.first;
        return (first & MASK) - (first >> GAP_AT);
    }

    /// @notice A slice changed now.
    function setSlicedAt(Packed storage list, uint256 time) internal {
        list.first = list.first << 16 >> 16 & ~MASK | time;
    }

    /// @notice Something else changed now.
    function setChangedAt(Packed storage list, uint256 time) internal {
        uint256 gap = time - slicedAt(list);
        if (gap > MAX_GAP) gap = MAX_GAP;
        list.first = list.first << 16 >> 16 & ~MASK | time | gap << GAP_AT;
    }

    /// @return The expiry at `index`; 0 past the end.
    function at(Packed memory p, uint256 index) internal pure returns (uint64) {
        // Indices are small: nothing overflows, and a shift past the word gives 0.
        unchecked {
            if (index < IN_FIRST) return uint64(p.first >> (index + 1) * BITS & MASK);
            return uint64(p.second >> (index - IN_FIRST) * BITS & MASK);
        }
    }

    /// @return index How many expiries are before `expiry`.
    function countBefore(Packed memory p, uint64 expiry) internal pure returns (uint256 index) {
        // Below CAPACITY.
        unchecked {
            for (; index < CAPACITY; ++index) {
                uint64 here = at(p, index);
                if (here == 0 || here >= expiry) break;
            }
        }
    }

    /// @notice Adds `expiry`, not there yet and below 2^40, in its place, and drops those that are not after `now_`.
    function insert(Packed storage list, uint64 expiry, uint256 now_) internal {
        _rebuild(list, expiry, 0, now_);
    }

    /// @notice Drops `expiry` and those that are not after `now_`.
    function remove(Packed storage list, uint64 expiry, uint256 now_) internal {
        _rebuild(list, 0, expiry, now_);
    }

    function _rebuild(Packed storage list, uint64 added, uint64 removed, uint256 now_) private {
        Packed memory old = load(list);
        Packed memory p;
        p.first = old.first & MASK;
        uint256 count;
        for (uint256 i; i < CAPACITY; ++i) {
            uint64 here = at(old, i);
            if (added != 0 && (here == 0 || added < here)) {
                _put(p, count++, added);
                added = 0;
            }
            if (here == 0) break;
            if (here > now_ && here != removed) _put(p, count++, here);
        }
        if (added != 0) _put(p, count, added);
        (list.first, list.second) = (p.first, p.second);
    }

    function _put(Packed memory p, uint256 index, uint64 expiry) private pure {
        if (index == CAPACITY) revert TooManyExpiries(CAPACITY);
        if (index < IN_FIRST) p.first |= uint256(expiry) << (index + 1) * BITS;
        else p.second |= uint256(expiry) << (index - IN_FIRST) * BITS;
    }
}
