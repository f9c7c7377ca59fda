"""A `VolOracle` of its own on the sandbox, with three signers of whom two are needed, and hands that sign."""

from dataclasses import dataclass

from eth_account import Account

from evenkeel.bindings import Authority, VolOracle
from evenkeel.bindings.types import Slice
from evenkeel.chain import BlockRef
from evenkeel.vol.oracle import read_oracle
from evenkeel.vol.posting import collect
from evenkeel.vol.signing import KeySliceSigner, sign

WAD = 10**18
DAY = 86_400
HALF_WIDTH, PER_HOUR = 2 * WAD // 100, 8 * WAD // 100
MAX_AGE, MAX_SIGN_AGE, HULL = DAY, 3 * 3600, 1800
SIGNERS = tuple(KeySliceSigner(Account.from_key(bytes(31) + bytes([n]))) for n in (7, 8, 9))
STRANGER = KeySliceSigner(Account.from_key(bytes(31) + b"\x0a"))


def wad(value):
    return round(value * WAD)


@dataclass
class VolWorld:
    """`chain` is the sandbox."""

    chain: object
    oracle: VolOracle

    @property
    def weth(self):
        return self.chain.protocols.tokens["WETH"].address

    @property
    def head(self):
        block = self.chain.w3.eth.get_block("latest")
        return BlockRef(
            block["number"], block["hash"].to_0x_hex(), block["parentHash"].to_0x_hex(), block["timestamp"]
        )

    @property
    def now(self):
        return self.head.timestamp

    def view(self):
        return read_oracle(self.chain.w3, self.chain.node.chain_id, self.oracle.address, self.weth, self.head)

    def flat(self, expiry, vol, **changes):
        """A slice with the same vol at every strike, as of now."""
        seconds = expiry - self.now
        values = {
            "underlying": self.weth,
            "expiry": expiry,
            "timestamp": self.now,
            "forward": 3000 * WAD,
            "a": wad(vol * vol * seconds / (365 * DAY)),
            "b": 0,
            "rho": 0,
            "m": 0,
            "sigma": WAD // 10,
        }
        return Slice(**{**values, **changes})

    def post(self, *slices, by=SIGNERS[:2]):
        """Have `by` sign and anyone post."""
        view = self.view()
        files = {str(n): sign(view.domain, slices, signer) for n, signer in enumerate(by)}
        return [
            self.oracle.post(ready.slice_, ready.signatures).send(self.chain.signers["alice"])
            for ready in collect(files, view.domain, view.signers)
        ]

    def warp(self, seconds):
        self.chain.node.rpc("evm_setNextBlockTimestamp", self.now + seconds)
        self.chain.node.rpc("evm_mine")


def vol_world(chain):
    governor = chain.signers["governor"]
    authority = Authority.deploy(governor.address).send(governor, chain.w3)
    terms = (HALF_WIDTH, PER_HOUR, MAX_AGE, MAX_SIGN_AGE, HULL)
    oracle = VolOracle.deploy(authority.address, *terms).send(governor, chain.w3)
    members = sorted((signer.address for signer in SIGNERS), key=lambda address: int(address, 16))
    oracle.set_signers(members, 2).send(governor)
    return VolWorld(chain, oracle)
