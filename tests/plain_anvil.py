"""A bare local chain for tests that need blocks and transactions but no protocols."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth_account import Account

from evenkeel.chain import KeySigner, Rpc

ROOT = Path(__file__).resolve().parent.parent
# The first accounts of the public mnemonic "test test test test test test test test test test test junk".
KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
)
SIGNER = KeySigner(Account.from_key(KEYS[0]))


def anvil_path() -> str:
    packaged = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    found = str(packaged) if packaged.exists() else shutil.which("anvil")
    assert found, "anvil is not installed: run the set-up first"
    return found


@contextmanager
def plain_anvil(*arguments: str) -> Iterator[str]:
    """Run anvil on a free loopback port and yield its URL."""
    with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as states:
        process = subprocess.Popen(
            [anvil_path(), "--host", "127.0.0.1", "--port", "0", "--cache-path", states, *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1"},
        )
        try:
            yield f"http://127.0.0.1:{_port(process, Path(f'/proc/self/fd/{log.fileno()}'))}"
        finally:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen, log: Path) -> int:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        if found := re.search(r"Listening on 127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.01)
    raise AssertionError(f"anvil did not start: {log.read_text()}")


class CountedRpc(Rpc):
    """An Rpc that remembers the methods it requested."""

    def __init__(self, url: str, **options) -> None:
        self.methods: list[str] = []
        super().__init__(url, hook=self.methods.append, **options)
