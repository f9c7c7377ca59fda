// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title FeeLedger: the management fee of a vault, and the word that every entry and exit writes
/// @notice The supply, owed shares included, grows by exp(rate x years): what it grew by is owed. Shares owed are kept with FRACTION_BITS
/// fractional bits, rounded down, and the exponential to its third power: accruing in every block and once a year differ by less
/// than 1e-8 of the supply and a fraction of a share a block. At most 2^100 wei of shares are owed: whoever is to have them has them minted
/// (`Fees.collect`) before that.
library FeeLedger {
    using Math for uint256;

    uint256 private constant FRACTION_BITS = 12;
    uint256 private constant RAY = 1e27;

    /// @param accruedAt Unix seconds up to which the management fee is in `owedBits`.
    /// @param rate      Management fee a year in millionths.
    /// @param flow      Entries less exits since the last mark, wei of the asset.
    /// @param owedBits  Shares owed, with FRACTION_BITS fractional bits.
    /// @param epoch     The last of `IWriteOffs`; not this library's, but it must cost nothing to read where shares move.
    struct Ledger {
        uint32 accruedAt;
        uint16 rate;
        int88 flow;
        uint112 owedBits;
        uint8 epoch;
    }

    /// @notice Adds the management fee of `supply` up to now.
    function accrue(Ledger memory self, uint256 supply) internal view {
        uint256 time = block.timestamp - self.accruedAt;
        if (time == 0) return;
        self.accruedAt = uint32(block.timestamp);
        if (self.rate == 0) return;
        uint256 x = (uint256(self.rate) * time * (RAY / 1e6)) / 365 days;
        uint256 square = (x * x) / RAY;
        uint256 growth = x + square / 2 + (square * x) / (6 * RAY);
        _owe(self, (((supply << FRACTION_BITS) + self.owedBits) * growth) / RAY);
    }

    /// @notice Adds `shares` to what is owed and takes all whole shares out.
    function take(Ledger memory self, uint256 shares) internal pure returns (uint256 taken) {
        taken = owed(self);
        self.owedBits -= uint112(taken << FRACTION_BITS);
        taken += shares;
    }

    /// @notice Whole shares owed.
    function owed(Ledger memory self) internal pure returns (uint256) {
        return self.owedBits >> FRACTION_BITS;
    }

    /// @notice Notes an entry or, below zero, an exit. At its bounds the flow stands still, and then no mark is carried.
    function flow(Ledger memory self, int256 change) internal pure {
        int256 sum = self.flow + change;
        if (sum > type(int88).max) sum = type(int88).max;
        if (sum < type(int88).min) sum = type(int88).min;
        self.flow = int88(sum);
    }

    /// @dev Beyond what the ledger holds nothing is owed.
    function _owe(Ledger memory self, uint256 bits) private pure {
        self.owedBits = uint112((self.owedBits + bits).min(type(uint112).max));
    }
}
