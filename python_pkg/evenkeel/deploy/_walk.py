"""The steps of a deployment, in their one order."""

from collections.abc import Callable, Mapping

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.deploy._compiled import calldata, selector
from evenkeel.deploy._steps import Walker
from evenkeel.deploy.errors import DeploymentError
from evenkeel.deploy.names import venue_name
from evenkeel.deploy.plan import (
    CURATOR,
    GUARDIAN,
    KEEPER,
    VOL_POSTER,
    Roles,
    UnderlyingLimits,
    VaultPlan,
    wad,
)
from evenkeel.deploy.protocols import Protocols
from evenkeel.deploy.record import DeploymentFile

_DOLLAR = "0x" + "0" * 40
"""How price sources write the US dollar as a denomination."""
_NONE = "0x" + "0" * 40


class Walk:
    """Takes the steps through a `Walker`; `omitted` then says what the chain lacks, a line each."""

    def __init__(
        self,
        w3: Web3,
        walker: Walker,
        file: DeploymentFile,
        protocols: Protocols,
        plan: VaultPlan,
        roles: Roles,
    ) -> None:
        self._w3 = w3
        self._to = walker
        self._protocols = protocols
        self._plan = plan
        self._roles = roles
        self._deployer = file.deployer
        self.omitted: list[str] = []

    def run(self) -> None:
        """Take every step."""
        asset = self._token(self._plan.asset)
        authority = self._to.create("authority", "Authority", self._deployer)
        sources = self._sources()
        oracle = self._to.create("oracle", "OracleAdapter", asset, authority)
        vol = self._plan.vol
        vol_source = self._to.create(
            "vol_source",
            "CuratedVolSource",
            authority,
            vol.max_age,
            wad(vol.max_move),
            wad(vol.half_width),
            vol.min_interval,
        )
        valuer = self._to.create("valuer", "Valuer")
        guard = self._to.create("guard", "RiskGuard", authority)
        names = (self._plan.name, self._plan.symbol)
        vault = self._to.create("vault", "Vault", asset, *names, authority, oracle, vol_source, valuer, guard)
        self._to.create("lens", "VaultLens")
        venues = self._venues(vault)
        self._configure_oracle(oracle, sources)
        self._set_limits(guard)
        for name, venue in venues.items():
            config = tuple(wad(part) for part in self._terms(name))
            step = f"vault.addVenue/{name}"
            self._to.call(
                step, "Vault", vault, "addVenue", venue, config, unless=self._venue_test(vault, venue)
            )
        self._set_roles(authority, vault=vault, guard=guard, vol_source=vol_source)

    def _token(self, symbol: str) -> ChecksumAddress:
        token = self._protocols.tokens.get(symbol)
        if token is None:
            raise DeploymentError(f"protocols: tokens has no {symbol}, which the vault needs")
        return Web3.to_checksum_address(token.address)

    def _terms(self, venue: str) -> tuple[float, float, float, float]:
        terms = self._plan.terms(venue)
        assert terms is not None
        return terms.cap, terms.min_health, terms.target_health, terms.critical_health

    def _wanted(self, venue: str) -> bool:
        if self._plan.terms(venue) is None:
            self.omitted.append(f"{venue}: the mandate does not name {venue_name(venue)}")
            return False
        return True

    def _sources(self) -> dict[str, list[ChecksumAddress]]:
        """Deploy the price sources of each token that the chain has a feed or pool for."""
        found: dict[str, list[ChecksumAddress]] = {}
        sequencer = self._protocols.feeds.get("sequencer", _NONE)
        for symbol, pair in self._plan.price_feeds.items():
            feed = self._protocols.feeds.get(pair)
            if feed is None or symbol not in self._protocols.tokens:
                self.omitted.append(
                    f"price of {symbol} by Chainlink: the chain has no {pair} feed or no {symbol}"
                )
                continue
            terms = self._plan.feeds[pair]
            bounds = (wad(terms.min_price), wad(terms.max_price))
            source = self._to.create(
                f"source/{symbol}/chainlink",
                "ChainlinkSource",
                *(
                    self._token(symbol),
                    _DOLLAR,
                    feed,
                    terms.max_age,
                    *bounds,
                    wad(terms.deviation),
                    sequencer,
                ),
            )
            found.setdefault(symbol, []).append(source)
        if self._plan.asset not in found:
            raise DeploymentError(f"protocols: feeds has no {self._plan.price_feeds[self._plan.asset]}")
        for pair, pool in (self._protocols.uniswap.pools if self._protocols.uniswap else {}).items():
            symbol, _, quote = pair.partition("/")
            if quote != self._plan.asset or symbol not in found:
                continue
            twap = self._plan.twap
            liquidity = self._read(pool.address, "liquidity()")
            source = self._to.create(
                f"source/{symbol}/twap",
                "UniswapV3TwapSource",
                *(self._token(symbol), self._token(quote), pool.address, twap.window),
                *(liquidity * wad(twap.liquidity) // 10**18, wad(twap.half_width)),
            )
            found[symbol].append(source)
        return found

    def _venues(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        """Deploy an adapter for each protocol that the chain has."""
        venues = {
            **self._spot(vault),
            **self._lending(vault),
            **self._perps(vault),
            **self._option(vault),
        }
        if not venues:
            self.omitted.append("every venue: the vault can only hold its asset")
        return venues

    def _spot(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        uniswap = self._protocols.uniswap
        pools = uniswap.pools if uniswap else {}
        pairs = {symbol: pools.get(f"{symbol}/{self._plan.asset}") for symbol in self._plan.spot_tokens}
        there = {symbol: pool for symbol, pool in pairs.items() if pool is not None}
        if uniswap is None or not there:
            self.omitted.append("spot: the chain has no Uniswap pool of " + ", ".join(self._plan.spot_tokens))
            return {}
        if not self._wanted("spot"):
            return {}
        tokens = [self._token(symbol) for symbol in there]
        fees = [pool.fee for pool in there.values()]
        return {"spot": self._to.create("spot", "UniswapV3SpotVenue", vault, uniswap.router, tokens, fees)}

    def _lending(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        aave = self._protocols.aave
        if aave is None:
            self.omitted.append("lending: the chain has no Aave v3")
            return {}
        if not self._wanted("lending"):
            return {}
        tokens = [self._token(symbol) for symbol in (self._plan.asset, *self._plan.spot_tokens)]
        return {"lending": self._to.create("lending", "AaveV3LendingVenue", vault, aave.pool, tokens)}

    def _perps(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        if not self._protocols.perps:
            self.omitted.append("perp: the chain has no Perp v2")
        return {
            f"perp/{perp.name}": self._to.create(
                f"perp/{perp.name}",
                "CuriePerpVenue",
                vault,
                perp.clearing_house,
                [perp.base_token],
                [self._token(perp.underlying)],
                self._plan.venue_feed_max_age,
            )
            for perp in self._protocols.perps
            if self._wanted(f"perp/{perp.name}")
        }

    def _option(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        lyra, uniswap = self._protocols.lyra, self._protocols.uniswap
        if lyra is None or uniswap is None:
            self.omitted.append("option: the chain has no Lyra v1, or no Uniswap to buy its quote token with")
            return {}
        symbol = next(
            (name for name, token in self._protocols.tokens.items() if token.address == lyra.quote), None
        )
        pool = uniswap.pools.get(f"{symbol}/{self._plan.asset}")
        if pool is None:
            self.omitted.append(
                f"option: the chain has no Uniswap pool of Lyra's quote token and {self._plan.asset}"
            )
            return {}
        if not self._wanted("option"):
            return {}
        market = (
            lyra.option_market,
            lyra.option_token,
            lyra.option_greek_cache,
            lyra.option_market_pricer,
            lyra.short_collateral,
            lyra.synthetix_adapter,
            lyra.quote,
            self._token(lyra.underlying),
            uniswap.router,
            pool.fee,
        )
        return {"option": self._to.create("option", "LyraOptionVenue", vault, market)}

    def _configure_oracle(
        self, oracle: ChecksumAddress, sources: Mapping[str, list[ChecksumAddress]]
    ) -> None:
        for symbol, found in sources.items():
            arguments = (self._token(symbol), found, 1, wad(self._plan.max_width))
            self._to.call(f"oracle.configure/{symbol}", "OracleAdapter", oracle, "configure", *arguments)

    def _set_limits(self, guard: ChecksumAddress) -> None:
        fraction = wad(self._plan.max_loss_per_call)
        self._to.call("guard.setMaxLossPerCall", "RiskGuard", guard, "setMaxLossPerCall", fraction)
        for symbol, limits in self._plan.limits.items():
            if symbol in self._protocols.tokens:
                step = f"guard.setLimits/{symbol}"
                token = self._token(symbol)
                self._to.call(step, "RiskGuard", guard, "setLimits", token, _ranges(limits))

    def _set_roles(
        self,
        authority: ChecksumAddress,
        *,
        vault: ChecksumAddress,
        guard: ChecksumAddress,
        vol_source: ChecksumAddress,
    ) -> None:
        for contract, address, functions, role in (
            ("Vault", vault, ("rebalance", "topUp"), KEEPER),
            ("Vault", vault, ("addVenue", "configureVenue", "removeVenue"), CURATOR),
            ("RiskGuard", guard, ("setLimits", "setMaxLossPerCall"), CURATOR),
            ("CuratedVolSource", vol_source, ("post", "postMany"), VOL_POSTER),
        ):
            chosen = [selector(contract, function) for function in functions]
            step = f"authority.setTargetFunctionRole/{contract}/{role}"
            self._to.call(step, "Authority", authority, "setTargetFunctionRole", address, chosen, role)
        roles = self._roles
        for role, holder in (
            (KEEPER, roles.keeper),
            (CURATOR, roles.curator),
            (GUARDIAN, roles.guardian),
            (VOL_POSTER, roles.vol_poster),
        ):
            step = f"authority.grantRole/{role}"
            self._to.call(step, "Authority", authority, "grantRole", role, holder, 0)
        if roles.governor is not None and roles.governor != self._deployer:
            self._to.call("authority.grantRole/0", "Authority", authority, "grantRole", 0, roles.governor, 0)
            self._to.call(
                "authority.renounceRole/0", "Authority", authority, "renounceRole", 0, self._deployer
            )

    def _read(self, address: str, signature: str) -> int:
        data = Web3.keccak(text=signature)[:4]
        to = Web3.to_checksum_address(address)
        return int.from_bytes(self._w3.eth.call({"to": to, "data": data})[:32], "big")

    def _venue_test(self, vault: ChecksumAddress, venue: ChecksumAddress) -> Callable[[], bool]:
        def known() -> bool:
            data = calldata("Vault", "isVenue", venue)
            return int.from_bytes(self._w3.eth.call({"to": vault, "data": data}), "big") == 1

        return known


def _ranges(limits: UnderlyingLimits) -> tuple[tuple[int, int], ...]:
    measures = (limits.delta, limits.gamma, limits.vega, limits.theta)
    return tuple((wad(low), wad(high)) for low, high in measures)
