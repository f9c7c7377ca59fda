"""The tokens everything else is built on: USDC (Aave's mintable ERC-20), WETH (WETH9) and sUSD (Lyra's test ERC-20)."""

from collections.abc import Mapping, Sequence

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.deploy.protocols import Token
from evenkeel.sandbox.artifacts import Artifact, hardhat
from evenkeel.sandbox.deployer import Deployer

SYMBOLS = ("USDC", "WETH", "SUSD")
LYRA_ARTIFACTS = "dist/artifacts/contracts"


def contract(symbol: str) -> Artifact:
    """Return the artifact behind "USDC", "WETH" or "SUSD"."""
    if symbol == "WETH":
        return hardhat("aave-core-v3", "dependencies/weth/WETH9.sol")
    if symbol == "SUSD":
        return hardhat("lyrafinance-protocol", "test-helpers/TestERC20Fail.sol", root=LYRA_ARTIFACTS)
    return hardhat("aave-core-v3", "mocks/tokens/MintableERC20.sol")


def deploy(d: Deployer, symbols: Sequence[str] = SYMBOLS) -> dict[str, Token]:
    """Deploy `symbols`. The deployer may mint sUSD; USDC mints for anyone."""
    names: dict[str, tuple[str | int, ...]] = {
        "USDC": ("USD Coin", "USDC", 6),
        "WETH": (),
        "SUSD": ("Synthetic USD", "sUSD"),
    }
    deployed = {
        symbol: Token(
            address=d.deploy(f"tokens/{symbol}", contract(symbol), *names[symbol]),
            decimals=6 if symbol == "USDC" else 18,
        )
        for symbol in symbols
    }
    if "SUSD" in deployed:
        permit_minter(d, Web3.to_checksum_address(deployed["SUSD"].address), d.account)
    return deployed


def permit_minter(d: Deployer, susd: ChecksumAddress, minter: ChecksumAddress) -> None:
    """Let `minter` mint and burn sUSD; the deployer must be one itself."""
    d.send(f"tokens/SUSD/minter/{minter}", susd, contract("SUSD"), "permitMint", minter, True)


def give(d: Deployer, step: str, tokens: Mapping[str, Token], symbol: str, *, to: str, amount: int) -> None:
    """Mint `amount` (smallest units) of a token to `to`; WETH is wrapped from the deployer's ether and transferred."""
    address = Web3.to_checksum_address(tokens[symbol].address)
    if symbol != "WETH":
        d.send(step, address, contract(symbol), "mint(address,uint256)", to, amount)
        return
    d.send(f"{step}/wrap", address, contract("WETH"), "deposit", value=amount)
    if to != d.account:
        d.send(step, address, contract("WETH"), "transfer", to, amount)
