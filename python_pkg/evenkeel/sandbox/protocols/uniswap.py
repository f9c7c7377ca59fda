"""Uniswap v3: factory, position manager, SwapRouter02, QuoterV2, and pools with one wide position each."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isqrt, log

from web3 import Web3
from web3.constants import ADDRESS_ZERO

from evenkeel.deploy.protocols import Pool, Token, Uniswap
from evenkeel.sandbox.artifacts import Artifact, hardhat
from evenkeel.sandbox.deployer import Deployer

WAD = 10**18
OBSERVATIONS = 300
"""Slots of price history: one is written a block with a trade, and a 900 s average needs the oldest to be older."""
TICK_SPACING = {500: 10, 3000: 60, 10000: 200}
_SLOTS_A_CALL = 100
_FOREVER = 2**63
_POOL_GAS = 6_000_000


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """A pool of `base` against `quote` (symbols).

    `fee` is parts per million; `amount` whole tokens of base put in, with as much quote as the price asks; `width` the factor by
    which the price may rise or fall inside the position. The depth felt by a trade is amount / (1 - width ** -0.5).
    """

    base: str
    quote: str
    fee: int
    amount: int
    width: float

    @property
    def name(self) -> str:
        """The pool's name: "WETH/USDC"."""
        return f"{self.base}/{self.quote}"


def core(name: str) -> Artifact:
    """Return the artifact of a core contract: UniswapV3Factory or UniswapV3Pool."""
    return hardhat("uniswap-v3-core", f"{name}.sol")


def periphery(source: str) -> Artifact:
    """Return the artifact of a periphery contract, e.g. `periphery("NonfungiblePositionManager.sol")`."""
    return hardhat("uniswap-v3-periphery", source)


def router() -> Artifact:
    """Return the artifact of SwapRouter02."""
    return hardhat("uniswap-swap-router-contracts", "SwapRouter02.sol")


def deploy(d: Deployer, weth: str) -> Uniswap:
    """Deploy the protocol without pools."""
    factory = d.deploy("uniswap/UniswapV3Factory", core("UniswapV3Factory"))
    label = b"ETH".ljust(32, b"\0")
    drawing = d.deploy("uniswap/NFTDescriptor", periphery("libraries/NFTDescriptor.sol"))
    descriptor = d.deploy(
        "uniswap/NonfungibleTokenPositionDescriptor",
        periphery("NonfungibleTokenPositionDescriptor.sol"),
        weth,
        label,
        libraries={"NFTDescriptor": drawing},
    )
    positions = d.deploy(
        "uniswap/NonfungiblePositionManager",
        periphery("NonfungiblePositionManager.sol"),
        factory,
        weth,
        descriptor,
    )
    # No Uniswap v2 beside it: its factory is the zero address.
    swap_router = d.deploy("uniswap/SwapRouter02", router(), ADDRESS_ZERO, factory, positions, weth)
    quoter = d.deploy("uniswap/QuoterV2", periphery("lens/QuoterV2.sol"), factory, weth)
    return Uniswap(factory=factory, router=swap_router, quoter=quoter, position_manager=positions)


def create_pool(
    d: Deployer, uniswap: Uniswap, tokens: Mapping[str, Token], spec: PoolSpec, price: int
) -> Pool:
    """Create `spec`'s pool at `price` (whole quote for a whole base at 1e18), with history slots and no liquidity."""
    base, quote = tokens[spec.base], tokens[spec.quote]
    first, second = sorted((base.address, quote.address), key=lambda address: int(address, 16))
    manager = Web3.to_checksum_address(str(uniswap.position_manager))
    d.send(
        f"uniswap/{spec.name}/create",
        manager,
        periphery("NonfungiblePositionManager.sol"),
        "createAndInitializePoolIfNecessary",
        first,
        second,
        spec.fee,
        sqrt_price_x96(base, quote, price),
        gas=_POOL_GAS,
    )
    factory = Web3.to_checksum_address(uniswap.factory)
    address = d.call(factory, core("UniswapV3Factory"), "getPool", first, second, spec.fee)
    for slots in range(_SLOTS_A_CALL, OBSERVATIONS + 1, _SLOTS_A_CALL):
        d.send(
            f"uniswap/{spec.name}/slots/{slots}",
            address,
            core("UniswapV3Pool"),
            "increaseObservationCardinalityNext",
            slots,
        )
    return Pool(address=address, fee=spec.fee)


def add_liquidity(
    d: Deployer, uniswap: Uniswap, tokens: Mapping[str, Token], spec: PoolSpec, *, price: int, owner: str
) -> None:
    """Put `spec.amount` of base and its worth of quote, which the deployer must hold, around `price` for `owner`."""
    base, quote = tokens[spec.base], tokens[spec.quote]
    manager = Web3.to_checksum_address(str(uniswap.position_manager))
    amount_base = spec.amount * 10**base.decimals
    amount_quote = quote_amount(spec, quote, price)
    for token, amount in ((base, amount_base), (quote, amount_quote)):
        address = Web3.to_checksum_address(token.address)
        d.send(f"uniswap/{spec.name}/approve/{address}", address, d.erc20, "approve", manager, amount)
    flipped = int(base.address, 16) > int(quote.address, 16)
    spacing = TICK_SPACING[spec.fee]
    middle = tick_at(base, quote, price)
    reach = round(log(spec.width) / log(1.0001))
    amounts = (amount_quote, amount_base) if flipped else (amount_base, amount_quote)
    addresses = (quote.address, base.address) if flipped else (base.address, quote.address)
    d.send(
        f"uniswap/{spec.name}/liquidity",
        manager,
        periphery("NonfungiblePositionManager.sol"),
        "mint",
        (
            *addresses,
            spec.fee,
            (middle - reach) // spacing * spacing,
            (middle + reach) // spacing * spacing,
            *amounts,
            0,
            0,
            owner,
            _FOREVER,
        ),
    )


def quote_amount(spec: PoolSpec, quote: Token, price: int) -> int:
    """Return the worth of `spec.amount` in smallest units of quote."""
    return spec.amount * price * int(10**quote.decimals) // WAD


def sqrt_price_x96(base: Token, quote: Token, price: int) -> int:
    """Return the pool's square root price, in 96 fractional bits, for `price` (whole quote for a whole base at 1e18)."""
    above = price * 10**quote.decimals
    below = WAD * 10**base.decimals
    if int(base.address, 16) > int(quote.address, 16):
        above, below = below, above
    return isqrt((above << 192) // below)


def tick_at(base: Token, quote: Token, price: int) -> int:
    """Return the tick of `price`; floats are exact enough for choosing a range."""
    ratio = price / WAD * float(10**quote.decimals) / float(10**base.decimals)
    if int(base.address, 16) > int(quote.address, 16):
        ratio = 1 / ratio
    return floor(log(ratio) / log(1.0001))
