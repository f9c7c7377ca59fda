"""Bring to a chain the protocols it does not have, and write the protocols file that `brownie run deploy` reads."""

from collections.abc import Callable
from pathlib import Path

from web3 import Web3

from evenkeel import InputError
from evenkeel.chain.signer import Signer
from evenkeel.deploy.protocols import Protocols
from evenkeel.sandbox import places
from evenkeel.sandbox.build import Depth, build
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.protocols import chainlink

FILES = places.ROOT / "deployments/protocols"
RECORDS = places.STATE / "deploy"
_SOURCE = "deployed by evenkeel's deploy_protocols"


def deploy_missing(
    w3: Web3,
    signer: Signer,
    *,
    price: float | None = None,
    share: float = 1.0,
    files: Path = FILES,
    records: Path = RECORDS,
    say: Callable[[str], None] = print,
) -> Path:
    """Deploy what `<files>/<chain-id>.json` does not have, add it there, and return that file.

    `price` is USD an ETH (default: what the chain's own ETH/USD feed says). `share` scales the liquidity given, of which the
    sandbox has 1. Safe to repeat: nothing is deployed twice. Raises `WaitUntilError` where time must pass first, and
    `InputError`, `DeployError`.
    """
    if not 0 < share <= 1:
        raise InputError(f"share {share:g}: expected more than 0 and at most 1")
    chain_id = w3.eth.chain_id
    file = files / f"{chain_id}.json"
    known = Protocols.load(file) if file.exists() else Protocols(chain_id=chain_id)
    if known.chain_id != chain_id:
        raise InputError(f"{file}: chain_id is {known.chain_id}, but this chain is {chain_id}")
    d = Deployer(w3, signer, record=records / f"{chain_id}-{signer.address}.jsonl")
    cents = d.once("testnet/price", 0 if price is None else round(price * 100)) or d.once(
        "testnet/feed", round(_feed_price(d, known) * 100)
    )
    full = build(d, [signer], price=cents / 100, depth=Depth().scaled(share), existing=known)
    added = {
        name: _SOURCE
        for name in ("tokens", "feeds", "uniswap", "aave", "perps", "lyra")
        if not getattr(known, name)
    }
    full.model_copy(update={"sources": {**added, **known.sources}}).save(file)
    say(f"{d.sent} transactions sent; protocols of chain {chain_id} are in {file}")
    return file


def _feed_price(d: Deployer, known: Protocols) -> float:
    feed = known.feeds.get("ETH/USD")
    if feed is None:
        raise InputError("price: expected dollars an ETH, for there is no ETH/USD feed yet on this chain")
    proxy = chainlink.contract("EACAggregatorProxy")
    address = Web3.to_checksum_address(feed)
    answer = d.call(address, proxy, "latestAnswer")
    return float(answer) / 10.0 ** int(d.call(address, proxy, "decimals"))
