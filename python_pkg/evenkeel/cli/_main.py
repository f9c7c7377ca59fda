"""Parse the command line and hand over to one group's module, imported only when it is asked for."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from evenkeel import EvenkeelError, __version__

_GROUPS = {
    "sandbox": "a local chain with the real protocols on it",
    "bindings": "typed wrappers generated from compiled contracts",
    "keeper": "hold a vault inside its mandate",
    "vol": "slices of implied volatility, signed and posted",
    "demo": "the whole story in one minute",
}


class _Group(Protocol):
    def configure(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code; 2 for wrong input, with one line on standard error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="evenkeel", description="Run and inspect an Evenkeel vault.")
    parser.add_argument("--version", action="version", version=f"evenkeel {__version__}")
    groups = parser.add_subparsers(dest="group", required=True, metavar="<group>")
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    for name, summary in _GROUPS.items():
        sub = groups.add_parser(name, help=summary, description=summary)
        if name == wanted:
            module = cast("_Group", importlib.import_module(f"evenkeel.cli.{name}"))
            module.configure(sub)
    args = parser.parse_args(arguments)
    group = cast("_Group", importlib.import_module(f"evenkeel.cli.{args.group}"))
    try:
        return group.run(args)
    except EvenkeelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
