// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Svi} from "../pricing/Svi.sol";

/// @notice What is signed: a raw SVI slice of total variance, parameters at 1e18.
/// @param expiry    Unix seconds.
/// @param timestamp Unix seconds of the data: w is total variance from then to `expiry`.
/// @param forward   What k = ln(strike / forward) refers to, asset units at 1e18.
struct Slice {
    address underlying;
    uint64 expiry;
    uint64 timestamp;
    uint128 forward;
    int64 a;
    uint64 b;
    int64 rho;
    int64 m;
    uint64 sigma;
}

/// @title VolSlice: a slice in two words of storage
/// @notice `shape` is a, b, rho, m of 64 bits each, the highest first; `terms` is sigma (64 bits), forward (112), timestamp (40) and the
///         time of the block that it was posted in (40). A slice that was never posted is zero.
/// @dev FORWARD AND TIMESTAMPS ARE CHECKED TO FIT BEFORE THEY ARE PACKED.
library VolSlice {
    struct Packed {
        uint256 shape;
        uint256 terms;
    }

    uint256 internal constant MAX_FORWARD = type(uint112).max;

    function pack(Slice calldata s, uint256 postedAt_) internal pure returns (Packed memory) {
        return Packed({
            shape: uint256(uint64(s.a)) << 192 | uint256(s.b) << 128 | uint256(uint64(s.rho)) << 64 | uint64(s.m),
            terms: uint256(s.sigma) << 192 | uint256(s.forward) << 80 | uint256(s.timestamp) << 40 | postedAt_
        });
    }

    /// @return s The slice, zeros where none was posted.
    function unpack(Packed memory p, address underlying, uint64 expiry) internal pure returns (Slice memory s) {
        if (p.terms == 0) return s;
        s = Slice({
            underlying: underlying,
            expiry: expiry,
            timestamp: uint64(timestamp(p)),
            forward: uint128(forward(p)),
            a: int64(uint64(p.shape >> 192)),
            b: uint64(p.shape >> 128),
            rho: int64(uint64(p.shape >> 64)),
            m: int64(uint64(p.shape)),
            sigma: uint64(p.terms >> 192)
        });
    }

    function raw(Packed memory p) internal pure returns (Svi.Raw memory s) {
        uint256 shape = p.shape;
        s.a = int64(uint64(shape >> 192));
        s.b = int256(uint256(uint64(shape >> 128)));
        s.rho = int64(uint64(shape >> 64));
        s.m = int64(uint64(shape));
        s.sigma = int256(p.terms >> 192);
    }

    function raw(Slice calldata slice) internal pure returns (Svi.Raw memory s) {
        s.a = slice.a;
        s.b = int256(uint256(slice.b));
        s.rho = slice.rho;
        s.m = slice.m;
        s.sigma = int256(uint256(slice.sigma));
    }

    function forward(Packed memory p) internal pure returns (uint256) {
        return uint112(p.terms >> 80);
    }

    function timestamp(Packed memory p) internal pure returns (uint256) {
        return uint40(p.terms >> 40);
    }

    /// @return 0 where no slice was posted.
    function postedAt(Packed memory p) internal pure returns (uint256) {
        return uint40(p.terms);
    }
}
