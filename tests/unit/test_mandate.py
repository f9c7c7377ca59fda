"""The mandate file: the demo's numbers, and one-line errors that name the field."""

import pytest

from demo_mandate import DEMO, raw
from evenkeel.strategy import (
    Mandate,
    MandateError,
    load_mandate,
    max_loss_per_call,
    on_chain_limits,
    parse_mandate,
    venue_config,
)

ADDRESS = "0x00000000000000000000000000000000000000AA"


def test_demo_holds_the_default_numbers():
    mandate = load_mandate(DEMO)
    assert (mandate.delta_usd.target, mandate.delta_usd.limit) == (0.0, 0.05)
    assert mandate.gamma_usd_1pct.limit == -10_000
    assert mandate.vega_usd_pt.limit == -750
    assert mandate.theta_usd_day.limit == -200
    lyra = mandate.venue("lyra-v1")
    assert (lyra.cap, lyra.target_health, lyra.minimum_health, lyra.critical_health) == (0.3, 1.2, 1.08, 1.03)
    assert mandate.risk_aversion == 300


def test_every_line_of_the_demo_says_why_and_every_field_is_documented():
    for line in DEMO.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            assert "#" in line or line.split(" =")[0] in {
                "cap",
                "target_health",
                "minimum_health",
                "critical_health",
                "maintenance_ratio",
            }
    sections = [Mandate]
    while sections:
        section = sections.pop()
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                sections.append(field.annotation)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"delta_usd__limit": 5}, "delta_usd.limit: expected a fraction between 0 and 1, got 5"),
        ({"delta_usd__limit": "much"}, "delta_usd.limit: expected a number, got 'much'"),
        ({"gamma_usd_1pct__limit": 10.0}, "gamma_usd_1pct.limit: expected 0 or less"),
        ({"gamma_usd_1pct__limit": None}, "gamma_usd_1pct.limit: expected a value, the field is missing"),
        ({"gama": 1}, "gama: unknown field"),
        ({"venues__lyra-v1__cap": 1.5}, "venues.lyra-v1.cap: expected a fraction between 0 and 1, got 1.5"),
        (
            {"venues__lyra-v1__minimum_health": 2.0},
            "venues.lyra-v1: expected critical_health <= minimum_health",
        ),
        ({"venues__lyra-v1__address": "0x12"}, "venues.lyra-v1.address: expected an address"),
        ({"band__mode": "tight"}, "band.mode: "),
        ({"delta_usd__target": 0.06}, "delta_usd: expected a target inside the limit"),
        ({"underlyings": []}, "underlyings: expected at least one entry"),
        ({"risk_aversion": float("inf")}, "risk_aversion: expected a number above 0, got inf"),
        ({"cycle_seconds": -1}, "cycle_seconds: expected a number above 0, got -1"),
    ],
)
def test_bad_fields_are_named_in_one_line(changes, text):
    with pytest.raises(MandateError) as caught:
        parse_mandate(raw(**changes))
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


def test_file_errors_name_the_file(tmp_path):
    with pytest.raises(MandateError, match=r"absent\.toml: cannot be read: No such file"):
        load_mandate(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("vault = \n")
    with pytest.raises(MandateError, match=r"broken\.toml: not TOML: .*line 1"):
        load_mandate(broken)
    broken.write_text(DEMO.read_text().replace("limit = 0.05 ", "limit = 5 ", 1))
    with pytest.raises(
        MandateError, match=r"broken\.toml: delta_usd\.limit: expected a fraction between 0 and 1, got 5"
    ):
        load_mandate(broken)


def test_unknown_venue_is_refused_with_what_there_is():
    mandate = load_mandate(DEMO)
    with pytest.raises(MandateError, match=r"venues\.perp-a: unknown venue; the deployment has lyra-v1"):
        mandate.resolve(ADDRESS, {"lyra-v1": ADDRESS})
    resolved = mandate.resolve(ADDRESS, dict.fromkeys(mandate.venues, ADDRESS.lower()))
    assert resolved.vault == ADDRESS
    assert resolved.venue("perp-b").address == ADDRESS
    with pytest.raises(MandateError, match=r"venues\.gmx: not in the mandate"):
        mandate.venue("gmx")


def test_on_chain_numbers_are_exact():
    mandate = load_mandate(DEMO)
    limits = on_chain_limits(mandate, "WETH")
    assert (limits.delta.min, limits.delta.max) == (-5 * 10**16, 5 * 10**16)
    assert limits.gamma.min == -10_000 * 10**18
    assert limits.theta.min == -200 * 10**18
    assert limits.theta.max > 10**30
    assert on_chain_limits(mandate, "sUSD").delta.max == 3 * 10**17
    assert venue_config(mandate, "lyra-v1").target_health == 12 * 10**17
    assert max_loss_per_call(mandate) == 25 * 10**14
    with pytest.raises(MandateError, match="DOGE: neither an underlying nor a quote token"):
        on_chain_limits(mandate, "DOGE")
