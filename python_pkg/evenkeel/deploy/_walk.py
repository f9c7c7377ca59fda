"""The steps of a deployment, in their one order."""

from collections.abc import Mapping, Sequence

from eth_typing import ChecksumAddress
from web3 import Web3

from evenkeel.bindings import (
    AaveV3LendingVenue,
    Authority,
    ChainlinkSource,
    CuriePerpVenue,
    Deployment,
    LyraOptionVenue,
    LyraVol,
    Marks,
    OracleAdapter,
    RebalanceJudge,
    RedeemQueue,
    RiskGuard,
    UniswapV3SpotVenue,
    UniswapV3TwapSource,
    Valuer,
    Vault,
    VaultLens,
    VolOracle,
)
from evenkeel.bindings.types import Limits, LyraMarket, Range, VaultParts, VenueConfig
from evenkeel.deploy._roles import Restricted, acts_of, fees_of, restricted
from evenkeel.deploy._steps import C, Walker
from evenkeel.deploy.errors import DeploymentError
from evenkeel.deploy.names import venue_name
from evenkeel.deploy.plan import (
    CURATOR,
    GUARDIAN,
    KEEPER,
    SENTINEL,
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
_MARK_AGE = 600
"""Seconds for which entry and exit are priced by a mark that is carried."""
_MARK_MOVE = 0.01
"""How far an underlying may move meanwhile, as a fraction of its price."""
_MARK_INFLOW = 0.02
"""What may enter on one mark, as a fraction of NAV."""


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
        authority = self._to.create("authority", Authority.deploy(self._deployer))
        sources = self._sources()
        oracle = self._to.create("oracle", OracleAdapter.deploy(asset, authority.address))
        vol_source = self._to.create("vol_source", self._vol_source(authority))
        valuer = self._to.create("valuer", Valuer.deploy())
        guard = self._to.create("guard", RiskGuard.deploy(authority.address))
        judge = self._to.create("judge", RebalanceJudge.deploy())
        marks = self._to.create("marks", Marks.deploy(_MARK_AGE, wad(_MARK_MOVE), wad(_MARK_INFLOW)))
        parts = VaultParts(
            asset=asset,
            name=self._plan.name,
            symbol=self._plan.symbol,
            authority=authority.address,
            oracle=oracle.address,
            vol_source=vol_source.address,
            valuer=valuer.address,
            guard=guard.address,
            judge=judge.address,
            marks=marks.address,
        )
        vault = self._to.create("vault", Vault.deploy(parts))
        queue = self._to.create("queue", RedeemQueue.deploy(vault.address))
        self._to.create("lens", VaultLens.deploy())
        venues = self._venues(vault.address)
        self._configure_oracle(oracle, sources)
        self._set_limits(guard)
        self._set_signers(vol_source)
        if "option" in venues:
            self._name_venue_vol(oracle, vol_source)
        for name, venue in venues.items():
            self._add_venue(vault, name, venue)
        self._set_queue(vault, queue.address)
        fees, acts = fees_of(vault, self._w3), acts_of(guard, self._w3)
        self._set_roles(authority, restricted(vault, fees, guard, acts, queue))

    def _vol_source(self, authority: Authority) -> Deployment[VolOracle]:
        terms = self._plan.vol
        vols = (wad(terms.half_width), wad(terms.max_move_per_hour))
        times = (terms.max_age, terms.max_sign_age, terms.hull_time)
        return VolOracle.deploy(authority.address, *vols, *times)

    def _set_signers(self, oracle: VolOracle) -> None:
        roles = self._roles
        if not roles.vol_signers:
            self.omitted.append(
                "vols: no signers are named, so that none are posted until the governor sets some"
            )
            return
        if roles.keeper in roles.vol_signers:
            raise DeploymentError(
                f"vol signers: {roles.keeper} is the keeper, who must not sign what it trades at"
            )
        if not 0 < roles.vol_threshold <= len(set(roles.vol_signers)):
            raise DeploymentError(
                f"vol signers: a threshold of {roles.vol_threshold}, expected 1 to {len(set(roles.vol_signers))}"
            )
        ascending = sorted(set(roles.vol_signers), key=lambda signer: int(signer, 16))
        self._to.call("vol_source.setSigners", oracle.set_signers(ascending, roles.vol_threshold))

    def _name_venue_vol(self, oracle: OracleAdapter, vol_source: VolOracle) -> None:
        """Have Lyra's own vol widen ours. It is silent until somebody syncs it."""
        lyra = self._protocols.lyra
        assert lyra is not None
        underlying = self._token(lyra.underlying)
        creation = LyraVol.deploy(
            lyra.option_market,
            lyra.option_greek_cache,
            underlying,
            oracle.address,
            vol_source.address,
            self._plan.vol.venue_window,
        )
        venue = self._to.create("venue_vol", creation)
        self._to.call("vol_source.setVenueVol", vol_source.set_venue_vol(underlying, venue.address))

    def _add_venue(self, vault: Vault, name: str, venue: ChecksumAddress) -> None:
        config = VenueConfig(*(wad(part) for part in self._terms(name)))
        # Adding a venue twice would revert; every other call may be repeated.
        self._to.call(
            f"vault.addVenue/{name}",
            vault.add_venue(venue, config),
            unless=lambda: vault.is_venue(venue).read(),
        )

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
            what = (self._token(symbol), _DOLLAR, feed, terms.max_age, *bounds)
            creation = ChainlinkSource.deploy(*what, wad(terms.deviation), sequencer)
            source = self._to.create(f"source/{symbol}/chainlink", creation)
            found.setdefault(symbol, []).append(source.address)
        if self._plan.asset not in found:
            raise DeploymentError(f"protocols: feeds has no {self._plan.price_feeds[self._plan.asset]}")
        for pair, pool in (self._protocols.uniswap.pools if self._protocols.uniswap else {}).items():
            symbol, _, quote = pair.partition("/")
            if quote != self._plan.asset or symbol not in found:
                continue
            twap = self._plan.twap
            liquidity = self._read(pool.address, "liquidity()") * wad(twap.liquidity) // 10**18
            average = UniswapV3TwapSource.deploy(
                self._token(symbol),
                self._token(quote),
                pool.address,
                twap.window,
                liquidity,
                wad(twap.half_width),
            )
            found[symbol].append(self._to.create(f"source/{symbol}/twap", average).address)
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
        return self._venue("spot", UniswapV3SpotVenue.deploy(vault, uniswap.router, tokens, fees))

    def _lending(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        aave = self._protocols.aave
        if aave is None:
            self.omitted.append("lending: the chain has no Aave v3")
            return {}
        if not self._wanted("lending"):
            return {}
        tokens = [self._token(symbol) for symbol in (self._plan.asset, *self._plan.spot_tokens)]
        return self._venue("lending", AaveV3LendingVenue.deploy(vault, aave.pool, tokens))

    def _perps(self, vault: ChecksumAddress) -> dict[str, ChecksumAddress]:
        if not self._protocols.perps:
            self.omitted.append("perp: the chain has no Perp v2")
        venues: dict[str, ChecksumAddress] = {}
        for perp in self._protocols.perps:
            if self._wanted(f"perp/{perp.name}"):
                markets = ([perp.base_token], [self._token(perp.underlying)])
                terms = (*markets, self._plan.venue_feed_max_age)
                creation = CuriePerpVenue.deploy(vault, perp.clearing_house, *terms)
                venues |= self._venue(f"perp/{perp.name}", creation)
        return venues

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
        market = LyraMarket(
            option_market=lyra.option_market,
            option_token=lyra.option_token,
            greek_cache=lyra.option_greek_cache,
            pricer=lyra.option_market_pricer,
            short_collateral=lyra.short_collateral,
            spot=lyra.synthetix_adapter,
            quote=lyra.quote,
            underlying=self._token(lyra.underlying),
            router=uniswap.router,
            pool_fee=pool.fee,
        )
        return self._venue("option", LyraOptionVenue.deploy(vault, market))

    def _venue(self, name: str, creation: Deployment[C]) -> dict[str, ChecksumAddress]:
        return {name: self._to.create(name, creation).address}

    def _configure_oracle(self, oracle: OracleAdapter, sources: Mapping[str, list[ChecksumAddress]]) -> None:
        for symbol, found in sources.items():
            # All of them: a pool's average alone is what a stale feed would leave, and that can be moved.
            call = oracle.configure(self._token(symbol), found, len(found), wad(self._plan.max_width))
            self._to.call(f"oracle.configure/{symbol}", call)

    def _set_limits(self, guard: RiskGuard) -> None:
        fraction = wad(self._plan.max_loss_per_call)
        self._to.call("guard.setMaxLossPerCall", guard.set_max_loss_per_call(fraction))
        a_day = wad(self._plan.max_loss_per_day)
        self._to.call("guard.setMaxLossPerDay", guard.set_max_loss_per_day(a_day))
        gross = wad(self._plan.max_perp_gross)
        self._to.call("guard.setMaxPerpGross", guard.set_max_perp_gross(gross))
        for symbol, limits in self._plan.limits.items():
            if symbol in self._protocols.tokens:
                call = guard.set_limits(self._token(symbol), _limits(limits))
                self._to.call(f"guard.setLimits/{symbol}", call)

    def _set_queue(self, vault: Vault, queue: ChecksumAddress) -> None:
        # Naming it twice would revert.
        self._to.call(
            "vault.setRedeemQueue",
            vault.set_redeem_queue(queue),
            unless=lambda: vault.redeem_queue().read() == queue,
        )

    def _set_roles(self, authority: Authority, functions: Sequence[Restricted]) -> None:
        for part in functions:
            step = f"authority.setTargetFunctionRole/{type(part.target).__name__}/{part.role}"
            call = authority.set_target_function_role(part.target.address, part.selectors, part.role)
            self._to.call(step, call)
        roles = self._roles
        for role, holder, delay in (
            (KEEPER, roles.keeper, 0),
            (CURATOR, roles.curator, roles.delay),
            (GUARDIAN, roles.guardian, 0),
            (SENTINEL, roles.guardian, 0),
            (SENTINEL, roles.curator, 0),
        ):
            self._to.call(f"authority.grantRole/{role}/{holder}", authority.grant_role(role, holder, delay))
        governor = roles.governor or self._deployer
        if governor != self._deployer:
            self._to.call("authority.grantRole/0", authority.grant_role(0, governor, roles.delay))
            self._to.call("authority.renounceRole/0", authority.renounce_role(0, self._deployer))
        elif roles.delay:
            self._to.call("authority.grantRole/0", authority.grant_role(0, governor, roles.delay))

    def _read(self, address: str, signature: str) -> int:
        data = Web3.keccak(text=signature)[:4]
        to = Web3.to_checksum_address(address)
        return int.from_bytes(self._w3.eth.call({"to": to, "data": data})[:32], "big")


def _limits(limits: UnderlyingLimits) -> Limits:
    measures = (limits.delta, limits.gamma, limits.vega, limits.theta)
    return Limits(*(Range(wad(low), wad(high)) for low, high in measures))
