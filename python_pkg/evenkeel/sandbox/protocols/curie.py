"""Perpetual Protocol v2 ("Curie") with one ETH market on the shared Chainlink feed.

The implementations are initialised directly, without proxies: nothing here is ever upgraded. An instance is deployed in two
parts, because its mark price needs half an hour of pool history before anyone can trade: `deploy` builds it and starts
that clock, `seed` brings liquidity once `ready_at` has passed.
"""

from dataclasses import dataclass
from math import isqrt, log

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.types import Nonce
from web3.utils.address import get_create_address

from evenkeel.deploy.protocols import Curie
from evenkeel.sandbox.artifacts import Artifact, hardhat
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.errors import DeployError

WAD = 10**18
USDC_UNIT = 10**6
POOL_FEE = 3000
TICK_SPACING = 60
FEED_TIMEOUT = 2400
TWAP_SECONDS = 900
HISTORY_SECONDS = 2000
"""Curie's mark is a median over up to 30 minutes of pool history; before that the pool's oracle answers OLD."""
OBSERVATIONS = 500
MAX_TICKS_A_BLOCK = 1000
"""What Curie lets the price move within 15 seconds: about 10%."""
_CARDINALITY_CHUNK = 100
_NEVER = 2**256 - 1


@dataclass(frozen=True, slots=True)
class CurieSpec:
    """What tells one instance from another.

    `fee` is parts per million of notional (1000 is 0.1%); `insurance_fee` the parts per million of that fee that go to the
    insurance fund; `depth` the pool's virtual reserve in whole ETH: a trade of x ETH pays x / depth in impact.
    `width` is the factor by which the price may rise or fall before the liquidity ends. `maker_margin` and
    `insurance` are whole USDC.
    """

    name: str
    fee: int
    depth: int
    insurance_fee: int = 100_000
    width: int = 10
    maker_margin: int = 2_000_000_000
    insurance: int = 20_000_000


PERP_A = CurieSpec("perp-a", fee=1000, depth=240_000)
"""0.1% and deep: a 60 ETH trade pays 10 bps of fee and 2.5 bps of impact."""
PERP_B = CurieSpec("perp-b", fee=500, depth=80_000)
"""0.05% and shallower: 5 bps and 7.5 bps for the same 60 ETH, so that small trades belong here and large ones there."""


def contract(name: str) -> Artifact:
    """Return the artifact of one of Curie's own contracts, e.g. `contract("ClearingHouse")`."""
    return hardhat("perp-curie-contract", f"{name}.sol")


def sqrt_price_x96(price: int) -> int:
    """Uniswap's square root price of `price`, USD for one ETH at 1e18; both of Curie's virtual tokens have 18 decimals."""
    return isqrt((price << 192) // WAD)


def tick_at(price: int) -> int:
    """Return the tick of `price` (1e18), rounded toward minus infinity; floats are exact enough for choosing a range."""
    return int(log(price / WAD) // log(1.0001))


def oracle_contract(name: str) -> Artifact:
    """Return the artifact of one of Perpetual Protocol's oracle contracts."""
    return hardhat("perp-perp-oracle-contract", f"{name}.sol")


def uniswap(name: str) -> Artifact:
    """Return the artifact of a Uniswap v3 core contract; each Curie instance brings its own factory."""
    return hardhat("uniswap-v3-core", f"{name}.sol")


def deploy(
    d: Deployer, spec: CurieSpec, *, usdc: ChecksumAddress, feed: ChecksumAddress, price: int
) -> Curie:
    """Build one instance around the Chainlink proxy `feed`, with its pool started at `price` (USD at 1e18).

    Owner of everything is the deployer's account. Liquidity comes later, through `seed`.
    """
    key = spec.name

    def new(name: str, *args: object) -> ChecksumAddress:
        return d.deploy(f"{key}/{name}", contract(name), *args)

    def send(name: str, to: ChecksumAddress, function: str, *args: object) -> None:
        d.send(
            f"{key}/{name}.{function}/{'/'.join(str(arg) for arg in args)[:120]}",
            to,
            contract(name),
            function,
            *args,
        )

    dispatcher = _index(d, key, feed)
    factory = d.deploy(f"{key}/UniswapV3Factory", uniswap("UniswapV3Factory"))
    base, quote = _tokens(d, key)
    send("QuoteToken", quote, "initialize", "Virtual USD", "vUSD")
    send("BaseToken", base, "initialize", "Virtual ETH", "vETH", dispatcher)

    config = new("ClearingHouseConfig")
    send("ClearingHouseConfig", config, "initialize")
    d.send(
        f"{key}/createPool",
        factory,
        uniswap("UniswapV3Factory"),
        "createPool",
        base,
        quote,
        POOL_FEE,
        gas=7_000_000,
    )
    pool = d.call(factory, uniswap("UniswapV3Factory"), "getPool", base, quote, POOL_FEE)

    registry = new("MarketRegistry")
    send("MarketRegistry", registry, "initialize", factory, quote)
    order_book = new("OrderBook")
    send("OrderBook", order_book, "initialize", registry)
    fund = new("InsuranceFund")
    send("InsuranceFund", fund, "initialize", usdc)
    exchange = new("Exchange")
    send("Exchange", exchange, "initialize", registry, order_book, config)
    balances = new("AccountBalance")
    send("AccountBalance", balances, "initialize", config, order_book)
    send("Exchange", exchange, "setAccountBalance", balances)
    send("OrderBook", order_book, "setExchange", exchange)

    vault = new("Vault")
    send("Vault", vault, "initialize", fund, config, balances, exchange)
    collateral = new("CollateralManager")
    send(
        "CollateralManager",
        collateral,
        "initialize",
        config,
        vault,
        5,
        750_000,
        500_000,
        2000,
        30_000,
        10_000 * USDC_UNIT,
        500 * USDC_UNIT,
    )
    send("Vault", vault, "setCollateralManager", collateral)
    send("InsuranceFund", fund, "setVault", vault)
    send("AccountBalance", balances, "setVault", vault)

    house = new("ClearingHouse")
    send("ClearingHouse", house, "initialize", config, vault, quote, factory, exchange, balances, fund)
    # The cap is 0 on a fresh instance, which refuses every deposit.
    send("ClearingHouseConfig", config, "setSettlementTokenBalanceCap", _NEVER)
    for name, token in (("BaseToken", base), ("QuoteToken", quote)):
        send(name, token, "mintMaximumTo", house)
        send(name, token, "addWhitelist", house)
        send(name, token, "addWhitelist", pool)
    for name, address in (
        ("MarketRegistry", registry),
        ("OrderBook", order_book),
        ("Exchange", exchange),
        ("AccountBalance", balances),
        ("Vault", vault),
    ):
        send(name, address, "setClearingHouse", house)
    approval = new("DelegateApproval")
    send("DelegateApproval", approval, "initialize")
    send("ClearingHouse", house, "setDelegateApproval", approval)

    _start_pool(d, spec, pool, price)
    send("MarketRegistry", registry, "addPool", base, POOL_FEE)
    send("MarketRegistry", registry, "setFeeRatio", base, spec.fee)
    send("MarketRegistry", registry, "setInsuranceFundFeeRatio", base, spec.insurance_fee)
    send("Exchange", exchange, "setMaxTickCrossedWithinBlock", base, MAX_TICKS_A_BLOCK)
    return Curie(
        name=spec.name,
        underlying="WETH",
        clearing_house=house,
        clearing_house_config=config,
        account_balance=balances,
        exchange=exchange,
        vault=vault,
        market_registry=registry,
        order_book=order_book,
        insurance_fund=fund,
        collateral_manager=collateral,
        delegate_approval=approval,
        quote_token=quote,
        base_token=base,
        pool=pool,
        price_feed=dispatcher,
    )


def _index(d: Deployer, key: str, feed: ChecksumAddress) -> ChecksumAddress:
    """Deploy what turns the Chainlink proxy into Curie's index price; returns the dispatcher that the base token reads."""
    reader = d.deploy(
        f"{key}/ChainlinkPriceFeedV3",
        oracle_contract("ChainlinkPriceFeedV3"),
        feed,
        FEED_TIMEOUT,
        TWAP_SECONDS,
    )
    return d.deploy(f"{key}/PriceFeedDispatcher", oracle_contract("PriceFeedDispatcher"), reader)


def _start_pool(d: Deployer, spec: CurieSpec, pool: ChecksumAddress, price: int) -> None:
    pool_artifact = uniswap("UniswapV3Pool")
    d.send(_clock(spec), pool, pool_artifact, "initialize", sqrt_price_x96(price))
    for size in range(_CARDINALITY_CHUNK, OBSERVATIONS + 1, _CARDINALITY_CHUNK):
        # In parts: 500 fresh slots at once cost more gas than some networks allow one transaction.
        d.send(
            f"{spec.name}/pool.cardinality/{size}",
            pool,
            pool_artifact,
            "increaseObservationCardinalityNext",
            size,
            gas=3_000_000,
        )


def ready_at(d: Deployer, spec: CurieSpec) -> int:
    """Unix seconds from which the instance's mark price can be read and traded on."""
    return d.mined_at(_clock(spec)) + HISTORY_SECONDS


def _clock(spec: CurieSpec) -> str:
    return f"{spec.name}/pool.initialize"


def _tokens(d: Deployer, key: str) -> tuple[ChecksumAddress, ChecksumAddress]:
    """Deploy the two virtual tokens so that base sorts before quote, which Curie demands.

    The next two addresses are known beforehand; whichever is lower becomes the base token.
    """
    nonce = d.nonce()
    order = ["BaseToken", "QuoteToken"]
    first, second = (int(get_create_address(d.account, Nonce(nonce + step)), 16) for step in range(2))
    if first > second:
        order.reverse()
    found = {name: d.deploy(f"{key}/{name}", contract(name)) for name in order}
    base, quote = found["BaseToken"], found["QuoteToken"]
    if int(base, 16) > int(quote, 16):
        raise DeployError(
            f"{key}: another transaction of {d.account} came between its two tokens; start this deployment anew"
        )
    return base, quote


def seed(d: Deployer, curie: Curie, spec: CurieSpec, *, usdc: ChecksumAddress, price: int) -> None:
    """Fill the insurance fund and add the maker's one wide position around `price` (USD at 1e18).

    The chain's time must be `ready_at` or later. The maker is the deployer's account; it needs
    `spec.insurance + spec.maker_margin` whole USDC.
    """
    key, token = spec.name, d.erc20
    vault, house = Web3.to_checksum_address(curie.vault), Web3.to_checksum_address(curie.clearing_house)
    margin = spec.maker_margin * USDC_UNIT
    d.send(f"{key}/insurance", usdc, token, "transfer", curie.insurance_fund, spec.insurance * USDC_UNIT)
    d.send(f"{key}/approve", usdc, token, "approve", curie.vault, margin)
    d.send(f"{key}/deposit", vault, contract("Vault"), "deposit", usdc, margin)
    lower = tick_at(price // spec.width) // TICK_SPACING * TICK_SPACING
    upper = tick_at(price * spec.width) // TICK_SPACING * TICK_SPACING
    base = spec.depth * WAD
    d.send(
        f"{key}/addLiquidity",
        house,
        contract("ClearingHouse"),
        "addLiquidity",
        # More quote than the range can use, so that the base side sets the depth.
        (
            curie.base_token,
            base - base * 1000 // isqrt(spec.width * 10**6),
            base * price // WAD,
            lower,
            upper,
            0,
            0,
            False,
            _NEVER,
        ),
    )
