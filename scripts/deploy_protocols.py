"""Deploy the protocols a chain does not have: `brownie run deploy_protocols main [price] [share] --network <id>`.

On a chain whose node holds accounts the first of them deploys; elsewhere $EVENKEEL_ACCOUNT names a Brownie keystore. Where time
must pass, it says until when and ends well; run it again then.
"""

import os

from brownie import accounts, web3
from eth_account import Account

from evenkeel.chain import LocalSigner, NodeSigner, Signer
from evenkeel.sandbox.errors import WaitUntilError
from evenkeel.sandbox.testnet import deploy_missing


def main(price: str = "", share: str = "0.00001") -> None:
    """Deploy at `price` dollars an ETH (default: the chain's own feed) with `share` of the sandbox's liquidity."""
    try:
        deploy_missing(web3, _signer(), price=float(price) if price else None, share=float(share))
    except WaitUntilError as waiting:
        print(waiting)


def _signer() -> Signer:
    name = os.environ.get("EVENKEEL_ACCOUNT")
    if name is None:
        return NodeSigner(web3.to_checksum_address(web3.eth.accounts[0]))
    return LocalSigner(Account.from_key(accounts.load(name).private_key))
