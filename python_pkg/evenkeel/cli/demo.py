"""`evenkeel demo`: a vault sells straddles, the market falls, and its keeper holds it level."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel import InputError
from evenkeel.demo import play
from evenkeel.demo.table import view

if TYPE_CHECKING:
    import argparse


_ENDS = (signal.SIGINT, signal.SIGTERM)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--prices", metavar="FILE", help="CSV with timestamp and close; also looked up in $EVENKEEL_DATA"
    )
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="ISO time (UTC) of the file's first row used"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="hourly steps (default: 48)")
    parser.add_argument(
        "--speed", type=float, metavar="N", help="steps a second at most (default: as fast as decided)"
    )
    parser.add_argument("--keep", action="store_true", help="leave the chain up afterwards, for the console")
    parser.add_argument(
        "--no-keeper", action="store_true", help="play the path with nobody at the helm, and stop there"
    )
    parser.add_argument("--mandate", type=Path, metavar="FILE", help="another mandate than the demo's own")


def run(args: argparse.Namespace) -> int:
    """Play the story. Returns 0 when every promise held, else 1. Raises `InputError` for what cannot be played."""
    if args.speed is not None and not args.speed > 0:
        raise InputError(f"--speed {args.speed:g}: expected steps a second, above 0")
    # As with Ctrl-C, everything that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with view(quiet=args.json) as shown:
        outcome = play(
            shown,
            prices=args.prices,
            start=args.start,
            steps=args.steps,
            speed=args.speed,
            keep=args.keep,
            keeper=not args.no_keeper,
            mandate=args.mandate,
        )
    if args.json:
        print(json.dumps(outcome.document))
    if outcome.sandbox is not None:
        try:
            _wait(outcome.url)
        finally:
            outcome.sandbox.close()
    return 0 if outcome.ok else 1


def _wait(url: str) -> None:
    # The system may hand a signal to any thread; whichever gets it writes to the pipe that is waited for.
    ended, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    for end in _ENDS:
        signal.signal(end, lambda *_: None)
    print(
        f"the chain is at {url}; EVENKEEL_RPC={url} make console; Ctrl-C stops it",
        file=sys.stderr,
        flush=True,
    )
    os.read(ended, 1)
