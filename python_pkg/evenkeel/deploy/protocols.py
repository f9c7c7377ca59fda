"""The protocols file: which contracts of others a chain has. Every section may be absent, as on a testnet.

A key `_sources` at the top maps a field's path to where its address was published; it is kept and not interpreted.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Self

from eth_typing import ChecksumAddress
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)
from web3 import Web3

from evenkeel.deploy.errors import ProtocolsError


def _address(text: str) -> ChecksumAddress:
    if not Web3.is_address(text) or not text.startswith("0x"):
        raise ValueError("expected an address, 0x and 40 hex digits")
    if int(text, 16) == 0:
        raise ValueError("the zero address is not allowed; leave the field out instead")
    checksummed = Web3.to_checksum_address(text)
    if text[2:] not in (text[2:].lower(), text[2:].upper(), checksummed[2:]):
        raise ValueError("the address fails its checksum")
    return checksummed


Address = Annotated[str, AfterValidator(_address)]
"""A checksummed address, never zero. Lower case is accepted and checksummed."""


_POOL_CODE_HASH = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
"""Of Uniswap v3's pool creation code, as published: every pool of an official factory is created from it."""


def _pool_address(factory: str, tokens: dict[str, Any], pair: str, fee: int) -> str:
    """Return where `factory` puts a pool: CREATE2 of the sorted tokens and the fee."""
    sorted_tokens = sorted(bytes.fromhex(tokens[symbol]["address"][2:]) for symbol in pair.split("/"))
    words = [part.rjust(32, b"\0") for part in (*sorted_tokens, fee.to_bytes(3, "big"))]
    salt = Web3.keccak(b"".join(words))
    packed = b"\xff" + bytes.fromhex(factory[2:]) + salt + _POOL_CODE_HASH
    return "0x" + Web3.keccak(packed)[12:].hex()


class Section(BaseModel):
    """A part of the file: immutable, and no field but the named ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Token(Section):
    """An ERC-20."""

    address: Address
    decimals: Annotated[int, Field(ge=0, le=18)]


class Pool(Section):
    """A Uniswap v3 pool; `fee` in parts per million.

    A file may leave `address` out: it follows from the factory, the tokens and the fee, whether or not the pool exists.
    """

    address: Address
    fee: PositiveInt


class Uniswap(Section):
    """Uniswap v3. `router` is SwapRouter02, `quoter` QuoterV2; `pools` by pair of symbols, e.g. "WETH/USDC"."""

    factory: Address
    router: Address
    quoter: Address | None = None
    position_manager: Address | None = None
    pools: dict[str, Pool] = Field(default_factory=dict)


class Aave(Section):
    """Aave v3."""

    addresses_provider: Address
    pool: Address
    data_provider: Address
    oracle: Address


class Curie(Section):
    """One instance of Perp v2 with one market. `underlying` is a symbol of `tokens`."""

    name: str
    underlying: str
    clearing_house: Address
    clearing_house_config: Address
    account_balance: Address
    exchange: Address
    vault: Address
    market_registry: Address
    order_book: Address
    insurance_fund: Address
    collateral_manager: Address | None = None
    delegate_approval: Address | None = None
    quote_token: Address
    base_token: Address
    pool: Address
    price_feed: Address
    """The base token's PriceFeedDispatcher."""


class Lyra(Section):
    """One Lyra v1 market. `quote` and `base` are symbols of `tokens` or addresses of its synths; `underlying` a symbol."""

    underlying: str
    option_market: Address
    option_market_pricer: Address
    option_greek_cache: Address
    option_token: Address
    short_collateral: Address
    liquidity_pool: Address
    liquidity_token: Address | None = None
    short_pool_hedger: Address
    synthetix_adapter: Address
    gwav_oracle: Address
    quote: Address
    base: Address
    exchange_rates: Address
    viewer: Address | None = None
    registry: Address | None = None
    keeper_helper: Address | None = None


class Protocols(Section):
    """What one chain has. `feeds` maps a pair such as "ETH/USD" to its Chainlink proxy, "sequencer" to the uptime feed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    chain_id: PositiveInt
    tokens: dict[str, Token] = Field(default_factory=dict)
    feeds: dict[str, Address] = Field(default_factory=dict)
    uniswap: Uniswap | None = None
    aave: Aave | None = None
    perps: tuple[Curie, ...] = ()
    lyra: Lyra | None = None
    sources: dict[str, str] = Field(default_factory=dict, alias="_sources")

    @model_validator(mode="before")
    @classmethod
    def _pool_addresses(cls, data: Any) -> Any:
        """Fill in the pools' addresses that are left out. What is malformed is left to the fields' own checks."""
        try:
            uniswap, tokens = data["uniswap"], data["tokens"]
            pools = {
                pair: pool
                if "address" in pool
                else {**pool, "address": _pool_address(uniswap["factory"], tokens, pair, int(pool["fee"]))}
                for pair, pool in uniswap["pools"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError):
            return data
        return {**data, "uniswap": {**uniswap, "pools": pools}}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for where, symbol in (
            *((f"perps.{i}.underlying", perp.underlying) for i, perp in enumerate(self.perps)),
            *([("lyra.underlying", self.lyra.underlying)] if self.lyra else []),
            *(
                (f"uniswap.pools.{pair}", symbol)
                for pair in (self.uniswap.pools if self.uniswap else ())
                for symbol in pair.split("/")
            ),
        ):
            if symbol not in self.tokens:
                raise ValueError(f"{where}: {symbol!r} is not among tokens")
        names = [perp.name for perp in self.perps]
        if len(set(names)) != len(names):
            raise ValueError("perps: two instances have the same name")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file. Raises `ProtocolsError`, one line naming the file and the field."""
        try:
            return cls.model_validate(json.loads(path.read_text()))
        except OSError as error:
            raise ProtocolsError(f"{path}: cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            text = first["msg"].removeprefix("Value error, ")
            raise ProtocolsError(f"{path}: {field + ': ' if field else ''}{text}") from error
        except ValueError as error:
            raise ProtocolsError(f"{path}: not JSON: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Return what `load` reads, without the empty parts."""
        full = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {key: value for key, value in full.items() if value not in ({}, [])}

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(self.to_json(), indent=2) + "\n")
        partial.replace(path)
