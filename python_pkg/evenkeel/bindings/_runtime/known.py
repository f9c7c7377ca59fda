"""Import the generated modules that tell `decode_error` and `decode_logs` what they know."""

import importlib
from functools import cache

_PACKAGES = ("evenkeel.bindings", "evenkeel.bindings.external")


@cache
def load(kind: str) -> None:
    """Import the "errors" or "events" of our bindings and, where they were generated, of third parties'."""
    for package in _PACKAGES:
        module = f"{package}.{kind}"
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as missing:
            if missing.name is None or not module.startswith(missing.name):
                raise
