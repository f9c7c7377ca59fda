"""A function call as a value: read it now, put it in a batch, send it, or nest its calldata in another call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eth_typing import ChecksumAddress

from evenkeel.bindings._runtime.codec import Shape, check_address
from evenkeel.bindings._runtime.errors import ArgumentError, DecodeError
from evenkeel.bindings._runtime.rpc import Block, block_parameter, request

if TYPE_CHECKING:
    from web3 import Web3

    from evenkeel.bindings._runtime.send import Receipt
    from evenkeel.chain.signer import Signer

R = TypeVar("R")


class Function(Generic[R]):
    """One function of an ABI, its types resolved at first use.

    `inputs` and `outputs` are lists of Solidity types with Python names; struct and enum names are looked up in `types`.
    Several outputs become a `result` when it is given, else a tuple; none become None.
    """

    def __init__(
        self,
        name: str,
        selector: str,
        inputs: str,
        outputs: str,
        types: Mapping[str, Any],
        *,
        view: bool,
        result: type[Any] | None = None,
    ) -> None:
        self.name = name
        self.selector = bytes.fromhex(selector)
        self.view = view
        self._inputs_text = inputs
        self._outputs_text = outputs
        self._types = types
        self._result = result

    @cached_property
    def _inputs(self) -> Shape:
        return Shape(self.name, self._inputs_text, self._types)

    @cached_property
    def _outputs(self) -> Shape:
        return Shape(f"{self.name} result", self._outputs_text, self._types)

    def encode(self, arguments: tuple[Any, ...]) -> bytes:
        """Calldata. Raises `ArgumentError`."""
        return self.selector + self._inputs.encode(arguments)

    def decode(self, data: bytes) -> Any:
        """Return data as an R. Raises `DecodeError`."""
        if not self._outputs_text:
            return None
        if not data:
            raise DecodeError(
                f"{self.name}: no data came back; is there such a contract at that address and block?"
            )
        values = self._outputs.decode(data)
        if len(values) == 1:
            return values[0]
        return self._result(*values) if self._result is not None else tuple(values)


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """One call of one function of one contract.

    `to`, `data` and `value` are what goes on the wire. Two calls are equal when those are.
    """

    to: ChecksumAddress
    data: bytes
    value: int = 0
    function: Function[R] = field(kw_only=True, repr=False, compare=False)
    w3: Web3 = field(kw_only=True, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Call({self.function.name} at {self.to}, {len(self.data)} bytes, value {self.value})"

    def paying(self, value: int) -> Call[R]:
        """The same call with `value` wei attached."""
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ArgumentError(f"value: expected wei as an int of at least 0, got {value!r}")
        return replace(self, value=value)

    def parameters(self, sender: str | None = None, gas: int | None = None) -> dict[str, Any]:
        """The transaction object of an `eth_call`."""
        tx: dict[str, Any] = {"to": self.to, "data": f"0x{self.data.hex()}"}
        if sender is not None:
            tx["from"] = check_address(sender, "sender")
        if self.value:
            tx["value"] = hex(self.value)
        if gas is not None:
            tx["gas"] = hex(gas)
        return tx

    def read(self, block: Block = "latest", sender: str | None = None, gas: int | None = None) -> R:
        """What the call returns at `block`: one request, nothing is sent.

        Raises `ContractError` (typed) when it reverts, `UnknownBlockError` and `RpcError` for the node's own refusals.
        """
        answer = request(self.w3, "eth_call", [self.parameters(sender, gas), block_parameter(block)])
        return self.decode(bytes.fromhex(answer[2:]))

    def simulate(self, sender: str, block: Block = "latest", gas: int | None = None) -> R:
        """What the call would return if `sender` sent it on top of `block`. Raises as `read`."""
        return self.read(block, sender, gas)

    def decode(self, data: bytes) -> R:
        """`data`, returned by this call in whatever way it was made, as an R."""
        decoded: R = self.function.decode(data)
        return decoded

    def send(self, signer: Signer, *, timeout: float = 120.0, **tx: Any) -> Receipt:
        """Sign, send and wait until it is mined; `tx` overrides fields such as `gas` or `nonce`.

        Raises `ContractError` (typed) when it reverts, be it at gas estimation or mined, and `BindingError` when it is
        not mined within `timeout` seconds.
        """
        from evenkeel.bindings._runtime.send import send  # noqa: PLC0415 - readers need none of it

        return send(self.w3, signer, {"to": self.to, "data": self.data, "value": self.value, **tx}, timeout)


class Contract:
    """A contract at an address, reached through `w3`. Generated subclasses have a method a function."""

    __slots__ = ("address", "w3")

    def __init__(self, address: str, w3: Web3) -> None:
        self.address: ChecksumAddress = check_address(address, type(self).__name__)
        self.w3 = w3

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.address == getattr(other, "address", None)

    def __hash__(self) -> int:
        return hash((type(self), self.address))

    def _call(self, function: Function[R], *arguments: Any) -> Call[R]:
        return Call(self.address, function.encode(arguments), function=function, w3=self.w3)
