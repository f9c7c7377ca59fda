"""A signer's part: sign slices fitted from its own data, or another signer's after comparing them with its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final, Protocol

from eth_account import Account
from eth_utils.conversions import to_bytes

from evenkeel.vol._svi import WAD
from evenkeel.vol.errors import DisagreementError
from evenkeel.vol.fitting import check_points, vol_at
from evenkeel.vol.signed_file import SignedFile, SignedSlice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress

    from evenkeel.bindings.types import Slice
    from evenkeel.chain import Rpc
    from evenkeel.vol.typed_data import Domain

TOLERANCE: Final = 0.01
"""A vol: by how much a proposal may differ from a signer's own at any check point."""
FORWARD_TOLERANCE: Final = 0.02
"""By what part of it a proposal's forward may differ from a signer's own: it decides which strikes a vol is for."""


class SliceSigner(Protocol):
    """Someone who signs slices."""

    @property
    def address(self) -> ChecksumAddress:
        """The signer's address."""

    def sign(self, domain: Domain, slice_: Slice) -> bytes:
        """Return 65 bytes (r, s, v)."""


@dataclass(frozen=True, slots=True)
class KeySliceSigner:
    """A key held in this process. It never appears in `repr`, logs or errors."""

    account: LocalAccount

    @property
    def address(self) -> ChecksumAddress:
        """See `SliceSigner`."""
        return self.account.address

    def __repr__(self) -> str:
        return f"KeySliceSigner({self.address})"

    def sign(self, domain: Domain, slice_: Slice) -> bytes:
        """See `SliceSigner`."""
        return bytes(Account.sign_message(domain.message(slice_), self.account.key).signature)


@dataclass(frozen=True, slots=True)
class NodeSliceSigner:
    """An account that a development node holds."""

    rpc: Rpc
    address: ChecksumAddress

    def sign(self, domain: Domain, slice_: Slice) -> bytes:
        """See `SliceSigner`: one request."""
        document = domain.document(slice_)
        # As text, because not every node's reader of JSON holds integers of that size.
        document["message"] = {name: str(value) for name, value in document["message"].items()}
        return to_bytes(hexstr=self.rpc.request("eth_signTypedData_v4", self.address, document))


def sign(domain: Domain, slices: Sequence[Slice], signer: SliceSigner) -> SignedFile:
    """Return `slices` with `signer`'s signatures."""
    return SignedFile(
        domain,
        tuple(SignedSlice(slice_, {signer.address: signer.sign(domain, slice_)}) for slice_ in slices),
    )


def agree(proposal: Slice, forward: int, own: tuple[Slice, Slice], tolerance: float = TOLERANCE) -> None:
    """Raise `DisagreementError` unless `proposal` is near enough to what the signer would have signed.

    `own` are two slices of the same expiry, the furthest apart that the signer would have signed since the proposal was made; its vols may lie
    anywhere between, and `tolerance` beyond. Vols a year are compared at equal strikes, at every check point of each of the three, so that
    nobody sees a part of the smile that the others do not. The proposal's forward may differ from `forward` by `FORWARD_TOLERANCE`.
    """
    if abs(log(proposal.forward / forward)) > FORWARD_TOLERANCE:
        raise DisagreementError(
            f"expiry {proposal.expiry}: the proposal's forward is {proposal.forward / WAD:.2f}, ours {forward / WAD:.2f},"
            f" more than {FORWARD_TOLERANCE:.0%} apart"
        )
    for place in (proposal, *own):
        for strike in check_points(place):
            theirs = vol_at(proposal, strike)
            low, high = sorted(vol_at(each, strike) for each in own)
            if not low - tolerance <= theirs <= high + tolerance:
                ours = low if theirs < low else high
                raise DisagreementError(
                    f"expiry {proposal.expiry}, strike {strike:.2f}: the proposal's vol is {theirs:.4f}, ours {ours:.4f},"
                    f" more than {tolerance:g} apart"
                )
