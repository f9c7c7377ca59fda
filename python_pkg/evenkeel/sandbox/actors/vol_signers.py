"""The vol signers: they sign slices of what Lyra shows and bring our VolOracle there, as far as it lets a post move."""

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from evenkeel.chain import BlockRef
from evenkeel.market.svi import ChainQuotes
from evenkeel.sandbox.actors.blocks import LocalChain, Transaction
from evenkeel.sandbox.actors.options import Board
from evenkeel.sandbox.artifacts import own
from evenkeel.vol.checks import MAX_VOL, MIN_VOL
from evenkeel.vol.fitting import fit, walk
from evenkeel.vol.oracle import read_oracle
from evenkeel.vol.posting import collect
from evenkeel.vol.signing import KeySliceSigner, sign

if TYPE_CHECKING:
    from evenkeel.vol.signed_file import SignedFile

_POST_GAS = 600_000
_WAD = 10**18


class VolSigners:
    """Sign for `underlying` at `oracle` with `accounts`, of whom the first also sends."""

    def __init__(
        self,
        chain: LocalChain,
        oracle: ChecksumAddress,
        underlying: ChecksumAddress,
        accounts: Sequence[LocalAccount],
    ) -> None:
        self._chain = chain
        self._oracle = oracle
        self._underlying = underlying
        self._signers = [KeySliceSigner(account) for account in accounts]
        self._chain_id = int(chain.rpc("eth_chainId"), 16)

    def post(self, boards: Sequence[Board], price: float, iv: float, now: int) -> list[Transaction]:
        """Return the posts for a block at `now`: each live board's slice as near to Lyra's vols as one post may bring it.

        `price` is the spot (asset units) and `iv` the base IV that the block leaves every board with. What cannot be posted yet is left for
        the next step.
        """
        live = [board for board in boards if board.expiry > now]
        if not live:
            return []
        quotes = _quotes(live, price, iv, now)
        view = read_oracle(self._chain.w3, self._chain_id, self._oracle, self._underlying, self._head())
        steps = walk(replace(view.book, now=now), fit(quotes, self._underlying), skip=True)
        signers = self._signers[: view.signers.threshold]
        slices = [step.slice_ for step in steps]
        files: dict[str, SignedFile] = {
            signer.address: sign(view.domain, slices, signer) for signer in signers
        }
        code = own("VolOracle")
        return [
            Transaction(
                "vol signers",
                self._signers[0].address,
                self._oracle,
                code.encode("post", astuple(ready.slice_), list(ready.signatures)),
                _POST_GAS,
            )
            for ready in collect(files, view.domain, view.signers)
        ]

    def _head(self) -> BlockRef:
        head = self._chain.rpc("eth_getBlockByNumber", "latest", False)
        return BlockRef(int(head["number"], 16), head["hash"], head["parentHash"], int(head["timestamp"], 16))


def _quotes(boards: Sequence[Board], price: float, iv: float, now: int) -> ChainQuotes:
    rows = [
        (board.expiry, strike, skew)
        for board in boards
        for (_, strike), skew in zip(board.strikes, board.skews, strict=True)
    ]
    vols = [min(max(iv * skew / _WAD, MIN_VOL / _WAD), MAX_VOL / _WAD) for _, _, skew in rows]
    return ChainQuotes(
        timestamp=now,
        expiry=[expiry for expiry, _, _ in rows],
        strike=[strike / _WAD for _, strike, _ in rows],
        forward=[price] * len(rows),
        bid=vols,
        ask=vols,
    )
