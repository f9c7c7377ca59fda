"""Signing and posting against the real contract, with slices fitted from what Lyra shows on the sandbox."""

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from vol_world import DAY, HULL, SIGNERS, STRANGER, WAD, vol_world

from evenkeel.bindings import OptionVenue
from evenkeel.bindings.errors import (
    MoveTooLarge,
    NotAscending,
    TooFewSignatures,
    UnknownSigner,
)
from evenkeel.chain import Rpc
from evenkeel.vol.errors import DisagreementError, RefusedError, SignatureError, SignedFileError
from evenkeel.vol.fitting import fit, restated, vol_at, walk
from evenkeel.vol.posting import collect
from evenkeel.vol.signed_file import SignedFile
from evenkeel.vol.signing import NodeSliceSigner, agree, sign
from evenkeel.vol.venue_quotes import read_venue

pytestmark = pytest.mark.integration


@pytest.fixture
def world(chain):
    return vol_world(chain)


@pytest.fixture
def shown(world, deployed):
    """What Lyra shows, and the slices fitted to it."""
    at = world.head
    venue = deployed.venues["option"]
    quotes = read_venue(world.chain.w3, venue, deployed.oracle, world.weth, at.hash, at.timestamp)
    return quotes, fit(quotes, world.weth)


def signed(world, slices, signers):
    return {f"{n}.json": sign(world.view().domain, slices, signer) for n, signer in enumerate(signers)}


def ready(world, files):
    view = world.view()
    return collect(files, view.domain, view.signers)


def test_the_typed_data_is_the_contracts(world, shown):
    _, slices = shown
    for slice_ in slices:
        message = world.view().domain.message(slice_)
        assert world.oracle.hash(slice_).read() == keccak(
            b"\x19" + message.version + message.header + message.body
        )


def test_what_lyra_shows_is_taken_and_read_back(world, shown, deployed):
    quotes, slices = shown
    world.post(*slices)
    listings = OptionVenue(deployed.venues["option"], world.chain.w3).listings().read()
    assert len(listings) == len(quotes.strike) > 30
    for listing, strike in zip(listings, quotes.strike, strict=True):
        low, mid, high, updated_at = world.oracle.vol(world.weth, listing.expiry, round(strike * WAD)).read()
        # The sandbox's Lyra has one vol an expiry; a flat smile is written exactly, but for roundings of a millionth.
        assert mid / WAD == pytest.approx(listing.venue_vol / WAD, abs=2e-6)
        assert (high - mid) / WAD == pytest.approx(0.02)
        assert (mid - low) / WAD == pytest.approx(0.02)
        assert updated_at == slices[0].timestamp


def test_a_skewed_smile_is_read_back_as_it_was_fitted(world):
    slice_ = _skewed(world, 40, 0.8)
    world.post(slice_)
    for strike in (2000, 2500, 3000, 3500, 4500):
        mid = world.oracle.vol(world.weth, slice_.expiry, strike * WAD).read().mid
        assert mid / WAD == pytest.approx(vol_at(slice_, strike), abs=1e-12)


def _skewed(world, days, vol):
    return world.flat(world.now + days * DAY, vol, b=WAD // 20, rho=-WAD // 3, m=0, sigma=WAD // 5)


class TestSignatures:
    def test_of_two_files_of_one_slice(self, world):
        slice_ = _skewed(world, 40, 0.75)
        (receipt,) = world.post(slice_, by=(SIGNERS[2], SIGNERS[0]))
        assert world.oracle.slice(world.weth, slice_.expiry).read()[0] == slice_
        assert receipt.gas_used < 300_000

    def test_of_the_node(self, world):
        account = world.chain.accounts["bob"]
        slice_ = _skewed(world, 40, 0.75)
        domain = world.view().domain
        assert (
            domain.signer(slice_, NodeSliceSigner(Rpc(world.chain.url), account).sign(domain, slice_))
            == account
        )

    def test_too_few(self, world):
        files = signed(world, [_skewed(world, 40, 0.75)], SIGNERS[:1])
        with pytest.raises(SignatureError, match="1 signatures, the oracle wants 2"):
            ready(world, files)
        self._refused(world, files["0.json"], TooFewSignatures)

    def test_twice_by_one(self, world):
        files = signed(world, [_skewed(world, 40, 0.75)], [SIGNERS[0], SIGNERS[0]])
        with pytest.raises(SignatureError, match=r"1.json: 0x.* has signed expiry .* already"):
            ready(world, files)
        self._refused(world, files["0.json"], NotAscending, twice=True)

    def test_of_a_stranger(self, world):
        files = signed(world, [_skewed(world, 40, 0.75)], [SIGNERS[0], STRANGER])
        with pytest.raises(SignatureError, match="is not one of the oracle's 3 signers"):
            ready(world, files)
        self._refused(world, files["1.json"], UnknownSigner, twice=True)

    def test_of_another_slice(self, world):
        slice_ = _skewed(world, 40, 0.75)
        files = signed(world, [slice_], SIGNERS[:2])
        forged = replace(files["1.json"].slices[0], slice_=replace(slice_, a=slice_.a + 1))
        files["1.json"] = replace(files["1.json"], slices=(forged,))
        with pytest.raises(SignedFileError, match=r"1.json: another slice of expiry .*: a "):
            ready(world, files)
        with pytest.raises(SignatureError, match="or of another slice"):
            ready(world, {"1.json": files["1.json"]})

    def test_for_another_oracle(self, world):
        files = signed(world, [_skewed(world, 40, 0.75)], SIGNERS[:2])
        other = replace(files["0.json"].domain, contract=world.weth)
        with pytest.raises(SignedFileError, match=r"0.json: signed for the oracle"):
            ready(world, {"0.json": replace(files["0.json"], domain=other)})
        other = replace(files["0.json"].domain, chain_id=1)
        with pytest.raises(SignedFileError, match="signed for chain 1, but this is chain 31337"):
            ready(world, {"0.json": replace(files["0.json"], domain=other)})

    def test_survive_a_file(self, world, tmp_path):
        files = signed(world, [_skewed(world, 40, 0.75), _skewed(world, 80, 0.75)], SIGNERS[:1])
        files["0.json"].save(tmp_path / "signed.json")
        assert SignedFile.load(tmp_path / "signed.json") == files["0.json"]

    def _refused(self, world, file, error, *, twice=False):
        """The contract says the same to someone who does not ask us first."""
        (one,) = file.slices
        signatures = list(one.signatures.values()) * (2 if twice else 1)
        with pytest.raises(error):
            world.oracle.post(one.slice_, signatures).simulate(world.chain.accounts["alice"])


class TestWalking:
    def test_a_large_change_takes_several_posts(self, world):
        expiries = [world.now + days * DAY for days in (14, 42, 84)]
        world.post(*(world.flat(expiry, 0.75) for expiry in expiries))
        posts = 0
        for target in (0.845, 0.70):
            while True:
                world.warp(1200)
                steps = walk(world.view().book, [world.flat(expiry, target) for expiry in expiries])
                world.post(*(step.slice_ for step in steps))
                posts += 1
                if all(step.share == 1.0 for step in steps):
                    break
            for expiry in expiries:
                mid = world.oracle.vol(world.weth, expiry, 3000 * WAD).read().mid
                assert mid / WAD == pytest.approx(target, abs=1e-9)
        # Two points a post at most: 9.5 points up are five posts, 14.5 down are eight.
        assert posts == 5 + 8

    def test_an_expiry_that_must_wait_for_its_neighbour_does_not_hold_it_up(self, world):
        near, far = world.now + 40 * DAY, world.now + 50 * DAY
        world.post(world.flat(near, 0.90))
        world.warp(1200)
        targets = [world.flat(near, 0.50), world.flat(far, 0.50)]
        with pytest.raises(RefusedError, match="calendar"):
            walk(world.view().book, targets)
        (step,) = walk(world.view().book, targets, skip=True)
        assert step.slice_.expiry == near
        assert vol_at(step.slice_, 3000) == pytest.approx(0.88, abs=1e-6)
        world.post(step.slice_)

    def test_the_contract_refuses_what_was_not_walked(self, world):
        expiry = world.now + 40 * DAY
        world.post(world.flat(expiry, 0.75))
        world.warp(1200)
        far = world.flat(expiry, 0.80)
        with pytest.raises(RefusedError, match=r"moves from 0.7500 to 0.8000, by more than 0.0200"):
            world.view().book.check(far)
        with pytest.raises(MoveTooLarge):
            world.post(far)

    def test_the_slice_that_stands_is_a_post_that_moves_nothing(self, world):
        slice_ = _skewed(world, 40, 0.75)
        world.post(slice_)
        world.warp(HULL)
        same = restated(slice_, world.now, 2900 * WAD)
        world.post(same)
        for strike in (2400, 2900, 3600):
            assert vol_at(same, strike) == pytest.approx(vol_at(slice_, strike), abs=1e-9)
            mid = world.oracle.vol(world.weth, slice_.expiry, strike * WAD).read().mid
            assert mid / WAD == pytest.approx(vol_at(slice_, strike), abs=1e-9)


class TestAgreeing:
    def test_within_the_tolerance(self, world):
        ours = _skewed(world, 40, 0.75)
        agree(_skewed(world, 40, 0.755), ours.forward, (ours, ours), 0.01)

    def test_beyond_it(self, world):
        ours = _skewed(world, 40, 0.75)
        with pytest.raises(DisagreementError, match=r"vol is 0.8\d+, ours 0.8\d+, more than 0.01 apart"):
            agree(_skewed(world, 40, 0.765), ours.forward, (ours, ours), 0.01)

    def test_a_wing_counts_as_much_as_the_money(self, world):
        ours = _skewed(world, 40, 0.75)
        bent = replace(ours, rho=WAD // 3)
        with pytest.raises(DisagreementError):
            agree(bent, ours.forward, (ours, ours), 0.01)

    def test_another_forward(self, world):
        ours = _skewed(world, 40, 0.75)
        moved = restated(ours, ours.timestamp, 3100 * WAD)
        with pytest.raises(DisagreementError, match=r"forward is 3100.00, ours 3000.00"):
            agree(moved, ours.forward, (ours, ours), 0.01)
