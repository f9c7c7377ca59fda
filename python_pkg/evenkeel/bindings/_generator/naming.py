"""Python names for Solidity names."""

import builtins
import keyword
import re
from collections.abc import Iterable

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?:[A-Z]|$))[a-z])")
_CONTRACT_MEMBERS = frozenset({"address", "w3", "deploy"})
_ERROR_MEMBERS = frozenset({"data", "detail", "args", "cause", "with_traceback", "add_note"})
_EVENT_MEMBERS = frozenset({"log"})


def snake(name: str) -> str:
    """`maxLossPerCall` to `max_loss_per_call`; a Python keyword gets a trailing underscore."""
    plain = _BOUNDARY.sub("_", name.strip("_")).lower()
    return f"{plain}_" if keyword.iskeyword(plain) or plain == "self" else plain


def _avoid(name: str, taken: frozenset[str]) -> str:
    return f"{name}_" if name in taken else name


def function_name(name: str) -> str:
    """The method of a function."""
    return _avoid(snake(name), _CONTRACT_MEMBERS)


def error_field(name: str) -> str:
    """The attribute of an error's parameter."""
    return _avoid(snake(name), _ERROR_MEMBERS)


def event_field(name: str) -> str:
    """The field of an event's parameter."""
    return _avoid(snake(name), _EVENT_MEMBERS)


def result_field(name: str) -> str:
    """The field of a named return value; those that a tuple has of its own get a trailing underscore."""
    return _avoid(snake(name), frozenset({"count", "index"}))


def pascal(name: str) -> str:
    """`unit_health` and `unitHealth` to `UnitHealth`."""
    return "".join(part[:1].upper() + part[1:] for part in name.strip("_").split("_"))


def class_name(name: str) -> str:
    """A class name that hides no builtin."""
    return f"{name}_" if hasattr(builtins, name) else name


def distinct(names: Iterable[str]) -> list[str]:
    """`names` with a number behind the second and later of equal ones; empty ones are called by their position."""
    seen: dict[str, int] = {}
    out = []
    for index, name in enumerate(names):
        wanted = name or f"arg{index}"
        seen[wanted] = seen.get(wanted, 0) + 1
        out.append(wanted if seen[wanted] == 1 else f"{wanted}_{seen[wanted]}")
    return out
