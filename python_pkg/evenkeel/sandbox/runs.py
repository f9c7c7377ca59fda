"""Which sandboxes `evenkeel sandbox up` started: one record a node, so that `down` stops those and nothing else."""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from evenkeel.sandbox import places


@dataclass(frozen=True, slots=True)
class Run:
    """A node that was started. `born` is the kernel's start time of the process: a number used again is another process."""

    pid: int
    born: str
    url: str
    chain_id: int
    protocols: str

    @property
    def alive(self) -> bool:
        """Whether the very process is still running."""
        return _born(self.pid) == self.born

    def stop(self, timeout: float = 5) -> None:
        """Stop the process, if it is still that one, and forget it."""
        if self.alive:
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while self.alive:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                break
            time.sleep(0.02)
        forget(self)


def remember(pid: int, url: str, chain_id: int, protocols: Path, *, folder: Path = places.RUNS) -> Run:
    """Record a running node."""
    run = Run(pid, _born(pid), url, chain_id, str(protocols))
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{pid}.partial"
    partial.write_text(json.dumps(asdict(run)))
    partial.replace(folder / f"{pid}.json")
    return run


def forget(run: Run, *, folder: Path = places.RUNS) -> None:
    """Drop the record."""
    (folder / f"{run.pid}.json").unlink(missing_ok=True)


def running(*, folder: Path = places.RUNS) -> tuple[Run, ...]:
    """List the recorded nodes that are alive, and drop the records of the others."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            run = Run(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            continue
        if run.alive:
            found.append(run)
        else:
            path.unlink(missing_ok=True)
    return tuple(found)


def _born(pid: int) -> str:
    """Return the process's start time in clock ticks since boot; empty where it is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The second field is the command in parentheses and may hold spaces.
    fields = text.rpartition(")")[2].split()
    # A first thread that has ended shows as a zombie while the others still hold the process's sockets.
    return "" if fields[0] == "Z" and int(fields[17]) <= 1 else fields[19]
