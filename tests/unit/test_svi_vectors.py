"""The slices of the chain's library: the 50-digit vectors that hold `Svi.sol` hold `SviSlice` too."""

import json
from pathlib import Path

import numpy as np
import pytest

from evenkeel.market.svi import SviSlice

VECTORS = Path(__file__).parents[1] / "forge" / "vectors" / "svi.json"
YEAR = 365 * 86_400


@pytest.fixture(scope="module")
def vectors():
    columns = json.loads(VECTORS.read_text(encoding="utf-8"))
    return {name: np.array([int(v) for v in values], dtype=object) for name, values in columns.items()}


def test_python_agrees_with_the_chains_vectors(vectors):
    wad = {name: (values / 10**18).astype(np.float64) for name, values in vectors.items()}
    years = vectors["seconds"].astype(np.float64) / YEAR
    for i, raw in enumerate(zip(*(wad[name] for name in ("a", "b", "rho", "m", "sigma")), strict=True)):
        found = SviSlice(*map(float, raw), years=years[i])
        k, w = wad["k"][i], wad["w"][i]
        # Nine roundings of 1.1e-16 (five inputs, two products, the root, the sum) of the terms before they cancel.
        terms = abs(raw[0]) + raw[1] * (2 * (abs(k) + abs(raw[3])) + raw[4])
        error = 1e-18 + 1e-15 * terms
        assert float(found.total_variance(k)) == pytest.approx(w, abs=error)
        assert float(found.vol(k)) == pytest.approx(wad["vol"][i], abs=1e-15 + error / np.sqrt(w * years[i]))
        assert float(found.g(k)) == pytest.approx(wad["g"][i], abs=1e-14 + 4e-15 * terms / w)
