"""Signing and posting at a vault's own oracle: what `evenkeel vol` does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from web3 import Web3

from evenkeel.bindings import OptionVenue, VolOracle
from evenkeel.chain import BlockRef, KeySigner, LocalSigner, NodeSigner, Rpc, keystore
from evenkeel.chain.signing import unlocked
from evenkeel.deploy import DeploymentFile
from evenkeel.vol.errors import RefusedError, SignatureError, SignedFileError, VolError
from evenkeel.vol.fitting import Step, fit, restated, vol_at, walk
from evenkeel.vol.oracle import OracleView, read_oracle
from evenkeel.vol.posting import collect, same_oracle
from evenkeel.vol.quotes import read_quotes
from evenkeel.vol.signed_file import SignedFile
from evenkeel.vol.signing import TOLERANCE, KeySliceSigner, NodeSliceSigner, agree, sign
from evenkeel.vol.venue_quotes import read_venue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eth_typing import ChecksumAddress

    from evenkeel.bindings.types import Slice
    from evenkeel.chain import Signer
    from evenkeel.market.svi import ChainQuotes
    from evenkeel.vol.checks import Book
    from evenkeel.vol.signing import SliceSigner

_WAD = 10**18


@dataclass(frozen=True, slots=True)
class VolDesk:
    """The oracle of one deployment. `placed` are the deployment's contracts by step."""

    rpc: Rpc
    chain_id: int
    placed: dict[str, ChecksumAddress]

    @classmethod
    def open(cls, url: str, deployment: Path | None = None) -> VolDesk:
        """Connect, and read the deployment's file (default: deployments/<chain id>.json).

        Raises `DeploymentFileError`, `WrongChain`, `VolError` where there is no `VolOracle`, and `UnreachableRpc`.
        """
        rpc = Rpc(url)
        chain_id = rpc.chain_id()
        path = deployment or Path("deployments") / f"{chain_id}.json"
        file = DeploymentFile.read(path)
        rpc.require_chain(file.chain_id)
        source = file.placed.get("vol_source")
        if source is None or source.contract != "VolOracle":
            there = "no vol source" if source is None else f"a {source.contract}"
            raise VolError(f"{path}: expected a VolOracle, the deployment has {there}")
        if not rpc.has_code(source.address):
            raise VolError(f"{path}: there is no contract at {source.address} on chain {chain_id}")
        return cls(rpc, chain_id, {step: placed.address for step, placed in file.placed.items()})

    @property
    def oracle(self) -> VolOracle:
        """The oracle."""
        return VolOracle(self.placed["vol_source"], self.rpc.web3())

    def sign(
        self,
        out: Path,
        *,
        quotes: Path | None = None,
        proposal: Path | None = None,
        underlying: str | None = None,
        expiries: Sequence[int] | None = None,
        tolerance: float = TOLERANCE,
        unlocked_account: str | None = None,
    ) -> Iterator[str]:
        """Sign slices fitted from `quotes` (default: the option venue's vols) into the file `out`, or co-sign those of `proposal`.

        Yields a line a slice. Raises an `InputError` for anything wrong before anything is signed.
        """
        signer = self._slice_signer(unlocked_account)
        file = SignedFile.load(proposal) if proposal else None
        token = self._underlying(underlying)
        at = self._head()
        view = read_oracle(self.rpc.web3(), self.chain_id, self.placed["vol_source"], token, at)
        if signer.address not in view.signers.members:
            raise SignatureError(
                f"{signer.address} is not one of the oracle's {len(view.signers.members)} signers"
            )
        wanted = expiries if file is None else [signed.slice_.expiry for signed in file.slices]
        targets = fit(self._quotes(quotes, token, at), token, wanted)
        if file is None:
            steps = walk(view.book, targets)
        else:
            same_oracle(str(proposal), file.domain, view.domain)
            steps = _proposed(view, file, targets, tolerance)
        sign(view.domain, [step.slice_ for step in steps], signer).save(out)
        yield from (_line(view.book, step) for step in steps)
        yield f"signed by {signer.address}: {out}"

    def post(self, files: Sequence[Path], unlocked_account: str | None = None) -> Iterator[str]:
        """Check the files' signatures and submit each slice, in the order of the first file. Yields a line a slice posted.

        Raises an `InputError` for anything wrong with the files before anything is sent, and the oracle's typed refusal.
        """
        sender = self._sender(unlocked_account)
        loaded: dict[str, SignedFile] = {}
        for path in files:
            if str(path) in loaded:
                raise SignedFileError(f"{path}: named twice")
            loaded[str(path)] = SignedFile.load(path)
        first = next(iter(loaded.values())).slices[0].slice_
        view = read_oracle(
            self.rpc.web3(), self.chain_id, self.placed["vol_source"], first.underlying, self._head()
        )
        for ready in collect(loaded, view.domain, view.signers):
            call = self.oracle.post(ready.slice_, ready.signatures)
            call.simulate(sender.address)
            receipt = call.send(sender)
            yield f"expiry {_day(ready.slice_.expiry)}: posted with {len(ready.signatures)} signatures, {receipt.gas_used:,} gas"

    def _quotes(self, path: Path | None, underlying: str, at: BlockRef) -> ChainQuotes:
        if path is not None:
            return read_quotes(path)
        venue, prices = self._placed("option"), self._placed("oracle")
        return read_venue(self.rpc.web3(), venue, prices, underlying, at.hash, at.timestamp)

    def _underlying(self, given: str | None) -> str:
        if given is None:
            return OptionVenue(self._placed("option"), self.rpc.web3()).terms().read().underlying
        if not Web3.is_address(given):
            raise VolError(f"--underlying: expected an address, got {given}")
        return Web3.to_checksum_address(given)

    def _placed(self, step: str) -> ChecksumAddress:
        if step not in self.placed:
            raise VolError(f"the deployment has no {step} contract; name --quotes and --underlying")
        return self.placed[step]

    def _head(self) -> BlockRef:
        block = self.rpc.block()
        assert block is not None
        return BlockRef(
            number=int(block["number"], 16),
            hash=block["hash"],
            parent_hash=block["parentHash"],
            timestamp=int(block["timestamp"], 16),
        )

    def _slice_signer(self, account: str | None) -> SliceSigner:
        if account is not None:
            return NodeSliceSigner(self.rpc, unlocked(self.rpc, self.chain_id, account).address)
        return KeySliceSigner(_key().account)

    def _sender(self, account: str | None) -> Signer:
        if account is not None:
            return NodeSigner(unlocked(self.rpc, self.chain_id, account).address)
        return LocalSigner(_key().account)


def _proposed(view: OracleView, file: SignedFile, targets: Sequence[Slice], tolerance: float) -> list[Step]:
    """Return the proposal's slices as steps if they are near enough to where `targets` lead from what stands.

    How far a post may go grows with time, so the proposal must lie between where the signer would have gone at the proposal's time and where it
    would go now, give or take the tolerance.
    """
    own = {target.expiry: target for target in targets}
    book, steps = view.book, []
    for signed in file.slices:
        slice_ = signed.slice_
        if slice_.expiry not in own or slice_.underlying != own[slice_.expiry].underlying:
            raise SignedFileError(f"expiry {slice_.expiry}: of {slice_.underlying}, not what is signed for")
        book.check(slice_)
        book = book.posted(slice_)
        steps.append(Step(slice_, 1.0))
    then = _ways(replace(view.book, now=file.slices[0].slice_.timestamp), targets)
    now = _ways(view.book, targets)
    for step in steps:
        expiry = step.slice_.expiry
        agree(step.slice_, own[expiry].forward, (then[expiry], now[expiry]), tolerance)
    return steps


def _ways(book: Book, targets: Sequence[Slice]) -> dict[int, Slice]:
    """Return by expiry how far `targets` can be approached at the time of `book`; where not at all, what stands."""
    timed = [restated(target, min(target.timestamp, book.now), target.forward) for target in targets]
    try:
        return {step.slice_.expiry: step.slice_ for step in walk(book, timed)}
    except RefusedError:
        stands = {each.slice_.expiry: each.slice_ for each in book.standing}
        return {target.expiry: stands.get(target.expiry, target) for target in targets}


def _line(book: Book, step: Step) -> str:
    slice_ = step.slice_
    strike = slice_.forward / _WAD
    text = f"expiry {_day(slice_.expiry)}: vol at the money {vol_at(slice_, strike):.2%}"
    stands = book.at(slice_.expiry)
    if stands is not None:
        text += f", from {vol_at(stands.slice_, strike):.2%}"
    if step.share < 1.0:
        text += f", {step.share:.0%} of the way: as far as one post may go"
    return text


def _day(expiry: int) -> str:
    return datetime.fromtimestamp(expiry, UTC).strftime("%Y-%m-%d %H:%M")


def _key() -> KeySigner:
    key = keystore.load()
    if key is None:
        raise VolError(
            f"{keystore.KEYSTORE}: expected a key file; on a local chain --unlocked names an account of the node"
        )
    return key
