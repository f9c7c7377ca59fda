"""CPU time, side by side: every contender takes its turn in every round, so that a busy machine slows all of them alike."""

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU seconds of one call: the least and the median over all calls."""

    least: float
    median: float


def processor() -> str:
    """Return what the system calls its processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    return next(
        (line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine()
    )


def pin() -> None:
    """Keep this process and its children on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@dataclass(frozen=True, slots=True)
class Turn:
    """What to call, and what to call before a turn of it, off the clock."""

    call: Callable[[], object]
    select: Callable[[], None]


def interleaved(turns: Mapping[str, Turn], rounds: int, seconds: float, inner: int = 1) -> dict[str, Timing]:
    """Give each its turn, `rounds` times over; a turn lasts `seconds` of CPU and at least one sample of `inner` calls."""
    samples: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        turn.select()
        turn.call()
    for _ in range(rounds):
        for name, turn in turns.items():
            turn.select()
            end = time.process_time() + seconds
            while True:
                samples[name].append(_sample(turn.call, inner))
                if time.process_time() >= end:
                    break
    return {name: Timing(min(found), statistics.median(found)) for name, found in samples.items()}


def _sample(call: Callable[[], object], inner: int) -> float:
    start = time.process_time_ns()
    for _ in range(inner):
        call()
    return (time.process_time_ns() - start) * 1e-9 / inner


def fresh_process(statements: Mapping[str, str], rounds: int) -> dict[str, Timing]:
    """Time each statement in new interpreters that have imported numpy already."""
    samples: dict[str, list[float]] = {name: [] for name in statements}
    for round_ in range(rounds + 1):
        for name, statement in statements.items():
            seconds = float(
                child(
                    f"import numpy, time; a = time.process_time()\n{statement}\nprint(time.process_time() - a)"
                )
            )
            if round_:  # the first fills the caches of byte code and of compiled code
                samples[name].append(seconds)
    return {name: Timing(min(found), statistics.median(found)) for name, found in samples.items()}


def child(program: str) -> str:
    """Return what `program` prints last in a new interpreter that finds these modules."""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=HERE, capture_output=True, text=True, check=True
    )
    return run.stdout.split()[-1]


def peak_bytes(call: Callable[[], object]) -> int | None:
    """Return by how much `call` raises this process's resident memory at its peak; None where the system does not tell."""
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    reset.write_text("5")
    before = _status("VmRSS")
    kept = call()
    peak = _status("VmHWM") - before
    del kept
    return peak


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)
