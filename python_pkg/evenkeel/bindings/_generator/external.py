"""Which contracts of the protocols have bindings, made at set-up from the protocols' own packages."""

from __future__ import annotations

from pathlib import Path

from evenkeel.bindings._generator.errors import GeneratorError
from evenkeel.bindings._generator.model import TypeBook, read_contract
from evenkeel.bindings._generator.sources import Sources
from evenkeel.bindings._generator.targets import Target
from evenkeel.bindings._generator.write import BINDINGS, CHECKOUT, Generated, render

_CURIE = "perp-curie-contract/artifacts/contracts"
_LYRA = "lyrafinance-protocol/dist/artifacts/contracts"
_PERIPHERY = "uniswap-v3-periphery/artifacts/contracts"

EXTERNAL = (
    Target("AavePool", "aave-core-v3/artifacts/contracts/protocol/pool/Pool.sol/Pool.json"),
    Target("CurieAccountBalance", f"{_CURIE}/AccountBalance.sol/AccountBalance.json"),
    Target("CurieClearingHouse", f"{_CURIE}/ClearingHouse.sol/ClearingHouse.json"),
    Target("CurieExchange", f"{_CURIE}/Exchange.sol/Exchange.json"),
    Target("CurieVault", f"{_CURIE}/Vault.sol/Vault.json"),
    Target("EACAggregatorProxy", "chainlink-contracts/abi/v0.6/EACAggregatorProxy.json"),
    Target("FluxAggregator", "chainlink-contracts/abi/v0.6/FluxAggregator.json"),
    Target("LyraLiquidityPool", f"{_LYRA}/LiquidityPool.sol/LiquidityPool.json"),
    Target("LyraOptionGreekCache", f"{_LYRA}/OptionGreekCache.sol/OptionGreekCache.json"),
    Target("LyraOptionMarket", f"{_LYRA}/OptionMarket.sol/OptionMarket.json"),
    Target("LyraOptionToken", f"{_LYRA}/OptionToken.sol/OptionToken.json"),
    Target("LyraShortCollateral", f"{_LYRA}/ShortCollateral.sol/ShortCollateral.json"),
    Target(
        "NonfungiblePositionManager",
        f"{_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
    ),
    Target("QuoterV2", f"{_PERIPHERY}/lens/QuoterV2.sol/QuoterV2.json"),
    Target(
        "SwapRouter02", "uniswap-swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
    ),
    Target(
        "UniswapV3Factory", "uniswap-v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"
    ),
    Target("UniswapV3Pool", "uniswap-v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json"),
)

PACKAGES = CHECKOUT / ".evenkeel" / "packages"
_SUMMARY = "The protocols' own contracts as typed values.\n"


def generate_external(packages: Path = PACKAGES) -> Generated:
    """Bindings of the protocols' contracts. Raises `GeneratorError` when their packages are not there."""
    absent = sorted(
        {
            target.artifact.partition("/")[0]
            for target in EXTERNAL
            if not (packages / target.artifact).exists()
        }
    )
    if absent:
        raise GeneratorError(f"{packages}: packages {', '.join(absent)} are not unpacked; run `make setup`")
    book = TypeBook(Sources({}, {}))
    contracts = [
        read_contract(target.name, packages, target.artifact, book, deployable=False) for target in EXTERNAL
    ]
    return Generated(BINDINGS / "external", render(contracts, book, "evenkeel.bindings.external", _SUMMARY))
