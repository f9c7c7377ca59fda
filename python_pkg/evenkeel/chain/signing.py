"""Turning a transaction into bytes that can be stored before they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from eth_utils.crypto import keccak

from evenkeel._errors import InputError
from evenkeel.chain.errors import RpcError
from evenkeel.chain.rpc import checksummed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress

    from evenkeel.chain.rpc import Rpc

LOCAL_CHAINS = frozenset({31337, 1337})
"""Chain ids of development nodes, where an account may be unlocked on the node."""


class RawSigner(Protocol):
    """An account that signs without sending."""

    @property
    def address(self) -> ChecksumAddress:
        """The checksummed sender."""

    def sign(self, tx: Mapping[str, Any]) -> bytes:
        """Return the signed bytes of a complete EIP-1559 transaction (ints, bytes and 0x strings)."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A key held in this process. It never appears in `repr`, logs or errors. One signature takes about 6 ms."""

    account: LocalAccount

    @property
    def address(self) -> ChecksumAddress:
        """The checksummed sender."""
        return self.account.address

    def __repr__(self) -> str:
        return f"KeySigner({self.address})"

    def sign(self, tx: Mapping[str, Any]) -> bytes:
        """See `RawSigner.sign`."""
        plain = {key: value for key, value in tx.items() if key != "from"}
        return bytes(self.account.sign_transaction(plain).raw_transaction)


@dataclass(frozen=True, slots=True)
class UnlockedSigner:
    """An account that a development node holds. Create with `unlocked`."""

    rpc: Rpc
    address: ChecksumAddress

    def sign(self, tx: Mapping[str, Any]) -> bytes:
        """See `RawSigner.sign`: one request."""
        try:
            return self.rpc.sign(tx)
        except RpcError as error:
            raise InputError(f"the node cannot sign for {self.address}: {error.message}") from None


def unlocked(rpc: Rpc, chain_id: int, address: str) -> UnlockedSigner:
    """Return a signer for an account of the node. Raises InputError on any chain that is not a local one."""
    if chain_id not in LOCAL_CHAINS:
        raise InputError(
            f"unlocked account: only on a local chain ({sorted(LOCAL_CHAINS)}), not on chain {chain_id}"
        )
    try:
        return UnlockedSigner(rpc, checksummed(address))
    except ValueError:
        raise InputError(f"unlocked account: {address} is not an address") from None


def transaction_hash(raw: bytes) -> str:
    """Return the 0x-prefixed hash that signed bytes will have on chain."""
    return "0x" + keccak(raw).hex()
