"""Who sends a transaction: a local key, an account that the node holds, or anything with the same two members."""

from dataclasses import dataclass
from typing import Any, Protocol, cast

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.types import TxParams

GAS_MARGIN = 1.5
"""An estimate's multiple that a transaction is given. The vault catches reads that fail, out of gas included, so the least gas
with which a call succeeds is not always the gas with which it does what was meant."""
GAS_CEILING = 1 << 24
"""The most gas that one transaction may have (EIP-7825); a margin never goes beyond it."""


class Signer(Protocol):
    """An account that can put a transaction on the wire."""

    @property
    def address(self) -> ChecksumAddress:
        """The checksummed sender."""

    def send(self, w3: Web3, tx: TxParams) -> HexBytes:
        """Send `tx` (`to`, `data`, `value`, `gas` as wanted; the rest is filled in) and return its hash."""


@dataclass(frozen=True, slots=True)
class NodeSigner:
    """An account unlocked on the node itself, as on a local chain."""

    address: ChecksumAddress

    def send(self, w3: Web3, tx: TxParams) -> HexBytes:
        """See `Signer.send`."""
        full: TxParams = {**tx, "from": self.address}
        if "gas" not in full:
            full["gas"] = _gas(w3, full)
        return HexBytes(w3.eth.send_transaction(full))


@dataclass(frozen=True, slots=True)
class LocalSigner:
    """A key held in this process. It never appears in `repr`, logs or errors."""

    account: LocalAccount

    @property
    def address(self) -> ChecksumAddress:
        """The checksummed sender."""
        return self.account.address

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def send(self, w3: Web3, tx: TxParams) -> HexBytes:
        """See `Signer.send`. Fees are EIP-1559: twice the base fee plus the node's suggested tip."""
        full: TxParams = {**tx, "from": self.address, "chainId": w3.eth.chain_id}
        if "nonce" not in full:
            full["nonce"] = w3.eth.get_transaction_count(self.address, "pending")
        if "maxFeePerGas" not in full:
            tip = full.setdefault("maxPriorityFeePerGas", w3.eth.max_priority_fee)
            base = w3.eth.get_block("latest")["baseFeePerGas"]
            full["maxFeePerGas"] = w3.to_wei(2 * base + int(tip), "wei")
        if "gas" not in full:
            full["gas"] = _gas(w3, full)
        signed = self.account.sign_transaction(cast("dict[str, Any]", full))
        return HexBytes(w3.eth.send_raw_transaction(signed.raw_transaction))


def _gas(w3: Web3, tx: TxParams) -> int:
    estimate = w3.eth.estimate_gas(tx)
    return max(estimate, min(int(estimate * GAS_MARGIN), GAS_CEILING))
