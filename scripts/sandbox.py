"""Boot a sandbox where a network's host says, until Ctrl-C: `brownie run sandbox --network evenkeel-sandbox`.

Then, in another terminal, `brownie run deploy --network evenkeel-sandbox` and so on. $EVENKEEL_RPC names another loopback port.
"""

import os
import sys
from urllib.parse import urlsplit

from brownie import network, web3

from evenkeel.cli import main as evenkeel
from evenkeel.operate import SANDBOX


def main(*flags: str) -> None:
    """Hand over to `evenkeel sandbox up`, with flags written without their dashes (`start-price=2500`)."""
    if network.show_active() != SANDBOX:
        print(f"error: --network: expected {SANDBOX}, got {network.show_active()}", file=sys.stderr)
        sys.exit(2)
    port = urlsplit(os.environ.get("EVENKEEL_RPC") or web3.provider.endpoint_uri).port
    code = evenkeel(["sandbox", "up", "--port", str(port), *(f"--{flag}" for flag in flags)])
    if code:
        sys.exit(code)
