"""The rows of the speed table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cases import Options, book, quotes, realistic
from contender import Contender
from measure import Timing, Turn, child, fresh_process, interleaved
from ours import FAST, NUMPY

FEW = 10
MANY = 1_000_000
POSITIONS = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to time: options a call, rounds of turns, CPU seconds a turn, and spots x vols for a book of 1,000."""

    options: int
    rounds: int
    turn: float
    scenarios: tuple[int, int]

    def describe(self) -> str:
        return f"{self.options:,} options a call, {self.rounds} rounds, least (median)"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was timed, the unit, that unit in seconds (or in bytes), and each contender's numbers."""

    key: str
    title: str
    unit: str
    scale: float
    found: dict[str, Timing]


def speed(contenders: list[Contender], plan: Plan) -> list[Row]:
    options = realistic(plan.options)
    quoted, price = quotes(options)
    few, of_book = options[:FEW], book(POSITIONS, *plan.scenarios)
    scenarios = plan.scenarios[0] * plan.scenarios[1]

    def timed(attribute: str, *arguments: object, inner: int = 1) -> dict[str, Timing]:
        able = [(c, getattr(c, attribute)) for c in contenders]
        turns = {c.name: Turn(_bound(do, *arguments), c.select) for c, do in able if do is not None}
        return interleaved(turns, plan.rounds, plan.turn, inner)

    def each(key: str, title: str, attribute: str, case: Options, *arguments: object) -> Row:
        return Row(key, title, "ns an option", 1e-9 * case.size, timed(attribute, case, *arguments))

    def call(key: str, title: str, attribute: str) -> Row:
        return Row(key, title, "us a call", 1e-6, timed(attribute, few, inner=200))

    return [
        each("price", "price", "price", options),
        each("greeks", "price and Greeks", "greeks", options),
        each("iv", "implied vol", "implied_vol", quoted, price),
        Row("book", f"{POSITIONS:,} x {scenarios} scenarios", "ms", 1e-3, timed("scenarios", of_book)),
        call("few price", f"price of {FEW}", "price"),
        call("few greeks", f"Greeks of {FEW}", "greeks"),
        Row("import", "import, beyond numpy's own", "ms", 1e-3, _imports(contenders, plan.rounds)),
        Row("memory", "memory beyond inputs and outputs", "bytes an option", 1.0, _memory()),
    ]


def _bound(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)


def _imports(contenders: list[Contender], rounds: int) -> dict[str, Timing]:
    return fresh_process({c.name: c.imports for c in contenders if c.imports}, rounds)


def _memory() -> dict[str, Timing]:
    """Return what one call of ours for all Greeks of a million options adds to a new process's peak memory, its results apart."""
    found = {}
    for name in (NUMPY, FAST):
        program = (
            "from ours import engines; from cases import realistic; from measure import peak_bytes\n"
            f"one = next((c for c in engines()[0] if c.name == {name!r}), None); few, many = realistic(1_000), realistic({MANY})\n"
            "one and (one.select(), one.greeks(few)); sizes = []\n"
            "peak = one and peak_bytes(lambda: sizes.append(one.greeks(many)))\n"
            "print('nan' if peak is None else (peak - sum(a.nbytes for a in sizes[0].values())) / many.size)"
        )
        value = max(0.0, float(child(program)))
        if not np.isnan(value):
            found[name] = Timing(value, value)
    return found
