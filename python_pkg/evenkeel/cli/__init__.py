"""The command line: `evenkeel <group> ...`."""

from evenkeel.cli._main import main

__all__ = ["main"]
