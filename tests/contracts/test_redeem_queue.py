"""The redeem queue from Python: wired to its vault, asked, and refusing with typed errors."""

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3

from evenkeel.bindings import (
    Authority,
    Marks,
    OracleAdapter,
    RebalanceJudge,
    RedeemQueue,
    RiskGuard,
    Valuer,
    Vault,
    VolOracle,
)
from evenkeel.bindings.errors import IntervalTooWide, NoPreview, NumberOutOfBounds, UnknownRequest, ZeroShares
from evenkeel.bindings.events import CancelFeeSet
from evenkeel.bindings.types import QueuedRedeem, VaultParts
from evenkeel.chain.signer import LocalSigner

E18 = 10**18
NOBODY = "0x" + "00" * 20


@pytest.mark.integration
def test_a_queue_is_deployed_asked_and_refuses_in_types(chain):
    w3 = Web3(HTTPProvider(chain.url))
    admin = LocalSigner(Account.from_key(chain.key("deployer")))
    usdc = chain.protocols.tokens["USDC"].address
    authority = Authority.deploy(admin.address).send(admin, w3)
    oracle = OracleAdapter.deploy(usdc, authority.address).send(admin, w3)
    vols = VolOracle.deploy(authority.address, E18 // 50, E18 // 10, 86_400, 3_600, 600).send(admin, w3)
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

    queue = RedeemQueue.deploy(vault.address).send(admin, w3)
    vault.set_redeem_queue(queue.address).send(admin)
    assert vault.redeem_queue().read() == queue.address
    assert (queue.share().read(), queue.asset().read()) == (vault.address, usdc)
    assert queue.authority().read() == authority.address
    assert queue.supports_interface(bytes.fromhex("620ee8e4")).read()
    assert queue.request(1).read() == QueuedRedeem(NOBODY, 0, False, 0, 0, 0, 0)

    receipt = queue.set_cancel_fee(E18 // 1_000).send(admin)
    assert receipt.event(CancelFeeSet).fraction == E18 // 1_000
    with pytest.raises(NumberOutOfBounds) as refused:
        queue.set_cancel_fee(E18).simulate(admin.address)
    assert (refused.value.value, refused.value.maximum) == (E18, E18 // 100)
    with pytest.raises(ZeroShares):
        queue.request_redeem(0, admin.address, admin.address).simulate(admin.address)
    with pytest.raises(UnknownRequest):
        queue.cancel_redeem_request(1, admin.address).simulate(admin.address)
    with pytest.raises(NoPreview):
        queue.preview_redeem(1).read()
    # An empty vault has no price to pay anyone by.
    with pytest.raises(IntervalTooWide):
        queue.process(1).simulate(admin.address)
