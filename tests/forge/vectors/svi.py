"""Write `svi.json`: total variance, vol and Gatheral's g of raw SVI slices at 50 digits, for the Solidity and the Python side.

Each row of an array is one point; inputs are exactly those given to the library (integers at 1e18, seconds), outputs are
rounded to 1e-18. The slices are those that `Svi.check` takes, some with a butterfly. Run it from anywhere; it overwrites the file beside it.
"""

import json
import random
from pathlib import Path

from mpmath import mp, mpf

COLUMNS = ("a", "b", "rho", "m", "sigma", "k", "seconds", "least", "w", "vol", "g")
WAD = 10**18
DAY = 86400
YEAR = 365 * DAY
# Axel Vogt's slice, with a butterfly: Gatheral and Jacquier 2014, example 3.1.
VOGT = (-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)

Slice = tuple[int, int, int, int, int]


def evaluate(raw: Slice, k: int, seconds: int) -> tuple[int, ...]:
    """Least total variance, total variance, vol and g, each an integer at 1e18."""
    a, b, rho, m, sigma = (mpf(x) / WAD for x in raw)
    x = mpf(k) / WAD - m
    r = mp.sqrt(x**2 + sigma**2)
    w = a + b * (rho * x + r)
    slope = b * (rho + x / r)
    bend = b * sigma**2 / r**3
    g = (1 - mpf(k) / WAD * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + mpf(1) / 4) + bend / 2
    values = (
        a + b * sigma * mp.sqrt(1 - rho**2),
        w,
        mp.sqrt(w * YEAR / seconds),
        g,
    )
    return tuple(int(mp.nint(v * WAD)) for v in values)


def slices() -> list[tuple[Slice, int]]:
    """Vogt's slice and smiles of surface SVI form, seeded, from an hour to two years, each with its seconds to expiry."""
    draw = random.Random(2014)
    found = [(tuple(round(x * WAD) for x in VOGT), YEAR)]
    while len(found) < 40:
        seconds = int(3600 * (2 * YEAR / 3600) ** draw.random())
        theta = draw.uniform(0.2, 2.0) ** 2 * seconds / YEAR
        rho = draw.uniform(-0.9, 0.9)
        phi = draw.uniform(0.2, 2.5) / theta**0.5
        smile = (
            0.5 * theta * (1 - rho**2),
            0.5 * theta * phi,
            rho,
            -rho / phi,
            (1 - rho**2) ** 0.5 / phi,
        )
        if smile[1] * (1 + abs(rho)) <= 2.0 and smile[4] >= 0.001 and abs(smile[3]) < 9.0 and smile[4] < 9.0:
            found.append((tuple(round(x * WAD) for x in smile), seconds))
    return found


def main() -> None:
    """Write the vectors, one array a column: a form that forge reads directly."""
    mp.dps = 50
    rows = []
    for raw, seconds in slices():
        width = float(mp.sqrt(mpf(evaluate(raw, 0, seconds)[1]) / WAD))
        spread = (-20.0, -5.0, -2.5, -1.0, -0.3, 0.0, 0.4, 1.3, 3.0, 7.0)
        places = [round(max(min(deviations * width, 5.0), -5.0) * WAD) for deviations in spread]
        places += [raw[3] - raw[4], raw[3] + raw[4]]
        rows += [(*raw, k, seconds, *evaluate(raw, k, seconds)) for k in places]
    columns = {name: [str(row[i]) for row in rows] for i, name in enumerate(COLUMNS)}
    lines = ",\n".join(f'"{name}": {json.dumps(values)}' for name, values in columns.items())
    Path(__file__).with_name("svi.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
