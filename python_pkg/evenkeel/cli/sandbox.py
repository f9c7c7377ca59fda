"""`evenkeel sandbox up | down | status`: a local chain with the real protocols, its market moved along a price path."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from evenkeel import InputError
from evenkeel.sandbox import START_PRICE, START_TIME, Sandbox, up
from evenkeel.sandbox import runs as records
from evenkeel.sandbox.accounts import ROLES
from evenkeel.sandbox.actors import Market
from evenkeel.sandbox.paths import PricePath, jump_diffusion
from evenkeel.sandbox.price_file import load_prices

_EVERY = 12.0
"""Seconds a step by default: as long as a block of the main chain."""

_DEFAULT_STEPS = 24 * 28


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the group's commands."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="up | down | status")
    start = commands.add_parser("up", help="boot a chain with every protocol on it; Ctrl-C stops it")
    start.add_argument("--port", type=int, help="loopback port (default: any free one)")
    start.add_argument(
        "--start-price", type=float, help=f"dollars an ETH (default: {START_PRICE:g}, or the file's)"
    )
    start.add_argument(
        "--prices",
        metavar="FILE",
        help="CSV with the columns timestamp and close, also looked up in $EVENKEEL_DATA",
    )
    start.add_argument(
        "--from", dest="start", metavar="TIME", help="ISO time (UTC) of the file's first row used"
    )
    start.add_argument("--steps", type=int, help="how many steps of the path")
    start.add_argument("--seed", type=int, default=1, help="seed of the random path (default: 1)")
    start.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        help="play one step of the path every so many seconds (default: 12)",
    )
    start.add_argument("--still", action="store_true", help="leave the market at rest")
    start.add_argument("--detach", action="store_true", help="leave it running, with the market at rest")
    stop = commands.add_parser("down", help="stop the sandboxes that `up` started")
    stop.add_argument("--port", type=int, help="only the one on this port")
    commands.add_parser("status", help="list them")


def run(args: argparse.Namespace) -> int:
    """Run one command."""
    if args.command == "down":
        return _down(args.port)
    if args.command == "status":
        return _status()
    with _ended_by_signals():
        _up(args)
    return 0


def _up(args: argparse.Namespace) -> None:
    if args.detach and args.every is not None:
        raise InputError("--every moves the market from this process, so it does not go with --detach")
    if args.still and args.every is not None:
        raise InputError("--every moves the market, so it does not go with --still")
    if args.every is not None and args.every <= 0:
        raise InputError(f"--every {args.every:g}: expected more than 0 seconds")
    path = _path(args)
    began = time.monotonic()
    sandbox = up(float(path.prices[0]), START_TIME, port=args.port)
    left_running = False
    try:
        record = records.remember(
            sandbox.node.pid, sandbox.url, sandbox.node.chain_id, sandbox.protocols_file
        )
        _announce(sandbox, time.monotonic() - began)
        if args.detach:
            print("Left running; `evenkeel sandbox down` stops it.", flush=True)
            left_running = True
            return
        try:
            _hold(sandbox, path, None if args.still else args.every or _EVERY)
        finally:
            records.forget(record)
    finally:
        if not left_running:
            sandbox.close()


def _path(args: argparse.Namespace) -> PricePath:
    if args.prices is None:
        if args.start is not None:
            raise InputError("--from goes with --prices FILE")
        price = START_PRICE if args.start_price is None else args.start_price
        return jump_diffusion(
            _DEFAULT_STEPS if args.steps is None else args.steps, start=price, seed=args.seed
        )
    if args.start_price is not None:
        raise InputError("--start-price does not go with --prices, which brings its own")
    return load_prices(args.prices, start=args.start, steps=args.steps)


def _announce(sandbox: Sandbox, seconds: float) -> None:
    print(f"RPC       {sandbox.url}   (ready in {seconds:.2f} s)")
    print(f"chain id  {sandbox.node.chain_id}")
    print(f"ETH       {sandbox.start_price:,.2f} USD")
    print(f"protocols {sandbox.protocols_file}")
    print("accounts  (1,000,000 ETH each)")
    for role in ROLES:
        print(f"  {role:<12} {sandbox.accounts[role]}  {sandbox.key(role)}")
    print(
        "WARNING: these keys are public. Whatever is sent to these accounts on a real chain is stolen at once.",
        flush=True,
    )


def _hold(sandbox: Sandbox, path: PricePath, every: float | None) -> None:
    """Wait for the node's end, meanwhile playing the path where that is asked for."""
    if every is not None:
        _play(sandbox, path, every)
    sandbox.node.wait()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Leave quietly on Ctrl-C or a termination. In force before the node starts, so that none is left behind."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        print("\nstopping", file=sys.stderr)
    finally:
        signal.signal(signal.SIGTERM, before)


def _play(sandbox: Sandbox, path: PricePath, every: float) -> None:
    market = Market(sandbox.w3, sandbox.protocols)
    for number in range(1, path.steps + 1):
        if sandbox.node.wait(every):
            return
        seconds = int(path.seconds[number] - path.seconds[number - 1])
        result = market.step(float(path.prices[number]), float(path.ivs[number]), seconds)
        print(
            f"step {number}: ETH {result.price:,.2f} USD, IV {path.ivs[number]:.1%}, block {result.block}"
            + "".join(f", liquidated {item}" for item in result.liquidations),
            flush=True,
        )
    print("the path has ended; the chain stays up", flush=True)


def _down(port: int | None) -> int:
    wanted = [run for run in records.running() if port is None or run.url.endswith(f":{port}")]
    if not wanted:
        raise InputError("no sandbox is running" + ("" if port is None else f" on port {port}"))
    for record in wanted:
        record.stop()
        print(f"stopped {record.url}")
    return 0


def _status() -> int:
    found = records.running()
    for record in found:
        print(f"{record.url}  chain id {record.chain_id}  pid {record.pid}  {record.protocols}")
    if not found:
        print("no sandbox is running")
    return 0
