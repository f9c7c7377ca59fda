"""`evenkeel vol sign` and `evenkeel vol post`: slices of implied volatility, signed by k of n and submitted by anyone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.vol.desk import VolDesk
from evenkeel.vol.errors import VolError
from evenkeel.vol.quotes import COLUMNS
from evenkeel.vol.signing import TOLERANCE

if TYPE_CHECKING:
    import argparse

RPC = "EVENKEEL_RPC"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the group's commands."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="sign | post")
    sign = commands.add_parser(
        "sign",
        help="fit slices and sign them, or co-sign another signer's",
        description="Fit slices to your own data, check them as the oracle will, and sign them. With --proposal, sign that"
        " file's slices instead, if they are near enough to your own.",
    )
    _chain(sign)
    sign.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the signed slices go")
    sign.add_argument(
        "--quotes",
        type=Path,
        metavar="FILE",
        help=f"CSV with the columns {', '.join(COLUMNS)} (default: the vols of the vault's option venue)",
    )
    sign.add_argument("--proposal", type=Path, metavar="FILE", help="signed slices to co-sign")
    sign.add_argument(
        "--underlying",
        metavar="ADDRESS",
        help="the token the quotes are of (default: the option venue's)",
    )
    sign.add_argument(
        "--expiry",
        type=int,
        action="append",
        metavar="SECONDS",
        help="only this expiry, unix seconds; may be repeated (default: every one that the data has)",
    )
    sign.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="VOL",
        help=f"most that a proposal may differ from your own (default: {TOLERANCE:g}, one point)",
    )
    post = commands.add_parser(
        "post",
        help="check signed files and submit their slices",
        description="Collect signed files, check every signature, and submit each slice with as many as the oracle wants.",
    )
    _chain(post)
    post.add_argument("files", type=Path, nargs="+", metavar="FILE", help="signed by `evenkeel vol sign`")


def run(args: argparse.Namespace) -> int:
    """Run one command. Returns the exit code."""
    if not args.rpc:
        raise VolError(f"--rpc: expected the node's URL, or set {RPC}")
    if args.command == "post":
        desk = VolDesk.open(args.rpc, args.deployment)
        for line in desk.post(args.files, args.unlocked):
            print(line, flush=True)
        return 0
    if not 0.0 < args.tolerance < 1.0:
        raise VolError(f"--tolerance: expected a vol between 0 and 1, got {args.tolerance:g}")
    desk = VolDesk.open(args.rpc, args.deployment)
    for line in desk.sign(
        args.out,
        quotes=args.quotes,
        proposal=args.proposal,
        underlying=args.underlying,
        expiries=args.expiry,
        tolerance=args.tolerance,
        unlocked_account=args.unlocked,
    ):
        print(line, flush=True)
    return 0


def _chain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rpc", default=os.environ.get(RPC), metavar="URL", help=f"the node (default: ${RPC})"
    )
    parser.add_argument(
        "--deployment",
        type=Path,
        metavar="FILE",
        help="the vault's deployment (default: deployments/<chain id>.json)",
    )
    parser.add_argument(
        "--unlocked", metavar="ADDRESS", help="sign with an account of the node; local chains only"
    )
