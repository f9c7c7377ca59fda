"""The keeper and the oracle's breakers: levels are renewed, and a jump that holds is let through round by round."""

import pytest
from open_book import WAD, OpenBook, kinds, reasons, renew_levels, settle, step, wait

from demo_mandate import DEMO
from evenkeel.bindings import OracleAdapter
from evenkeel.demo.stage import set_up
from evenkeel.deploy import VaultPlan
from evenkeel.sandbox import up
from evenkeel.strategy import load_mandate

pytestmark = pytest.mark.integration

VOL = 0.75


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with up() as sandbox:
        stage = set_up(sandbox, load_mandate(DEMO), VaultPlan(), VOL, tmp_path_factory.mktemp("stage"))
        renew_levels(stage)
        yield stage


@pytest.fixture
def book(opened, tmp_path):
    before = opened.sandbox.node.rpc("evm_snapshot")
    yield OpenBook(opened, tmp_path)
    opened.sandbox.node.rpc("evm_revert", before)


def breaker(book, token):
    oracle = OracleAdapter(book.stage.vault.oracle().read(), book.stage.w3)
    return oracle.breaker(token).read()


def pokes(book):
    return [tx.intent.reason for tx in book.transactions() if tx.intent.kind == "poke"]


def test_an_old_level_is_renewed_once(book):
    with book.keeper() as keeper:
        settle(keeper)
        for _ in range(7):
            book.stage.market.step(3_000, VOL)
            last = settle(keeper)[-1]
    assert last.kind == "nothing"
    told = [why for why in pokes(book) if why.startswith("WETH: ")]
    assert len(told) == 1
    assert "the breaker's level of 3,0" in told[0]
    assert "6.0 h old; has it renewed" in told[0] or "6.1 h old; has it renewed" in told[0]
    assert book.stage.now() - breaker(book, book.weth).level_at < 3 * 3_600


def test_a_jump_that_holds_is_let_through_in_three_rounds_and_then_traded_on(book):
    with book.keeper() as keeper:
        settle(keeper)
        # Half as much again within the hour: beyond the 40% that the breaker allows.
        book.stage.market.step(4_400, VOL)
        first = step(keeper)
        assert "BreakerTripped(token=" in reasons(first)
        counted = []
        for _ in range(12):
            outcomes = settle(keeper)
            counted.append(breaker(book, book.weth).rounds)
            if outcomes[-1].decided.snapshot.state.valuation.priced:
                break
            wait(book, 150)
            book.stage.market.step(4_400, VOL, 60)
        told = [why for why in pokes(book) if "BreakerTripped" in why]
        assert len(told) == 3
        assert [why.rpartition("; has ")[2] for why in told] == [f"round {n} counted" for n in (1, 2, 3)]
        assert breaker(book, book.weth).level == pytest.approx(4_400 * WAD, rel=5e-3)
        assert outcomes[-1].kind in ("nothing", "hold")
        assert kinds(outcomes[-1]) != ["poke"]
