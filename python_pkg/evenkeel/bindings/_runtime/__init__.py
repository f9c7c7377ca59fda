"""What generated bindings stand on."""

from evenkeel.bindings._runtime.batch import batch, try_batch
from evenkeel.bindings._runtime.call import Call, Contract, Function
from evenkeel.bindings._runtime.deployment import Constructor, Deployment
from evenkeel.bindings._runtime.errors import (
    ArgumentError,
    ArtifactError,
    BindingError,
    ContractError,
    DecodeError,
    NoAnswerError,
    Panic,
    RevertReason,
    RpcError,
    UnknownBlockError,
    decode_error,
    register_errors,
)
from evenkeel.bindings._runtime.events import Event, LogRef, decode_log, decode_logs, register_events
from evenkeel.bindings._runtime.send import Receipt

__all__ = [
    "ArgumentError",
    "ArtifactError",
    "BindingError",
    "Call",
    "Constructor",
    "Contract",
    "ContractError",
    "DecodeError",
    "Deployment",
    "Event",
    "Function",
    "LogRef",
    "NoAnswerError",
    "Panic",
    "Receipt",
    "RevertReason",
    "RpcError",
    "UnknownBlockError",
    "batch",
    "decode_error",
    "decode_log",
    "decode_logs",
    "register_errors",
    "register_events",
    "try_batch",
]
