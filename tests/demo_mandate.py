"""The demo's mandate as plain values, for tests to bend."""

import tomllib
from pathlib import Path

DEMO = Path(__file__).parents[1] / "examples" / "demo.toml"


def raw(**changes):
    """The demo mandate as plain values; a change such as `delta_usd__limit=5` sets a nested field."""
    values = tomllib.loads(DEMO.read_text())
    for path, value in changes.items():
        *parents, last = path.split("__")
        at = values
        for name in parents:
            at = at.setdefault(name, {})
        if value is None:
            at.pop(last)
        else:
            at[last] = value
    return values
