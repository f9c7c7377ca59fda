"""Prints how fast and how exact Evenkeel's pricing is beside other libraries: `make bench`, or ARGS=--quick for a shorter run.

One process on one core and one thread; CPU time, not the clock's; the contenders take turns. The numbers are this machine's: the
ratios are what carries over. Nothing here fails when a target is missed; the last table says so instead.
"""

import argparse
import platform
import warnings

import numpy as np
import tables
from accuracy import Truth, errors
from cases import Options, corners, realistic
from contender import Contender
from measure import pin
from ours import engines
from peers import peers
from reference import reference
from speed import Plan, speed
from targets import targets

OPTIONS = 100_000
CHECKED = 1_000


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
    print(
        f"\n{platform.processor() or platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}; {plan.describe()}\n"
    )
    print(tables.speeds(rows, [c.name for c in contenders]))
    for title, options in (
        ("realistic options", realistic(CHECKED // 5 if quick else CHECKED)),
        ("corners", corners()),
    ):
        print(f"\n{accuracy_table(title, options, contenders)}")
    print(f"\n{tables.targets(targets(rows))}")
    for note in notes:
        print(f"\n{note}")


def gather() -> tuple[list[Contender], list[str]]:
    """Return everyone who can run here, ours first, and a sentence on each who cannot."""
    ours, notes = engines()
    others, missing = peers()
    compiled = reference()
    if compiled is None:
        missing.append("The C reference is left out: there is no gcc.")
    return [*ours, *others, *([compiled] if compiled else [])], [*notes, *missing]


def accuracy_table(title: str, options: Options, contenders: list[Contender]) -> str:
    truth = Truth.of(options)
    found = {contender.name: errors(contender, truth) for contender in contenders}
    return tables.errors(f"largest error, {truth.options.size} {title}", found)


if __name__ == "__main__":
    main()
