"""Fees: clamped tip, twice the next base fee, and a replacement that every node takes."""

import pytest

from evenkeel.chain.fees import FeePolicy, Fees, FeesTooHigh, suggest

GWEI = 10**9


def history(base, *rewards):
    return {"baseFeePerGas": ["0x1", hex(base)], "reward": [[hex(reward)] for reward in rewards]}


@pytest.mark.parametrize(
    ("rewards", "tip"),
    [((0, 0, 0), GWEI), ((2 * GWEI, 3 * GWEI, 90 * GWEI), 3 * GWEI), ((90 * GWEI,), 5 * GWEI), ((), GWEI)],
)
def test_the_tip_is_the_median_reward_within_its_clamp(rewards, tip):
    policy = FeePolicy(min_tip=GWEI, max_tip=5 * GWEI)
    assert suggest(history(10 * GWEI, *rewards), policy) == Fees(20 * GWEI + tip, tip)


def test_a_chain_that_answers_without_rewards_gets_the_least_tip():
    assert suggest({"baseFeePerGas": ["0x0", "0x0"], "reward": None}, FeePolicy(min_tip=7)).tip == 7


def test_more_than_the_policy_allows_is_refused_with_both_numbers():
    with pytest.raises(FeesTooHigh) as caught:
        suggest(history(10 * GWEI), FeePolicy(min_tip=0, max_fee=19 * GWEI))
    assert (caught.value.wanted, caught.value.allowed) == (20 * GWEI, 19 * GWEI)


@pytest.mark.parametrize(
    ("amount", "bumped"),
    [(0, 0), (1, 2), (8, 9), (9, 11), (10**9, 1_125_000_000), (10**9 + 1, 1_125_000_002)],
)
def test_a_replacement_offers_an_eighth_more_on_both_rounded_up(amount, bumped):
    assert Fees(amount, amount).bumped() == Fees(bumped, bumped)
