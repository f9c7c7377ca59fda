"""Run the keeper until Ctrl-C: `brownie run keeper main [mandate] [flags of evenkeel keeper run]... --network <id>`.

For example `brownie run keeper main examples/demo.toml dry-run once`; flags are written without their dashes. Its key is the key file
of $EVENKEEL_KEYSTORE (Brownie's in ~/.brownie/accounts are such files) with $EVENKEEL_KEYSTORE_PASSWORD_FILE; on a sandbox its node
signs; with neither it runs dry.
"""

import sys

from brownie import accounts, network, web3

from evenkeel.chain import keystore
from evenkeel.cli import main as evenkeel
from evenkeel.operate import MANDATE, Chain, one_line
from evenkeel.sandbox.accounts import addresses


def main(mandate: str = "", *flags: str) -> None:
    """Hand over to `evenkeel keeper run`, with its exit codes."""
    with one_line():
        chain = Chain.of_brownie(web3, network.show_active(), accounts.load)
        command = ["keeper", "run", "--mandate", mandate or str(MANDATE), "--rpc", chain.url]
        if chain.sandbox and keystore.load() is None:
            command += ["--unlocked", addresses()["keeper"]]
    code = evenkeel([*command, *(f"--{flag}" for flag in flags)])
    if code:
        sys.exit(code)
