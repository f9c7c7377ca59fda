"""The demo: a vault, a market that falls, the real keeper, and the same fall without one."""

from evenkeel.demo.play import Outcome, play
from evenkeel.demo.report import Report

__all__ = ["Outcome", "Report", "play"]
