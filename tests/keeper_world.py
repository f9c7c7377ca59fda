"""A sandbox with a deployed vault, a depositor, a mandate and a key file: what a real keeper is started on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_utils.crypto import keccak

from evenkeel.bindings import ERC20, SpotVenue, Vault, VaultLens
from evenkeel.bindings.types import Instruction
from evenkeel.chain import Rpc
from evenkeel.chain.keystore import KEYSTORE, PASSWORD_FILE
from evenkeel.deploy.plan import Roles, VaultPlan
from evenkeel.deploy.vault import Deployment, deploy
from evenkeel.sandbox import Sandbox, up

WAD = 10**18
DEPOSIT = 1_000_000 * 10**6
# A fixed band: outside 2% of NAV, trade back to 1%.
MANDATE = """
underlyings = ["WETH"]
[delta_usd]
limit = 0.05
[gamma_usd_1pct]
limit = -10000.0
[vega_usd_pt]
limit = -750.0
[theta_usd_day]
limit = -200.0
[band]
mode = "fixed"
fixed_trigger = 0.4
fixed_inner = 0.2
[quote_tokens]
SUSD = 0.30
"""
VENUE = """
[venues."{name}"]
cap = {cap}
target_health = {target}
minimum_health = {minimum}
critical_health = {critical}
"""
TERMS = {
    "spot": (0.2, 0, 0, 0),
    "perp": (0.15, 3.0, 1.8, 1.3),
    "lending": (0.65, 2.0, 1.5, 1.2),
    "option": (0.3, 1.2, 1.08, 1.03),
}


@dataclass
class World:
    """Where everything is. `folder` holds the files."""

    sandbox: Sandbox
    deployment: Deployment
    folder: Path

    @property
    def rpc(self) -> Rpc:
        return Rpc(self.sandbox.url)

    @property
    def keeper(self) -> str:
        return self.sandbox.accounts["keeper"]

    @property
    def vault(self) -> Vault:
        return Vault(self.deployment.vault, self.sandbox.w3)

    @property
    def lens(self) -> VaultLens:
        return VaultLens(self.deployment.lens, self.sandbox.w3)

    @property
    def environment(self) -> dict[str, str]:
        return {
            KEYSTORE: str(self.folder / "key.json"),
            PASSWORD_FILE: str(self.folder / "password"),
            "EVENKEEL_RPC": self.sandbox.url,
        }

    def arguments(self, journal: Path, *more: str) -> list[str]:
        return [
            *("keeper", "run", "--mandate", str(self.folder / "mandate.toml"), "--poll", "0.02"),
            *("--deployment", str(self.folder / "deployment.json"), "--journal", str(journal), *more),
        ]

    def held(self) -> int:
        """Ether held in spot, at 1e18."""
        weth = self.sandbox.protocols.tokens["WETH"].address
        return ERC20(weth, self.sandbox.w3).balance_of(self.deployment.venues["spot"]).read()

    def buy_ether(self, size: int) -> None:
        """Have the keeper's own key buy `size` of ether at 1e18: the delta that the keeper is to bring back."""
        weth = self.sandbox.protocols.tokens["WETH"].address
        swap = SpotVenue(self.deployment.venues["spot"], self.sandbox.w3).swap(weth, size, 10_000 * WAD)
        now = self.sandbox.w3.eth.get_block("latest")["timestamp"]
        plan_id = keccak(now.to_bytes(32))
        call = self.vault.rebalance([Instruction(venue=swap.to, data=swap.data)], now + 600, plan_id)
        call.send(self.sandbox.signers["keeper"], gas=8_000_000)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    with up() as sandbox:
        accounts = sandbox.accounts
        roles = Roles(accounts["keeper"], accounts["curator"], accounts["guardian"])
        path = folder / "deployment.json"
        deployed = deploy(
            sandbox.w3, sandbox.signers["deployer"], sandbox.protocols, VaultPlan(), roles, path=path
        )
        here = World(sandbox, deployed, folder)
        _deposit(here)
        venues = "".join(
            VENUE.format(
                name=name,
                **dict(
                    zip(("cap", "target", "minimum", "critical"), TERMS[name.partition("/")[0]], strict=True)
                ),
            )
            for name in deployed.venues
        )
        (folder / "mandate.toml").write_text(MANDATE + venues)
        (folder / "password").write_text("a password\n")
        (folder / "key.json").write_text(
            json.dumps(Account.encrypt(sandbox.key("keeper"), "a password", iterations=2))
        )
        yield here


def _deposit(here: World) -> None:
    alice = here.sandbox.signers["alice"]
    usdc = ERC20(here.deployment.asset, here.sandbox.w3)
    mint = (
        keccak(b"mint(address,uint256)")[:4]
        + bytes.fromhex(alice.address[2:]).rjust(32, b"\0")
        + DEPOSIT.to_bytes(32)
    )
    sent = here.sandbox.signers["deployer"].send(here.sandbox.w3, {"to": usdc.address, "data": mint})
    assert here.sandbox.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    usdc.approve(here.deployment.vault, DEPOSIT).send(alice)
    here.vault.deposit(DEPOSIT, alice.address).send(alice)


@contextmanager
def keeper_process(
    here: World, journal: Path, *more: str, kill_at: str | None = None, key: bool = True
) -> Iterator[subprocess.Popen]:
    """Run the real command in a process of its own, and end it with this block."""
    environment = {**os.environ, **here.environment}
    environment.pop("EVENKEEL_KILL_AT", None)
    if not key:
        del environment[KEYSTORE]
    if kill_at:
        environment["EVENKEEL_KILL_AT"] = kill_at
    process = subprocess.Popen(
        [sys.executable, "-m", "evenkeel", *here.arguments(journal, *more)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
