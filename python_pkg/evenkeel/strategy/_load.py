"""Reading a mandate, with errors that name the field."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from evenkeel.strategy._mandate import Mandate
from evenkeel.strategy.errors import MandateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

_EXPECTED = {
    "missing": "expected a value, the field is missing",
    "extra_forbidden": "unknown field",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "string_type": "expected text",
    "tuple_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "too_short": "expected at least one entry",
}


def load_mandate(path: Path) -> Mandate:
    """Read a TOML mandate.

    Raises `MandateError`, one line naming the file and the field, line or system error.
    """
    try:
        raw = tomllib.loads(path.read_text())
    except OSError as error:
        raise MandateError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MandateError(f"{path}: not TOML: {error}") from error
    try:
        return parse_mandate(raw)
    except MandateError as error:
        raise MandateError(f"{path}: {error}") from error


def parse_mandate(raw: Mapping[str, Any]) -> Mandate:
    """Check a mandate given as plain values; `MandateError` with one line such as `delta_usd.limit: expected ..., got 5`."""
    try:
        return Mandate.model_validate(raw)
    except ValidationError as error:
        found = error.errors()
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise MandateError(_line(found[0]) + more) from error


def _line(error: ErrorDetails) -> str:
    field = ".".join(str(part) for part in error["loc"])
    text = _EXPECTED.get(error["type"], error["msg"].removeprefix("Value error, "))
    given = error["input"]
    if error["type"] in ("missing", "extra_forbidden") or isinstance(given, dict):
        return f"{field}: {text}"
    return f"{field}: {text}, got {given!r}".replace("\n", " ")
