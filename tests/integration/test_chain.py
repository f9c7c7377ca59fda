"""The chain layer against a real node: heads, pinned reads, fees, and the life of a transaction."""

import time

import pytest

from evenkeel.chain import (
    FeePolicy,
    FeesTooHigh,
    Heads,
    Intent,
    Journal,
    LanePolicy,
    Reverted,
    Rpc,
    SpendCapReached,
    State,
    TxManager,
    UnknownBlock,
    UnreachableRpc,
    WrongChain,
)
from evenkeel.chain.signing import unlocked
from plain_anvil import SIGNER, CountedRpc, plain_anvil

SINK = "0x00000000000000000000000000000000DeaDBeef"
# PUSH32 "no" PUSH0 MSTORE PUSH1 32 PUSH0 REVERT, as creation code run by eth_call without a `to`.
REVERTING = bytes.fromhex("7f" + "6e6f".ljust(64, "0") + "5f5260205ffd")


@pytest.fixture(scope="module")
def url():
    with plain_anvil() as address:
        yield address


@pytest.fixture
def rpc(url):
    rpc = CountedRpc(url)
    snapshot = rpc.request("evm_snapshot")
    rpc.methods.clear()
    yield rpc
    rpc.request("evm_setAutomine", True)
    rpc.request("evm_revert", snapshot)


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "journal.sqlite", identity={"chain_id": "31337"}) as journal:
        yield journal


@pytest.fixture
def lane(rpc, journal):
    return TxManager(rpc, journal, SIGNER, 31337)


def head(rpc):
    return Heads(rpc).poll().block


def head_with(rpc, journal, row):
    """The head once it holds the transaction: a node mines after it has answered."""
    deadline = time.monotonic() + 20
    while rpc.receipt(journal.transaction(row).hash) is None:
        assert time.monotonic() < deadline
    return head(rpc)


def balance(rpc):
    return int(rpc.request("eth_getBalance", SINK, "latest"), 16)


def decide(lane, journal, rpc, value=1, deadline=0):
    block = head(rpc)
    intent = lane.preflight(Intent(SINK, b"", "transfer", value=value, deadline=deadline), block)
    _, (row,) = journal.record(block, "hedge", intents=[intent], sender=lane.address)
    return row, block


def test_a_poll_and_a_pinned_read_are_one_request_each(rpc):
    found = Heads(rpc).poll()
    rpc.call({"to": SINK, "data": b""}, found.block)
    assert rpc.methods == ["eth_getBlockByNumber", "eth_call"]


def test_heads_are_reported_once_and_reorganisations_by_parent_hash(rpc):
    heads = Heads(rpc)
    rpc.request("anvil_mine", "0x2")
    first = heads.poll()
    assert heads.poll() is None
    rpc.request("anvil_mine", "0x1")
    second = heads.poll()
    assert second.block.parent_hash == first.block.hash
    assert second.reorg is None
    rpc.request("anvil_reorg", 1, [])
    third = heads.poll()
    assert third.block.number == second.block.number
    assert third.reorg == second.block


def test_a_node_that_lags_behind_is_no_reorganisation(rpc):
    heads = Heads(rpc)
    snapshot = rpc.request("evm_snapshot")
    assert heads.poll() is not None
    rpc.request("anvil_mine", "0x1")
    assert heads.poll().reorg is None
    rpc.request("evm_revert", snapshot)
    assert heads.poll() is None


def test_a_head_that_was_not_dealt_with_is_returned_again(rpc):
    heads = Heads(rpc)
    first = heads.poll()
    heads.again()
    assert heads.poll().block == first.block
    assert heads.poll() is None
    heads.again()
    rpc.request("anvil_mine", "0x1")
    assert heads.poll().block.parent_hash == first.block.hash


def test_an_unknown_block_hash_is_told_apart_from_other_errors(rpc):
    rpc.request("anvil_mine", "0x1")
    gone = head(rpc)
    rpc.request("anvil_reorg", 1, [])
    with pytest.raises(UnknownBlock):
        rpc.call({"to": SINK, "data": b""}, gone)


def test_a_revert_carries_its_data(rpc):
    with pytest.raises(Reverted) as caught:
        rpc.call({"data": REVERTING}, head(rpc))
    assert caught.value.data == b"no".ljust(32, b"\0")


def test_unreachable_and_wrong_chain_are_typed_and_hide_the_url():
    dead = Rpc("http://127.0.0.1:9/v2/a-secret-key", backoff=0)
    with pytest.raises(UnreachableRpc, match=r"127\.0\.0\.1:9 ") as caught:
        dead.chain_id()
    assert "a-secret-key" not in str(caught.value)


def test_wrong_chain(rpc):
    with pytest.raises(WrongChain, match="expected 1, the RPC serves 31337"):
        rpc.require_chain(1)


def test_a_read_is_repeated_and_a_broadcast_is_not():
    methods = []
    dead = Rpc("http://127.0.0.1:9", retries=2, backoff=0, hook=methods.append)
    with pytest.raises(UnreachableRpc):
        dead.chain_id()
    with pytest.raises(UnreachableRpc):
        dead.broadcast(b"\x02")
    assert methods == ["eth_chainId"] * 3 + ["eth_sendRawTransaction"]


def test_a_transaction_goes_through_every_state(rpc, journal, lane):
    row, block = decide(lane, journal, rpc, value=7)
    assert lane.busy
    assert not journal.settled(block.hash)
    sent = lane.send(row, block)
    assert sent.state is State.SENT
    lane.advance(head_with(rpc, journal, row))
    assert [state for state, _ in journal.history(row)] == [
        State.DECIDED,
        State.SIGNED,
        State.SENT,
        State.MINED,
        State.CONFIRMED,
    ]
    done = journal.transaction(row)
    assert done.gas_used == 21_000
    assert journal.settled(block.hash)
    assert not lane.busy
    assert journal.spent(lane.address, block.timestamp) == done.gas_used * done.gas_price


def test_an_unlocked_account_of_a_local_node_signs(rpc, journal):
    lane = TxManager(rpc, journal, unlocked(rpc, 31337, SIGNER.address), 31337)
    row, block = decide(lane, journal, rpc)
    lane.send(row, block)
    lane.advance(head_with(rpc, journal, row))
    assert journal.transaction(row).state is State.CONFIRMED


def test_a_reorganised_transaction_returns_to_pending_and_is_sent_again_as_it_was(rpc, journal, lane):
    before = balance(rpc)
    row, block = decide(lane, journal, rpc)
    lane.send(row, block)
    lane.advance(head_with(rpc, journal, row))
    first = journal.transaction(row)
    rpc.request("evm_setAutomine", False)
    rpc.request("anvil_reorg", 1, [])
    assert balance(rpc) == before
    lane.advance(head(rpc), reorg=True)
    assert lane.busy
    assert journal.transaction(row).state is State.SENT
    assert journal.transaction(row).block_hash is None
    rpc.request("evm_mine")
    lane.advance(head(rpc))
    again = journal.transaction(row)
    assert again.state is State.CONFIRMED
    assert (again.hash, again.nonce) == (first.hash, first.nonce)
    assert balance(rpc) == before + 1


def test_a_chain_set_back_without_a_word_is_noticed_before_the_next_nonce(rpc, journal, lane):
    snapshot = rpc.request("evm_snapshot")
    row, block = decide(lane, journal, rpc, deadline=1)
    lane.send(row, block)
    lane.advance(head_with(rpc, journal, row))
    assert journal.transaction(row).state is State.CONFIRMED
    rpc.request("evm_revert", snapshot)
    rpc.request("anvil_mine", "0x3")
    second, block = decide(lane, journal, rpc)
    assert lane.send(second, block).state is State.DROPPED
    lane.advance(block)
    assert journal.transaction(row).state is State.DROPPED
    third, block = decide(lane, journal, rpc)
    assert lane.send(third, block).nonce == journal.transaction(row).nonce


def test_a_mined_transaction_waits_for_its_depth(rpc, journal):
    lane = TxManager(rpc, journal, SIGNER, 31337, lane=LanePolicy(confirmations=3))
    row, block = decide(lane, journal, rpc)
    lane.send(row, block)
    lane.advance(head_with(rpc, journal, row))
    assert journal.transaction(row).state is State.MINED
    assert not lane.busy
    rpc.request("anvil_mine", "0x2")
    lane.advance(head(rpc))
    assert journal.transaction(row).state is State.CONFIRMED


class LosingRpc(CountedRpc):
    """Delivers broadcasts and loses the answers."""

    def broadcast(self, raw):
        super().broadcast(raw)
        raise UnreachableRpc("eth_sendRawTransaction: the answer was lost")


def test_a_lost_answer_is_not_a_failure(url, rpc, journal):
    before = balance(rpc)
    losing = LosingRpc(url)
    lane = TxManager(losing, journal, SIGNER, 31337)
    row, block = decide(lane, journal, rpc)
    assert lane.send(row, block).state is State.SIGNED
    lane.advance(head_with(rpc, journal, row))
    assert journal.transaction(row).state is State.CONFIRMED
    assert losing.methods.count("eth_sendRawTransaction") == 1
    assert balance(rpc) == before + 1


def test_a_stuck_transaction_is_outbid_by_an_eighth_and_only_one_is_mined(rpc, journal):
    before = balance(rpc)
    lane = TxManager(rpc, journal, SIGNER, 31337, lane=LanePolicy(stuck_after=0.0))
    rpc.request("evm_setAutomine", False)
    row, block = decide(lane, journal, rpc)
    old = lane.send(row, block)
    lane.advance(block)
    (new,) = [tx for tx in journal.transactions(State.SENT) if tx.id != row]
    assert new.replaces == row
    assert new.nonce == old.nonce
    assert new.max_fee * 8 >= old.max_fee * 9
    assert new.tip * 8 >= old.tip * 9
    rpc.request("evm_mine")
    lane.advance(head(rpc))
    assert journal.transaction(new.id).state is State.CONFIRMED
    assert journal.transaction(row).state is State.REPLACED
    assert journal.settled(block.hash)
    assert balance(rpc) == before + 1


def test_a_stuck_transaction_past_its_deadline_is_cancelled(rpc, journal, lane):
    before = balance(rpc)
    rpc.request("evm_setAutomine", False)
    row, block = decide(lane, journal, rpc, deadline=head(rpc).timestamp + 1)
    lane.send(row, block)
    rpc.request("anvil_dropTransaction", journal.transaction(row).hash)
    lane.advance(block)
    assert journal.transaction(row).state is State.SENT
    late = type(block)(block.number, block.hash, block.parent_hash, block.timestamp + 2)
    lane.advance(late)
    rpc.request("evm_mine")
    lane.advance(head(rpc))
    assert journal.transaction(row).state is State.REPLACED
    assert balance(rpc) == before


def test_a_nonce_used_by_a_stranger_drops_the_transaction(rpc, journal, lane):
    rpc.request("evm_setAutomine", False)
    row, block = decide(lane, journal, rpc)
    sent = lane.send(row, block)
    rpc.request("anvil_dropTransaction", sent.hash)
    other = SIGNER.sign(
        {
            "type": 2,
            "chainId": 31337,
            "nonce": sent.nonce,
            "to": SINK,
            "value": 5,
            "gas": 21_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    rpc.broadcast(other)
    rpc.request("evm_mine")
    for _ in range(2):
        lane.advance(head(rpc))
        assert journal.transaction(row).state is State.SENT
    lane.advance(head(rpc))
    assert journal.transaction(row).state is State.DROPPED
    assert "not in the journal" in journal.transaction(row).error


def test_a_refused_transaction_is_dropped_and_its_nonce_used_again(rpc, journal, lane):
    row, block = decide(lane, journal, rpc)
    journal.move(row, State.DECIDED, gas=10)
    refused = lane.send(row, block)
    assert refused.state is State.DROPPED
    assert "intrinsic gas" in refused.error
    row, block = decide(lane, journal, rpc)
    assert lane.send(row, block).nonce == refused.nonce


def test_the_spend_cap_stops_before_anything_is_signed(rpc, journal):
    lane = TxManager(rpc, journal, SIGNER, 31337, lane=LanePolicy(spend_cap=21_000))
    row, block = decide(lane, journal, rpc)
    with pytest.raises(SpendCapReached):
        lane.send(row, block)
    assert journal.transaction(row).state is State.DROPPED
    assert journal.transaction(row).raw is None


def test_fees_above_the_policy_leave_the_transaction_decided(rpc, journal):
    lane = TxManager(rpc, journal, SIGNER, 31337, fees=FeePolicy(max_fee=10))
    row, block = decide(lane, journal, rpc)
    with pytest.raises(FeesTooHigh):
        lane.send(row, block)
    assert journal.transaction(row).state is State.DECIDED


def test_a_decision_past_its_deadline_is_not_signed_after_a_restart(rpc, journal, lane):
    row, block = decide(lane, journal, rpc, deadline=1)
    lane.advance(block)
    assert journal.transaction(row).state is State.DROPPED
    assert journal.transaction(row).raw is None
