"""What the project set out to reach, and what one run reached."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ours import FAST, NUMPY
from speed import Row


@dataclass(frozen=True, slots=True)
class Target:
    """A number to be `at least` or `at most` `target`; `measured` is None where one of the two sides did not run."""

    title: str
    bound: str
    target: float
    unit: str
    measured: float | None

    @property
    def reached(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.target if self.bound == "at least" else self.measured <= self.target


def targets(rows: Iterable[Row]) -> Iterator[Target]:
    least = {(row.key, name): timing.least / row.scale for row in rows for name, timing in row.found.items()}

    def ratio(row: str, above: str, below: str) -> float | None:
        if (row, above) not in least or (row, below) not in least:
            return None
        return least[row, above] / least[row, below]

    def value(row: str, name: str) -> float | None:
        return least.get((row, name))

    loop, c = "QuantLib", "C reference"
    yield Target(
        "Greeks with `fast`, against QuantLib's loop", "at least", 400, "x", ratio("greeks", loop, FAST)
    )
    yield Target("price with `fast`, against `blackFormula`", "at least", 40, "x", ratio("price", loop, FAST))
    yield Target(
        "implied vol with `fast`, against `blackFormulaImpliedStdDev`",
        "at least",
        20,
        "x",
        ratio("iv", loop, FAST),
    )
    yield Target(
        "Greeks with numpy alone, against QuantLib's loop", "at least", 70, "x", ratio("greeks", loop, NUMPY)
    )
    for row, title in (("greeks", "Greeks"), ("price", "price"), ("iv", "implied vol")):
        yield Target(f"{title} with `fast`, CPU of the C reference", "at most", 1.5, "x", ratio(row, FAST, c))
    yield Target(
        "book and scenarios with `fast`, against QuantLib's loop",
        "at least",
        40,
        "x",
        ratio("book", loop, FAST),
    )
    yield Target("`import evenkeel.pricing`, beyond numpy's own", "at most", 30, "ms", value("import", NUMPY))
    for row, title in (("few price", "price of 10"), ("few greeks", "Greeks of 10")):
        yield Target(f"{title}, numpy alone", "at most", 25, "us", value(row, NUMPY))
        yield Target(f"{title}, `fast`", "at most", 5, "us", value(row, FAST))
    for name in (NUMPY, FAST):
        yield Target(
            f"memory beyond inputs and outputs, {name}",
            "at most",
            64,
            "bytes an option",
            value("memory", name),
        )
