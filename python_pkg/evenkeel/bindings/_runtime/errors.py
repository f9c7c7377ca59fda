"""What a binding raises: wrong arguments, a node's refusal, undecodable data, and contracts' own errors as types."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

from evenkeel._errors import EvenkeelError
from evenkeel.bindings._runtime.known import load

if TYPE_CHECKING:
    from collections.abc import Mapping


class BindingError(EvenkeelError):
    """Anything a binding raises."""


class ArgumentError(BindingError):
    """An argument does not fit its Solidity type; nothing was sent. The text names the argument."""


class DecodeError(BindingError):
    """Bytes from the chain are not what the ABI says."""


class ArtifactError(BindingError):
    """A compiled artifact is missing or cannot be used."""


class RpcError(BindingError):
    """The node refused a request for a reason that is not the contract's."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class UnknownBlockError(RpcError):
    """The node does not know the block asked for, or no longer counts it canonical. Worth a retry."""


class NoAnswerError(RpcError):
    """The node did not answer, or not in JSON-RPC. The text leaves out its URL, which may hold a key."""


class ContractError(BindingError):
    """A contract reverted. Subclasses carry the fields of one Solidity error; this class itself an unknown one.

    `data` is the raw revert data, selector included; `detail` the node's own words where there is no data.
    """

    SELECTOR: ClassVar[bytes] = b""
    FIELDS: ClassVar[str] = ""
    """The error's parameters in Solidity terms under Python names: `"address venue, uint256 index"`."""
    TYPES: ClassVar[Mapping[str, Any]] = {}
    """Where the struct and enum names of `FIELDS` are looked up."""

    def __init__(self, data: bytes = b"", detail: str = "") -> None:
        super().__init__(data, detail)
        self.data = data
        self.detail = detail
        self._shown: tuple[tuple[str, Any], ...] = ()
        if self.FIELDS:
            self._read_fields()

    def _read_fields(self) -> None:
        from evenkeel.bindings._runtime.codec import Shape  # noqa: PLC0415 - codec raises errors of this module

        shape = Shape(type(self).__name__, self.FIELDS, self.TYPES)
        values = shape.decode(self.data[4:])
        self._shown = tuple(zip(shape.names, values, strict=True))
        for name, value in self._shown:
            setattr(self, name, value)

    @property
    def cause(self) -> ContractError | None:
        """The error that this one carries as `bytes`, decoded; None when it carries none."""
        for _, value in self._shown:
            if isinstance(value, bytes) and len(value) >= 4 and len(value) % 32 == 4:
                return decode_error(value)
        return None

    @property
    def values(self) -> dict[str, Any]:
        """The error's parameters by name."""
        return dict(self._shown)

    def __str__(self) -> str:
        if type(self) is ContractError:
            if self.data:
                return f"reverted with an error unknown to the bindings: 0x{self.data.hex()}"
            return f"reverted without a reason{f' ({self.detail})' if self.detail else ''}"
        cause = self.cause
        parts = []
        for name, value in self._shown:
            if isinstance(value, bytes):
                text = str(cause) if cause is not None and value == cause.data else f"0x{value.hex()}"
            else:
                text = value.name if isinstance(value, IntEnum) else str(value)
            parts.append(f"{name}={text}")
        return f"{type(self).__name__}({', '.join(parts)})"


class RevertReason(ContractError):
    """`require(condition, "reason")`."""

    SELECTOR = bytes.fromhex("08c379a0")
    FIELDS = "string reason"
    reason: str

    def __str__(self) -> str:
        return f"reverted: {self.reason}"


_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value outside an enum",
    0x22: "storage byte array badly encoded",
    0x31: "pop from an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory allocated",
    0x51: "call of a zero function pointer",
}


class Panic(ContractError):
    """The compiler's own check failed."""

    SELECTOR = bytes.fromhex("4e487b71")
    FIELDS = "uint256 code"
    code: int

    def __str__(self) -> str:
        return f"Panic(0x{self.code:02x}): {_PANICS.get(self.code, 'unknown code')}"


_KNOWN: dict[bytes, type[ContractError]] = {RevertReason.SELECTOR: RevertReason, Panic.SELECTOR: Panic}


def register_errors(*classes: type[ContractError]) -> None:
    """Make `decode_error` know `classes`. The first one registered for a selector stays."""
    for cls in classes:
        _KNOWN.setdefault(cls.SELECTOR, cls)


def decode_error(data: bytes, detail: str = "") -> ContractError:
    """Revert data as a typed error; a plain `ContractError` that keeps `data` when no binding knows its selector."""
    selector = data[:4]
    if selector not in _KNOWN:
        load("errors")
    cls = _KNOWN.get(selector, ContractError)
    try:
        return cls(data, detail)
    except DecodeError:
        return ContractError(data, detail)
