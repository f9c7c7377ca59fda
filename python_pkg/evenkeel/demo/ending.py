"""How the story ends: a bad instruction that the vault refuses, and a depositor who leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexbytes import HexBytes

from evenkeel.bindings import ERC20, ContractError, SpotVenue
from evenkeel.demo import measure
from evenkeel.demo.errors import DemoError
from evenkeel.demo.report import Redemption, Refusal

if TYPE_CHECKING:
    from evenkeel.demo.stage import Stage

_WAD = 10**18
_VENUE = "uniswap-v3"
_BAD_SIZE = 60
"""ETH bought on a hedged book: within the spot venue's cap and far beyond the delta limit."""
_GAS = 5_000_000


def refuse(stage: Stage) -> Refusal:
    """Sign a bad instruction with the keeper's key, have it mined, and decode why it failed."""
    token = measure.underlying(stage.state())
    spot = SpotVenue(stage.names[_VENUE], stage.w3)
    call = stage.instruct(spot.swap(token.token, _BAD_SIZE * _WAD, token.high * 11 // 10))
    keeper = stage.sandbox.signers["keeper"]
    sent = keeper.send(stage.w3, {"to": call.to, "data": HexBytes(call.data), "gas": _GAS})
    receipt = stage.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    try:
        call.simulate(keeper.address, block=receipt["blockNumber"] - 1)
    except ContractError as error:
        reason = error
        while reason.cause is not None:
            reason = reason.cause
    else:
        raise DemoError("the vault accepted an instruction that it should have refused")
    return Refusal(
        what=f"buy {_BAD_SIZE} ETH on the spot venue although the book is hedged",
        tx=HexBytes(sent).to_0x_hex(),
        status=receipt["status"],
        error=type(reason).__name__,
        fields=dict(reason.values),
    )


def redeem_all(stage: Stage, role: str) -> Redemption:
    """Let a depositor redeem every share, and compute what was owed from the state before."""
    signer = stage.sandbox.signers[role]
    shares = stage.vault.balance_of(signer.address).read()
    call = stage.vault.redeem(shares, signer.address, signer.address)
    state = stage.state()
    asset = ERC20(stage.deployment.asset, stage.w3)
    held = asset.balance_of(signer.address).read()
    receipt = call.send(signer, gas=_GAS)
    paid = asset.balance_of(signer.address).read() - held
    # Low NAV at the redemption's own time: what was left in the same block, and what was paid out of it. Then the
    # standard's arithmetic: rounded down, over all shares, the burned seed among them.
    left = stage.vault.nav().read(receipt.block_number).low // 10 ** (18 - state.asset_decimals)
    owed = shares * (left + paid + 1) // state.total_supply
    return Redemption(shares=shares, paid=paid, owed=owed, tx=HexBytes(receipt.transaction_hash).to_0x_hex())
