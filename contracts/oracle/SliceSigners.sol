// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Slice} from "./VolSlice.sol";

/// @title SliceSigners: k of n accounts that sign slices
/// @notice A slice counts as signed with `threshold` signatures or more, all of them by members of the set over the EIP-712 hash of
///
///   Slice(address underlying,uint64 expiry,uint64 timestamp,uint128 forward,int64 a,uint64 b,int64 rho,int64 m,uint64 sigma)
///
/// in the domain (name "Evenkeel VolOracle", version "1", chain id, this contract), in ascending order of the signers' addresses, which
/// shows that none signed twice. There are no signers until `setSigners`, and nothing counts as signed.
/// @dev SIGNERS ARE ACCOUNTS WITH KEYS, NOT CONTRACTS. A KEEPER'S KEY IS NO SIGNER'S: who trades does not set what trades are valued at.
abstract contract SliceSigners is EIP712, AccessManaged {
    error TooFewSignatures(uint256 given, uint256 threshold);
    /// @notice A signature of nobody in the set over this slice; zero where it is no signature at all.
    error UnknownSigner(address signer);
    /// @notice Signers or signatures are not in ascending order of address, or one is there twice.
    error NotAscending(address first, address second);
    error TooManySigners(uint256 signers, uint256 maximum);
    /// @notice A threshold of zero or above the number of signers.
    error BadThreshold(uint256 threshold, uint256 signers);

    event SignersSet(address[] signers, uint8 threshold);

    uint256 public constant MAX_SIGNERS = 16;
    /// @notice The EIP-712 type hash of `Slice`.
    bytes32 public constant SLICE_TYPEHASH = keccak256(
        "Slice(address underlying,uint64 expiry,uint64 timestamp,uint128 forward,int64 a,uint64 b,int64 rho,int64 m,uint64 sigma)"
    );

    /// @notice Signatures that a slice needs.
    uint8 public threshold;
    mapping(address account => bool) public isSigner;

    address[] private _signers;

    constructor() EIP712("Evenkeel VolOracle", "1") {}

    /// @notice Governor. Replaces the set; what only former signers signed is void.
    /// @param sorted     Ascending, at most MAX_SIGNERS.
    /// @param threshold_ 1 to their number.
    function setSigners(address[] calldata sorted, uint8 threshold_) external restricted {
        if (sorted.length > MAX_SIGNERS) revert TooManySigners(sorted.length, MAX_SIGNERS);
        if (threshold_ == 0 || threshold_ > sorted.length) revert BadThreshold(threshold_, sorted.length);
        for (uint256 i; i < _signers.length; ++i) {
            isSigner[_signers[i]] = false;
        }
        address last;
        for (uint256 i; i < sorted.length; ++i) {
            if (sorted[i] <= last) revert NotAscending(last, sorted[i]);
            last = sorted[i];
            isSigner[last] = true;
        }
        (_signers, threshold) = (sorted, threshold_);
        emit SignersSet(sorted, threshold_);
    }

    /// @notice The set, ascending.
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @notice The EIP-712 hash that signers sign.
    function hash(Slice calldata slice_) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SLICE_TYPEHASH, slice_)));
    }

    function _requireSigned(Slice calldata slice_, bytes[] calldata signatures) internal view {
        uint256 needed = threshold;
        if (needed == 0 || signatures.length < needed) revert TooFewSignatures(signatures.length, needed);
        bytes32 digest = hash(slice_);
        address last;
        for (uint256 i; i < signatures.length; ++i) {
            (address signer,,) = ECDSA.tryRecoverCalldata(digest, signatures[i]);
            if (!isSigner[signer]) revert UnknownSigner(signer);
            if (signer <= last) revert NotAscending(last, signer);
            last = signer;
        }
    }
}
