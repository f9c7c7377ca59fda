"""What a venue is called: by the deployment's step, and by the name that mandates and people use."""

_PROTOCOLS = {"spot": "uniswap-v3", "lending": "aave-v3", "option": "lyra-v1"}
KINDS = frozenset({*_PROTOCOLS, "perp"})
"""First parts of the steps that place a venue."""


def is_venue(step: str) -> bool:
    """Whether `step` of a deployment places a venue."""
    return step.partition("/")[0] in KINDS


def venue_name(step: str) -> str:
    """Return the mandate's name of the venue that `step` places: "uniswap-v3" for "spot", "perp-a" for "perp/perp-a"."""
    return _PROTOCOLS.get(step, step.rpartition("/")[2])
