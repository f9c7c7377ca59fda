"""Where a checkout keeps what it fetched, built or recorded."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: the folder that holds `contracts/` and `python_pkg/`."""

STATE = ROOT / ".evenkeel"
"""Everything the project writes for itself; git-ignored."""

PACKAGES = STATE / "packages"
CACHE = STATE / "cache"
LOGS = STATE / "logs"
RUNS = STATE / "run"
OUT = ROOT / "out"
"""What forge compiled from `contracts/`."""
