"""Logs as typed events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from evenkeel.bindings._runtime.codec import Shape, checksum
from evenkeel.bindings._runtime.errors import DecodeError
from evenkeel.bindings._runtime.known import load


@dataclass(frozen=True, slots=True)
class LogRef:
    """Where a log stands on the chain."""

    address: ChecksumAddress
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded log. `log` says where it came from; two events are equal when their fields are."""

    TOPIC: ClassVar[bytes] = b""
    INDEXED: ClassVar[str] = ""
    """Indexed parameters in Solidity terms; those of dynamic type stand as the `bytes32` hash in the topic."""
    DATA: ClassVar[str] = ""
    TYPES: ClassVar[Mapping[str, Any]] = {}

    log: LogRef | None = field(default=None, kw_only=True, compare=False, repr=False)


E = TypeVar("E", bound=Event)

_KNOWN: dict[tuple[bytes, int], type[Event]] = {}
_SHAPES: dict[type[Event], tuple[Shape, Shape]] = {}


def register_events(*classes: type[Event]) -> None:
    """Make `decode_logs` know `classes`. The first one registered for a topic and number of topics stays."""
    for cls in classes:
        topics = 1 + (cls.INDEXED.count(", ") + 1 if cls.INDEXED else 0)
        _KNOWN.setdefault((cls.TOPIC, topics), cls)


def decode_log(log: Mapping[str, Any]) -> Event | None:
    """One log, as web3 or a node gives it, as its event; None when no binding knows it."""
    topics = [bytes(HexBytes(topic)) for topic in log["topics"]]
    if not topics:
        return None
    load("events")
    cls = _KNOWN.get((topics[0], len(topics)))
    if cls is None:
        return None
    indexed, data = _shapes(cls)
    values = dict(zip(indexed.names, indexed.decode(b"".join(topics[1:])), strict=True))
    values |= dict(zip(data.names, data.decode(bytes(HexBytes(log["data"]))), strict=True))
    return cls(**values, log=_reference(log))


def _shapes(cls: type[Event]) -> tuple[Shape, Shape]:
    if cls not in _SHAPES:
        _SHAPES[cls] = (
            Shape(cls.__name__, cls.INDEXED, cls.TYPES),
            Shape(cls.__name__, cls.DATA, cls.TYPES),
        )
    return _SHAPES[cls]


def decode_logs(logs: Iterable[Mapping[str, Any]]) -> list[Event]:
    """The events among `logs`, in their order. Logs that no binding knows are left out."""
    events = []
    for log in logs:
        try:
            event = decode_log(log)
        except DecodeError:  # the same topic under another layout: not ours
            continue
        if event is not None:
            events.append(event)
    return events


def _reference(log: Mapping[str, Any]) -> LogRef:
    return LogRef(
        address=checksum(str(log["address"])),
        block_number=_number(log.get("blockNumber")),
        block_hash=bytes(HexBytes(log.get("blockHash") or b"")),
        transaction_hash=bytes(HexBytes(log.get("transactionHash") or b"")),
        index=_number(log.get("logIndex")),
    )


def _number(value: object) -> int:
    if isinstance(value, int):
        return value
    return int(value, 16) if isinstance(value, str) else 0
