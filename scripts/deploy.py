"""Deploy a vault: `brownie run deploy main [protocols] [mandate] [deployment] --network <id>`.

Files left out or blank: the running sandbox's protocols or deployments/protocols/<chain-id>.json, examples/demo.toml,
deployments/<chain-id>.json. Run it again to continue a deployment that was interrupted; a finished one sends nothing. The account is
$EVENKEEL_ACCOUNT (a Brownie account) or the key file of $EVENKEEL_KEYSTORE; on a sandbox its node signs. It takes every role
unless $EVENKEEL_KEEPER, _CURATOR, _GUARDIAN or _GOVERNOR name others, and $EVENKEEL_VOL_SIGNERS who signs vols; $EVENKEEL_DELAY is how many seconds the governor's calls
and those that may raise risk wait.
"""

from pathlib import Path

from brownie import accounts, network, web3

from evenkeel.operate import MANDATE, Chain, deploy_vault, one_line


def main(protocols: str = "", mandate: str = "", deployment: str = "") -> None:
    """Deploy what the chain has, and say what was left out."""
    with one_line():
        chain = Chain.of_brownie(web3, network.show_active(), accounts.load)
        deploy_vault(
            chain,
            protocols=Path(protocols) if protocols else None,
            mandate=Path(mandate) if mandate else MANDATE,
            path=Path(deployment) if deployment else None,
        )
