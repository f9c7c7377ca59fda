"""One position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenkeel.instruments._instruments import Instrument


@dataclass(frozen=True, slots=True)
class Position:
    """`quantity` whole units of `instrument` (negative: short or owed) at `venue`.

    `venue` is the adapter's checksummed address; `unit` is the margin unit that backs it, 0 for the whole adapter.
    """

    instrument: Instrument
    quantity: float
    venue: str
    unit: int = 0
