"""Where the gas of a rebalance goes, on the real protocols with a position in each: `pytest -s` on this file prints docs/contracts.md's table."""

from dataclasses import dataclass

import pytest
from vault_desk import USDC, WAD, wad

from evenkeel.bindings.types import Trade

pytestmark = pytest.mark.integration

CALL, PUT = True, False


@dataclass(frozen=True)
class Parts:
    """Gas of one rebalance: of all, of what the venue did, and of what the vault had read and judged around it."""

    total: int
    venue: int
    before: int
    after: int
    check: int
    mark: int

    @property
    def rest(self):
        """The transaction itself, and the code of vault and judge."""
        return self.total - self.venue - self.before - self.after - self.check - self.mark


@pytest.fixture
def desk(desk):
    expiry = desk.chain.start_time + 42 * 86_400
    desk.post_vol(expiry, 0.75)
    listings = desk.option.listings().read()
    desk.listing = next(x.listing for x in listings if (x.strike, x.expiry) == (3_000 * WAD, expiry))
    desk.rebalance(*(desk.option.trade(order(desk, kind, -20, 30_000)) for kind in (CALL, PUT)))
    desk.rebalance(desk.lending.supply(desk.protocols.tokens["USDC"].address, 100_000 * USDC))
    desk.rebalance(desk.spot.swap(weth(desk), wad(3), 4_000 * WAD))
    perp = desk.perp()
    desk.rebalance(perp.post(0, 40_000 * USDC, 40_000 * USDC), perp.order(market(desk), wad(-2), 1, False))
    return desk


def order(desk, kind, contracts, collateral, position=0):
    return Trade(position, desk.listing, kind, contracts * WAD, collateral * WAD, 0)


def weth(desk):
    return desk.protocols.tokens["WETH"].address


def market(desk):
    return next(perp.base_token for perp in desk.protocols.perps if perp.name == "perp-a")


def hours_later(desk):
    """When no mark is young enough to be carried, and Chainlink's round is new."""
    desk.warp(2 * 3_600)
    desk.post_price(3_000)


def parts(desk, call):
    """Have `call` rebalance the vault and read where its gas went."""
    desk.rebalance(call)
    (transaction,) = desk.w3.eth.get_block("latest")["transactions"]
    trace = desk.chain.node.rpc("debug_traceTransaction", f"0x{transaction.hex()}", {"tracer": "callTracer"})
    steps = only(trace["calls"], desk.vault.judge().read())["calls"]
    made = next(step for step in steps if to(step) == desk.vault.address.lower() and step["type"] == "CALL")
    before, after = steps[: steps.index(made)], steps[steps.index(made) + 1 :]
    check, mark = (only(after, address) for address in (desk.deployment.guard, desk.vault.marks().read()))
    return Parts(
        total=desk.gas["last"],
        venue=gas(only(made["calls"], call.to)),
        before=sum(map(gas, before)),
        after=sum(gas(step) for step in after if step not in (check, mark)),
        check=gas(check),
        mark=gas(mark),
    )


def only(steps, address):
    """The one call of `address` that changes something."""
    (found,) = (step for step in steps if to(step) == address.lower() and step["type"] == "CALL")
    return found


def to(step):
    return step["to"].lower()


def gas(step):
    return int(step["gasUsed"], 16)


def test_what_the_guard_costs_of_a_rebalance(desk):
    calls = {
        "perp hedge": desk.perp().order(market(desk), wad(-1), 1, False),
        "spot hedge": desk.spot.swap(weth(desk), wad(1), 4_000 * WAD),
        "option sale": desk.option.trade(order(desk, PUT, -2, 4_000)),
    }
    found = {}
    print("\n| rebalance | in all | venue | before | after | check | mark | rest |")
    for name, call in calls.items():
        hours_later(desk)
        found[name] = p = parts(desk, call)
        numbers = (p.total, p.venue, p.before, p.after, p.check, p.mark, p.rest)
        print(f"| {name} | {' | '.join(f'{number / 1e6:.2f}M' for number in numbers)} |")
    assert all(p.rest > 0 and 0 < p.check < 0.12 * p.total for p in found.values())
    assert found["option sale"].check < 0.15 * found["option sale"].venue
