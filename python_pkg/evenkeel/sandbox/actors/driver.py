"""Playing a path in the background: one step every so many seconds of real time, until the path ends or is stopped."""

import threading
from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType
from typing import Self

from evenkeel.sandbox.actors.market import Market, StepResult
from evenkeel.sandbox.errors import SandboxError
from evenkeel.sandbox.paths import PricePath, jump_diffusion

Move = tuple[float, float, int]
"""Price (USD an ETH), vol, seconds of chain time: one step."""

_STRETCH = 24 * 7


def moves(path: PricePath) -> Iterator[Move]:
    """Yield a path's steps, the start left out."""
    for number in range(1, path.steps + 1):
        seconds = int(path.seconds[number] - path.seconds[number - 1])
        yield float(path.prices[number]), float(path.ivs[number]), seconds


def endless(start: float, *, seed: int = 1) -> Iterator[Move]:
    """Yield a seeded jump-diffusion that never ends: week after week, each from where the last one stopped."""
    for week in count():
        path = jump_diffusion(_STRETCH, start=start, seed=seed + week)
        yield from moves(path)
        start = float(path.prices[-1])


class Driver:
    """A thread that plays `steps` on `market`, one every `every` seconds of real time.

    `on_step` is told of each, from that thread. `stop` ends it between two steps and raises what ended it early, if anything did.
    A context manager that does so on leaving.
    """

    def __init__(
        self,
        market: Market,
        steps: Iterator[Move],
        *,
        every: float,
        on_step: Callable[[StepResult], None] | None = None,
    ) -> None:
        self._market = market
        self._steps = steps
        self._every = every
        self._on_step = on_step
        self._stopping = threading.Event()
        self._error: SandboxError | None = None
        self._thread = threading.Thread(target=self._play, name="market", daemon=True)

    def start(self) -> Self:
        """Begin; the first step comes after `every` seconds."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the step under way. Raises the `SandboxError` that a step failed with."""
        self._stopping.set()
        self._thread.join()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    @property
    def playing(self) -> bool:
        """Whether steps are still to come."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _play(self) -> None:
        for price, iv, seconds in self._steps:
            if self._stopping.wait(self._every):
                return
            try:
                result = self._market.step(price, iv, seconds)
            except SandboxError as error:
                self._error = error
                return
            if self._on_step is not None:
                self._on_step(result)
