// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title FeeLedger: the management fee of a vault, and the word that every entry and exit writes
/// @notice The supply, owed shares included, grows by exp(rate x years): what it grew by is owed. Shares owed are kept with FRACTION_BITS
/// fractional bits, rounded down, and the exponential to its third power: accruing in every block and once a year differ by less
/// than 1e-8 of the supply and a fraction of a share a block. At most 2^100 wei of shares are owed: whoever is to have them has them minted
/// (`Fees.collect`) before that.
///
/// THE WORD stays on the stack, as a struct would be unpacked to memory and packed again by each entry. From its lowest bit up:
///     32 bits of unix seconds up to which the management fee is in what is owed;
///     16 bits of rate, the management fee a year in millionths;
///     88 bits of flow, signed: entries less exits since the last mark, wei of the asset;
///     112 bits of shares owed, FRACTION_BITS of them fractional;
///     8 bits of epoch, the last of `IWriteOffs`; not this library's, but it must cost nothing to read where shares move.
library FeeLedger {
    using Math for uint256;

    type Ledger is uint256;

    uint256 private constant FRACTION_BITS = 12;
    uint256 private constant RAY = 1e27;
    uint256 private constant RATE_AT = 32;
    uint256 private constant FLOW_AT = 48;
    uint256 private constant OWED_AT = 136;
    uint256 private constant EPOCH_AT = 248;

    /// @notice Adds the management fee of `supply` up to now.
    function accrue(Ledger self, uint256 supply) internal view returns (Ledger) {
        uint256 word = Ledger.unwrap(self);
        uint256 time;
        // Time does not go back.
        unchecked {
            time = block.timestamp - uint32(word);
        }
        if (time == 0) return self;
        word = (word & ~uint256(type(uint32).max)) | uint32(block.timestamp);
        uint256 yearly = uint16(word >> RATE_AT);
        if (yearly == 0) return Ledger.wrap(word);
        uint256 growth;
        // 16 bits of rate and 32 of time: x is under 2^94, its square in RAY under 2^98.
        unchecked {
            uint256 x = (yearly * time * (RAY / 1e6)) / 365 days;
            uint256 square = (x * x) / RAY;
            growth = x + square / 2 + (square * x) / (6 * RAY);
        }
        uint256 bits = _owedBits(word);
        // Beyond what the ledger holds nothing is owed.
        bits = (bits + (((supply << FRACTION_BITS) + bits) * growth) / RAY).min(type(uint112).max);
        return _setOwedBits(word, bits);
    }

    /// @notice Adds `shares` to what is owed and takes all whole shares out.
    function take(Ledger self, uint256 shares) internal pure returns (Ledger left, uint256 taken) {
        uint256 word = Ledger.unwrap(self);
        left = _setOwedBits(word, _owedBits(word) & (2 ** FRACTION_BITS - 1));
        taken = owed(self) + shares;
    }

    /// @notice Whole shares owed.
    function owed(Ledger self) internal pure returns (uint256) {
        return uint112(Ledger.unwrap(self) >> OWED_AT) >> FRACTION_BITS;
    }

    /// @notice Management fee a year in millionths.
    function rate(Ledger self) internal pure returns (uint16) {
        return uint16(Ledger.unwrap(self) >> RATE_AT);
    }

    /// @notice Entries less exits since the last mark, wei of the asset.
    function flow(Ledger self) internal pure returns (int256) {
        return int88(uint88(Ledger.unwrap(self) >> FLOW_AT));
    }

    /// @notice The last epoch of `IWriteOffs`.
    function epoch(Ledger self) internal pure returns (uint256) {
        return Ledger.unwrap(self) >> EPOCH_AT;
    }

    function withRate(Ledger self, uint16 yearly) internal pure returns (Ledger) {
        return _set(Ledger.unwrap(self), RATE_AT, type(uint16).max, yearly);
    }

    function withEpoch(Ledger self, uint8 last) internal pure returns (Ledger) {
        return _set(Ledger.unwrap(self), EPOCH_AT, type(uint8).max, last);
    }

    /// @notice The flow begins anew.
    function withoutFlow(Ledger self) internal pure returns (Ledger) {
        return Ledger.wrap(Ledger.unwrap(self) & ~(uint256(type(uint88).max) << FLOW_AT));
    }

    /// @notice Notes an entry or, below zero, an exit. At its bounds the flow stands still, and then no mark is carried.
    function withFlow(Ledger self, int256 change) internal pure returns (Ledger) {
        int256 sum;
        // No token has 2^254 wei.
        unchecked {
            sum = flow(self) + change;
        }
        if (int88(sum) != sum) sum = sum < 0 ? type(int88).min : type(int88).max;
        uint256 others = Ledger.unwrap(self) & ~(uint256(type(uint88).max) << FLOW_AT);
        return Ledger.wrap(others | (uint256(uint88(int88(sum))) << FLOW_AT));
    }

    function _owedBits(uint256 word) private pure returns (uint256) {
        return uint112(word >> OWED_AT);
    }

    function _setOwedBits(uint256 word, uint256 bits) private pure returns (Ledger) {
        return _set(word, OWED_AT, type(uint112).max, bits);
    }

    /// @dev `word` with the field of `mask` at bit `at` replaced; no value is over its mask.
    function _set(uint256 word, uint256 at, uint256 mask, uint256 value) private pure returns (Ledger) {
        return Ledger.wrap((word & ~(mask << at)) | (value << at));
    }
}
