"""Transport, heads, signers, transactions and the journal: everything that touches a chain or a disk."""

from evenkeel.chain.block import BlockRef
from evenkeel.chain.errors import (
    ChainError,
    JournalError,
    Reverted,
    RpcError,
    SpendCapReached,
    UnknownBlock,
    UnreachableRpc,
    WrongChain,
)
from evenkeel.chain.fees import FeePolicy, Fees, FeesTooHigh
from evenkeel.chain.heads import Head, Heads
from evenkeel.chain.journal import Journal
from evenkeel.chain.records import Decision, Intent, State, Transaction
from evenkeel.chain.rpc import Rpc
from evenkeel.chain.signer import LocalSigner, NodeSigner, Signer
from evenkeel.chain.signing import KeySigner, RawSigner, UnlockedSigner
from evenkeel.chain.snapshot import Quote, Snapshot
from evenkeel.chain.txmanager import LanePolicy, TxManager

__all__ = [
    "BlockRef",
    "ChainError",
    "Decision",
    "FeePolicy",
    "Fees",
    "FeesTooHigh",
    "Head",
    "Heads",
    "Intent",
    "Journal",
    "JournalError",
    "KeySigner",
    "LanePolicy",
    "LocalSigner",
    "NodeSigner",
    "Quote",
    "RawSigner",
    "Reverted",
    "Rpc",
    "RpcError",
    "Signer",
    "Snapshot",
    "SpendCapReached",
    "State",
    "Transaction",
    "TxManager",
    "UnknownBlock",
    "UnlockedSigner",
    "UnreachableRpc",
    "WrongChain",
]
