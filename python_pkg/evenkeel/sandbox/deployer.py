"""Deploy contracts step by step over any Web3 and account, with no cheat codes, so that a stopped run can go on.

A step has a name. What was sent for it is recorded before it goes on the wire, so a rerun that meets the same step answers
from the record: nothing is deployed twice. Transactions are sent without waiting; nonces are counted here; receipts are
asked for when a read, a wait or the end needs them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3RPCError
from web3.types import Nonce, TxParams, Wei
from web3.utils.address import get_create_address

from evenkeel.chain.signer import Signer
from evenkeel.sandbox.artifacts import Artifact, hardhat
from evenkeel.sandbox.errors import DeployError, WaitUntilError
from evenkeel.sandbox.record import Record, Step

CALL_GAS = 2_500_000
"""Gas limit of a call where the step names none: a limit estimated against transactions still pending is not one."""

_IN_FLIGHT = 16
"""Transactions sent before the first receipt is asked for; nodes hold few of one account."""


class Deployer:
    """A deployment in progress.

    `signer` owns what is deployed. `record` is the file that a rerun continues from (None: in memory only). `warp(t)` is for
    local chains: it makes the chain's time `t`; without it, `wait_until` raises `WaitUntilError` and the run is to
    be repeated then. `timeout` is how many seconds a transaction may take to be mined.
    """

    def __init__(
        self,
        w3: Web3,
        signer: Signer,
        *,
        record: Path | None = None,
        warp: Callable[[int], None] | None = None,
        timeout: float = 600,
    ) -> None:
        self.w3 = w3
        self.signer = signer
        self._warp = warp
        self._timeout = timeout
        self._nonces: dict[ChecksumAddress, int] = {}
        self._pending: list[Step] = []
        self._record = Record(record, chain_id=w3.eth.chain_id, account=signer.address, genesis=_genesis(w3))
        for step in self._record.unsettled():
            self._settle(step)

    @property
    def account(self) -> ChecksumAddress:
        """The address that deploys and owns."""
        return self.signer.address

    @property
    def erc20(self) -> Artifact:
        """An ERC-20's ABI: transfer, approve, balanceOf and the rest."""
        return hardhat("aave-core-v3", "mocks/tokens/MintableERC20.sol")

    @property
    def sent(self) -> int:
        """How many transactions this run has sent."""
        return self._record.sent

    def nonce(self, signer: Signer | None = None) -> int:
        """Return the nonce that the next transaction of `signer` (default: the deployer's) will take."""
        address = (signer or self.signer).address
        if address not in self._nonces:
            mined = self.w3.eth.get_transaction_count(address)
            waiting = [step.nonce + 1 for step in self._pending if step.sender == address]
            self._nonces[address] = max([mined, *waiting])
        return self._nonces[address]

    def deploy(
        self,
        step: str,
        artifact: Artifact,
        *args: Any,
        libraries: Mapping[str, str] | None = None,
        gas: int | None = None,
    ) -> ChecksumAddress:
        """Deploy `artifact` once and return its address. Not waited for. Raises `ArtifactError`, `DeployError`."""
        known = self._record.get(step)
        if known is not None and known.address is not None:
            return known.address
        data = artifact.initcode(*args, libraries=libraries)
        address = get_create_address(self.account, Nonce(self.nonce()))
        # Creation, calldata and 200 gas a byte of code, with room for what a constructor writes.
        limit = gas or 900_000 + 230 * len(data)
        self._send(step, self.signer, {"data": data, "gas": limit, "value": Wei(0)}, address)
        return address

    def send(
        self,
        step: str,
        to: ChecksumAddress,
        artifact: Artifact,
        function: str,
        *args: Any,
        value: int = 0,
        gas: int = CALL_GAS,
        signer: Signer | None = None,
    ) -> None:
        """Send one call once, from `signer` (default: the deployer's). Not waited for.

        A revert is raised as `DeployError` by the next `call`, `mined_at`, `wait_until` or `flush`.
        """
        if self._record.get(step) is None:
            data = artifact.encode(function, *args)
            tx: TxParams = {"to": to, "data": data, "gas": gas, "value": Wei(value)}
            self._send(step, signer or self.signer, tx, None)

    def call(self, to: ChecksumAddress, artifact: Artifact, function: str, *args: Any) -> Any:
        """Read from a contract after everything sent is mined; see `Artifact.decode` for the shape."""
        self.flush()
        tx: TxParams = {"to": to, "from": self.account, "data": artifact.encode(function, *args)}
        try:
            answer = self.w3.eth.call(tx)
        except (ContractLogicError, Web3RPCError) as error:
            raise DeployError(f"{artifact.name}.{function}: {error}") from error
        return artifact.decode(function, bytes(answer))

    def mined_at(self, step: str) -> int:
        """Return the time (unix seconds) of the block that holds `step`'s transaction."""
        self.flush()
        known = self._record.get(step)
        if known is None or known.block is None:
            raise DeployError(f"{step}: nothing was sent under this name")
        return int(self.w3.eth.get_block(known.block)["timestamp"])

    def now(self) -> int:
        """Return the time of the latest block, unix seconds."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def once(self, name: str, value: int) -> int:
        """Return what was recorded under `name`; the first time, record `value`. Keeps choices the same in a rerun."""
        return self._record.remember(name, value)

    def done(self, name: str) -> bool:
        """Whether `once` was called with `name`, in this run or an earlier one."""
        return self._record.remembers(name)

    def wait_until(self, timestamp: int) -> None:
        """Go on once the chain's time is `timestamp`; raise `WaitUntilError` where it is not and cannot be made so."""
        self.flush()
        if self.now() >= timestamp:
            return
        if self._warp is None:
            raise WaitUntilError(timestamp)
        self._warp(timestamp)

    def flush(self) -> None:
        """Wait until everything sent is mined. Raises `DeployError` for the first that failed."""
        while self._pending:
            self._confirm(self._pending.pop(0))

    def _send(self, name: str, signer: Signer, tx: TxParams, address: ChecksumAddress | None) -> None:
        nonce = self.nonce(signer)
        step = Step(name=name, sender=signer.address, nonce=nonce, address=address)
        self._record.put(step)
        try:
            sent = replace(step, hash=Web3.to_hex(signer.send(self.w3, {**tx, "nonce": Nonce(nonce)})))
        except Exception as error:
            raise DeployError(f"{name}: could not be sent: {error}") from error
        self._record.put(sent)
        self._record.sent += 1
        self._nonces[signer.address] = nonce + 1
        self._pending.append(sent)
        if len(self._pending) >= _IN_FLIGHT:
            self._confirm(self._pending.pop(0))

    def _confirm(self, step: Step) -> None:
        receipt = self.w3.eth.wait_for_transaction_receipt(
            _bytes(step.hash), timeout=self._timeout, poll_latency=0.1
        )
        if receipt["status"] != 1:
            self._record.drop(step.name)
            raise DeployError(f"{step.name}: reverted: {self._reason(step, int(receipt['blockNumber']))}")
        self._record.put(replace(step, block=int(receipt["blockNumber"])))

    def _reason(self, step: Step, block: int) -> str:
        tx = self.w3.eth.get_transaction(_bytes(step.hash))
        again: TxParams = {"from": tx["from"], "data": tx["input"], "gas": tx["gas"], "value": tx["value"]}
        if tx.get("to"):
            again["to"] = tx["to"]
        try:
            self.w3.eth.call(again, block - 1)
        except (ContractLogicError, Web3RPCError) as error:
            return str(error.args[0] if error.args else error)
        return "no reason given; it may have run out of gas"

    def _settle(self, step: Step) -> None:
        """Find out what became of a transaction that an earlier run sent, or was about to send."""
        if self.w3.eth.get_transaction_count(step.sender) > step.nonce:
            found = step if step.hash else self._find(step)
        else:
            found = step if step.hash and self._waiting(step) else None
        if found is None:
            self._record.drop(step.name)
        else:
            self._pending.append(found)

    def _waiting(self, step: Step) -> bool:
        try:
            self.w3.eth.get_transaction(_bytes(step.hash))
        except TransactionNotFound:
            return False
        return True

    def _find(self, step: Step) -> Step | None:
        """Find the mined transaction of `step` by sender and nonce: bisect for its block, then look into it."""
        low, high = 0, int(self.w3.eth.block_number)
        while low < high:
            middle = (low + high) // 2
            if self.w3.eth.get_transaction_count(step.sender, middle) > step.nonce:
                high = middle
            else:
                low = middle + 1
        for tx in self.w3.eth.get_block(low, full_transactions=True)["transactions"]:
            if isinstance(tx, Mapping) and tx["from"] == step.sender and tx["nonce"] == step.nonce:
                return replace(step, hash=Web3.to_hex(tx["hash"]))
        return None


def _genesis(w3: Web3) -> str:
    return Web3.to_hex(w3.eth.get_block(0)["hash"])


def _bytes(text: str | None) -> HexBytes:
    return HexBytes(text or "")
