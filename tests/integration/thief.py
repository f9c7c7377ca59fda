"""A thief with the keeper's key and money of its own, for a day on the real protocols: see docs/invariants.md.

An ether is worth 3,000 dollars and a USDC one all day long: with a truth that moves, profit would be luck in part. The feeds err
as they like inside their stated half-widths, and honest liquidity in the pools stands still, so that every move of a pool is the
thief's own and costs it the pool's fees both ways.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import count

import numpy as np
from own_money import PerpMoney, SpotMoney, act, ask, curie_worth
from thief_moves import HOUR, MOVES, PERPS, SCALE, TRUTH, Moves
from vault_desk import WAD, wad

from evenkeel.bindings import ContractError, RiskGuard, Valuer
from evenkeel.bindings.types import Instruction
from evenkeel.sandbox.protocols import chainlink

DEVIATION = 0.00497
"""The most that an ETH/USD round may err: its half-width of 0.5% still holds the truth. DOLLAR is the same of USDC/USD's 0.25%."""
DOLLAR = 0.00249
LAST = 300
LOSSES = ("LossTooLarge", "BudgetExceeded")
_PLANS = count(1 << 128)


@dataclass(frozen=True, slots=True)
class Result:
    """Of one day, asset units at 1e18. `profit` is the thief's, `fall` the vault's, both at the truth."""

    profit: int
    fall: int
    highest: int


class Feed:
    """A Chainlink feed of the desk's; `Desk.post_price` in a hurry."""

    def __init__(self, desk, pair):
        self.desk = desk
        proxy, source = desk.protocols.feeds[pair], chainlink.contract("EACAggregatorProxy")
        self.aggregator = ask(desk, proxy, source, "aggregator")
        self.source = chainlink.contract("FluxAggregator")
        self.round = ask(desk, self.aggregator, self.source, "latestRound")

    def post(self, dollars):
        self.round += 1
        # The feed takes the median of two.
        for role in ("oracle_1", "oracle_2"):
            answer = round(dollars * 10**8)
            act(self.desk, role, self.aggregator, self.source, "submit", self.round, answer)


class Thief(Moves):
    """`style` is what it lives on: "anything" there is, "fees" that the vault pays it for nothing, the oracle's "errors", or "funding".

    But for the last it leaves every market at the truth whenever time passes in which funding could flow.
    """

    def __init__(self, desk, style, seed):
        self.desk, self.style = desk, style
        self.random = np.random.default_rng(seed)
        self.guard = RiskGuard(desk.deployment.guard, desk.w3)
        self.valuer = Valuer(desk.vault.valuer().read(), desk.w3)
        self.keeper = desk.chain.signers["keeper"]
        self.signer = desk.chain.signers["bob"]
        self.weth, self.usdc = (desk.protocols.tokens[s].address for s in ("WETH", "USDC"))
        self.perps = [desk.perp(market.name) for market in desk.protocols.perps]
        self.bases = [market.base_token for market in desk.protocols.perps]
        self.pool = SpotMoney(desk, "bob", 600_000_000, 150_000)
        self.markets = [PerpMoney(desk, market, "bob", 300_000_000) for market in desk.protocols.perps]
        desk.token("USDC").approve(desk.vault.address, 2**256 - 1).send(self.signer)
        self.feeds = {pair: Feed(desk, pair) for pair in ("ETH/USD", "USDC/USD")}
        self.done = Counter()
        self.side, self.deck = 1, []
        self.paid_in = self.taken_out = 0
        self.highest = self.started = self.end = 0

    # What there is

    def wealth(self):
        """All that the thief has outside the vault, at the truth."""
        return self.pool.worth(TRUTH) + sum(market.worth(TRUTH) for market in self.markets)

    def vault_worth(self):
        """What the vault has, at the truth."""
        desk = self.desk
        total = desk.idle * SCALE
        for venue in (desk.spot, desk.lending, desk.option, *self.perps):
            total += desk.balance("USDC", venue) * SCALE + desk.balance("WETH", venue) * TRUTH
        for account in desk.lending.accounts().read():
            net = account.supplied - account.borrowed
            total += {self.usdc: 1, self.weth: TRUTH}.get(account.token, 0) * net
        for venue, market in zip(self.perps, desk.protocols.perps, strict=True):
            total += curie_worth(desk, market, venue.address, TRUTH)
        return total

    def value(self):
        found = self.valuer.value(self.desk.vault.address).read()
        self.highest = max(self.highest, found.low)
        return found

    def left(self, low):
        """What the next call may lose, dollars."""
        return low / WAD * self.guard.budget(self.desk.vault.address).read().left / WAD

    # The day

    def day(self, hours=24):
        """One day, or its first `hours`; see `Result`."""
        self.end = self.desk.now + hours * HOUR - 60
        worth, wealth = self.vault_worth(), self.wealth()
        self.started = self.value().low
        while self.desk.now < self.end:
            self.err()
            getattr(self, f"_{self.style}")()
            self.value()
            self.wait()
        self.settle_down()
        after = self.vault_worth()
        shares = self.desk.vault.balance_of(self.signer.address).read()
        profit = self.wealth() - wealth + after * shares // self.desk.vault.total_supply().read()
        fall = worth + (self.paid_in - self.taken_out) * SCALE - after
        return Result(profit, fall, self.highest)

    def _anything(self):
        for _ in range(2):
            if not self.deck:
                self.deck = [*self.random.permutation(MOVES)]
            getattr(self, self.deck.pop())()

    def _fees(self):
        (self.wash_market if self.random.random() < 0.15 else self.wash_pool)()

    def _errors(self):
        sells = self.side < 0 and not self.desk.balance("WETH", self.desk.spot)
        (self.squeeze_market if sells or self.random.random() < 0.5 else self.squeeze_pool)()

    def _funding(self):
        """The vault holds a long in one market and a short in the other, against the thief; then both are moved to where they pay.

        Of the base that holds a market `push` away, half the vault's size: more would be paid to others, less would pay little.
        """
        self.restore()
        # Curie's mark, which a growing position is charged the distance of, is a mean of half an hour.
        self.desk.warp(2_000)
        self.err()
        self.pair()
        for which, (spec, side) in enumerate(zip(PERPS, (-1, 1), strict=True)):
            push = min(0.09, abs(self.position(which)) / spec.depth)
            self.markets[which].push(TRUTH * (1 + side * push))

    def pair(self):
        """All of a pair that the budget lets grow, bought from and sold to the thief's own liquidity."""
        low = self.value().low / WAD
        for which, market in enumerate(self.markets):
            self.margin(which, 0.147 * low)
            market.provide(0.006, 60_000)
        most = min(perp.margin(0).read().equity / WAD / (0.115 * TRUTH) for perp in self.perps)
        # Half of what perps may have in all, a little less than that for the error of the feeds.
        most = min(most, 0.49 * self.guard.max_perp_gross().read() / WAD * low / TRUTH)
        self.fit("pair", most - abs(self.position(0)), lambda s: self.both(s, -1))
        for market in self.markets:
            market.withdraw()

    def both(self, size, side):
        """Orders of `side` in the first market and the other in the second."""
        return [
            perp.order(base, wad(sign * size), self.any_price(sign), False)
            for perp, base, sign in zip(self.perps, self.bases, (side, -side), strict=True)
        ]

    def wait(self):
        """Let time pass, at most until shortly before the day is over: what has leaked by then is there to be taken."""
        pace = {"anything": 4_000, "fees": 5 * HOUR, "errors": 3 * HOUR, "funding": 12 * HOUR}[self.style]
        left = self.end - self.desk.now
        until_last = left - LAST
        self.desk.warp(
            int(min(self.random.integers(pace // 12, pace), until_last) if until_last > 0 else max(left, 1))
        )

    def settle_down(self):
        self.pool.withdraw()
        self.restore()

    def restore(self):
        """Bring every pool back to the truth: nobody else would for nothing."""
        self.pool.push(TRUTH)
        for market in self.markets:
            market.push(TRUTH)

    def err(self):
        """New rounds, off by all that they may be one time in two, and from end to end for who lives on that."""
        off, dollar = self.within(DEVIATION), self.within(DOLLAR)
        if self.style == "funding":
            off = dollar = 0
        if self.style == "errors":
            self.side = -self.side
            off, dollar = self.side * DEVIATION, -self.side * DOLLAR
        self.feeds["ETH/USD"].post(TRUTH * (1 + off))
        self.feeds["USDC/USD"].post(1 + dollar)
        self.done["round"] += 1

    def within(self, most):
        end = self.random.random() < 0.5
        return most * (self.random.choice((-1, 1)) if end else self.random.uniform(-1, 1))

    # The keeper's calls

    def attempt(self, name, *calls):
        """A rebalance; None where it went through, else why not."""
        order = self.desk.vault.rebalance(
            [Instruction(call.to, call.data) for call in calls],
            self.desk.now + 600,
            next(_PLANS).to_bytes(32),
        )
        return self.try_(name, order, self.keeper)

    def try_(self, name, call, signer):
        try:
            call.simulate(signer.address)
            call.send(signer, gas=16_000_000)
        except ContractError as error:
            self.done[f"{name} refused: {type(error.cause or error).__name__}"] += 1
            return error
        self.done[name] += 1
        return None

    def fit(self, name, size, calls):
        """The largest of `calls(size)` up to `size` that what is left of the budget lets through; 0 where none is."""
        for _ in range(5):
            refusal = self.attempt(name, *calls(size))
            if refusal is None:
                return size
            if type(refusal).__name__ not in LOSSES:
                return 0
            most = getattr(refusal, "maximum", None)
            size *= 0.9995 * (refusal.left if most is None else most) / refusal.loss
            if abs(size) < 0.01:
                return 0
        return 0
