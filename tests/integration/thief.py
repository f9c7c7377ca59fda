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
from vault_desk import USDC, WAD, wad

from evenkeel.bindings import ContractError, RiskGuard, Valuer
from evenkeel.bindings.types import Instruction
from evenkeel.sandbox.protocols import chainlink, curie

TRUTH = 3_000
SCALE = 10**12
DEVIATION = 0.00497
"""The most that an ETH/USD round may err: its half-width of 0.5% still holds the truth. DOLLAR is the same of USDC/USD's 0.25%."""
DOLLAR = 0.00249
FEE = 0.0005
"""Of the Uniswap pool."""
PERPS = (curie.PERP_A, curie.PERP_B)
PERP_FEES = tuple(spec.fee / 10**6 for spec in PERPS)
TRIPS = 15
"""A rebalance carries 32 instructions: so many times in and out."""
HOUR = 3_600
LAST = 300
MOVES = (
    "wash_pool",
    "wash_market",
    "squeeze_pool",
    "squeeze_market",
    "squeeze_both",
    "shrink",
    "lend",
    "borrow",
    "carry_over",
    "ease",
    "enter_or_leave",
    "mark",
    "blind",
)
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


class Thief:
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

    # Fees: the vault trades in and out at one price, and who provides the liquidity is paid for it

    def wash_pool(self):
        valuation = self.value()
        most, size = self.left(valuation.low), min(valuation.idle / WAD * 0.9, 8_000_000) / TRUTH
        trips = int(np.clip(np.ceil(most / (2 * FEE * size * TRUTH)), 1, TRIPS))
        self.pool.provide(0.005, 60_000_000)
        self.fit(
            "wash pool", min(size, most / (2 * FEE * TRUTH * trips)), lambda s: self.pool_trips(s, trips)
        )
        self.pool.withdraw()

    def pool_trips(self, size, trips):
        spot = self.desk.spot
        return [spot.swap(self.weth, wad(sign * size), self.any_price(sign)) for sign in (1, -1) * trips]

    def wash_market(self):
        which = self.random.integers(2)
        perp, base, market = self.perps[which], self.bases[which], self.markets[which]
        valuation = self.value()
        # Curie asks a tenth of what is open as margin.
        margin = 0.1 * valuation.low / WAD
        size, most = 8 * margin / TRUTH, self.left(valuation.low)
        cost = 2 * PERP_FEES[which] * TRUTH
        trips = int(np.clip(np.ceil(most / (cost * size)), 1, 6))
        self.margin(which, margin)
        market.provide(0.006, 15_000)
        self.fit(
            "wash market",
            min(size, most / (cost * trips)),
            lambda s: [
                perp.order(base, wad(sign * s), self.any_price(sign), False) for sign in (1, -1) * trips
            ],
        )
        market.withdraw()

    def any_price(self, sign):
        return wad(2 * TRUTH) if sign > 0 else 0

    def margin(self, which, dollars):
        """Have `dollars` at a perp venue."""
        missing = dollars - self.perps[which].margin(0).read().equity / WAD
        if missing > 1:
            self.attempt("post", self.perps[which].post(0, int(missing) * USDC, 0))

    # Prices: the thief moves a pool, the vault trades there, the thief moves it back

    def aim(self):
        """Side, ether and push with which a trade of delta should lose what is left; None where there is too little."""
        valuation = self.value()
        if not valuation.priced:
            return None
        low, left = valuation.low / WAD, self.left(valuation.low)
        delta = sum(e.greeks.delta for e in valuation.exposures if e.underlying == self.weth) / WAD
        quote = self.desk.oracle.quote(self.weth).read()
        error = quote.mid / WAD / TRUTH - 1
        # The vault buys what the oracle prices too high and sells what it prices too low.
        side = 1 if error > 0 else -1
        if self.style == "anything" and self.random.random() < 0.3:
            side = -side
        half = (quote.mid - quote.low if side > 0 else quote.high - quote.mid) / quote.mid
        room = 0.049 * low / TRUTH - side * delta
        size = room * self.random.uniform(0.9 if self.style == "errors" else 0.5, 1)
        if size * TRUTH < 0.002 * low:
            return None
        push = left / (size * TRUTH) - half + side * error
        return side, size, float(np.clip(push, 0.0005, 0.04))

    def squeeze_pool(self):
        aim = self.aim()
        if aim is None:
            return
        side, size, push = aim
        spot = self.desk.spot
        held = self.desk.balance("WETH", spot) / WAD
        if side < 0:
            size = min(size, held * 0.999999)
        if size * TRUTH < 1_000:
            return
        self.pool.push(TRUTH * (1 + side * push))
        if self.style == "anything" and self.random.random() < 0.3 and self.end - self.desk.now > HOUR:
            # Until the pool's average has followed.
            self.desk.warp(700)
        limit = self.any_price(side)
        self.fit("squeeze pool", size, lambda s: [spot.swap(self.weth, wad(side * s), limit)])
        self.pool.push(TRUTH)

    def squeeze_market(self):
        aim = self.aim()
        if aim is None:
            return
        side, size, push = aim
        # The second market is the cheaper one to move.
        which = 1 if self.style == "errors" else int(self.random.integers(2))
        perp, base, market = self.perps[which], self.bases[which], self.markets[which]
        self.margin(which, 0.1 * self.highest / WAD)
        market.push(TRUTH * (1 + side * push))
        limit = self.any_price(side)
        self.fit("squeeze market", size, lambda s: [perp.order(base, wad(side * s), limit, False)])
        market.push(TRUTH)

    def shrink(self):
        """The vault leaves the larger of its perps by an order that may only reduce it, in a market moved against it."""
        valuation, held = self.value(), [self.position(which) for which in range(2)]
        which = int(np.argmax(np.abs(held)))
        perp, base, market = self.perps[which], self.bases[which], self.markets[which]
        side = -int(np.sign(held[which]))
        size = min(abs(held[which]) * self.random.uniform(0.2, 1), 0.02 * valuation.low / WAD / TRUTH)
        if size < 0.01:
            return
        push = float(np.clip(self.left(valuation.low) / (size * TRUTH), 0.0005, 0.02))
        market.push(TRUTH * (1 + side * push))
        limit = self.any_price(side)
        self.fit("reduce only", size, lambda s: [perp.order(base, wad(side * s), limit, True)])
        market.push(TRUTH)

    def position(self, which):
        return self.perps[which].positions().read()[0].size / WAD

    def squeeze_both(self):
        """The vault buys dear in one market and sells cheap in the other: no delta, so no limit of it."""
        valuation = self.value()
        if not valuation.priced:
            return
        low, left = valuation.low / WAD, self.left(valuation.low)
        for which in range(2):
            self.margin(which, 0.12 * low)
        held = self.position(0)
        side = 1 if held == 0 else -np.sign(held)
        # The other way round gives back what was taken as margin.
        size = abs(held) if held and self.random.random() < 0.5 else 0.8 * low / TRUTH
        size *= self.random.uniform(0.3, 1)
        push = float(np.clip((left / (size * TRUTH) - sum(PERP_FEES)) / 2, 0.0005, 0.02))
        self.markets[0].push(TRUTH * (1 + side * push))
        self.markets[1].push(TRUTH * (1 - side * push))
        self.fit("squeeze both", size, lambda s: self.both(s, side))
        self.restore()

    # What costs nothing by itself

    def lend(self):
        lending, part = self.desk.lending, self.random.uniform(0.1, 1)
        lent = next(a.supplied for a in lending.accounts().read() if a.token == self.usdc)
        if lent and self.random.random() < 0.6:
            dollars = int(part * lent) // SCALE
            self.attempt("take back", lending.withdraw(self.usdc, dollars, self.desk.vault.address))
        else:
            self.attempt("lend", lending.supply(self.usdc, int(part * 0.3 * self.desk.idle)))

    def borrow(self):
        """Borrowed ether is sold into a pool pushed down; later it is bought back from one pushed up and repaid."""
        lending, spot = self.desk.lending, self.desk.spot
        owed = next(a.borrowed for a in lending.accounts().read() if a.token == self.weth) / WAD
        aim = self.aim()
        if aim is None:
            return
        _, size, push = aim
        push = min(push, 0.01)
        if owed and self.random.random() < 0.6:
            self.pool.push(TRUTH * (1 + push))
            self.fit(
                "repay",
                owed,
                lambda s: [
                    spot.swap(self.weth, wad(s), self.any_price(1)),
                    spot.move(self.weth, wad(s), lending.address),
                    lending.repay(self.weth, wad(s)),
                ],
            )
        else:
            self.attempt("lend", lending.supply(self.usdc, int(size * TRUTH * 3) * USDC))
            self.pool.push(TRUTH * (1 - push))
            self.fit(
                "borrow",
                size,
                lambda s: [
                    lending.borrow(self.weth, wad(s), spot.address),
                    spot.swap(self.weth, -wad(s), 0),
                ],
            )
        self.pool.push(TRUTH)

    def carry_over(self):
        """Ether goes from the spot venue to the lending venue, and back again."""
        spot, lending = self.desk.spot, self.desk.lending
        held = self.desk.balance("WETH", spot)
        lent = next(a.supplied for a in lending.accounts().read() if a.token == self.weth)
        if held and not (lent and self.random.random() < 0.5):
            self.attempt("move", spot.move(self.weth, held, lending.address), lending.supply(self.weth, held))
        elif lent:
            self.attempt("move back", lending.withdraw(self.weth, lent, spot.address))

    def ease(self):
        """Frees all the margin that a perp need not have, and tops it up again."""
        which = int(self.random.integers(2))
        perp, vault = self.perps[which], self.desk.vault
        margin = perp.margin(0).read()
        spare = margin.equity - margin.maintenance * 185 // 100
        if spare // SCALE > 0:
            self.try_("free", vault.keeper_free(perp.address, 0, spare // SCALE, 0), self.keeper)
        margin = perp.margin(0).read()
        missing = margin.maintenance * 29 // 10 - margin.equity
        if missing // SCALE > 0:
            self.try_("top up", vault.top_up(perp.address, 0, missing // SCALE, 0), self.keeper)

    def enter_or_leave(self):
        vault, account = self.desk.vault, self.signer.address
        shares = vault.max_redeem(account).read()
        before = self.desk.balance("USDC", account)
        if shares and self.random.random() < 0.6:
            part = shares if self.random.random() < 0.5 else int(shares * self.random.uniform(0.1, 1))
            self.try_("leave", vault.redeem(part, account, account), self.signer)
            self.taken_out += self.desk.balance("USDC", account) - before
            return
        assets = int(self.random.uniform(0.01, 0.3) * self.started / SCALE)
        self.try_("enter", vault.deposit(assets, account), self.signer)
        self.paid_in += before - self.desk.balance("USDC", account)

    def mark(self):
        self.try_("mark", self.desk.vault.mark(), self.signer)

    def blind(self):
        """The pool is held so far away that the vault has no price; then spot is sold as one may without one."""
        if not self.desk.balance("WETH", self.desk.spot) or self.end - self.desk.now < HOUR:
            return
        self.pool.push(TRUTH * 0.88)
        self.desk.warp(700)
        self.pool.push(TRUTH * 0.97)
        spot, price = self.desk.spot.address, wad(TRUTH * 0.955)
        for part in (WAD, WAD // 8, WAD // 64, WAD // 512):
            call = self.desk.vault.keeper_reduce(spot, 1, part, price)
            if self.try_("sell blind", call, self.keeper) is None:
                break
        self.pool.push(TRUTH)
        self.desk.warp(700)
