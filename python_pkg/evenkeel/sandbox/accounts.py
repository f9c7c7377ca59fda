"""Who is who on a sandbox: the node's own development accounts, whose keys everybody knows."""

from functools import lru_cache

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from evenkeel.chain.signer import NodeSigner

MNEMONIC = "test test test test test test test test test test test junk"

ROLES = (
    "deployer",
    "governor",
    "keeper",
    "curator",
    "guardian",
    "vol_signer_1",
    "alice",
    "bob",
    "oracle_1",
    "oracle_2",
    "oracle_3",
    "arbitrageur",
    "maker",
    "trader",
    "liquidator",
    "carol",
    "vol_signer_2",
    "vol_signer_3",
)
"""The role of each of the node's accounts, by index."""

VOL_SIGNER_ROLES = ("vol_signer_1", "vol_signer_2", "vol_signer_3")
VOL_THRESHOLD = 2
"""How many of them sign a slice of vols."""


@lru_cache(maxsize=1)
def accounts() -> dict[str, LocalAccount]:
    """Return the account of each role, with its public key and its equally public private key."""
    Account.enable_unaudited_hdwallet_features()
    return {
        role: Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        for index, role in enumerate(ROLES)
    }


def addresses() -> dict[str, ChecksumAddress]:
    """Return the address of each role."""
    return {role: account.address for role, account in accounts().items()}


def signers() -> dict[str, NodeSigner]:
    """Return a signer of each role; the node signs."""
    return {role: NodeSigner(address) for role, address in addresses().items()}
