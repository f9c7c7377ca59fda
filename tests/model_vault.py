"""A vault in plain arithmetic: states for the planner, and venues that fill its instructions at known prices.

It stands for no contract's behaviour; the integration tests run the real ones.
"""

import copy
from dataclasses import dataclass, field

from eth_abi import decode, encode

from evenkeel.bindings import LendingVenue, OptionVenue, PerpVenue, SpotVenue
from evenkeel.bindings.types import (
    Book,
    Breaker,
    Exposure,
    Greeks,
    Kind,
    LendingAccount,
    Limits,
    Margin,
    OptionPosition,
    OptionTerms,
    PerpPosition,
    QueueState,
    Range,
    SpotHolding,
    Trade,
    UnderlyingState,
    UnitState,
    Valuation,
    VaultState,
    VenueConfig,
    VenueState,
    VenueValue,
    VolPoint,
)
from evenkeel.chain.block import BlockRef
from evenkeel.chain.snapshot import Quote, Snapshot
from evenkeel.pricing import black76

WAD = 10**18
NOW = 1_750_000_000
EXPIRY = NOW + 42 * 86400


def address(number):
    return "0x" + f"{number:040d}"


VAULT, USDC, WETH, SUSD, QUEUE, ORACLE = (address(n) for n in range(1, 7))
UNISWAP, PERP_A, PERP_B, LYRA, AAVE = (address(n) for n in range(11, 16))
MARKET_A, MARKET_B = address(21), address(22)
ADDRESSES = {"uniswap-v3": UNISWAP, "perp-a": PERP_A, "perp-b": PERP_B, "lyra-v1": LYRA, "aave-v3": AAVE}


def _selector(call):
    return call.data[:4]


SWAP = _selector(SpotVenue(UNISWAP, None).swap(WETH, 1, 0))
ORDER = _selector(PerpVenue(PERP_A, None).order(MARKET_A, 1, 0, False))
POST = _selector(PerpVenue(PERP_A, None).post(0, 1, 0))
BOOK = _selector(PerpVenue(PERP_A, None).book())
TRADE = _selector(OptionVenue(LYRA, None).trade(Trade(0, 0, True, 1, 0, 0)))
WITHDRAW = _selector(LendingVenue(AAVE, None).withdraw(USDC, 1, VAULT))


class Refused(Exception):  # noqa: N818 - stands for a revert
    pass


@dataclass
class Option:
    unit: int
    strike: float
    is_call: bool
    size: float
    collateral: float
    minimum: float
    venue_vol: float = 0.75


@dataclass
class Perp:
    market: str
    size: float = 0.0
    equity: float = 0.0
    cost: float = 0.001
    funding: float = 0.0
    working: bool = True


@dataclass
class ModelVault:
    """Amounts in whole tokens and dollars."""

    spot: float = 3000.0
    vol: float = 0.75
    idle: float = 800_000.0
    held: float = 0.0
    lent: float = 0.0
    spot_cost: float = 0.003
    options: list = field(default_factory=list)
    perps: dict = field(default_factory=lambda: {PERP_A: Perp(MARKET_A), PERP_B: Perp(MARKET_B, cost=0.002)})
    timestamp: int = NOW
    susd: float = 1.0
    priced: bool = True
    unreadable: tuple = ()
    min_delta: float = 0.15
    pending: tuple = ()
    most_contracts: float = 1e9
    most_ether: float = 1e9
    waiting: float = 0.0
    requests: int = 0
    failures: dict = field(default_factory=dict)
    breakers: dict = field(default_factory=dict)
    venue_vols: tuple = ()
    read_at: int = 0

    def short_straddles(self, n=60.0, strike=3000.0, health=1.3):
        for is_call in (True, False):
            minimum = n * strike * 0.38
            self.options.append(Option(len(self.options) + 1, strike, is_call, -n, minimum * health, minimum))
        return self

    # State

    def priced_option(self, o):
        years = max(EXPIRY - self.timestamp, 0) / (365 * 86400)
        return black76(self.spot, o.strike, years, self.vol, o.is_call)

    def books(self):
        options = [(o, self.priced_option(o)) for o in self.options]
        total = {
            name: sum(o.size * float(getattr(g, name)) for o, g in options)
            for name in ("delta", "gamma", "vega", "theta")
        }
        collateral = sum(o.collateral for o in self.options)
        found = {
            UNISWAP: (self.held * self.spot, [_exposure(WETH, 0, delta=self.held)] if self.held else []),
            LYRA: (
                collateral * self.susd + sum(o.size * float(g.price) for o, g in options),
                ([_exposure(WETH, EXPIRY, **total)] if options else [])
                + ([_exposure(SUSD, 0, delta=collateral)] if collateral else []),
            ),
            AAVE: (self.lent, []),
        }
        for at, perp in self.perps.items():
            found[at] = (perp.equity, [_exposure(WETH, 0, delta=perp.size)] if perp.size else [])
        return found

    def nav(self):
        return self.idle + sum(mid for mid, _ in self.books().values())

    def delta(self):
        return sum(
            e.greeks.delta / WAD
            for _, exposures in self.books().values()
            for e in exposures
            if e.underlying == WETH
        )

    def state(self):
        books, nav = self.books(), self.nav()
        exposures = {}
        for _, entries in books.values():
            for e in entries:
                old = exposures.get((e.underlying, e.expiry), Greeks(0, 0, 0, 0))
                exposures[e.underlying, e.expiry] = Greeks(
                    *(getattr(old, n) + getattr(e.greeks, n) for n in ("delta", "gamma", "vega", "theta"))
                )
        width = 0.002 * nav
        valuation = Valuation(
            priced=self.priced and not self.unreadable,
            low=_wad(nav - width),
            mid=_wad(nav),
            high=_wad(nav + width),
            idle=_wad(self.idle),
            exposures=tuple(Exposure(u, e, g) for (u, e), g in exposures.items()),
            pending=self.pending,
            prices=(),
            vols=(VolPoint(WETH, EXPIRY, _wad(self.vol - 0.02), _wad(self.vol), _wad(self.vol + 0.02), NOW),),
            venues=tuple(VenueValue(v, True, _wad(mid), 0, 0) for v, (mid, _) in books.items()),
        )
        return VaultState(
            chain_id=31337,
            block_number=100,
            timestamp=self.timestamp,
            base_fee=10**8,
            vault=VAULT,
            oracle=ORACLE,
            asset=USDC,
            asset_decimals=6,
            share_decimals=6,
            idle=int(self.idle * 10**6),
            total_supply=10**12,
            total_assets=int(nav * 10**6),
            max_loss_per_call=25 * 10**14,
            max_loss_per_day=75 * 10**14,
            loss_left=25 * 10**14,
            queue=QueueState(QUEUE, round(self.waiting * 10**6), self.requests, 2 * 10**16, 0),
            valuation=valuation,
            underlyings=tuple(
                UnderlyingState(
                    token,
                    symbol,
                    18,
                    self.priced,
                    _wad(p * 0.998),
                    _wad(p),
                    _wad(p * 1.002),
                    NOW,
                    _no_limits(),
                    self.failures.get(token, b""),
                    self.breakers.get(token, Breaker(_wad(p), self.timestamp, WAD, 0, 0, 0)),
                    self.read_at,
                )
                for token, symbol, p in ((WETH, "WETH", self.spot), (SUSD, "sUSD", self.susd))
            ),
            venues=tuple(self._venue(at, books) for at in ADDRESSES.values()),
            venue_vols=self.venue_vols,
        )

    def _venue(self, at, books):
        mid, exposures = books[at]
        kind = {UNISWAP: Kind.SPOT, LYRA: Kind.OPTION, AAVE: Kind.LENDING}.get(at, Kind.PERP)
        parts = {"units": (), "spot": (), "perps": (), "options": (), "lending": ()}
        if kind == Kind.SPOT:
            parts["spot"] = (SpotHolding(WETH, _wad(self.held), _wad(self.spot), _wad(self.spot_cost)),)
        elif kind == Kind.PERP:
            perp = self.perps[at]
            owed = abs(perp.size) * self.spot
            parts["units"] = (_unit(0, perp.equity, owed * 0.1, owed * 0.0625),)
            parts["perps"] = (
                PerpPosition(
                    perp.market, WETH, _wad(perp.size), -_wad(perp.size * self.spot), _wad(self.spot), _wad(self.spot), 0,
                    _wad(perp.funding), _wad(perp.cost),
                ),
            )  # fmt: skip
        elif kind == Kind.OPTION:
            parts["units"] = tuple(
                _unit(o.unit, o.collateral, o.minimum, o.minimum) for o in self.options if o.size < 0
            )
            parts["options"] = tuple(self._option(o) for o in self.options)
        else:
            parts["units"] = (_unit(0, self.lent * 0.78, 0, 0),)
            parts["lending"] = (
                LendingAccount(
                    USDC, _wad(self.lent), 0, _wad(0.04), _wad(0.06), _wad(0.75), _wad(0.78), _wad(1e9)
                ),
            )
        gone = at in self.unreadable
        if gone:
            # Margins are the protocol's own and need no price of ours.
            parts = {**dict.fromkeys(parts, ()), "units": parts["units"]}
        return VenueState(
            venue=at,
            kind=kind,
            protocol=b"x".ljust(32, b"\0"),
            config=VenueConfig(_wad(1.0), 0, 0, 0),
            frozen=False,
            readable=not gone,
            failure=b"",
            book=Book(0, 0, ()) if gone else Book(_wad(mid), 0, tuple(exposures)),
            listings=(),
            option_terms=OptionTerms(_wad(self.min_delta), _wad(0.3), _wad(3.0), 12 * 3600, SUSD, WETH),
            **parts,
        )

    def _option(self, o):
        g = self.priced_option(o)
        greeks = Greeks(*(_wad(o.size * float(getattr(g, n))) for n in ("delta", "gamma", "vega", "theta")))
        return OptionPosition(
            o.unit, 7, WETH, EXPIRY, _wad(o.strike), o.is_call, _wad(o.size), _wad(o.collateral),
            _wad(float(g.price)), _wad(self.vol), _wad(o.venue_vol), greeks,
        )  # fmt: skip

    def snapshot(self):
        return Snapshot(BlockRef(100, "0x" + "ab" * 32, "0x" + "aa" * 32, self.timestamp), self.state())

    # Fills

    def quote(self, request):
        try:
            return Quote(request.key, results=tuple(copy.deepcopy(self).execute(request.instructions)))
        except Refused as error:
            return Quote(request.key, failure=str(error))

    def execute(self, instructions):
        return [self._one(i.venue, i.data) for i in instructions]

    def top_up(self, top):
        self._post(top.venue, top.unit, top.assets)

    def _one(self, venue, data):
        selector, body = data[:4], data[4:]
        if selector == SWAP:
            _, size, limit = decode(["address", "int256", "uint256"], body)
            return encode(["int256"], [_wad(self._swap(size / WAD, limit / WAD))])
        if selector == ORDER:
            _, size, limit, reduce_only = decode(["address", "int256", "uint256", "bool"], body)
            self._order(venue, size / WAD, limit / WAD, reduce_only)
            return encode(["uint256", "uint8"], [1, 2])
        if selector == POST:
            unit, assets, _ = decode(["uint256", "uint256", "uint256"], body)
            self._post(venue, unit, assets)
            return encode(["uint256"], [assets])
        if selector == BOOK:
            mid, _ = self.books()[venue]
            return encode(
                ["(int256,uint256,(address,uint64,(int256,int256,int256,int256))[])"], [(_wad(mid), 0, [])]
            )
        if selector == WITHDRAW:
            _, amount, _ = decode(["address", "uint256", "address"], body)
            if amount / 1e6 > self.lent:
                raise Refused("withdraw more than lent")
            self.lent -= amount / 1e6
            self.idle += amount / 1e6
            return encode(["uint256"], [amount])
        assert selector == TRADE
        (order,) = decode(["(uint256,uint256,bool,int256,uint256,uint256)"], body)
        return self._trade(*order)

    def _swap(self, size, limit):
        if abs(size) > self.most_ether:
            raise Refused("LossTooLarge")
        price = self.spot * (1 + self.spot_cost if size > 0 else 1 - self.spot_cost)
        if (size > 0 and price > limit) or (size < 0 and price < limit):
            raise Refused("PriceLimit")
        if self.held + size < -1e-12:
            raise Refused("Insufficient")
        self.held += size
        self.idle -= size * price
        if self.idle < 0:
            raise Refused("IdleShort")
        return -size * price

    def _order(self, venue, size, limit, reduce_only):
        perp = self.perps[venue]
        if abs(size) > self.most_ether:
            raise Refused("LossTooLarge")
        price = self.spot * (1 + perp.cost if size > 0 else 1 - perp.cost)
        if not perp.working:
            raise Refused("CH_TLRS")
        if (size > 0 and price > limit) or (size < 0 and price < limit):
            raise Refused("PriceLimit")
        if reduce_only and not (size * perp.size < 0 and abs(size) <= abs(perp.size) * (1 + 1e-12)):
            raise Refused("NotReducing")
        grows = abs(perp.size + size) > abs(perp.size)
        perp.size += size
        perp.equity -= abs(size) * self.spot * perp.cost
        if grows and perp.equity < 0.1 * abs(perp.size) * self.spot:
            raise Refused("CH_NEFCI")

    def _post(self, venue, unit, assets):
        amount = assets / 1e6
        if amount > self.idle:
            raise Refused("IdleShort")
        self.idle -= amount
        if venue == LYRA:
            next(o for o in self.options if o.unit == unit).collateral += amount / self.susd
        else:
            self.perps[venue].equity += amount

    def _trade(self, position, _listing, _is_call, size, collateral, limit):
        option = next(o for o in self.options if o.unit == position)
        size /= WAD
        if size > self.most_contracts:
            raise Refused("LossTooLarge")
        premium, fee = size * float(self.priced_option(option).price) * 1.02, size * self.spot * 0.0005
        if premium + fee > limit / WAD:
            raise Refused("TotalCostOverLimit")
        freed = option.collateral - collateral / WAD
        share = size / -option.size
        option.size += size
        option.collateral -= freed
        option.minimum *= 1 - share
        self.idle += freed * self.susd - premium - fee
        return encode(
            ["uint256", "uint256", "int256", "uint256"],
            [position, _wad(size), -_wad(premium + fee), _wad(fee)],
        )


def _exposure(token, expiry, delta=0.0, gamma=0.0, vega=0.0, theta=0.0):
    return Exposure(token, expiry, Greeks(_wad(delta), _wad(gamma), _wad(vega), _wad(theta)))


def _unit(unit, equity, initial, maintenance):
    health = 2**256 - 1 if maintenance == 0 else max(0, int(equity / maintenance * WAD))
    return UnitState(unit, Margin(_wad(equity), _wad(initial), _wad(maintenance)), health)


def _no_limits():
    free = Range(-(2**200), 2**200)
    return Limits(free, free, free, free)


def _wad(value):
    return round(value * WAD)
