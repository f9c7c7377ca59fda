"""Do once what the keeper would do: `brownie run rebalance main [dry] [deployment] [mandate] --network <id>`.

With `dry` it only shows the plan. The account is the keeper's: $EVENKEEL_ACCOUNT or $EVENKEEL_KEYSTORE; on a sandbox its node signs.
"""

from pathlib import Path

from brownie import accounts, network, web3

from evenkeel.operate import MANDATE, Chain, Session, flag, one_line


def main(dry: str = "", deployment: str = "", mandate: str = "") -> None:
    """Show the plan, and send it unless told not to."""
    with one_line():
        only_show = flag("dry", dry)
        chain = Chain.of_brownie(web3, network.show_active(), accounts.load)
        signer = None if only_show else chain.signer("keeper")
        session = Session.open(
            chain,
            deployment=Path(deployment) if deployment else None,
            mandate=Path(mandate) if mandate else MANDATE,
            sender=signer.address if signer else None,
        )
        proposal = session.plan()
        print(proposal)
        for receipt in session.send(proposal, signer) if signer else ():
            print(
                f"sent 0x{receipt.transaction_hash.hex()}: block {receipt.block_number}, {receipt.gas_used:,} gas"
            )
