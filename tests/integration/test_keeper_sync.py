"""The keeper and an option venue's own vols: they are stored as often as the mandate says, and one that cannot be is no fault of the vault."""

import pytest
from open_book import WAD, OpenBook, kinds, renew_levels, settle, step, wait
from vol_world import vol_world

from demo_mandate import DEMO
from evenkeel.bindings import LyraVol, VolOracle
from evenkeel.demo.stage import set_up
from evenkeel.deploy import VaultPlan
from evenkeel.sandbox import up
from evenkeel.sandbox.actors import Market
from evenkeel.strategy import load_mandate

pytestmark = pytest.mark.integration

VOL = 0.75
AN_HOUR = 3_600.0


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with up() as sandbox:
        stage = set_up(sandbox, load_mandate(DEMO), VaultPlan(), VOL, tmp_path_factory.mktemp("stage"))
        renew_levels(stage)
        with OpenBook(stage, tmp_path_factory.mktemp("hedged")).keeper() as keeper:
            settle(keeper)
        yield stage


@pytest.fixture
def book(opened, tmp_path):
    before = opened.sandbox.node.rpc("evm_snapshot")
    yield OpenBook(opened, tmp_path)
    opened.sandbox.node.rpc("evm_revert", before)


def stored(book):
    """The stored vol of each expiry that the vault has options of, as the lens shows it: seconds since."""
    state = book.stage.state()
    return {vol.expiry: state.timestamp - vol.synced_at for vol in state.venue_vols}


def test_it_stores_what_the_book_is_valued_at_once_an_hour_and_no_other_expiry(book):
    (expiry,) = {option.expiry for venue in book.stage.state().venues for option in venue.options}
    with book.keeper(sync_seconds=AN_HOUR) as keeper:
        assert [o.kind for o in settle(keeper)] == ["sent", "nothing"]
        assert set(stored(book)) == {expiry}
        assert stored(book)[expiry] < 60
        for _ in range(2):
            book.stage.market.step(3_000, VOL)
            assert [o.kind for o in settle(keeper)] == ["sent", "nothing"]
    told = [tx.intent for tx in book.transactions()]
    assert [intent.kind for intent in told] == ["sync"] * 3
    assert "was never stored" in told[0].reason
    assert "was stored 1.0 h ago" in told[2].reason


def test_lyras_vol_widens_what_the_vault_is_worth_and_moves_no_mid(book):
    """Lyra five points above our slices, which stay where they are."""
    book.stage.market.step(3_000, VOL)
    with book.keeper(sync_seconds=AN_HOUR) as keeper:
        settle(keeper)
        before = book.stage.state().valuation
        sandbox = book.stage.sandbox
        Market(sandbox.w3, sandbox.protocols, sandbox.accounts).step(3_000, VOL + 0.05)
        settle(keeper)
    after = book.stage.state().valuation
    (was,), (now,) = before.vols, after.vols
    assert now.mid == pytest.approx(was.mid, rel=1e-3)
    assert now.high - now.mid == pytest.approx(0.05 * WAD, rel=0.1)
    assert after.high - after.low > before.high - before.low
    assert after.low < before.high


def test_a_venue_that_cannot_be_stored_halts_no_keeper(book):
    """The governor named one that answers to another vol oracle."""
    stage = book.stage
    lyra, deployer = stage.sandbox.protocols.lyra, stage.sandbox.signers["deployer"]
    other = vol_world(stage.sandbox).oracle.address
    terms = (lyra.option_market, lyra.option_greek_cache, book.weth, stage.vault.oracle().read(), other, 600)
    wrong = LyraVol.deploy(*terms).send(deployer, stage.w3)
    VolOracle(stage.deployment.vol_source, stage.w3).set_venue_vol(book.weth, wrong.address).send(deployer)
    with book.keeper(sync_seconds=AN_HOUR) as keeper:
        for _ in range(2 * book.CONFIG.error_budget):
            outcome = step(keeper)
            assert (outcome.kind, kinds(outcome)) == ("refused", ["sync"])
            assert "NotTheVenue(" in outcome.detail
            wait(book, 60)
