"""Deploy the protocols a chain does not have: `brownie run deploy_protocols main [price] [share] --network <id>`.

The account is $EVENKEEL_ACCOUNT (a Brownie account) or the key file of $EVENKEEL_KEYSTORE; a local chain's node signs. Where time must
pass, it says until when and ends well; run it again then.
"""

from brownie import accounts, network, web3

from evenkeel.operate import Chain, number, one_line
from evenkeel.sandbox.errors import WaitUntilError
from evenkeel.sandbox.testnet import deploy_missing


def main(price: str = "", share: str = "0.00001") -> None:
    """Deploy at `price` dollars an ETH (default: the chain's own feed) with `share` of the sandbox's liquidity."""
    with one_line():
        chain = Chain.of_brownie(web3, network.show_active(), accounts.load)
        at = number("price", price) if price else None
        try:
            deploy_missing(chain.w3, chain.signer("deployer"), price=at, share=number("share", share))
        except WaitUntilError as waiting:
            print(waiting)
