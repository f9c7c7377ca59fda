"""How much memory a process has held."""

import re
from pathlib import Path


def peak_mb(pid: int) -> float:
    """Return the peak resident size of a process in MB, from Linux's accounting; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0.0
