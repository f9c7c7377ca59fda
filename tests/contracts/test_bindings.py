"""The bindings against real contracts: read, batched, simulated, sent and nested, with reverts as typed errors."""

import socket
from dataclasses import dataclass

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3

from evenkeel.bindings import (
    ERC20,
    ArtifactError,
    Authority,
    ContractError,
    DecodeError,
    Marks,
    NoAnswerError,
    OracleAdapter,
    RebalanceJudge,
    RiskGuard,
    UniswapV3SpotVenue,
    UnknownBlockError,
    Valuer,
    Vault,
    VaultLens,
    VolOracle,
    batch,
    decode_error,
    try_batch,
)
from evenkeel.bindings._generator import generate_external, generate_ours
from evenkeel.bindings.errors import (
    AccessManagedUnauthorized,
    PastDeadline,
    TooManyInstructions,
    UnknownMarket,
    UnknownToken,
    UnknownVenue,
    VenueCallFailed,
)
from evenkeel.bindings.events import LimitsSet, VenueAdded
from evenkeel.bindings.types import Instruction, Kind, Limits, Range, VaultParts, VenueConfig
from evenkeel.chain.signer import LocalSigner
from evenkeel.cli import main

NOBODY = "0x00000000000000000000000000000000DeaDBeef"
FAR = 2**40
PLAN = bytes(31) + b"\x01"
E18 = 10**18


class CountingProvider(HTTPProvider):
    """Counts HTTP requests."""

    def __init__(self, url):
        super().__init__(url, exception_retry_configuration=None)
        self.requests = []

    def make_request(self, method, params):
        self.requests.append(method)
        return super().make_request(method, params)

    def make_batch_request(self, batch_requests):
        self.requests.append([method for method, _ in batch_requests])
        return super().make_batch_request(batch_requests)


@dataclass
class World:
    """A small vault with one spot venue, and a provider that counts."""

    admin: LocalSigner
    provider: CountingProvider
    w3: Web3
    vault: Vault
    venue: UniswapV3SpotVenue
    oracle: OracleAdapter
    guard: RiskGuard
    lens: VaultLens
    usdc: str


@pytest.fixture
def world(chain):
    provider = CountingProvider(chain.url)
    w3 = Web3(provider)
    admin = LocalSigner(Account.from_key(chain.key("deployer")))
    usdc = chain.protocols.tokens["USDC"].address
    authority = Authority.deploy(admin.address).send(admin, w3)
    oracle = OracleAdapter.deploy(usdc, authority.address).send(admin, w3)
    vol_terms = (2 * E18 // 100, E18 // 10, 86_400, 3_600, 600)
    vols = VolOracle.deploy(authority.address, *vol_terms).send(admin, w3)
    valuer = Valuer.deploy().send(admin, w3)
    guard = RiskGuard.deploy(authority.address).send(admin, w3)
    judge = RebalanceJudge.deploy().send(admin, w3)
    marks = Marks.deploy(600, E18 // 100, E18 // 50).send(admin, w3)
    named = (
        authority.address,
        oracle.address,
        vols.address,
        valuer.address,
        guard.address,
        judge.address,
        marks.address,
    )
    vault = Vault.deploy(VaultParts(usdc, "Evenkeel", "EVK", *named)).send(admin, w3)
    lens = VaultLens.deploy().send(admin, w3)
    venue = UniswapV3SpotVenue.deploy(vault.address, chain.protocols.uniswap.router, [], []).send(admin, w3)
    provider.requests.clear()
    return World(admin, provider, w3, vault, venue, oracle, guard, lens, usdc)


def add_venue(world):
    return world.vault.add_venue(world.venue.address, VenueConfig(E18, 0, 0, 0)).send(world.admin)


def test_what_is_checked_in_is_what_the_contracts_generate():
    assert generate_ours().differences() == []
    assert main(["bindings", "generate", "--check"]) == 0


@pytest.mark.integration
def test_third_parties_bindings_are_what_their_packages_generate():
    generated = generate_external()
    generated.write()
    assert generated.differences() == []


@pytest.mark.integration
class TestReading:
    def test_a_read_is_one_request(self, world):
        assert world.vault.symbol().read() == "EVK"
        assert world.vault.asset().read() == world.usdc
        assert world.provider.requests == ["eth_call"] * 2

    def test_a_read_at_a_number_and_at_a_hash_sees_that_block(self, world):
        before = world.w3.eth.get_block("latest")
        add_venue(world)
        assert world.vault.venues().read() == (world.venue.address,)
        assert world.vault.venues().read(before["number"]) == ()
        assert world.vault.venues().read(before["hash"]) == ()
        assert world.vault.venues().read(before["hash"].to_0x_hex()) == ()
        with pytest.raises(UnknownBlockError):
            world.vault.venues().read("0x" + "12" * 32)

    def test_the_whole_state_of_a_vault_is_one_typed_value(self, world):
        add_venue(world)
        world.provider.requests.clear()
        state = world.lens.state(world.vault.address).read()
        assert world.provider.requests == ["eth_call"]
        assert (state.vault, state.asset, state.asset_decimals) == (world.vault.address, world.usdc, 6)
        (venue,) = state.venues
        assert venue.kind is Kind.SPOT
        assert venue.protocol.rstrip(b"\0") == b"uniswap-v3"
        assert venue.config == VenueConfig(E18, 0, 0, 0)

    def test_a_typed_error_says_why_a_read_reverted(self, world):
        with pytest.raises(UnknownToken) as reverted:
            world.oracle.quote(NOBODY.lower()).read()
        assert reverted.value.token == NOBODY
        assert str(reverted.value) == f"UnknownToken(token={NOBODY})"

    def test_an_address_without_code_is_said_to_be_one(self, world):
        with pytest.raises(DecodeError, match="is there such a contract"):
            Vault(NOBODY, world.w3).nav().read()

    def test_a_third_partys_contract_reads_alike(self, world, chain):
        external = pytest.importorskip("evenkeel.bindings.external")
        pool = external.UniswapV3Pool(chain.protocols.uniswap.pools["WETH/USDC"].address, world.w3)
        slot = pool.slot0().read()
        assert slot.unlocked is True
        assert slot.sqrt_price_x96 > 0


@pytest.mark.integration
class TestBatches:
    def test_views_at_the_head_are_one_request_with_an_error_in_its_place(self, world):
        calls = [
            world.vault.symbol(),
            world.oracle.quote(NOBODY),
            world.vault.asset(),
            world.oracle.quote(world.usdc),
        ]
        symbol, failed, asset, quote = try_batch(world.w3, calls)
        assert world.provider.requests == ["eth_call"]
        assert (symbol, asset, quote[:3]) == ("EVK", world.usdc, (E18, E18, E18))
        assert isinstance(failed, UnknownToken)
        assert failed.token == NOBODY
        with pytest.raises(UnknownToken):
            batch(world.w3, calls)

    def test_calls_at_a_block_are_one_request(self, world):
        before = world.w3.eth.get_block("latest")["hash"]
        add_venue(world)
        world.provider.requests.clear()
        assert batch(world.w3, [world.vault.venues(), world.vault.is_venue(world.venue.address)], before) == [
            (),
            False,
        ]
        assert world.provider.requests == [["eth_call", "eth_call"]]

    def test_calls_from_a_sender_are_simulated_apart_from_each_other(self, world):
        add = world.vault.add_venue(world.venue.address, VenueConfig(E18, 0, 0, 0))
        block = world.w3.eth.block_number
        world.provider.requests.clear()
        assert batch(world.w3, [add, add], block, sender=world.admin.address) == [None, None]
        assert world.provider.requests == [["eth_call", "eth_call"]]
        refused, _ = try_batch(world.w3, [add, add], sender=NOBODY)
        assert isinstance(refused, AccessManagedUnauthorized)
        assert refused.caller == NOBODY

    def test_more_than_creation_code_may_return_still_comes_back(self, world):
        add_venue(world)
        state = world.lens.state(world.vault.address)
        states = batch(world.w3, [state] * 40)
        assert len(states) == 40
        assert states == [state.read()] * 40

    def test_no_calls_are_no_request(self, world):
        assert batch(world.w3, []) == []
        assert world.provider.requests == []


@pytest.mark.integration
class TestSending:
    def test_a_sent_call_waits_and_returns_its_events(self, world):
        receipt = add_venue(world)
        event = receipt.event(VenueAdded)
        assert event == VenueAdded(world.venue.address, VenueConfig(E18, 0, 0, 0))
        assert event.log.address == world.vault.address
        assert event.log.transaction_hash == receipt.transaction_hash
        limits = Limits(*[Range(-E18, E18)] * 4)
        sent = world.guard.set_limits(world.usdc, limits).send(world.admin)
        assert sent.events == (LimitsSet(world.usdc, limits),)
        assert world.guard.limits(world.usdc).read() == limits

    def test_a_refusal_at_estimation_is_typed(self, world):
        with pytest.raises(UnknownVenue) as refused:
            world.vault.configure_venue(NOBODY, VenueConfig(0, 0, 0, 0)).send(world.admin)
        assert refused.value.venue == NOBODY

    def test_a_mined_revert_is_typed_and_carries_its_numbers(self, world):
        rebalance = world.vault.rebalance([], 1, PLAN)
        count = world.w3.eth.get_transaction_count(world.admin.address)
        with pytest.raises(PastDeadline) as refused:
            rebalance.send(world.admin, gas=1_000_000)
        assert refused.value.deadline == 1
        assert world.w3.eth.get_transaction_count(world.admin.address) == count + 1

    def test_simulating_sends_nothing(self, world):
        assert world.vault.rebalance([], FAR, PLAN).simulate(world.admin.address) == ()
        assert world.vault.plan_used(PLAN).read() is False
        with pytest.raises(AccessManagedUnauthorized):
            world.vault.rebalance([], FAR, PLAN).simulate(NOBODY)

    def test_a_nested_call_fails_with_its_own_error_as_the_cause(self, world):
        add_venue(world)
        swap = world.venue.swap(NOBODY, E18, 3000 * E18)
        rebalance = world.vault.rebalance([Instruction(swap.to, swap.data)], FAR, PLAN)
        with pytest.raises(VenueCallFailed) as refused:
            rebalance.simulate(world.admin.address)
        assert (refused.value.venue, refused.value.index) == (world.venue.address, 0)
        assert isinstance(refused.value.cause, UnknownMarket)
        assert refused.value.cause.market == NOBODY
        many = world.vault.rebalance([Instruction(swap.to, swap.data)] * 200, FAR, PLAN)
        with pytest.raises(TooManyInstructions):
            many.simulate(world.admin.address)

    def test_a_nested_calls_result_is_decoded_by_the_call_it_came_from(self, world):
        add_venue(world)
        nested = [world.venue.kind(), world.venue.holdings()]
        plan = [Instruction(call.to, call.data) for call in nested]
        results = world.vault.rebalance(plan, FAR, PLAN).simulate(world.admin.address)
        assert [call.decode(data) for call, data in zip(nested, results, strict=True)] == [Kind.SPOT, ()]


@pytest.mark.integration
def test_the_bindings_run_on_brownies_web3(world, chain):
    brownie = pytest.importorskip("brownie")
    brownie.web3.connect(chain.url)
    try:
        vault = Vault(world.vault.address, brownie.web3)
        assert vault.symbol().read() == "EVK"
        assert batch(brownie.web3, [vault.symbol(), vault.name()]) == ["EVK", "Evenkeel"]
        block = brownie.web3.eth.block_number
        assert batch(brownie.web3, [vault.symbol(), vault.name()], block) == ["EVK", "Evenkeel"]
        vault.add_venue(world.venue.address, VenueConfig(E18, 0, 0, 0)).send(world.admin)
        assert vault.venues().read() == (world.venue.address,)
        with pytest.raises(PastDeadline):
            vault.rebalance([], 1, PLAN).send(world.admin, gas=1_000_000)
    finally:
        brownie.web3.disconnect()


def test_a_node_that_does_not_answer_is_one_line_without_its_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = Web3(
            HTTPProvider(f"http://127.0.0.1:{taken.getsockname()[1]}", exception_retry_configuration=None)
        )
        signer = LocalSigner(Account.create())
        for ask in (
            Vault(NOBODY, nobody).nav().read,
            lambda: batch(nobody, [Vault(NOBODY, nobody).nav()], 1),
            lambda: Vault(NOBODY, nobody).mark().send(signer),
        ):
            with pytest.raises(
                NoAnswerError, match=r"no answer from the node \(ConnectionError\)$"
            ) as failed:
                ask()
            assert "127.0.0.1" not in str(failed.value)


def test_a_contract_that_is_not_compiled_says_what_to_run(monkeypatch, tmp_path):
    monkeypatch.setenv("EVENKEEL_ARTIFACTS", str(tmp_path))
    with pytest.raises(ArtifactError, match=r"Valuer\.json: no such compiled contract; run `make build`"):
        Valuer.deploy()


@pytest.mark.integration
def test_calls_are_values(world):
    one, same = world.vault.is_venue(NOBODY), world.vault.is_venue(NOBODY)
    assert one == same
    assert len({one, same, world.vault.is_venue(world.usdc)}) == 2
    assert one.paying(5).value == 5
    assert ERC20(world.usdc, world.w3).decimals().read() == 6
    assert isinstance(decode_error(b""), ContractError)
