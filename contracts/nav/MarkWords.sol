// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {Coarse} from "./Coarse.sol";
import {MarkBook, Term} from "./MarkTerms.sol";

/// @title MarkWords: a mark in as few words as an entry can pay to read
/// @notice THE HEAD. From the lowest bit: the venues' mid and idle in 96 bits each, signed; in 32 the time; in 8 the number of underlyings, or NONE,
/// with EXTRA and MOVED; in 24 the width.
///
/// AN UNDERLYING takes two words: what it is and its price, and its delta and bounds. What carry adds in `maxAge` lies in spare bits of the first.
///
/// AN EXTRA WORD is there where it is not zero: the asset's price in dollars, where options are struck in them; where there is no underlying,
/// what carry adds.
///
/// ROUNDING. Bounds and carry round up to 17 bits, prices and deltas down to more than 52, which the width makes up for.
library MarkWords {
    using Math for uint256;
    using SignedMath for int256;
    using Coarse for uint256;

    uint256 private constant WAD = 1e18;
    /// @dev No number of a mark is greater, so that no product below overflows.
    uint256 internal constant LARGEST = 2 ** 110 - 1;
    /// @dev Gaps and half-widths of prices are multiples of this fraction at 1e18.
    uint256 internal constant STEP = 2e12;
    uint256 internal constant BOUND_BITS = 17;
    uint256 private constant MANTISSA_MASK = 2 ** 17 - 1;
    uint256 private constant EXPONENT_MASK = 2 ** 7 - 1;
    uint256 internal constant PRICE_BITS = 54;
    uint256 internal constant PRICE_MASK = 2 ** 61 - 1;
    uint256 internal constant DELTA_BITS = 56;
    uint256 internal constant DELTA_MASK = 2 ** 63 - 1;
    /// @dev Prices and deltas are packed to less than one part in 2^52.
    uint256 private constant PACKING_SHIFT = 52;
    uint256 internal constant PAYS_OPTIONS = 1 << 160;
    uint256 internal constant HAS_OPTIONS = 1 << 161;
    uint256 internal constant COUNT_MASK = 0x0f;
    /// @dev Flag of a mark that has an extra word.
    uint256 internal constant EXTRA = 0x80;
    /// @dev Flag of a mark that only explains.
    uint256 internal constant MOVED = 0x40;
    /// @dev The count of a mark that is not carried.
    uint256 internal constant NONE = 0x0f;
    uint256 internal constant IDLE_AT = 96;
    uint256 internal constant STRUCK_AT = 192;
    uint256 internal constant COUNT_AT = 224;
    uint256 internal constant WIDTH_AT = 232;
    /// @dev In the first underlying's words: the sign of what carry adds in `maxAge`, in its head, and the amount, in its body.
    uint256 internal constant CARRY_IS_NEGATIVE = 1 << 162;
    uint256 internal constant CARRY_AT = 168;

    /// @notice What to store of `book`, and nothing where a number does not fit: count and width where they lie in a head, the extra word, and two
    /// words an underlying.
    function pack(MarkBook memory book) internal pure returns (uint256[] memory words) {
        uint256 count = book.terms.length;
        uint256 carry = book.carry.abs();
        if (carry > uint96(type(int96).max)) return words;
        words = new uint256[](2 + 2 * count);
        uint256 rounded = book.width;
        for (uint256 i; i < count; ++i) {
            Term memory t = book.terms[i];
            if (!_fits(t)) return new uint256[](0);
            rounded += ((t.delta.abs() * t.price) / WAD >> PACKING_SHIFT) + 1;
            (words[2 + 2 * i], words[3 + 2 * i]) = (_packHead(t), _packBody(t));
        }
        if (rounded > LARGEST || book.dollar >> 160 != 0) return new uint256[](0);
        if (count != 0) {
            words[1] = book.dollar;
            words[3] |= carry.packUp(BOUND_BITS) << CARRY_AT;
            if (book.carry < 0) words[2] |= CARRY_IS_NEGATIVE;
        } else {
            words[1] = uint256(book.carry);
        }
        if (words[1] != 0) count |= EXTRA;
        words[0] = (count << COUNT_AT) | (rounded.packUp(BOUND_BITS) << WIDTH_AT);
    }

    function _fits(Term memory t) private pure returns (bool) {
        if (t.gap > type(uint16).max * STEP || t.halfWidth > type(uint16).max * STEP) return false;
        // An option paid in its own underlying is not what the cross terms bound.
        if (t.paysOptions && t.hasOptions) return false;
        uint256 all = t.curveLong | t.curveShort | t.decayLong | t.decayShort | t.slope | t.drift | t.gross;
        return all <= LARGEST;
    }

    /// @dev Token in 160 bits, two flags, a bit for the carry, price in 61, half-width and gap in 16 each.
    function _packHead(Term memory t) private pure returns (uint256 word) {
        word = uint160(t.underlying);
        if (t.paysOptions) word |= PAYS_OPTIONS;
        if (t.hasOptions) word |= HAS_OPTIONS;
        word |= t.price.pack(PRICE_BITS) << 163;
        word |= t.halfWidth.ceilDiv(STEP) << 224 | t.gap.ceilDiv(STEP) << 240;
    }

    /// @dev Seven bounds in 24 bits each, 24 for the carry, delta in 63 and its sign.
    function _packBody(Term memory t) private pure returns (uint256 word) {
        if (t.hasOptions) {
            word = t.curveLong.packUp(BOUND_BITS) | t.curveShort.packUp(BOUND_BITS) << 24;
            word |= t.decayLong.packUp(BOUND_BITS) << 48 | t.decayShort.packUp(BOUND_BITS) << 72;
            word |= t.drift.packUp(BOUND_BITS) << 120 | t.gross.packUp(BOUND_BITS) << 144;
        }
        word |= t.slope.packUp(BOUND_BITS) << 96 | t.delta.abs().pack(DELTA_BITS) << 192;
        if (t.delta < 0) word |= 1 << 255;
    }

    /// @notice A head of now that is carried no further.
    function notCarried() internal view returns (uint256) {
        return (NONE << COUNT_AT) | (uint256(uint32(block.timestamp)) << STRUCK_AT);
    }

    /// @notice Whether both fit into a head.
    function fit(int256 idle, int256 venuesMid) internal pure returns (bool) {
        return idle.abs() <= uint96(type(int96).max) && venuesMid.abs() <= uint96(type(int96).max);
    }

    /// @notice Idle and the venues' mid as they lie in a head.
    function amounts(int256 idle, int256 venuesMid) internal pure returns (uint256) {
        return (uint256(uint96(int96(idle))) << IDLE_AT) | uint96(int96(venuesMid));
    }

    function struckAt(uint256 head) internal pure returns (uint256) {
        return uint32(head >> STRUCK_AT);
    }

    function idleAt(uint256 head) internal pure returns (int256) {
        return int96(uint96(head >> IDLE_AT));
    }

    function midAt(uint256 head) internal pure returns (int256) {
        return int96(uint96(head));
    }

    /// @notice The bound at bit `at` of an underlying's second word: `Coarse.unpack` with its masks at hand.
    function bound(uint256 body, uint256 at) internal pure returns (uint256) {
        return ((body >> at) & MANTISSA_MASK) << ((body >> at >> BOUND_BITS) & EXPONENT_MASK);
    }
}
