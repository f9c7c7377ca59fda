"""Write `black76.json`: option values and Greeks at 50 digits, for the Solidity and the Python kernels.

Each row of an array is one point; inputs are exactly those given to the library (integers at 1e18, seconds), outputs are
rounded to 1e-18. Conventions: undiscounted Black-76, years of 365 days, theta = -F phi(d1) vol / (2 sqrt(T)).
Run it from anywhere; it overwrites the file beside it.
"""

import json
import random
from pathlib import Path

from mpmath import mp, mpf

COLUMNS = ("forward", "strike", "seconds", "vol", "call", "put", "delta", "gamma", "vega", "theta")
WAD = 10**18
YEAR = 365 * 86400
HOUR = 3600


def evaluate(forward: int, strike: int, seconds: int, vol: int) -> tuple[int, ...]:
    """Call, put, call delta, gamma, vega and theta, each an integer at 1e18."""
    f, k, v = (mpf(x) / WAD for x in (forward, strike, vol))
    t = mpf(seconds) / YEAR
    deviation = v * mp.sqrt(t)
    d1 = mp.log(f / k) / deviation + deviation / 2
    d2 = d1 - deviation
    density = mp.npdf(d1)
    values = (
        f * mp.ncdf(d1) - k * mp.ncdf(d2),
        k * mp.ncdf(-d2) - f * mp.ncdf(-d1),
        mp.ncdf(d1),
        density / (f * deviation),
        f * density * mp.sqrt(t),
        -f * density * v / (2 * mp.sqrt(t)),
    )
    return tuple(int(mp.nint(x * WAD)) for x in values)


def points() -> list[tuple[int, int, int, int]]:
    """The accuracy domain (F = 2,000, K/F 0.5 to 2, vol 20% to 300%, 1 h to 1 y): a grid, then seeded random points."""
    forward = 2000 * WAD
    grid = [
        (forward, forward * ratio // 100, seconds, vol * WAD // 100)
        for ratio in (50, 80, 95, 100, 105, 130, 200)
        for seconds in (HOUR, 86400, 14 * 86400, 42 * 86400, YEAR)
        for vol in (20, 80, 300)
    ]
    draw = random.Random(76)
    scattered = [
        (
            forward,
            int(forward * 2 ** draw.uniform(-1, 1)),
            int(HOUR * (YEAR / HOUR) ** draw.random()),
            int(WAD * 0.2 * 15 ** draw.random()),
        )
        for _ in range(235)
    ]
    return grid + scattered


def main() -> None:
    """Write the vectors, one array a column: a form that forge reads directly."""
    mp.dps = 50
    rows = [point + evaluate(*point) for point in points()]
    columns = {name: [str(row[i]) for row in rows] for i, name in enumerate(COLUMNS)}
    lines = ",\n".join(f'"{name}": {json.dumps(values)}' for name, values in columns.items())
    Path(__file__).with_name("black76.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
