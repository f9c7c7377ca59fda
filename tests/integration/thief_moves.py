"""What a thief can do with a vault's calls and its own money: the moves of `thief.Thief`."""

import numpy as np
from vault_desk import USDC, WAD, wad

from evenkeel.sandbox.protocols import curie

TRUTH = 3_000
SCALE = 10**12
FEE = 0.0005
"""Of the Uniswap pool."""
PERPS = (curie.PERP_A, curie.PERP_B)
PERP_FEES = tuple(spec.fee / 10**6 for spec in PERPS)
TRIPS = 15
"""A rebalance carries 32 instructions: so many times in and out."""
HOUR = 3_600
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


class Moves:
    """See `thief.Thief`, which has the hands and the money."""

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
