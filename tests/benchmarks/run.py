"""Prints how fast and how exact Evenkeel's pricing is beside other libraries: `make bench`, or ARGS=--quick for a shorter run.

One process on one core and one thread; CPU time, not the clock's; the contenders take turns. The numbers are this machine's: the
ratios are what carries over. Nothing here fails when a target is missed; the last table says so instead.
"""

import argparse
import platform
import warnings
from importlib.metadata import PackageNotFoundError, version

import tables
from accuracy import Truth, disagreement, errors, volga_by_root_time
from cases import book, corners, realistic
from contender import Contender
from measure import pin, processor
from ours import engines
from peers import peers
from reference import reference
from speed import Plan, speed
from targets import targets

OPTIONS = 100_000
CHECKED = 1_000
LEGEND = """- A dash is what a library does not offer or what was not run; arrays go in and arrays come out of everyone.
- QuantLib and vollib take one option a call: the loop over `tolist()` and what makes vol sqrt(years) or the rate are theirs.
- Greeks: all eight fields of `Greeks` where a library has them; vollib has six, pyfeng six. vollib's implied vol is py_lets_be_rational.
- QuantLib's rho holds spot instead of the forward, and is checked as that.
- Scenarios: ours is `evenkeel.risk.grid` on a `Book`, laying it out included, with each margin unit's worst loss.
- The fast engine's import includes numba; `import evenkeel.pricing` alone is the numpy column's for both.
- Every call makes its own result arrays, the C reference's too. It is as exact as ours: the same differences, written for gcc.
- Implied vol counts on out-of-the-money options of total vol up to 3."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer options and rounds: about twenty seconds, rougher numbers"
    )
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")  # peers warn about points that the error table shows
    pin()
    contenders, notes = gather()
    plan = (
        Plan(OPTIONS // 10, rounds=2, turn=0.05, scenarios=(10, 5))
        if quick
        else Plan(OPTIONS, rounds=5, turn=0.25, scenarios=(25, 20))
    )
    rows = speed(contenders, plan)
    versions = ", ".join(
        f"{name} {version(name)}"
        for name in ("numpy", "numba", "QuantLib", "vollib", "pyfeng")
        if _installed(name)
    )
    print(f"\n{processor()}, Python {platform.python_version()}, {versions}; {plan.describe()}\n")
    print(tables.speeds(rows, [c.name for c in contenders]))
    for title, options in (
        ("realistic options", realistic(CHECKED // 5 if quick else CHECKED)),
        ("corners", corners()),
    ):
        truth = Truth.of(options)
        found = {contender.name: errors(contender, truth) for contender in contenders}
        print(f"\n{tables.errors(f'largest error, {truth.options.size} {title}', found)}")
    print(f"\n{tables.targets(targets(rows))}\n\n{LEGEND}")
    for note in (*notes, *volga_by_root_time(contenders, truth), *disagreement(contenders, book(100, 5, 2))):
        print(f"- {note}")


def gather() -> tuple[list[Contender], list[str]]:
    """Return everyone who can run here, ours first, and a sentence on each who cannot."""
    ours, notes = engines()
    others, missing = peers()
    compiled = reference()
    if compiled is None:
        missing.append("The C reference is left out: there is no gcc.")
    return [*ours, *others, *([compiled] if compiled else [])], [*notes, *missing]


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


if __name__ == "__main__":
    main()
