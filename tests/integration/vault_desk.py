"""A deployed vault on the sandbox, and the hands that its tests need: a keeper, other traders, price feeds and a clock."""

from dataclasses import dataclass, field
from itertools import count

from evenkeel.bindings import (
    ERC20,
    LendingVenue,
    OptionVenue,
    OracleAdapter,
    PerpVenue,
    SpotVenue,
    Vault,
    VolOracle,
)
from evenkeel.bindings.types import Instruction, Slice
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES, VOL_THRESHOLD, accounts
from evenkeel.sandbox.deployer import Deployer
from evenkeel.sandbox.protocols import chainlink, tokens
from evenkeel.vol.signing import KeySliceSigner
from evenkeel.vol.typed_data import Domain

WAD = 10**18
USDC = 10**6
YEAR = 365 * 86_400
_STEPS = count()


def flat_slice(underlying, expiry, vol, timestamp, forward=3_000 * WAD):
    """A slice with the same vol at every strike."""
    variance = round(WAD * vol**2 * (expiry - timestamp) / YEAR)
    return Slice(underlying, expiry, timestamp, forward, variance, 0, 0, 0, WAD // 10)


def wad(value):
    """A float or int at 1e18."""
    return round(value * 10**9) * 10**9


@dataclass
class Desk:
    """`chain` is the sandbox, `deployment` what stands on it."""

    chain: object
    deployment: object
    gas: dict = field(default_factory=dict)

    @property
    def w3(self):
        return self.chain.w3

    @property
    def protocols(self):
        return self.chain.protocols

    @property
    def now(self):
        return self.w3.eth.get_block("latest")["timestamp"]

    @property
    def vault(self):
        return Vault(self.deployment.vault, self.w3)

    @property
    def oracle(self):
        return OracleAdapter(self.deployment.oracle, self.w3)

    @property
    def spot(self):
        return SpotVenue(self.deployment.venues["spot"], self.w3)

    @property
    def lending(self):
        return LendingVenue(self.deployment.venues["lending"], self.w3)

    @property
    def option(self):
        return OptionVenue(self.deployment.venues["option"], self.w3)

    def perp(self, name="perp-a"):
        return PerpVenue(self.deployment.venues[f"perp/{name}"], self.w3)

    def token(self, symbol):
        return ERC20(self.protocols.tokens[symbol].address, self.w3)

    def balance(self, symbol, holder):
        return self.token(symbol).balance_of(getattr(holder, "address", holder)).read()

    @property
    def idle(self):
        """The vault's USDC, in its own decimals."""
        return self.balance("USDC", self.vault)

    def price(self, symbol):
        """Our oracle's mid, at 1e18."""
        return self.oracle.quote(self.protocols.tokens[symbol].address).read().mid

    def deposit(self, dollars, role="alice"):
        """Give `role` USDC and have it deposit them."""
        signer = self.chain.signers[role]
        self.give("USDC", signer.address, dollars * USDC)
        self.token("USDC").approve(self.vault.address, dollars * USDC).send(signer)
        self.vault.deposit(dollars * USDC, signer.address).send(signer)

    def give(self, symbol, to, amount):
        d = self.as_("deployer")
        tokens.give(d, f"give/{next(_STEPS)}", self.protocols.tokens, symbol, to=to, amount=amount)
        d.flush()

    def rebalance(self, *calls):
        """Send `calls` as the keeper in one rebalance; returns what each answered, decoded."""
        order = self.vault.rebalance(
            [Instruction(call.to, call.data) for call in calls], self.now + 600, next(_STEPS).to_bytes(32)
        )
        keeper = self.chain.signers["keeper"]
        answers = order.simulate(keeper.address)
        receipt = order.send(keeper, gas=20_000_000)
        self.gas["last"] = receipt.gas_used
        return tuple(call.decode(answer) for call, answer in zip(calls, answers, strict=True))

    def top_up(self, venue, unit, dollars):
        """Have the keeper top a unit up; returns what it was told would be posted."""
        call = self.vault.top_up(venue.address, unit, dollars * USDC, dollars * USDC * 99 // 100)
        keeper = self.chain.signers["keeper"]
        posted = call.simulate(keeper.address)
        call.send(keeper, gas=20_000_000)
        return posted

    def as_(self, role):
        """Reads and writes of other people's contracts, from `role`."""
        return Deployer(self.w3, self.chain.signers[role])

    def act(self, role, to, artifact, function, *args, gas=8_000_000):
        d = self.as_(role)
        d.send(f"act/{next(_STEPS)}", self.w3.to_checksum_address(to), artifact, function, *args, gas=gas)
        d.flush()

    def ask(self, to, artifact, function, *args):
        return self.as_("deployer").call(self.w3.to_checksum_address(to), artifact, function, *args)

    def post_price(self, dollars, pair="ETH/USD"):
        """A round of the shared Chainlink feed."""
        oracles = [self.chain.signers[f"oracle_{i}"] for i in (1, 2, 3)]
        feed = self.protocols.feeds[pair]
        chainlink.post(self.as_("deployer"), f"post/{next(_STEPS)}", feed, oracles, round(dollars * 10**8))

    def post_vol(self, expiry, vol):
        """A vol of our own oracle, the same at every strike, whatever stood there before: the governor drops it."""
        underlying = self.protocols.tokens["WETH"].address
        oracle = VolOracle(self.deployment.vol_source, self.w3)
        if expiry in oracle.expiries(underlying).read():
            oracle.drop(underlying, expiry).send(self.chain.signers["deployer"])
        slice_ = flat_slice(underlying, expiry, vol, self.now)
        domain = Domain(self.chain.node.chain_id, oracle.address)
        signers = [KeySliceSigner(accounts()[role]) for role in VOL_SIGNER_ROLES[:VOL_THRESHOLD]]
        ascending = sorted(signers, key=lambda signer: int(signer.address, 16))
        signatures = [signer.sign(domain, slice_) for signer in ascending]
        oracle.post(slice_, signatures).send(self.chain.signers["alice"])

    def warp(self, seconds):
        """Mine a block `seconds` later."""
        self.chain.node.rpc("evm_setNextBlockTimestamp", self.now + seconds)
        self.chain.node.rpc("evm_mine")
