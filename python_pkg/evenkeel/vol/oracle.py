"""A `VolOracle` as it stands at one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from evenkeel.bindings import VolOracle, batch
from evenkeel.vol.checks import Book, Standing, Terms
from evenkeel.vol.typed_data import Domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_typing import ChecksumAddress
    from web3 import Web3

    from evenkeel.bindings import Call
    from evenkeel.chain import BlockRef


@dataclass(frozen=True, slots=True)
class SignerSet:
    """Who may sign, and how many must."""

    members: tuple[ChecksumAddress, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class OracleView:
    """An oracle at one block: the domain that is signed in, its signers, and what it holds of one underlying."""

    domain: Domain
    signers: SignerSet
    book: Book


def read_oracle(
    w3: Web3, chain_id: int, address: ChecksumAddress, underlying: str, at: BlockRef
) -> OracleView:
    """Read the oracle at `address` at block `at`: two requests."""
    oracle = VolOracle(address, w3)
    calls: list[Call[Any]] = [
        oracle.half_width(),
        oracle.max_move_per_hour(),
        oracle.max_age(),
        oracle.max_sign_age(),
        oracle.signers(),
        oracle.threshold(),
        oracle.expiries(underlying),
    ]
    *terms, signers, threshold, expiries = batch(w3, calls, at.hash)
    slices = batch(
        w3, [oracle.slice(underlying, expiry) for expiry in cast("Sequence[int]", expiries)], at.hash
    )
    standing = tuple(Standing(slice_, posted_at) for slice_, posted_at in slices)
    return OracleView(
        Domain(chain_id, address),
        SignerSet(tuple(signers), threshold),
        Book(Terms(*terms), at.timestamp, standing),
    )
