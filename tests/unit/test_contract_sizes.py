"""Every contract of ours fits the chain's limits on code: EIP-170 for what stays, EIP-3860 for what creates it."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, CREATION = 24_576, 49_152


def contracts():
    """Name, creation code and runtime code of each contract of ours that can be deployed."""
    for source in sorted((ROOT / "contracts").rglob("*.sol")):
        artifact = ROOT / "out" / source.name / f"{source.stem}.json"
        if not artifact.exists():
            continue
        built = json.loads(artifact.read_text())
        creation, runtime = (built[part]["object"] for part in ("bytecode", "deployedBytecode"))
        if len(runtime) > 2:
            yield source.stem, len(creation) // 2 - 1, len(runtime) // 2 - 1


@pytest.fixture(scope="module")
def sizes():
    found = list(contracts())
    if not found:
        pytest.skip("the contracts are not compiled")
    return found


def test_what_stays_on_chain_fits(sizes):
    assert [(name, runtime) for name, _, runtime in sizes if runtime >= RUNTIME] == []


def test_what_creates_it_fits(sizes):
    assert [(name, creation) for name, creation, _ in sizes if creation >= CREATION] == []


def test_the_large_ones_were_seen(sizes):
    assert {"Vault", "RiskGuard", "LyraOptionVenue", "OracleAdapter"} <= {name for name, _, _ in sizes}
