"""A Brownie console with a vault in hand: `make console`, or `python -m evenkeel.console`.

It boots a sandbox of its own with the demo's opening book, or attaches to the one at $EVENKEEL_RPC, such as `evenkeel demo --keep`
leaves. Leaving the console stops what it started and nothing else.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brownie._cli.console import Console
from brownie._config import CONFIG
from brownie.network.main import connect, disconnect
from prompt_toolkit.completion import CompleteEvent, Completer, Completion

from evenkeel import EvenkeelError
from evenkeel.bindings import (
    ERC20,
    Call,
    Contract,
    LendingVenue,
    OptionVenue,
    OracleAdapter,
    PerpVenue,
    RedeemQueue,
    RiskGuard,
    SpotVenue,
    Venue,
    VenueActs,
)
from evenkeel.bindings.types import Kind
from evenkeel.demo.stage import set_up
from evenkeel.deploy import plan_of
from evenkeel.operate import MANDATE, SANDBOX, Chain, OperateError, Proposal, Session, one_line, status
from evenkeel.sandbox import places, up
from evenkeel.strategy import load_mandate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prompt_toolkit.document import Document

    from evenkeel.bindings import Receipt
    from evenkeel.demo.stage import Stage

_VOL = 0.8
"""Of the market that a console starts with."""
_CALLED = re.compile(r"(?P<called>[A-Za-z_][\w.]*)\([^()]*\)\.(?P<start>\w*)$")
_VENUES: dict[Kind, type[Contract]] = {
    Kind.SPOT: SpotVenue,
    Kind.LENDING: LendingVenue,
    Kind.PERP: PerpVenue,
    Kind.OPTION: OptionVenue,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Open the console and return its exit code; 2 with one line for wrong input."""
    parser = argparse.ArgumentParser(
        prog="python -m evenkeel.console", description="A Brownie console with a vault in hand."
    )
    parser.add_argument(
        "--deployment", type=Path, metavar="FILE", help="whose vault, on the chain at $EVENKEEL_RPC"
    )
    args = parser.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    with one_line(), ExitStack() as stack:
        url, stage = os.environ.get("EVENKEEL_RPC"), None
        if not url:
            stage = _boot(stack)
            url = stage.sandbox.url
        chain = Chain.at(url)
        session = Session.open(chain, deployment=stage.deployment_file if stage else args.deployment)
        _connect(url)
        stack.callback(disconnect, kill_rpc=False)
        console = Console(None, _names(chain, session, stage))
        completer = console.prompt_session.completer
        if completer is not None:
            console.prompt_session.completer = CallCompleter(console.locals, completer)
        _plain_errors(console)
        _plain_results(console)
        console.interact(banner=_banner(chain, moves=stage is not None), exitmsg="")
    return 0


def _boot(stack: ExitStack) -> Stage:
    sys.stdout.write("booting a sandbox and opening the demo's book on it ...\n")
    sys.stdout.flush()
    sandbox = stack.enter_context(up())
    mandate = load_mandate(places.ROOT / MANDATE)
    folder = places.STATE / "console"
    folder.mkdir(parents=True, exist_ok=True)
    return set_up(sandbox, mandate, plan_of(mandate, sandbox.protocols), _VOL, folder)


def _connect(url: str) -> None:
    try:
        CONFIG.networks[SANDBOX]["host"] = url
    except KeyError:
        raise OperateError(f"Brownie has no network {SANDBOX}; run `make setup`") from None
    connect(SANDBOX)


def _names(chain: Chain, session: Session, stage: Stage | None) -> dict[str, Any]:
    """Return what the console calls by name."""
    keeper = chain.signer("keeper")

    def send(proposal: Proposal) -> list[Receipt]:
        return session.send(proposal, keeper)

    def show() -> None:
        print("\n".join(status(session)))  # noqa: T201 - the console redirects it around its prompt

    oracle = OracleAdapter(session.vault.oracle().read(), chain.w3)
    guard = RiskGuard(session.vault.guard().read(), chain.w3)
    queue = session.vault.redeem_queue().read()
    venues = {name.replace("-", "_"): _venue(address, chain) for name, address in session.venues.items()}
    asset = ERC20(session.vault.asset().read(), chain.w3)
    return {
        "vault": session.vault,
        "lens": session.lens,
        "oracle": oracle,
        "guard": guard,
        "acts": VenueActs(guard.acts().read(), chain.w3),
        **({"queue": RedeemQueue(queue, chain.w3)} if int(queue, 16) else {}),
        "asset": asset,
        **venues,
        "session": session,
        "mandate": session.mandate,
        "keeper": keeper,
        "book": session.book,
        "greeks": session.greeks,
        "plan": session.plan,
        "send": send,
        "status": show,
        **({"market": stage.market} if stage else {}),
    }


def _venue(address: str, chain: Chain) -> Contract:
    kind = Venue(address, chain.w3).kind().read()
    return _VENUES[kind](address, chain.w3)


class CallCompleter(Completer):
    """Completes what follows a typed call, as in `vault.nav().`, which Brownie's own completer cannot; leaves it the rest."""

    def __init__(self, names: dict[str, Any], other: Completer) -> None:
        self._names = names
        self._other = other

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """See `Completer`."""
        found = _CALLED.search(document.text_before_cursor)
        if found is None or not self._is_call(found["called"]):
            yield from self._other.get_completions(document, complete_event)
            return
        start = found["start"]
        for name in dir(Call):
            if name.startswith(start or "") and not name.startswith("_"):
                yield Completion(name, start_position=-len(start))

    def _is_call(self, dotted: str) -> bool:
        first, *rest = dotted.split(".")
        value = self._names.get(first)
        for name in rest:
            value = getattr(value, name, None)
        return str(getattr(value, "__annotations__", {}).get("return", "")).startswith("Call[")


def _plain_errors(console: Console) -> None:
    """Make `console` show our own errors as they are, with their numbers, and only others with a traceback."""
    other = console.showtraceback

    def show(*_: Any, **__: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, EvenkeelError):
            console.write(f"{error}\n")
        else:
            other()

    console.showtraceback = show  # type: ignore[method-assign]


def _plain_results(console: Console) -> None:
    """Make `console` show a named tuple with its names, which Brownie takes for a plain sequence."""
    run = console.runcode

    def run_and_show(code: Any) -> None:
        run(code)
        # Brownie compiles "x" as "__ret_value__ = x" and shows it after the run unless it is None.
        value = console.locals.get("__ret_value__")
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            console.locals["__ret_value__"] = None
            console.write(f"{value!r}\n")

    console.runcode = run_and_show  # type: ignore[method-assign]


def _banner(chain: Chain, *, moves: bool) -> str:
    last = (
        ("market.step(2700, 0.95)", "move ETH to $2,700 and its vol to 95%, an hour on; then plan() again")
        if moves
        else ("status()", "NAV, limits, venues and healths in lines")
    )
    tries = (
        ("vault.nav().read()", "the NAV interval, typed; vault.<TAB> lists every call"),
        ("greeks()", "dollars of delta, gamma, vega and theta; book() lists the positions"),
        ("plan()", "what the keeper would do at this block, and why; send(plan()) does it"),
        (
            "vault.top_up(perp_a.address, 0, 10**9, 0).send(keeper)",
            "a refusal is a typed error with its numbers",
        ),
        last,
    )
    lines = [f"  {code:<55} {words}" for code, words in tries]
    return "\n".join([f"\nA vault on chain {chain.chain_id} at {chain.url}. Try:", *lines])


if __name__ == "__main__":
    sys.exit(main())
