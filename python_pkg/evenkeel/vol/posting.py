"""The poster's part: collect signed files, check every signature as the oracle will, and order them for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.vol.errors import SignatureError, SignedFileError
from evenkeel.vol.typed_data import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eth_typing import ChecksumAddress

    from evenkeel.bindings.types import Slice
    from evenkeel.vol.oracle import SignerSet
    from evenkeel.vol.signed_file import SignedFile
    from evenkeel.vol.typed_data import Domain


@dataclass(frozen=True, slots=True)
class Ready:
    """A slice with as many signatures as the oracle wants, in ascending order of their signers."""

    slice_: Slice
    signatures: tuple[bytes, ...]


def collect(files: Mapping[str, SignedFile], domain: Domain, signers: SignerSet) -> list[Ready]:
    """Return what the files' signatures make ready to post.

    `files` are by their names, which errors cite. Raises `SignedFileError` where a file is for another oracle or two hold different
    slices of one expiry, and `SignatureError` where a signature is not its signer's, a signer is not the oracle's, one signed in
    two files, or a slice has fewer signatures than the oracle wants.
    """
    found: dict[tuple[str, int], tuple[str, Slice, dict[ChecksumAddress, bytes]]] = {}
    for name, file in files.items():
        same_oracle(name, file.domain, domain)
        for signed in file.slices:
            slice_ = signed.slice_
            first, kept, by = found.setdefault((slice_.underlying, slice_.expiry), (name, slice_, {}))
            _same_slice(first, kept, name, slice_)
            for signer, signature in signed.signatures.items():
                _genuine(f"{name}, expiry {slice_.expiry}", domain, slice_, signer, signature)
                if signer not in signers.members:
                    raise SignatureError(
                        f"{name}: {signer} is not one of the oracle's {len(signers.members)} signers"
                    )
                if signer in by:
                    raise SignatureError(f"{name}: {signer} has signed expiry {slice_.expiry} already")
                by[signer] = signature
    return [_ready(slice_, by, signers) for _, slice_, by in found.values()]


def same_oracle(name: str, theirs: Domain, ours: Domain) -> None:
    """Raise `SignedFileError` where the file `name` is signed for another oracle than ours."""
    if theirs.chain_id != ours.chain_id:
        raise SignedFileError(
            f"{name}: signed for chain {theirs.chain_id}, but this is chain {ours.chain_id}"
        )
    if theirs.contract != ours.contract:
        raise SignedFileError(
            f"{name}: signed for the oracle {theirs.contract}, but this one is {ours.contract}"
        )


def _same_slice(first: str, kept: Slice, name: str, slice_: Slice) -> None:
    for field, _ in FIELDS:
        before, now = getattr(kept, field), getattr(slice_, field)
        if before != now:
            raise SignedFileError(
                f"{name}: another slice of expiry {kept.expiry} than in {first}: {field} {now}, not {before}"
            )


def _genuine(where: str, domain: Domain, slice_: Slice, signer: ChecksumAddress, signature: bytes) -> None:
    try:
        real = domain.signer(slice_, signature)
    except SignatureError as error:
        raise SignatureError(f"{where}: {error}") from None
    if real != signer:
        raise SignatureError(f"{where}: the signature of {signer} is by {real} or of another slice")


def _ready(slice_: Slice, by: Mapping[ChecksumAddress, bytes], signers: SignerSet) -> Ready:
    if len(by) < signers.threshold:
        raise SignatureError(
            f"expiry {slice_.expiry}: {len(by)} signatures, the oracle wants {signers.threshold}"
        )
    order: Sequence[ChecksumAddress] = sorted(by, key=lambda signer: int(signer, 16))
    return Ready(slice_, tuple(by[signer] for signer in order[: signers.threshold]))
