"""Play the whole demo: stage, counterfactual, story, and the words that end it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evenkeel.demo.stage import set_up
from evenkeel.demo.story import with_keeper, without_keeper
from evenkeel.demo.words import ending
from evenkeel.deploy import plan_of
from evenkeel.sandbox import START_PRICE, Sandbox, places, up
from evenkeel.sandbox.paths import demo_path
from evenkeel.sandbox.price_file import load_prices
from evenkeel.strategy import load_mandate

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.demo.table import View
    from evenkeel.sandbox.paths import PricePath

STEPS = 48
MIN_HEDGES, MIN_HEDGES_OF_A_FILE = 6, 5
MANDATE = places.ROOT / "examples" / "demo.toml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `play` leaves: the JSON document, whether every promise held, and the sandbox where it was to be kept."""

    document: dict[str, Any]
    ok: bool
    url: str
    sandbox: Sandbox | None


def play(
    view: View,
    *,
    prices: str | None = None,
    start: str | None = None,
    steps: int | None = None,
    speed: float | None = None,
    keep: bool = False,
    keeper: bool = True,
    mandate: Path | None = None,
) -> Outcome:
    """Run the demo on its own path, or on `steps` hours of the file `prices` from `start` on.

    Raises `InputError` for what cannot be run, `DemoError` where the story could not be told to its end.
    """
    path = _path(prices, start, steps)
    mandate_file = mandate or MANDATE
    wanted = load_mandate(mandate_file)
    folder = places.STATE / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        view.say("booting a chain with Uniswap v3, Aave v3, Perp v2 twice, Lyra v1 and Chainlink feeds on it")
        sandbox = stack.enter_context(up(start_price=float(path.prices[0])))
        view.say("deploying the vault, taking 1,000,000 USDC, selling 60 at-the-money straddles of 42 days")
        stage = set_up(sandbox, wanted, plan_of(wanted, sandbox.protocols), float(path.ivs[0]), folder)
        view.say(f"first the same {path.steps} hours with nobody at the helm ...")
        alone = without_keeper(stage, path)
        if not keeper:
            document: dict[str, Any] = {"counterfactual": asdict(alone), "ok": True}
            for line in ending(None, alone):
                view.say(line)
            return Outcome(document, ok=True, url=sandbox.url, sandbox=None)
        view.say("... and now with the keeper")
        report = with_keeper(stage, path, mandate_file, folder, view, alone, speed=speed)
        view.end()
        for line in ending(report, alone):
            view.say(line)
        least = MIN_HEDGES if prices is None else MIN_HEDGES_OF_A_FILE
        for failure in report.failures(least):
            view.say(f"NOT KEPT: {failure}")
        if keep:
            stack.pop_all()
        document = report.to_json(least)
        return Outcome(document, ok=document["ok"], url=sandbox.url, sandbox=sandbox if keep else None)


def _path(prices: str | None, start: str | None, steps: int | None) -> PricePath:
    if prices is not None:
        return load_prices(prices, start=start, steps=steps or STEPS)
    return demo_path(START_PRICE)
