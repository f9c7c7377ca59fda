"""Lyra v1 with one sETH market quoted in sUSD, on the shared Chainlink feed.

Lyra's spot and hedge leg is Synthetix, which is not on a sandbox: in its place stand the doubles of Lyra's own package
(exchange, short collateral, approvals, resolver) and our `ExchangeRates`, which reads the shared feed. Options, margin, pool
and liquidations are Lyra's real contracts.
"""

from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from evenkeel.deploy.protocols import Lyra
from evenkeel.sandbox.artifacts import Artifact, hardhat, own
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.errors import DeployError
from evenkeel.sandbox.protocols import lyra_parameters as parameters
from evenkeel.sandbox.protocols.lyra_parameters import DAY, WAD, Struct, wad

PACKAGE_ROOT = "dist/artifacts/contracts"
FEED_MAX_AGE = 3 * parameters.HOUR
"""Seconds until a reading of the feed is refused: as long as Lyra's own Greek cache lasts."""
_PERIPHERY = ("OptionMarketViewer", "LyraRegistry", "KeeperHelper", "GWAVOracle")
_LIBRARIES = ("GWAV", "BlackScholes")


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """One expiry: `days` from the market's start and its base IV at 1e18."""

    days: int
    iv: int


@dataclass(frozen=True, slots=True)
class LyraSpec:
    """The market's size and boards.

    `strikes` are percent of the starting spot; `liquidity` is the one provider's deposit in whole sUSD.
    The pool is large beside any vault, so that its utilisation fee stays small and the actor that moves the vol has room.
    """

    boards: tuple[BoardSpec, ...] = (
        BoardSpec(14, wad("0.8")),
        BoardSpec(42, wad("0.75")),
        BoardSpec(84, wad("0.75")),
    )
    strikes: tuple[int, ...] = tuple(range(70, 131, 5))
    liquidity: int = 60_000_000


def contract(name: str) -> Artifact:
    """Return the artifact of one of the Lyra package's contracts by name, its doubles of Synthetix included."""
    if name in _LIBRARIES:
        return hardhat("lyrafinance-protocol", f"libraries/{name}.sol", root=PACKAGE_ROOT)
    if name in _PERIPHERY:
        return hardhat("lyrafinance-protocol", f"periphery/{name}.sol", root=PACKAGE_ROOT)
    if name.startswith("Test"):
        return hardhat("lyrafinance-protocol", f"test-helpers/{name}.sol", root=PACKAGE_ROOT)
    return hardhat("lyrafinance-protocol", f"{name}.sol", root=PACKAGE_ROOT)


def key32(name: str) -> bytes:
    """Return a name as Synthetix keys it: ASCII, padded right to 32 bytes."""
    return name.encode().ljust(32, b"\0")


def struct(artifact: Artifact, function: str, values: Struct) -> tuple[Any, ...]:
    """`values` in the order of the one struct that `function` takes. Raises `DeployError` unless the names agree."""
    entry = next(item for item in artifact.abi if item.get("name") == function)
    names = [part["name"] for part in entry["inputs"][0]["components"]]
    if set(names) != set(values):
        raise DeployError(
            f"{artifact.name}.{function}: fields {sorted(set(names) ^ set(values))} do not fit its struct"
        )
    return tuple(values[name] for name in names)


def deploy(
    d: Deployer, spec: LyraSpec, *, susd: ChecksumAddress, feed: ChecksumAddress, price: int, start: int
) -> Lyra:
    """Build the market around the Chainlink proxy `feed`, fund its pool and open its boards.

    `susd` must be Lyra's `TestERC20Fail`, minted freely by the deployer's account, because the double of Synthetix mints and
    burns it. `price` is USD at 1e18 and sets the strikes; expiries count from `start` (unix seconds).
    """
    libraries = {name: d.deploy(f"lyra/{name}", contract(name)) for name in _LIBRARIES}

    def new(name: str, *args: object) -> ChecksumAddress:
        return d.deploy(f"lyra/{name}", contract(name), *args, libraries=libraries)

    def send(name: str, to: ChecksumAddress, function: str, *args: object) -> None:
        d.send(f"lyra/{name}.{function}", to, contract(name), function, *args)

    adapter = new("SynthetixAdapter")
    send("SynthetixAdapter", adapter, "initialize")
    viewer, registry = new("OptionMarketViewer"), new("LyraRegistry")
    market, pricer, cache = new("OptionMarket"), new("OptionMarketPricer"), new("OptionGreekCache")
    pool, hedger, shorts = new("LiquidityPool"), new("ShortPoolHedger"), new("ShortCollateral")
    pool_token = new("LiquidityToken", "sUSD/sETH Pool Tokens", "LyraELPT")
    token = new("OptionToken", "sUSD/sETH Option Tokens", "LyraEOT")
    gwav, helper = new("GWAVOracle"), new("KeeperHelper")
    base = d.deploy("lyra/sETH", contract("TestERC20Fail"), "Synthetic ETH", "sETH")
    rates = d.deploy("lyra/ExchangeRates", own("ExchangeRates"), feed, key32("sETH"), FEED_MAX_AGE)
    _synthetix(d, adapter=adapter, susd=susd, base=base, market=market, rates=rates)

    send("OptionMarketViewer", viewer, "init", adapter)
    send("OptionMarket", market, "init", adapter, pool, pricer, cache, shorts, token, susd, base)
    send("OptionMarketPricer", pricer, "init", market, cache)
    send("OptionGreekCache", cache, "init", adapter, market, pricer)
    send("LiquidityPool", pool, "init", adapter, market, pool_token, cache, hedger, shorts, susd, base)
    send("LiquidityToken", pool_token, "init", pool)
    send(
        "SynthetixAdapter",
        adapter,
        "setGlobalsForContract",
        market,
        key32("sUSD"),
        key32("sETH"),
        parameters.SECURITY_MODULE,
        bytes(32),
    )
    send("ShortPoolHedger", hedger, "init", adapter, market, cache, pool, susd, base)
    send("ShortCollateral", shorts, "init", market, pool, token, adapter, susd, base)
    send("OptionToken", token, "init", market, cache, shorts, adapter)
    send("GWAVOracle", gwav, "init", market, cache, adapter)
    send("KeeperHelper", helper, "init", market, shorts, cache)
    _register(
        d,
        viewer=viewer,
        registry=registry,
        addresses={
            "liquidityPool": pool,
            "liquidityToken": pool_token,
            "greekCache": cache,
            "optionMarket": market,
            "optionMarketPricer": pricer,
            "optionToken": token,
            "poolHedger": hedger,
            "shortCollateral": shorts,
            "gwavOracle": gwav,
            "quoteAsset": susd,
            "baseAsset": base,
        },
    )
    for name, address, function, values in (
        ("OptionMarket", market, "setOptionMarketParams", parameters.OPTION_MARKET),
        ("LiquidityPool", pool, "setLiquidityPoolParameters", parameters.LIQUIDITY_POOL),
        ("ShortPoolHedger", hedger, "setPoolHedgerParams", parameters.POOL_HEDGER),
        ("OptionGreekCache", cache, "setGreekCacheParameters", parameters.GREEK_CACHE),
        ("OptionGreekCache", cache, "setMinCollateralParameters", parameters.MIN_COLLATERAL),
        ("OptionGreekCache", cache, "setForceCloseParameters", parameters.FORCE_CLOSE),
        ("OptionMarketPricer", pricer, "setPricingParams", parameters.PRICING),
        ("OptionMarketPricer", pricer, "setTradeLimitParams", parameters.TRADE_LIMITS),
        ("OptionMarketPricer", pricer, "setVarianceFeeParams", parameters.VARIANCE_FEE),
        ("OptionToken", token, "setPartialCollateralParams", parameters.PARTIAL_COLLATERAL),
    ):
        send(name, address, function, struct(contract(name), function, values))
    send("ShortPoolHedger", hedger, "setShortBuffer", parameters.SHORT_BUFFER)

    amount = spec.liquidity * WAD
    d.send("lyra/mint", susd, contract("TestERC20Fail"), "mint", d.account, amount)
    d.send("lyra/approve", susd, contract("TestERC20Fail"), "approve", pool, amount)
    # Before the first board a deposit is taken at once; afterwards it would queue for a week.
    send("LiquidityPool", pool, "initiateDeposit", d.account, amount)
    send("ShortPoolHedger", hedger, "openShortAccount")
    send("ShortPoolHedger", hedger, "hedgeDelta")
    for number, board in enumerate(spec.boards, start=1):
        strikes = [price * percent // 100 for percent in spec.strikes]
        create_board(d, market, number, start + board.days * DAY, iv=board.iv, strikes=strikes)
    return Lyra(
        underlying="WETH",
        option_market=market,
        option_market_pricer=pricer,
        option_greek_cache=cache,
        option_token=token,
        short_collateral=shorts,
        liquidity_pool=pool,
        liquidity_token=pool_token,
        short_pool_hedger=hedger,
        synthetix_adapter=adapter,
        gwav_oracle=gwav,
        quote=susd,
        base=base,
        exchange_rates=rates,
        viewer=viewer,
        registry=registry,
        keeper_helper=helper,
    )


def create_board(
    d: Deployer, market: ChecksumAddress, number: int, expiry: int, *, iv: int, strikes: list[int]
) -> None:
    """Open board `number` (ids count from 1 in order of creation) with `strikes` (USD at 1e18) and all skews 1.

    `expiry` is unix seconds, `iv` the base IV at 1e18.
    """
    d.send(
        f"lyra/board/{number}",
        market,
        contract("OptionMarket"),
        "createOptionBoard",
        expiry,
        iv,
        strikes,
        [WAD] * len(strikes),
        False,
        gas=12_000_000,
    )


def _synthetix(
    d: Deployer,
    *,
    adapter: ChecksumAddress,
    susd: ChecksumAddress,
    base: ChecksumAddress,
    market: ChecksumAddress,
    rates: ChecksumAddress,
) -> None:
    """Put Lyra's doubles of Synthetix up and point the adapter at them and at our rates."""
    parts = {
        "ProxySynthetix": d.deploy("lyra/TestSynthetixReturnZero", contract("TestSynthetixReturnZero")),
        "Exchanger": d.deploy("lyra/TestExchanger", contract("TestExchanger")),
        "ExchangeRates": rates,
        "CollateralShort": d.deploy("lyra/TestCollateralShort", contract("TestCollateralShort")),
        "DelegateApprovals": d.deploy("lyra/TestDelegateApprovals", contract("TestDelegateApprovals")),
    }
    resolver = d.deploy("lyra/TestAddressResolver", contract("TestAddressResolver"))
    synthetix, shorts = parts["ProxySynthetix"], parts["CollateralShort"]

    def send(name: str, to: ChecksumAddress, function: str, *args: object, note: str = "") -> None:
        d.send(f"lyra/{name}.{function}{note}", to, contract(name), function, *args)

    send("TestSynthetixReturnZero", synthetix, "init", adapter, susd, resolver)
    send("TestCollateralShort", shorts, "init", adapter, susd)
    send(
        "TestAddressResolver", resolver, "setAddresses", [key32(name) for name in parts], list(parts.values())
    )
    for symbol, synth in (("sUSD", susd), ("sETH", base)):
        for name, minter in (("synthetix", synthetix), ("shorts", shorts)):
            send("TestERC20Fail", synth, "permitMint", minter, True, note=f"/{symbol}/{name}")
    # The pool, its hedger and the shorts ask the adapter for the approvals contract while they initialise.
    send("SynthetixAdapter", adapter, "setAddressResolver", resolver)
    for name, double in (("TestSynthetixReturnZero", synthetix), ("TestCollateralShort", shorts)):
        send(name, double, "addBaseAsset", key32("sETH"), base, market)
    exchanger = parts["Exchanger"]
    for source, target, fee in (
        ("sETH", "sUSD", parameters.EXCHANGE_FEE_FOR_BASE),
        ("sUSD", "sETH", parameters.EXCHANGE_FEE_FOR_QUOTE),
    ):
        send(
            "TestExchanger",
            exchanger,
            "setFeeRateForExchange",
            key32(source),
            key32(target),
            fee,
            note=f"/{source}",
        )


def _register(
    d: Deployer, *, viewer: ChecksumAddress, registry: ChecksumAddress, addresses: dict[str, ChecksumAddress]
) -> None:
    for name, address in (("OptionMarketViewer", viewer), ("LyraRegistry", registry)):
        artifact = contract(name)
        entry = next(item for item in artifact.abi if item.get("name") == "addMarket")
        wanted = tuple(addresses[part["name"]] for part in entry["inputs"][0]["components"])
        d.send(f"lyra/{name}.addMarket", address, artifact, "addMarket", wanted)
