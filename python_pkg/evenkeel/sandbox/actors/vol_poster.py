"""The vol poster: brings our CuratedVolSource to the option market's at-the-money vol, as far as it lets a post move."""

from collections.abc import Sequence

from eth_typing import ChecksumAddress

from evenkeel.sandbox.actors.blocks import LocalChain, Read, Transaction
from evenkeel.sandbox.artifacts import Artifact, own

_POST_GAS = 2_000_000
_SMALLEST_VOL, _LARGEST_VOL = 10**16, 5 * 10**18


class VolPoster:
    """Posts to `source` for `underlying` from `account`, which must have the poster's role there."""

    def __init__(
        self,
        chain: LocalChain,
        source: ChecksumAddress,
        underlying: ChecksumAddress,
        account: ChecksumAddress,
    ) -> None:
        self._chain = chain
        self._source = source
        self._underlying = underlying
        self._account = account
        self._max_move, self._interval = chain.read(
            [Read(source, _code(), "maxMove"), Read(source, _code(), "minInterval")]
        )

    def post(self, expiries: Sequence[int], iv: float, now: int) -> list[Transaction]:
        """Return the post for a block at `now`: each expiry as near to `iv` as one post may bring it.

        An expiry posted too short a time ago is left for the next step.
        """
        reads = [Read(self._source, _code(), "slice", (self._underlying, expiry)) for expiry in expiries]
        target = min(max(round(iv * 10**9) * 10**9, _SMALLEST_VOL), _LARGEST_VOL)
        posts = []
        for expiry, (vol, updated) in zip(expiries, self._chain.read(reads) if reads else [], strict=True):
            if updated and now - updated < self._interval:
                continue
            move = max(-self._max_move, min(self._max_move, target - vol)) if updated else target
            posts.append((self._underlying, expiry, (vol if updated else 0) + move))
        if not posts:
            return []
        data = _code().encode("postMany", posts)
        return [Transaction("vol poster", self._account, self._source, data, _POST_GAS)]


def _code() -> Artifact:
    return own("CuratedVolSource")
