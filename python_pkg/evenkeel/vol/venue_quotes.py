"""A venue's own vols as quotes: what a signer uses where the option venue is the only market, as on a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenkeel.bindings import OptionVenue, OracleAdapter, batch
from evenkeel.market.svi import ChainQuotes
from evenkeel.vol.errors import QuotesError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from web3 import Web3

    from evenkeel.bindings import Call
    from evenkeel.bindings.oracle_adapter import AssetQuoteResult, QuoteResult
    from evenkeel.bindings.types import Listing

_WAD: Final = 10**18


def read_venue(w3: Web3, venue: str, oracle: str, underlying: str, block: str, timestamp: int) -> ChainQuotes:
    """Return the vols that an option venue shows for its listings on `underlying`, all read at the block hash `block`.

    Our oracle's mid of the underlying is every expiry's forward, as on chain, where options are undiscounted and carry is nothing.
    A venue strikes in dollars; strike and forward come in the vault's asset, by our oracle's dollar price of it. `timestamp` is the
    block's. Raises `QuotesError` where the venue lists nothing on `underlying`.
    """
    prices = OracleAdapter(oracle, w3)
    calls = [OptionVenue(venue, w3).listings(), prices.quote(underlying), prices.asset_quote()]
    answers = batch(w3, cast("list[Call[object]]", calls), block)
    listings, price, dollar = cast("tuple[Sequence[Listing], QuoteResult, AssetQuoteResult]", tuple(answers))
    quotes = venue_quotes(
        [listing for listing in listings if listing.underlying == underlying],
        price.mid / _WAD,
        dollar.mid / _WAD,
        timestamp,
    )
    if not len(cast("Sequence[float]", quotes.expiry)):
        raise QuotesError(f"{venue}: lists no option on {underlying} at block {block}")
    return quotes


def venue_quotes(listings: Sequence[Listing], forward: float, dollar: float, timestamp: int) -> ChainQuotes:
    """Return listings as quotes whose bid is their ask. `forward` is in asset units, `dollar` the asset's price in dollars."""
    vols = [listing.venue_vol / _WAD for listing in listings]
    return ChainQuotes(
        timestamp=timestamp,
        expiry=[listing.expiry for listing in listings],
        strike=[listing.strike / _WAD / dollar for listing in listings],
        forward=[forward] * len(listings),
        bid=vols,
        ask=vols,
    )
