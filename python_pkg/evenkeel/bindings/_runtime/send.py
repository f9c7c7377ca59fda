"""Send a transaction and wait for it; a revert becomes the contract's own typed error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from eth_typing import ChecksumAddress
from web3.exceptions import ContractLogicError, TimeExhausted, Web3RPCError

from evenkeel.bindings._runtime.errors import BindingError, ContractError, decode_error
from evenkeel.bindings._runtime.events import Event, decode_logs
from evenkeel.bindings._runtime.rpc import answering, request, revert_data, rpc_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web3 import Web3
    from web3.types import TxParams

    from evenkeel.chain.signer import Signer

E = TypeVar("E", bound=Event)

_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that did not revert."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    effective_gas_price: int
    contract_address: ChecksumAddress | None
    events: tuple[Event, ...]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    def event(self, kind: type[E]) -> E:
        """The one event of `kind`. Raises `BindingError` unless there is exactly one."""
        found = [event for event in self.events if isinstance(event, kind)]
        if len(found) != 1:
            raise BindingError(
                f"0x{self.transaction_hash.hex()} logged {len(found)} {kind.__name__}, not one"
            )
        return found[0]


def send(w3: Web3, signer: Signer, tx: dict[str, Any], timeout: float) -> Receipt:
    """Send `tx`, wait until it is mined, and return its receipt. Raises as `Call.send`."""
    try:
        with answering("sending"):
            sent = signer.send(w3, cast("TxParams", tx))
    except ContractLogicError as error:
        raise decode_error(revert_data(error.data) or b"", str(error.message)) from error
    except Web3RPCError as error:
        raise rpc_error((error.rpc_response or {}).get("error", error.message)) from error
    try:
        with answering(f"the receipt of 0x{sent.hex()}"):
            raw = cast("dict[str, Any]", w3.eth.wait_for_transaction_receipt(sent, timeout, _POLL))
    except TimeExhausted as error:
        raise BindingError(f"transaction 0x{sent.hex()} was not mined within {timeout:g} s") from error
    if raw["status"] == 0:
        raise revert_of(w3, raw)
    return Receipt(
        transaction_hash=bytes(raw["transactionHash"]),
        block_number=raw["blockNumber"],
        block_hash=bytes(raw["blockHash"]),
        gas_used=raw["gasUsed"],
        effective_gas_price=raw["effectiveGasPrice"],
        contract_address=raw["contractAddress"],
        events=tuple(decode_logs(raw["logs"])),
        raw=raw,
    )


def revert_of(w3: Web3, receipt: Mapping[str, Any]) -> ContractError:
    """Why a mined transaction with status 0 reverted, from simulating it on its parent block.

    Earlier transactions of its own block are not replayed: when they decided it, the simulation may pass, and the error
    says no more than that.
    """
    sent = cast("dict[str, Any]", w3.eth.get_transaction(receipt["transactionHash"]))
    tx = {
        "from": sent["from"],
        "data": f"0x{bytes(sent['input']).hex()}",
        "value": hex(sent["value"]),
        "gas": hex(sent["gas"]),
    }
    if sent.get("to"):
        tx["to"] = sent["to"]
    where = f"transaction 0x{bytes(receipt['transactionHash']).hex()}"
    try:
        request(w3, "eth_call", [tx, hex(receipt["blockNumber"] - 1)])
    except ContractError as error:
        error.add_note(where)
        return error
    return ContractError(b"", f"{where}; it passes on its parent block")
