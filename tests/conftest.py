"""Fixtures shared by every kind of test."""

import pytest

from evenkeel.sandbox import up
from evenkeel.sandbox.node import BASE_FEE


@pytest.fixture(scope="session")
def sandbox():
    """A sandbox for the whole session, from cached state. What a test does to it stays: see `chain`."""
    with up() as running:
        yield running


@pytest.fixture
def chain(sandbox):
    """The session's sandbox, put back as it was after the test: a `Sandbox` with url, w3, protocols, accounts, signers."""
    before = sandbox.node.rpc("evm_snapshot")
    yield sandbox
    sandbox.node.rpc("evm_revert", before)
    # Blocks under half full let the base fee decay; every test starts from the same one.
    sandbox.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))
