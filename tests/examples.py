"""How many examples a property is tried on: a few in `make test`, many in `make fuzz`."""

import os


def examples(usual: int) -> int:
    """Return `usual`, or $EVENKEEL_EXAMPLES where that is more."""
    return max(usual, int(os.environ.get("EVENKEEL_EXAMPLES", usual)))
