"""Bring a sandbox up: a node with every protocol on it, from the cache where there is one."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel import InputError
from evenkeel.chain.signer import NodeSigner
from evenkeel.deploy.protocols import Protocols
from evenkeel.sandbox import cache, places
from evenkeel.sandbox.accounts import accounts, addresses, signers
from evenkeel.sandbox.build import LEAD, build
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.node import BASE_FEE, CHAIN_ID, Node, find_anvil, require_free

START_TIME = 1_767_600_000
"""2026-01-05 08:00 UTC: a Monday morning, and always the same, so that runs repeat and the cache holds."""

START_PRICE = 3000.0


class Sandbox:
    """A running sandbox. A context manager; `close` stops the node and nothing else.

    The chain's time moves with its blocks only, one second each unless told otherwise, never with the wall clock.
    """

    def __init__(
        self, node: Node, protocols: Protocols, protocols_file: Path, *, start_price: float, start_time: int
    ) -> None:
        self.node = node
        self.protocols = protocols
        self.protocols_file = protocols_file
        self.start_price = start_price
        self.start_time = start_time

    @property
    def url(self) -> str:
        """The RPC's URL."""
        return self.node.url

    @property
    def w3(self) -> Web3:
        """A Web3 on it, without middleware."""
        return self.node.w3

    @property
    def accounts(self) -> Mapping[str, ChecksumAddress]:
        """The address of each role; see `evenkeel.sandbox.accounts.ROLES`."""
        return addresses()

    @property
    def signers(self) -> Mapping[str, NodeSigner]:
        """A signer of each role; the node signs."""
        return signers()

    def key(self, role: str) -> str:
        """Return the private key of a role, 0x and 64 hex digits. Everybody knows it."""
        return Web3.to_hex(accounts()[role].key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the node."""
        self.node.stop()


def up(
    start_price: float = START_PRICE,
    start_time: int = START_TIME,
    *,
    port: int | None = None,
    chain_id: int = CHAIN_ID,
    folder: Path = places.CACHE,
    say: cache.Say | None = None,
) -> Sandbox:
    """Start a node with every protocol deployed at `start_price` (USD an ETH), its head at `start_time` (unix seconds).

    `port` None takes any free one. `say` gets a line when there is no usable cached state (default: standard error).
    Raises the node's errors, and `InputError` for a price or time that cannot be.
    """
    if not 1 <= start_price <= 10**6:
        raise InputError(f"start price {start_price:g}: expected dollars between 1 and 1,000,000")
    if start_time < LEAD:
        raise InputError(f"start time {start_time}: expected unix seconds after {LEAD}")

    if port is not None:
        require_free(port)
    find_anvil()

    def deployed() -> tuple[str, Protocols]:
        return _deploy(start_price, start_time)

    entry = cache.load(start_price, start_time, deployed, folder=folder, say=say or _to_stderr)
    node = Node(port=port, chain_id=chain_id, state=entry.state, timestamp=start_time)
    try:
        _settle_clock(node)
    except BaseException:
        node.stop()
        raise
    return Sandbox(
        node,
        entry.protocols,
        entry.state.with_name("protocols.json"),
        start_price=start_price,
        start_time=start_time,
    )


def _deploy(price: float, start: int) -> tuple[str, Protocols]:
    with Node(timestamp=start - LEAD) as node:
        _settle_clock(node)

        def warp(timestamp: int) -> None:
            node.rpc("evm_setNextBlockTimestamp", timestamp)
            node.rpc("evm_mine")

        roles = signers()
        d = Deployer(node.w3, roles["deployer"], warp=warp)
        protocols = build(d, [roles[f"oracle_{i}"] for i in (1, 2, 3)], price=price, start=start)
        warp(start)
        return node.rpc("anvil_dumpState"), protocols


def _settle_clock(node: Node) -> None:
    # Wall-clock block times would make every run its own.
    node.rpc("anvil_setBlockTimestampInterval", 1)
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE))


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- the default listener of a library function
