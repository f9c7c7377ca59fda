"""What `VolOracle` would say to a slice, said before anything is signed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from evenkeel.vol._svi import (
    WAD,
    YEAR,
    Raw,
    density,
    is_at_most,
    least_variance,
    moneyness,
    points,
    raw_of,
    restated,
    total_variance,
    vol_of,
)
from evenkeel.vol.errors import RefusedError

if TYPE_CHECKING:
    from evenkeel.bindings.types import Slice

MIN_VOL: Final = WAD // 100
MAX_VOL: Final = 10 * WAD
MAX_TENOR: Final = 3 * YEAR
MAX_EXPIRIES: Final = 12
_HOUR: Final = 3600
_MOST_FORWARD: Final = 2**112 - 1


@dataclass(frozen=True, slots=True)
class Terms:
    """The oracle's own constants: vols at 1e18, times in seconds."""

    half_width: int
    max_move_per_hour: int
    max_age: int
    max_sign_age: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A slice that stands, and the block's time when it was posted."""

    slice_: Slice
    posted_at: int


@dataclass(frozen=True, slots=True)
class _Other:
    """A neighbour, restated to compare with the examined slice at its own k and as of now."""

    expiry: int
    raw: Raw


@dataclass(frozen=True, slots=True)
class Book:
    """What the oracle holds of one underlying at the block time `now` (unix seconds), by expiry in ascending order."""

    terms: Terms
    now: int
    standing: tuple[Standing, ...] = ()

    def at(self, expiry: int) -> Standing | None:
        """Return what stands at `expiry`."""
        return next((each for each in self.standing if each.slice_.expiry == expiry), None)

    def posted(self, slice_: Slice) -> Book:
        """Return the book after `slice_` was posted now."""
        others = [each for each in self.standing if each.slice_.expiry != slice_.expiry]
        return replace(
            self,
            standing=tuple(
                sorted([*others, Standing(slice_, self.now)], key=lambda each: each.slice_.expiry)
            ),
        )

    def check(self, slice_: Slice) -> None:
        """Raise `RefusedError`, with the number that was compared and its bound, where the oracle would refuse `slice_` now.

        The same comparisons as `VolOracle.check` and the room for a new expiry, in the same integers; logarithms of forwards may differ by a
        unit of the last place.
        """
        name = f"expiry {slice_.expiry}"
        try:
            self._times(slice_)
            self._examine(slice_)
            self._room(slice_)
        except RefusedError as error:
            raise RefusedError(f"{name}: {error}") from None

    def _times(self, slice_: Slice) -> None:
        if slice_.expiry <= self.now:
            raise RefusedError(f"has expired by {self.now}")
        if slice_.expiry > self.now + MAX_TENOR:
            raise RefusedError(f"is after {self.now + MAX_TENOR}, the furthest taken")
        if slice_.timestamp > self.now:
            raise RefusedError(f"timestamp {slice_.timestamp} is after the chain's time {self.now}")
        age, oldest = self.now - slice_.timestamp, min(self.terms.max_sign_age, slice_.expiry - self.now)
        if age > oldest:
            raise RefusedError(f"its data are {age} s old, more than {oldest}")
        if not 0 < slice_.forward <= _MOST_FORWARD:
            raise RefusedError(f"forward {slice_.forward}, expected from 1 to {_MOST_FORWARD}")

    def _room(self, slice_: Slice) -> None:
        alive = [each for each in self.standing if each.slice_.expiry > self.now]
        if self.at(slice_.expiry) is None and len(alive) >= MAX_EXPIRIES:
            raise RefusedError(f"the oracle holds {len(alive)} expiries already, the most it does")

    def _examine(self, slice_: Slice) -> None:
        last, maximum = self._last(slice_)
        near, far = self._neighbours(slice_)
        s = raw_of(slice_)
        time = slice_.expiry - slice_.timestamp
        least = least_variance(s)
        if least * YEAR < MIN_VOL * MIN_VOL // WAD * time:
            raise RefusedError(f"the least vol is {_vol(least, time)}, less than {MIN_VOL / WAD:g}")
        greatest = MAX_VOL * MAX_VOL // WAD * time // YEAR
        for k in points(s):
            w, scaled = density(s, k)
            if w > greatest and not _is_far_out(k, w):
                raise RefusedError(
                    f"the vol at k = {k / WAD:.4f} is {_vol(w, time)}, more than {MAX_VOL / WAD:g}"
                )
            if scaled < 0:
                g = scaled * WAD / (4 * w * w) / WAD
                raise RefusedError(f"butterfly: g at k = {k / WAD:.4f} is {g:.6g}, less than 0")
            if last is not None:
                _bounded(last, k, w, maximum, time)
            if near is not None and not is_at_most(near.raw, k, w):
                raise _crossed(k, w, near)
            if far is not None and is_at_most(far.raw, k, w - 1):
                raise _crossed(k, w, far)

    def _last(self, slice_: Slice) -> tuple[Raw | None, int]:
        """Return what stands, restated to compare with `slice_`, and how far its vol may move."""
        last = self.at(slice_.expiry)
        if last is None:
            return None, 0
        stands = last.slice_
        if slice_.timestamp <= stands.timestamp:
            raise RefusedError(
                f"timestamp {slice_.timestamp} is not after that of the last post, {stands.timestamp}"
            )
        maximum = min(
            self.terms.max_move_per_hour * (self.now - last.posted_at) // _HOUR, self.terms.half_width
        )
        shift = moneyness(slice_.forward, stands.forward)
        part, whole = slice_.expiry - slice_.timestamp, slice_.expiry - stands.timestamp
        return restated(raw_of(stands), shift, part, whole), maximum

    def _neighbours(self, slice_: Slice) -> tuple[_Other | None, _Other | None]:
        fresh = [
            each.slice_
            for each in self.standing
            if each.slice_.expiry > self.now and self.now - each.slice_.timestamp <= self.terms.max_age
        ]
        near = [each for each in fresh if each.expiry < slice_.expiry]
        far = [each for each in fresh if each.expiry > slice_.expiry]
        return (
            self._compared(slice_, near[-1]) if near else None,
            self._compared(slice_, far[0]) if far else None,
        )

    def _compared(self, slice_: Slice, other: Slice) -> _Other:
        """Restate `other` by the part of its time that is left over the part that is left of the examined slice's."""
        part = (other.expiry - self.now) * (slice_.expiry - slice_.timestamp)
        whole = (other.expiry - other.timestamp) * (slice_.expiry - self.now)
        return _Other(
            other.expiry, restated(raw_of(other), moneyness(slice_.forward, other.forward), part, whole)
        )


def _crossed(k: int, w: int, other: _Other) -> RefusedError:
    theirs = total_variance(other.raw, k)
    return RefusedError(
        f"calendar: total variance at k = {k / WAD:.4f} is {w / WAD:.6g}, but {theirs / WAD:.6g} at expiry {other.expiry}"
    )


def _is_far_out(k: int, w: int) -> bool:
    """Whether total variance `w` puts a strike at `k` over four deviations from the forward."""
    return k * k > 16 * WAD * w


def _bounded(last: Raw, k: int, w: int, maximum: int, time: int) -> None:
    """Refuse a move of the vol at `k` beyond `maximum`: |sqrt(w1) - sqrt(w2)| <= d is w1 + w2 - d^2 <= 2 sqrt(w1 w2)."""
    before = total_variance(last, k)
    apart = w + before - maximum * maximum // WAD * time // YEAR
    if apart <= 0 or apart * apart <= 4 * w * before or _is_far_out(k, max(w, before)):
        return
    raise RefusedError(
        f"the vol at k = {k / WAD:.4f} moves from {_vol(before, time)} to {_vol(w, time)}, by more than {maximum / WAD:.4f}"
    )


def _vol(w: int, seconds: int) -> str:
    return f"{vol_of(w, seconds) / WAD:.4f}"
