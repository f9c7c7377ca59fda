"""The actors' purses: tokens, approvals and margin, from nothing but a node that gives ether away."""

from eth_typing import ChecksumAddress

from evenkeel.deploy.protocols import Protocols
from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction, address
from evenkeel.sandbox.protocols import curie, tokens

_ETHER = 2 * 10**7
_WRAPPED = 10**7
_DOLLARS = 10**12
_MARGIN = 2 * 10**9
_GAS = 1_000_000
_ALL = 2**256 - 1


def funded(chain: LocalChain, protocols: Protocols, arbitrageur: ChecksumAddress) -> bool:
    """Say whether `fund` has been here."""
    usdc = address(protocols.tokens["USDC"].address)
    return bool(chain.read([Read(usdc, tokens.contract("USDC"), "balanceOf", (arbitrageur,))])[0])


def fund(chain: LocalChain, protocols: Protocols, accounts: dict[str, ChecksumAddress]) -> None:
    """Give every actor what it works with, in one block.

    `accounts` needs the roles deployer (who may mint sUSD), arbitrageur, maker (trades options), trader (trades perps)
    and liquidator.
    """
    for role in ("arbitrageur", "maker", "trader", "liquidator"):
        chain.rpc("anvil_setBalance", accounts[role], hex(_ETHER * 10**18))
    block = _tokens(protocols, accounts) + _margin(protocols, accounts)
    chain.mine(block, chain.now() + 1)


def _tokens(protocols: Protocols, accounts: dict[str, ChecksumAddress]) -> list[Transaction]:
    block: list[Transaction] = []

    def send(role: str, symbol: str, function: str, *args: object, value: int = 0) -> None:
        to = address(protocols.tokens[symbol].address)
        data = tokens.contract(symbol).encode(function, *args)
        block.append(Transaction(f"{role}: {function} {symbol}", accounts[role], to, data, _GAS, value))

    arbitrageur = accounts["arbitrageur"]
    if protocols.uniswap is not None:
        send("arbitrageur", "WETH", "deposit", value=_WRAPPED * 10**18)
        send("arbitrageur", "USDC", "mint(address,uint256)", arbitrageur, _DOLLARS * 10**6)
        send("deployer", "SUSD", "mint", arbitrageur, _DOLLARS * 10**18)
        for symbol in ("WETH", "USDC", "SUSD"):
            send("arbitrageur", symbol, "approve", address(protocols.uniswap.router), _ALL)
    if protocols.lyra is not None:
        send("deployer", "SUSD", "mint", accounts["maker"], _DOLLARS * 10**18)
        send("maker", "SUSD", "approve", address(protocols.lyra.option_market), _ALL)
    return block


def _margin(protocols: Protocols, accounts: dict[str, ChecksumAddress]) -> list[Transaction]:
    usdc = address(protocols.tokens["USDC"].address)
    amount = _MARGIN * 10**6
    block: list[Transaction] = []
    for role in ("trader", "liquidator"):
        for perp in protocols.perps:
            vault = address(perp.vault)
            for what, to, data in (
                (
                    "mint",
                    usdc,
                    tokens.contract("USDC").encode("mint(address,uint256)", accounts[role], amount),
                ),
                ("approve", usdc, tokens.contract("USDC").encode("approve", vault, amount)),
                ("deposit", vault, curie.contract("Vault").encode("deposit", usdc, amount)),
            ):
                block.append(Transaction(f"{role}: {what} on {perp.name}", accounts[role], to, data, _GAS))
    return block
