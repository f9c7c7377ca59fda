"""Markdown tables of what was measured."""

from collections.abc import Iterable, Mapping, Sequence

from speed import Row
from targets import Target

MISSING = "-"


def speeds(rows: Sequence[Row], names: Sequence[str]) -> str:
    body = []
    for row in rows:
        cells = []
        for name in names:
            timing = row.found.get(name)
            if timing is None:
                cells.append(MISSING)
                continue
            least, median = timing.least / row.scale, timing.median / row.scale
            cells.append(_number(least) if least == median else f"{_number(least)} ({_number(median)})")
        body.append([f"{row.title}, {row.unit}", *cells])
    return _table(["CPU", *names], body)


def errors(title: str, found: Mapping[str, Mapping[str, float]]) -> str:
    fields = list(dict.fromkeys(field for errors in found.values() for field in errors))
    body = [
        [name, *(f"{errors[f]:.0e}" if f in errors else MISSING for f in fields)]
        for name, errors in found.items()
    ]
    return _table([title, *fields], body)


def targets(rows: Iterable[Target]) -> str:
    body = []
    for row in rows:
        known = row.measured is not None
        measured = f"{_number(row.measured)} {row.unit}" if known else MISSING
        reached = ("yes" if row.reached else "no") if known else MISSING
        body.append([row.title, f"{row.bound} {_number(row.target)} {row.unit}", measured, reached])
    return _table(["target", "wanted", "measured", "reached"], body)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("--:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
