"""What stops a keeper: an operator's file, and too many errors."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from evenkeel.keeper.errors import Halted

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600


class ErrorBudget:
    """Counts errors within an hour of chain time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._times: deque[int] = deque()

    def charge(self, timestamp: int, what: str) -> None:
        """Count one error at chain time `timestamp`. Raises `Halted` when the budget is used up."""
        self._times.append(timestamp)
        while self._times[0] < timestamp - HOUR:
            self._times.popleft()
        if len(self._times) > self._size:
            raise Halted(
                f"error budget: {len(self._times)} errors within an hour, {self._size} allowed; the last: {what}"
            )


def stop_asked(path: Path | None) -> bool:
    """Whether the operator's stop file exists."""
    return path is not None and path.exists()
