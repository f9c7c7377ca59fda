"""A vault on the real protocols in any order of what depositors, a keeper, the market and donors do: see docs/invariants.md."""

import os
from collections import Counter
from fractions import Fraction
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError
from evenkeel.sandbox.protocols import uniswap

pytestmark = pytest.mark.integration

DEPOSITORS = ("alice", "bob", "carol")
who = st.sampled_from(DEPOSITORS)
dollars = st.integers(1, 200_000)
fraction = st.floats(0.01, 1.0)
SHARE = 10**12
RUNS = 24
MOST = 0.02
"""The greatest loss of a call that this vault's guard lets pass, a fraction of low NAV."""


class VaultMachine(RuleBasedStateMachine):
    """`desk` is set by the test; each example starts from the same block."""

    desk = None
    done: ClassVar = Counter()

    def __init__(self):
        super().__init__()
        self.node = self.desk.chain.node
        self.start = self.node.rpc("evm_snapshot")
        self.others = self.supply() - self.held()

    def teardown(self):
        self.node.rpc("evm_revert", self.start)

    def supply(self):
        return self.desk.vault.total_supply().read()

    def held(self):
        return sum(self.desk.vault.balance_of(self.desk.chain.accounts[role]).read() for role in DEPOSITORS)

    def low(self):
        """What a whole share is worth to who leaves."""
        return self.desk.vault.preview_redeem(SHARE).read()

    def worth(self):
        """The low NAV a share, in the latest block."""
        return Fraction(self.desk.vault.nav().read().low, self.supply())

    def enter(self, role, assets):
        """Deposit and return the shares; None where entry is closed."""
        desk, signer = self.desk, self.desk.chain.signers[role]
        if desk.vault.max_deposit(signer.address).read() < assets:
            return None
        desk.give("USDC", signer.address, assets)
        desk.token("USDC").approve(desk.vault.address, assets).send(signer)
        before, low = desk.vault.balance_of(signer.address).read(), self.low()
        call = desk.vault.deposit(assets, signer.address)
        # The answer of the very call in the block that it will be mined in, and the preview's in the same block.
        shown, expected = desk.vault.preview_deposit(assets).read(), call.simulate(signer.address)
        assert shown == expected
        call.send(signer, gas=12_000_000)
        assert self.low() + 1 >= low * (1 - 1e-9)
        self.done["entry"] += 1
        return desk.vault.balance_of(signer.address).read() - before

    @rule(role=who, amount=dollars)
    def deposit(self, role, amount):
        shares = self.enter(role, amount * USDC)
        assert shares is None or shares > 0

    @rule(role=who, part=fraction)
    def redeem(self, role, part):
        desk, signer = self.desk, self.desk.chain.signers[role]
        shares = int(desk.vault.max_redeem(signer.address).read() * part)
        if shares == 0:
            return
        before, low = desk.balance("USDC", signer.address), self.low()
        call = desk.vault.redeem(shares, signer.address, signer.address)
        assert desk.vault.preview_redeem(shares).read() == call.simulate(signer.address)
        call.send(signer, gas=12_000_000)
        assert desk.balance("USDC", signer.address) > before
        self.done["exit"] += 1
        assert self.low() + 1 >= low * (1 - 1e-9)

    @rule(role=who, amount=dollars)
    def enter_and_leave(self, role, amount):
        desk, signer = self.desk, self.desk.chain.signers[role]
        shares = self.enter(role, amount * USDC)
        if shares is None:
            return
        entered = self.worth()
        most = min(shares, desk.vault.max_redeem(signer.address).read())
        before = desk.balance("USDC", signer.address)
        if most:
            desk.vault.redeem(most, signer.address, signer.address).send(signer, gas=12_000_000)
        # A second passes between the two, and with it interest: what it brings those who stay it may bring who leaves.
        meanwhile = max(self.worth() / entered, 1)
        assert desk.balance("USDC", signer.address) - before <= amount * USDC * meanwhile

    def attempt(self, name, *calls):
        """A rebalance that the guard may refuse; one that it lets pass loses no more of mid than a call may."""
        _, low, mid, _ = self.nav()
        try:
            self.desk.rebalance(*calls)
        except ContractError:
            self.done[f"{name} refused"] += 1
            return
        self.done[name] += 1
        priced, _, after, _ = self.nav()
        assert priced
        assert mid - after <= low * MOST * (1 + 1e-6)

    @rule(size=st.floats(-4.0, 4.0).filter(bool))
    def trade_spot(self, size):
        weth = self.desk.protocols.tokens["WETH"].address
        self.attempt("spot", self.desk.spot.swap(weth, wad(size), wad(10**6) if size > 0 else 0))

    @rule(size=st.floats(-6.0, 6.0).filter(bool), margin=st.integers(1_000, 20_000))
    def trade_perp(self, size, margin):
        perp, market = self.desk.perp(), self.desk.protocols.perps[0].base_token
        limit = wad(10**6) if size > 0 else 0
        self.attempt("perp", perp.post(0, margin * USDC, 0), perp.order(market, wad(size), limit, False))

    @rule(amount=st.integers(1, 300_000))
    def lend(self, amount):
        usdc = self.desk.protocols.tokens["USDC"].address
        self.attempt("lent", self.desk.lending.supply(usdc, amount * USDC))

    @rule(amount=st.integers(1, 300_000))
    def take_back(self, amount):
        usdc = self.desk.protocols.tokens["USDC"].address
        self.attempt("taken back", self.desk.lending.withdraw(usdc, amount * USDC, self.desk.vault.address))

    @rule(move=st.floats(-0.02, 0.02), wait=st.integers(60, 3_000))
    def market(self, move, wait):
        """A round of the feed, away from the pool, which then agrees no more or agrees again."""
        self.desk.warp(wait)
        self.desk.post_price(3_000.0 * (1 + move))

    @rule(tokens=st.integers(1, 400), sell=st.booleans())
    def push_the_pool(self, tokens, sell):
        desk, thief = self.desk, self.desk.chain.signers["bob"]
        token, other = ("WETH", "USDC") if sell else ("USDC", "WETH")
        amount = tokens * WAD if sell else tokens * 3_000 * USDC
        _, low, mid, high = self.nav()
        desk.give(token, thief.address, amount)
        desk.token(token).approve(desk.protocols.uniswap.router, amount).send(thief)
        pool = desk.protocols.uniswap.pools["WETH/USDC"]
        at = desk.protocols.tokens
        swap = (at[token].address, at[other].address, pool.fee, thief.address, amount, 0, 0)
        desk.act("bob", desk.protocols.uniswap.router, uniswap.router(), "exactInputSingle", swap)
        # Nothing of the push is in a price that is the mean of minutes; a few seconds of blocks may be, and of interest.
        _, low_now, mid_now, high_now = self.nav()
        assert max(low_now, low) <= min(high_now, high) + WAD
        assert mid_now == pytest.approx(mid, rel=1e-3)

    @rule(amount=st.integers(1, 5_000), to=st.sampled_from(("vault", "spot", "lending")))
    def donate(self, amount, to):
        low = self.low()
        self.desk.give("USDC", getattr(self.desk, to).address, amount * USDC)
        assert self.low() >= low * (1 - 1e-9)

    @precondition(lambda self: self.nav()[0])
    @rule()
    def mark(self):
        self.desk.vault.mark().send(self.desk.chain.signers["carol"], gas=12_000_000)

    def nav(self):
        now = self.desk.vault.nav().read()
        return now.priced, now.low, now.mid, now.high

    @invariant()
    def it_can_be_read(self):
        vault, alice = self.desk.vault, self.desk.chain.accounts["alice"]
        priced, low, mid, high = self.nav()
        assert low <= mid <= high
        assert (vault.max_deposit(alice).read() > 0) == (priced and high > 0)
        assert vault.total_assets().read() >= 0

    @invariant()
    def nobody_is_shown_more_than_idle(self):
        for role in DEPOSITORS:
            assert self.desk.vault.max_withdraw(self.desk.chain.accounts[role]).read() <= self.desk.idle

    @invariant()
    def every_share_has_a_holder(self):
        assert self.supply() - self.held() == self.others


def test_a_vault_on_real_protocols_holds(desk):
    """Hypothesis keeps its first ten runs short; $EVENKEEL_EXAMPLES asks for a twentieth as many runs."""
    VaultMachine.desk = desk
    VaultMachine.done.clear()
    runs = max(RUNS, int(os.environ.get("EVENKEEL_EXAMPLES", "0")) // 20)
    run_state_machine_as_test(
        VaultMachine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=12,
            deadline=None,
            derandomize=runs == RUNS,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(VaultMachine.done))
    assert all(VaultMachine.done[name] for name in ("entry", "exit", "spot", "perp", "lent"))
