"""Show a vault: `brownie run status main [deployment] [mandate] --network <id>`.

Its NAV interval, its Greeks against the limits that the chain enforces, its venues and the health of their units.
"""

from pathlib import Path

from brownie import accounts, network, web3

from evenkeel.operate import MANDATE, Chain, Session, one_line, status


def main(deployment: str = "", mandate: str = "") -> None:
    """Print it, a line a fact."""
    with one_line():
        chain = Chain.of_brownie(web3, network.show_active(), accounts.load)
        session = Session.open(
            chain,
            deployment=Path(deployment) if deployment else None,
            mandate=Path(mandate) if mandate else MANDATE,
        )
        for line in status(session):
            print(line)
