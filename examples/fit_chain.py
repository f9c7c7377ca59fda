"""Fit SVI smiles to a chain of Deribit options, draw them, and say where the market had arbitrage.

Run `python examples/fit_chain.py chain.csv`, or set EVENKEEL_DATA to the folder that holds the chain. With matplotlib (the extra
`plot`) the smiles and their butterfly functions go into one picture; without it the tables alone are printed.

The chain is a CSV of one moment with the columns timestamp, option_type, strike, expiry_datetime, underlying (the expiry's forward)
and bid_price and ask_price in coin; empty prices are sides without a quote.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evenkeel import EvenkeelError, InputError
from evenkeel.market.svi import ChainQuotes, SviSurface
from evenkeel.pricing import implied_vol

FILE = "deribit_eth_chain_20260130T042515Z.csv"
YEAR = 365 * 86400
# Nearer to expiry a tick of the price is several points of volatility.
SHORTEST = 2 * 86400
DEVIATIONS = np.array([-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0])

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """The quotes of one moment, `time` in unix seconds; arrays of one length, `bid` and `ask` in coin, NaN where there is none."""

    time: float
    expiry: FloatArray
    strike: FloatArray
    forward: FloatArray
    is_call: npt.NDArray[np.bool_]
    bid: FloatArray
    ask: FloatArray


def read_chain(path: Path) -> Chain:
    """Read a chain; `InputError` names the file and what is wrong with it."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise InputError(f"{path}: expected quotes, found none")

        def numbers(name: str) -> FloatArray:
            return np.array([float(row[name] or "nan") for row in rows])

        return Chain(
            time=datetime.fromisoformat(rows[0]["timestamp"]).timestamp(),
            expiry=np.array([datetime.fromisoformat(row["expiry_datetime"]).timestamp() for row in rows]),
            strike=numbers("strike"),
            forward=numbers("underlying"),
            is_call=np.array([row["option_type"] == "call" for row in rows]),
            bid=numbers("bid_price"),
            ask=numbers("ask_price"),
        )
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except KeyError as error:
        raise InputError(f"{path}: no column {error}") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def vols(chain: Chain, price: FloatArray) -> FloatArray:
    """Return the volatilities that make Black's price in coin equal `price`, NaN where none does."""
    years = (chain.expiry - chain.time) / YEAR
    return implied_vol(price * chain.forward, chain.forward, chain.strike, years, chain.is_call)


def quotes_of(chain: Chain) -> ChainQuotes:
    """Return the two-sided quotes of the out-of-the-money side of every strike, two days or more ahead."""
    bid, ask = vols(chain, chain.bid), vols(chain, chain.ask)
    # A price at its bound has vol 0 or infinity, and no comparison holds for NaN.
    quoted = (bid > 0.0) & (ask >= bid) & (ask < np.inf)
    used = (
        quoted & (chain.is_call == (chain.strike >= chain.forward)) & (chain.expiry - chain.time > SHORTEST)
    )
    # The forward is read a moment apart for every option: an expiry gets one.
    forward = chain.forward.copy()
    for expiry in np.unique(chain.expiry):
        forward[chain.expiry == expiry] = np.median(chain.forward[chain.expiry == expiry])
    return ChainQuotes(
        timestamp=chain.time,
        expiry=chain.expiry[used],
        strike=chain.strike[used],
        forward=forward[used],
        bid=bid[used],
        ask=ask[used],
    )


def tradable(chain: Chain) -> list[str]:
    """Return the spreads and butterflies that cost less than nothing at bid and ask, before fees.

    All prices are in the coin that settles them, so positive payoffs in dollars are positive in coin too.
    """
    found = []
    for expiry in np.unique(chain.expiry):
        for is_call in (True, False):
            of = np.flatnonzero((chain.expiry == expiry) & (chain.is_call == is_call))
            of = of[np.argsort(chain.strike[of])]
            name = f"{day(expiry)} {'calls' if is_call else 'puts'}"
            found += [
                f"{name}: {line}" for line in spreads(chain.strike[of], chain.bid[of], chain.ask[of], is_call)
            ]
    return found


def spreads(strike: FloatArray, bid: FloatArray, ask: FloatArray, is_call: bool) -> list[str]:
    """Return one expiry's vertical spreads and butterflies with a negative cost; quotes in order of strike."""
    found = []
    for i in np.flatnonzero(np.isfinite(bid)):
        dearer = slice(0, i) if is_call else slice(i + 1, None)
        costs = ask[dearer] - bid[i]
        found += [
            f"buy {strike[dearer][j]:.0f}, sell {strike[i]:.0f}: {-costs[j]:.4f} coin"
            for j in np.flatnonzero(costs < 0.0)
        ]
        below, above = strike[:i, None], strike[None, i + 1 :]
        share = (above - strike[i]) / (above - below)
        cost = share * ask[:i, None] + (1.0 - share) * ask[None, i + 1 :] - bid[i]
        if np.any(cost < 0.0):
            x, y = np.unravel_index(np.nanargmin(cost), cost.shape)
            found.append(
                f"buy {share[x, y]:.2f} of {strike[x]:.0f} and {1 - share[x, y]:.2f} of {strike[i + 1 + y]:.0f}, "
                f"sell {strike[i]:.0f}: {-cost[x, y]:.5f} coin"
            )
    return found


def day(expiry: float) -> str:
    """Return an expiry's date."""
    return datetime.fromtimestamp(expiry, UTC).strftime("%d %b %Y")


def report(chain: Chain, quotes: ChainQuotes, surface: SviSurface) -> None:
    """Print the fits, the smiles, g and the arbitrage of the surface nearest to the quotes."""
    expiry, strike = np.asarray(quotes.expiry), np.asarray(quotes.strike)
    bid, ask = np.asarray(quotes.bid), np.asarray(quotes.ask)
    expiries = np.unique(expiry)
    print("Fit to the mids, in points of volatility")
    print(f"{'expiry':>12} {'quotes':>6} {'ATM vol':>8} {'rms':>6} {'worst':>6} {'inside bid-ask':>15}")
    for e, s in zip(expiries, surface.slices, strict=True):
        of = expiry == e
        fitted = surface.vol(e, strike[of])
        error = 100.0 * (fitted - 0.5 * (bid[of] + ask[of]))
        inside = np.mean((fitted >= bid[of]) & (fitted <= ask[of]))
        rms = float(np.sqrt(np.mean(error**2)))
        print(
            f"{day(e):>12} {of.sum():>6} {100 * s.vol(0.0):>8.2f} {rms:>6.2f} {np.abs(error).max():>6.2f} {inside:>15.0%}"
        )
    for title, table in (("Fitted vol", "vol"), ("Butterfly function g", "g")):
        print(f"\n{title} at standard deviations of the log price")
        print(f"{'expiry':>12} " + " ".join(f"{d:>6.1f}" for d in DEVIATIONS))
        for e, s in zip(expiries, surface.slices, strict=True):
            k = DEVIATIONS * np.sqrt(s.total_variance(0.0))
            values = 100.0 * s.vol(k) if table == "vol" else s.g(k)
            print(f"{day(e):>12} " + " ".join(f"{v:>6.2f}" for v in values))
    print("\nArbitrage in the fitted mids")
    quoted = [np.log(strike[expiry == e] / f) for e, f in zip(expiries, surface.forwards, strict=True)]
    print(
        "\n".join(
            [*butterflies(expiries, quoted, surface), *calendars(expiries, quoted, surface)] or ["none"]
        )
    )
    print("\nArbitrage at bid and ask, before fees")
    print("\n".join(tradable(chain) or ["none"]))


def butterflies(expiries: FloatArray, quoted: list[FloatArray], surface: SviSurface) -> list[str]:
    """Return a line for every stretch of negative g; `quoted` log-moneyness by expiry."""
    lines = []
    for i, where in surface.butterfly_arbitrage().items():
        for low, high in where:
            inside = low < quoted[i].max() and high > quoted[i].min()
            place = "inside" if inside else "only outside"
            lines.append(
                f"{day(expiries[i])}: butterfly for k in ({low:.3f}, {high:.3f}), {place} the quotes"
            )
    return lines


def calendars(expiries: FloatArray, quoted: list[FloatArray], surface: SviSurface) -> list[str]:
    """Return a line for every stretch in which total variance falls with expiry, and by how much where both are quoted."""
    lines = []
    for crossing in surface.calendar_arbitrage():
        i, j = crossing.near, crossing.far
        low, high = max(quoted[i].min(), quoted[j].min()), min(quoted[i].max(), quoted[j].max())
        k = np.linspace(low, high, 1001)
        near, far = surface.slices[i], surface.slices[j]
        short = np.sqrt(near.total_variance(k) / far.years) - far.vol(k)
        place = "only outside the quotes"
        if short.max() > 0.0:
            place = (
                f"inside the quotes: {day(expiries[j])} is up to {100 * short.max():.2f} vol points too cheap"
            )
        where = ", ".join(f"({a:.3f}, {b:.3f})" for a, b in crossing.intervals)
        lines.append(f"{day(expiries[i])} over {day(expiries[j])}: calendar for k in {where}, {place}")
    return lines


def draw(quotes: ChainQuotes, surface: SviSurface, path: Path) -> None:
    """Draw quotes, fits and g into `path`; say how to get matplotlib where it is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  optional
    except ImportError:
        print("\nNo picture: matplotlib is not installed. `pip install 'evenkeel[plot]'` brings it.")
        return
    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  after the backend is chosen

    expiry, bid, ask = (np.asarray(a) for a in (quotes.expiry, quotes.bid, quotes.ask))
    expiries = np.unique(expiry)
    rows = -(-len(expiries) // 4)
    figure, axes = plt.subplots(2 * rows, 4, figsize=(18, 6 * rows), squeeze=False)
    for axis in axes.flat:
        axis.set_visible(False)
    for n, (e, s) in enumerate(zip(expiries, surface.slices, strict=True)):
        of = expiry == e
        k = np.log(np.asarray(quotes.strike)[of] / surface.forward(e))
        line = np.linspace(k.min(), k.max(), 200)
        smile, density = axes[2 * (n // 4), n % 4], axes[2 * (n // 4) + 1, n % 4]
        smile.vlines(k, bid[of], ask[of], color="tab:gray")
        smile.plot(line, s.vol(line), color="tab:blue")
        smile.set(title=day(e), ylabel="vol", visible=True)
        density.plot(line, s.g(line), color="tab:orange")
        density.axhline(0.0, color="black", linewidth=0.5)
        density.set(xlabel="ln(strike / forward)", ylabel="g", visible=True)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    print(f"\nSmiles and g: {path}")


def main() -> int:
    """Fit the chain that the command line or the environment names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "chain", type=Path, nargs="?", help=f"the chain's CSV (default: $EVENKEEL_DATA/{FILE})"
    )
    parser.add_argument(
        "--picture", type=Path, default=Path("fit_chain.png"), help="where to draw (default: %(default)s)"
    )
    args = parser.parse_args()
    folder = os.environ.get("EVENKEEL_DATA")
    if args.chain is None and not folder:
        parser.error("no chain: give its CSV, or set EVENKEEL_DATA to the folder that holds it")
    try:
        chain = read_chain(args.chain or Path(folder or "", FILE))
        quotes = quotes_of(chain)
        surface = SviSurface.fit(quotes)
        free = SviSurface.fit(quotes, arbitrage_free=True)
    except EvenkeelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    report(chain, quotes, surface)
    moved = np.abs(free.vol(quotes.expiry, quotes.strike) - surface.vol(quotes.expiry, quotes.strike)).max()
    print(
        f"\nThe nearest surface without arbitrage moves no listed strike by more than {100 * moved:.2f} points"
    )
    draw(quotes, surface, args.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
