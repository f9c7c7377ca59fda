"""What stops a keeper."""

import pytest

from evenkeel import InputError
from evenkeel.keeper.config import wei
from evenkeel.keeper.errors import Halted
from evenkeel.keeper.rails import HOUR, ErrorBudget, stop_asked


def test_the_error_budget_halts_on_the_error_after_its_last():
    budget = ErrorBudget(2)
    budget.charge(100, "first")
    budget.charge(200, "second")
    with pytest.raises(Halted, match="3 errors within an hour, 2 allowed; the last: third"):
        budget.charge(300, "third")


def test_errors_older_than_an_hour_of_chain_time_do_not_count():
    budget = ErrorBudget(1)
    for hours in range(5):
        budget.charge(hours * (HOUR + 1), "spread out")


def test_a_budget_of_nothing_halts_at_the_first_error():
    with pytest.raises(Halted):
        ErrorBudget(0).charge(1, "any")


def test_the_stop_file(tmp_path):
    assert not stop_asked(None)
    assert not stop_asked(tmp_path / "stop")
    (tmp_path / "stop").touch()
    assert stop_asked(tmp_path / "stop")


@pytest.mark.parametrize("text", ["", "much", "0", "-1", "inf", "nan"])
def test_a_spend_cap_is_a_positive_amount(text):
    with pytest.raises(InputError, match="--spend-cap"):
        wei(text)


def test_a_spend_cap_is_ether():
    assert wei("0.1") == 10**17
