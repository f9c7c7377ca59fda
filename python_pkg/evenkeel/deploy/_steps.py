"""Two ways to walk the same steps: count their gas without sending anything, or send them, each once."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.types import Nonce, TxParams, TxReceipt
from web3.utils.address import get_create_address

from evenkeel import bindings
from evenkeel.chain.signer import Signer
from evenkeel.deploy.errors import DeploymentError
from evenkeel.deploy.record import DeploymentFile, Pending, Placed

_CREATION_GAS = 53_000
_DATA_GAS = 16
_CODE_GAS = 200
_CONSTRUCTOR_GAS = 400_000
"""Room for a constructor's own reads and writes; the adapters read their protocol and store a few slots a market."""
_CALL_GAS = 180_000
_LIMITS_GAS = 350_000
"""Eight slots of limits and a place in a list."""


C = TypeVar("C", bound=bindings.Contract)


class Walker(Protocol):
    """Something that takes the steps of a deployment in order."""

    def create(self, step: str, creation: bindings.Deployment[C]) -> C:
        """Deploy a contract and return it at its address."""

    def call(self, step: str, call: bindings.Call[Any], *, unless: Callable[[], bool] | None = None) -> None:
        """Send `call`, unless `unless()` says that it was done already."""


class Estimator:
    """Adds up the gas of the steps that are not in the file yet. Sends nothing.

    A contract that others need is not there while this runs, so gas is counted from code sizes and not asked of the node; it
    comes out higher than what is used.
    """

    def __init__(self, w3: Web3, file: DeploymentFile) -> None:
        self.gas = 0
        self.transactions = 0
        self._w3 = w3
        self._file = file
        self._nonce = int(w3.eth.get_transaction_count(file.deployer, "pending"))

    def create(self, step: str, creation: bindings.Deployment[C]) -> C:
        """See `Walker`."""
        known = self._file.placed.get(step)
        if known is not None:
            return creation.contract(known.address, self._w3)
        size = len(creation.data)
        # What stays on chain is never longer than what creates it.
        code = (_DATA_GAS + _CODE_GAS) * size + 2 * ((size + 31) // 32)
        address = get_create_address(self._file.deployer, Nonce(self._nonce))
        self._add(_CREATION_GAS + code + _CONSTRUCTOR_GAS)
        return creation.contract(address, self._w3)

    def call(
        self,
        step: str,
        call: bindings.Call[Any],
        *,
        unless: Callable[[], bool] | None = None,  # noqa: ARG002 - the walker's signature
    ) -> None:
        """See `Walker`."""
        if step not in self._file.calls:
            self._add(_LIMITS_GAS if call.function.name == "RiskGuard.setLimits" else _CALL_GAS)

    def _add(self, gas: int) -> None:
        self.gas += gas
        self.transactions += 1
        self._nonce += 1


class Sender:
    """Sends each step that is not in the file yet, waits for it, and writes the file. Raises `DeploymentError`."""

    def __init__(
        self,
        w3: Web3,
        signer: Signer,
        file: DeploymentFile,
        *,
        timeout: float,
        say: Callable[[str], None],
    ) -> None:
        self._w3 = w3
        self._signer = signer
        self._file = file
        self._timeout = timeout
        self._say = say
        self.gas_used = 0
        self.transactions = 0
        self._resume()

    def create(self, step: str, creation: bindings.Deployment[C]) -> C:
        """See `Walker`."""
        known = self._file.placed.get(step)
        if known is not None:
            return creation.contract(known.address, self._w3)
        nonce = self._w3.eth.get_transaction_count(self._signer.address, "pending")
        address = get_create_address(self._signer.address, nonce)
        name = creation.contract.__name__
        self._file.pending = Pending(step, name, address, nonce)
        self._file.save()
        receipt = self._send(step, {"data": HexBytes(creation.data), "nonce": nonce})
        self._place(step, name, address, receipt["transactionHash"].to_0x_hex(), receipt["blockNumber"])
        self._say(f"{step}: {name} at {address}")
        return creation.contract(address, self._w3)

    def call(self, step: str, call: bindings.Call[Any], *, unless: Callable[[], bool] | None = None) -> None:
        """See `Walker`."""
        if step in self._file.calls:
            return
        if unless is not None and unless():
            self._file.calls[step] = ""
        else:
            receipt = self._send(step, {"to": call.to, "data": HexBytes(call.data)})
            self._file.calls[step] = receipt["transactionHash"].to_0x_hex()
            self._say(f"{step}: done")
        self._file.save()

    def _send(self, step: str, tx: TxParams) -> TxReceipt:
        try:
            sent = self._signer.send(self._w3, tx)
            receipt = self._w3.eth.wait_for_transaction_receipt(sent, timeout=self._timeout, poll_latency=0.1)
        except Exception as error:
            raise DeploymentError(f"{step}: {error}") from error
        if receipt["status"] != 1:
            raise DeploymentError(f"{step}: reverted in {sent.to_0x_hex()}")
        self.gas_used += receipt["gasUsed"]
        self.transactions += 1
        return receipt

    def _place(self, step: str, contract: str, address: ChecksumAddress, tx: str, block: int) -> None:
        self._file.placed[step] = Placed(contract, address, tx, block)
        self._file.pending = None
        self._file.save()

    def _resume(self) -> None:
        """Find out whether a creation that an earlier run was about to send was mined after all."""
        waiting = self._file.pending
        if waiting is None:
            return
        mined = self._w3.eth.get_transaction_count(self._signer.address)
        queued = self._w3.eth.get_transaction_count(self._signer.address, "pending")
        if self._w3.eth.get_code(waiting.address):
            self._place(waiting.step, waiting.contract, waiting.address, "", self._w3.eth.block_number)
        elif queued > waiting.nonce >= mined:
            raise DeploymentError(
                f"{waiting.step}: a transaction sent earlier is still waiting to be mined; try again then"
            )
        else:
            self._file.pending = None
            self._file.save()
