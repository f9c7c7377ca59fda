"""`evenkeel keeper run`: hold a vault inside its mandate."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.keeper.config import KeeperConfig, wei
from evenkeel.keeper.errors import ConfigError, Halted
from evenkeel.keeper.logs import start
from evenkeel.keeper.start import Request, build

if TYPE_CHECKING:
    import argparse
    from types import FrameType

RPC = "EVENKEEL_RPC"
HALTED = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the keeper's commands."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="<command>")
    run_ = commands.add_parser(
        "run",
        help="work each new head until stopped",
        description="Work each new head until stopped. Without a key (EVENKEEL_KEYSTORE and EVENKEEL_KEYSTORE_PASSWORD_FILE) it runs"
        " dry: it plans, and sends nothing.",
        epilog="Exit codes: 0 stopped as asked, 2 wrong input, 3 halted by a guard rail.",
    )
    run_.add_argument("--mandate", type=Path, required=True, metavar="FILE", help="the mandate, TOML")
    run_.add_argument("--rpc", default=os.environ.get(RPC), metavar="URL", help=f"the node (default: ${RPC})")
    run_.add_argument(
        "--deployment",
        type=Path,
        metavar="FILE",
        help="the deployment (default: deployments/<chain id>.json)",
    )
    run_.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="the journal (default: .evenkeel/journals/<chain id>-<vault>.sqlite)",
    )
    run_.add_argument("--dry-run", action="store_true", help="plan and preflight, send nothing")
    run_.add_argument(
        "--once", action="store_true", help="end when one head is decided and its transaction is final"
    )
    run_.add_argument(
        "--poll",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="time between looks at the head (default: 1)",
    )
    run_.add_argument(
        "--confirmations",
        type=int,
        metavar="N",
        help="blocks until final (default: 1 on a local chain, else 5)",
    )
    run_.add_argument(
        "--spend-cap",
        default="0.1",
        metavar="ETHER",
        help="most gas money in 24 hours of chain time (default: 0.1)",
    )
    run_.add_argument(
        "--error-budget",
        type=int,
        default=25,
        metavar="N",
        help="errors an hour before it halts (default: 25)",
    )
    run_.add_argument("--stop-file", type=Path, metavar="FILE", help="stop once this file exists")
    run_.add_argument(
        "--unlocked", metavar="ADDRESS", help="sign with an account of the node; local chains only"
    )
    run_.add_argument(
        "--as",
        dest="sender",
        metavar="ADDRESS",
        help="whom a dry run speaks for (default: the deployment's keeper)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the keeper. Returns the exit code."""
    if not args.rpc:
        raise ConfigError(f"--rpc: expected the node's URL, or set {RPC}")
    if not args.poll >= 0:
        raise ConfigError(f"--poll: expected seconds, 0 or more, got {args.poll}")
    if args.error_budget < 0:
        raise ConfigError(f"--error-budget: expected 0 or more, got {args.error_budget}")
    if args.confirmations is not None and args.confirmations < 1:
        raise ConfigError(f"--confirmations: expected 1 or more, got {args.confirmations}")
    start()
    config = KeeperConfig(
        poll=args.poll, error_budget=args.error_budget, stop_file=args.stop_file, once=args.once
    )
    config = replace(config, lane=replace(config.lane, spend_cap=wei(args.spend_cap)))
    request = Request(
        mandate=args.mandate,
        rpc=args.rpc,
        deployment=args.deployment,
        journal=args.journal,
        dry_run=args.dry_run,
        unlocked=args.unlocked,
        sender=args.sender,
        confirmations=args.confirmations,
    )
    keeper = build(request, config, say=print)

    def stop(_number: int, _frame: FrameType | None) -> None:
        keeper.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        keeper.run()
    except Halted as reason:
        print(f"halted: {reason}", file=sys.stderr)
        return HALTED
    finally:
        keeper.close()
    return 0
