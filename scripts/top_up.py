"""Post idle cash to a margin unit: `brownie run top_up main <venue> <unit> <amount> [deployment] [mandate] --network <id>`.

`venue` is a name of the mandate ("perp-a"), `unit` 0 for the whole venue or a position's number, `amount` in whole asset tokens. The
vault refuses to pass the unit's target health.
"""

from pathlib import Path

from brownie import accounts, network, web3

from evenkeel.operate import MANDATE, Chain, Session, number, one_line


def main(venue: str, unit: str, amount: str, deployment: str = "", mandate: str = "") -> None:
    """Send it and show the unit's health afterwards."""
    with one_line():
        which, much = int(number("unit", unit)), number("amount", amount)
        chain = Chain.of_brownie(web3, network.show_active(), accounts.load)
        signer = chain.signer("keeper")
        session = Session.open(
            chain,
            deployment=Path(deployment) if deployment else None,
            mandate=Path(mandate) if mandate else MANDATE,
            sender=signer.address,
        )
        receipt = session.top_up(venue, which, much, signer)
        print(
            f"sent 0x{receipt.transaction_hash.hex()}: block {receipt.block_number}, {receipt.gas_used:,} gas"
        )
        print(f"{venue} unit {which}: health {session.health(venue, which):.3f}")
