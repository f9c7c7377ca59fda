"""Aave v3 with USDC and WETH reserves, priced by the shared Chainlink feeds."""

from collections.abc import Mapping
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.constants import ADDRESS_ZERO

from evenkeel.deploy.protocols import Aave, Token
from evenkeel.sandbox.artifacts import Artifact, hardhat
from evenkeel.sandbox.deployer import Deployer

RAY_PERCENT = 10**25
_MARKET = "Evenkeel Sandbox"
_LIBRARIES = ("Supply", "Borrow", "Liquidation", "EMode", "Bridge", "Pool", "Configurator")
_LISTING_GAS = 9_000_000
_MOVE_GAS = 1_000_000
_VARIABLE = 2


@dataclass(frozen=True, slots=True)
class ReserveSpec:
    """One reserve. Factors are in basis points, rates in percent a year, as Aave's mainnet market has them."""

    symbol: str
    ltv: int
    liquidation_threshold: int
    liquidation_bonus: int
    reserve_factor: int
    optimal_usage: int
    slope: float
    steep_slope: float


RESERVES = (
    ReserveSpec("USDC", 7700, 8000, 10450, 1000, 90, 4.0, 60.0),
    ReserveSpec("WETH", 8000, 8250, 10500, 1500, 80, 3.8, 80.0),
)


def contract(source: str) -> Artifact:
    """Return the artifact of a contract under `protocol/`, e.g. `contract("pool/Pool.sol")`."""
    return hardhat("aave-core-v3", f"protocol/{source}")


def deploy(d: Deployer, tokens: Mapping[str, Token], feeds: Mapping[str, str]) -> Aave:
    """Deploy the market and list the reserves; nothing is supplied yet. `feeds` holds "USDC/USD" and "ETH/USD"."""
    provider = _provider(d)
    pool, configurator = _pool(d, provider)
    data = d.deploy("aave/ProtocolDataProvider", _misc("AaveProtocolDataProvider"), provider)
    d.send("aave/setPoolDataProvider", provider, _registry(), "setPoolDataProvider", data)
    oracle = d.deploy(
        "aave/Oracle",
        _misc("AaveOracle"),
        provider,
        [tokens["USDC"].address, tokens["WETH"].address],
        [feeds["USDC/USD"], feeds["ETH/USD"]],
        ADDRESS_ZERO,
        ADDRESS_ZERO,
        10**8,
    )
    d.send("aave/setPriceOracle", provider, _registry(), "setPriceOracle", oracle)
    _list(d, tokens, provider, pool, configurator)
    return Aave(addresses_provider=provider, pool=pool, data_provider=data, oracle=oracle)


def seed(
    d: Deployer, aave: Aave, tokens: Mapping[str, Token], supplied: Mapping[str, int], used: float
) -> None:
    """Supply `supplied` (whole tokens by symbol, which the deployer must hold) and borrow the fraction `used` of each."""
    pool = Web3.to_checksum_address(aave.pool)
    for symbol, whole in supplied.items():
        amount = whole * 10 ** tokens[symbol].decimals
        address = Web3.to_checksum_address(tokens[symbol].address)
        d.send(f"aave/approve/{symbol}", address, d.erc20, "approve", pool, amount)
        d.send(
            f"aave/supply/{symbol}",
            pool,
            contract("pool/Pool.sol"),
            "supply",
            address,
            amount,
            d.account,
            0,
            gas=_MOVE_GAS,
        )
    for symbol, whole in supplied.items():
        amount = int(whole * used) * 10 ** tokens[symbol].decimals
        d.send(
            f"aave/borrow/{symbol}",
            pool,
            contract("pool/Pool.sol"),
            "borrow",
            tokens[symbol].address,
            amount,
            _VARIABLE,
            0,
            d.account,
            gas=_MOVE_GAS,
        )


def _registry() -> Artifact:
    return contract("configuration/PoolAddressesProvider.sol")


def _misc(name: str) -> Artifact:
    return hardhat("aave-core-v3", f"misc/{name}.sol")


def _provider(d: Deployer) -> ChecksumAddress:
    """Deploy the address registry and the access list, with the deployer as every admin."""
    provider = d.deploy("aave/PoolAddressesProvider", _registry(), _MARKET, d.account)
    # The access list reads its admin from the registry while it is constructed.
    d.send("aave/setACLAdmin", provider, _registry(), "setACLAdmin", d.account)
    roles = contract("configuration/ACLManager.sol")
    acl = d.deploy("aave/ACLManager", roles, provider)
    d.send("aave/setACLManager", provider, _registry(), "setACLManager", acl)
    for role in ("addPoolAdmin", "addAssetListingAdmin", "addRiskAdmin", "addEmergencyAdmin"):
        d.send(f"aave/{role}", acl, roles, role, d.account)
    return provider


def _pool(d: Deployer, provider: ChecksumAddress) -> tuple[ChecksumAddress, ChecksumAddress]:
    """Deploy the logic libraries and the two implementations; returns the proxies of Pool and PoolConfigurator."""
    libraries: dict[str, str] = {}
    for name in (*_LIBRARIES, "FlashLoan"):
        libraries[f"{name}Logic"] = d.deploy(
            f"aave/{name}Logic", contract(f"libraries/logic/{name}Logic.sol"), libraries=libraries
        )
    pool_code, configurator_code = contract("pool/Pool.sol"), contract("pool/PoolConfigurator.sol")
    pool = d.deploy("aave/Pool/implementation", pool_code, provider, libraries=libraries)
    configurator = d.deploy("aave/PoolConfigurator/implementation", configurator_code, libraries=libraries)
    d.send("aave/Pool/initialize", pool, pool_code, "initialize", provider)
    d.send("aave/PoolConfigurator/initialize", configurator, configurator_code, "initialize", provider)
    d.send("aave/setPoolImpl", provider, _registry(), "setPoolImpl", pool)
    d.send("aave/setPoolConfiguratorImpl", provider, _registry(), "setPoolConfiguratorImpl", configurator)
    return (
        d.call(provider, _registry(), "getPool"),
        d.call(provider, _registry(), "getPoolConfigurator"),
    )


def _list(
    d: Deployer,
    tokens: Mapping[str, Token],
    provider: ChecksumAddress,
    pool: ChecksumAddress,
    configurator: ChecksumAddress,
) -> None:
    implementations = [
        d.deploy(f"aave/{name}", contract(f"tokenization/{name}.sol"), pool)
        for name in ("AToken", "StableDebtToken", "VariableDebtToken")
    ]
    code = contract("pool/PoolConfigurator.sol")
    listing = []
    for spec in RESERVES:
        strategy = d.deploy(
            f"aave/rates/{spec.symbol}",
            contract("pool/DefaultReserveInterestRateStrategy.sol"),
            provider,
            spec.optimal_usage * RAY_PERCENT,
            0,
            round(spec.slope * RAY_PERCENT),
            round(spec.steep_slope * RAY_PERCENT),
            # Borrowing at a stable rate is not enabled; the numbers only have to be there.
            *(0, 0, 0, 0, 20 * RAY_PERCENT),
        )
        names = [
            text
            for word, sign in (("", "a"), ("Variable Debt ", "variableDebt"), ("Stable Debt ", "stableDebt"))
            for text in (f"Aave {word}{spec.symbol}", f"{sign}{spec.symbol}")
        ]
        token = tokens[spec.symbol]
        listing.append(
            (*implementations, token.decimals, strategy, token.address, d.account, ADDRESS_ZERO, *names, b"")
        )
    d.send("aave/initReserves", configurator, code, "initReserves", listing, gas=_LISTING_GAS)
    for spec in RESERVES:
        asset = tokens[spec.symbol].address
        step = f"aave/{spec.symbol}"
        d.send(
            f"{step}/collateral",
            configurator,
            code,
            "configureReserveAsCollateral",
            asset,
            spec.ltv,
            spec.liquidation_threshold,
            spec.liquidation_bonus,
        )
        d.send(f"{step}/borrowing", configurator, code, "setReserveBorrowing", asset, True)
        d.send(f"{step}/factor", configurator, code, "setReserveFactor", asset, spec.reserve_factor)
