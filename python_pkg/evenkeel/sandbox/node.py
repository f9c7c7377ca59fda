"""An anvil process: started on a free loopback port, ready when it answers, and the only one that is ever stopped."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from requests.exceptions import RequestException
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from evenkeel.sandbox import places
from evenkeel.sandbox.errors import NodeNotFoundError, NodeStartError, PortInUseError, SandboxError

HOST = "127.0.0.1"
CHAIN_ID = 31337
BASE_FEE = 1_000_000_000
"""Wei per gas of the first block."""

_NATIVE = places.ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
_ACCOUNTS = 24
_ETHER_EACH = 1_000_000


def find_anvil() -> Path:
    """Return the anvil binary: the one that npm installed in this checkout, or else the one on PATH.

    The native one, because the npm command is a wrapper that ends before the node does. Raises `NodeNotFoundError`.
    """
    if _NATIVE.is_file():
        return _NATIVE
    found = shutil.which("anvil")
    if found is None:
        raise NodeNotFoundError("no anvil: run `make setup`, or put Foundry's anvil on PATH")
    return Path(found)


class Node:
    """A running anvil.

    `port` None takes any free one. `state` is a file written from `dump_state`; `timestamp` the time of the first new block
    (unix seconds): pass one above the loaded head, or else it is the wall clock's. Raises `NodeNotFoundError`,
    `PortInUseError`, `NodeStartError`. A context manager that stops the process on leaving.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        chain_id: int = CHAIN_ID,
        state: Path | None = None,
        timestamp: int | None = None,
        timeout: float = 30,
    ) -> None:
        binary = find_anvil()
        self.port = _free_port() if port is None else require_free(port)
        self.url = f"http://{HOST}:{self.port}"
        self.chain_id = chain_id
        command = [str(binary), "--host", HOST, "--port", str(self.port), "--chain-id", str(chain_id)]
        command += ["--accounts", str(_ACCOUNTS), "--balance", str(_ETHER_EACH)]
        command += ["--block-base-fee-per-gas", str(BASE_FEE), "--no-request-size-limit"]
        if state is not None:
            command += ["--load-state", str(state)]
        if timestamp is not None:
            command += ["--timestamp", str(timestamp)]
        self.log = places.LOGS / f"anvil-{self.port}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # Past states fill gigabytes, which anvil would leave in the home folder.
        self._states = self.log.with_suffix(".states")
        shutil.rmtree(self._states, ignore_errors=True)
        command += ["--cache-path", str(self._states)]
        with self.log.open("wb") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 -- our own binary and arguments
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # A Ctrl-C in the terminal is for us; we stop the node ourselves.
                    start_new_session=True,
                )
            except OSError as error:
                raise NodeStartError(f"{binary} cannot be run: {error.strerror}") from error
        self.w3 = connect(self.url)
        self._ready = False
        try:
            self._wait_ready(timeout)
            self._ready = True
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def rpc(self, method: str, *params: Any) -> Any:
        """Send one raw request and return its result. Raises `SandboxError` with the node's message."""
        return rpc(self.w3, method, *params)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the process to end; false when it still runs after `timeout` seconds."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Stop the process, and only it, and drop what it wrote, but its log if it never got ready. Harmless when it is gone already."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._states, ignore_errors=True)
        if self._ready:
            self.log.unlink(missing_ok=True)

    def _wait_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            if self._process.poll() is not None:
                said = self.log.read_text(errors="replace").strip().splitlines() or ["nothing"]
                if "in use" in said[-1]:
                    raise PortInUseError(f"port {self.port} is in use")
                raise NodeStartError(
                    f"anvil ended with code {self._process.returncode}; it said: {said[-1][:200]}"
                )
            try:
                if int(self.rpc("eth_chainId"), 16) == self.chain_id:
                    return
            except (RequestException, OSError):
                pass
            if time.monotonic() > deadline:
                raise NodeStartError(
                    f"anvil did not answer on port {self.port} within {timeout:g} s; see {self.log}"
                )
            time.sleep(0.01)


def connect(url: str) -> Web3:
    """Return a Web3 on `url` that sends one request for one question: no middleware, no retries."""
    provider = HTTPProvider(url, request_kwargs={"timeout": 60}, exception_retry_configuration=None)
    return Web3(provider, middleware=[])


def rpc(w3: Web3, method: str, *params: Any) -> Any:
    """Send one raw request and return its result. Raises `SandboxError` with the node's message."""
    answer = w3.provider.make_request(RPCEndpoint(method), list(params))
    if answer.get("error"):
        raise SandboxError(f"{method}: {dict(answer['error']).get('message', answer['error'])}")
    return answer["result"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> int:
    """Return `port` if it can be listened on. Raises `PortInUseError`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise PortInUseError(
                f"port {port} cannot be taken: {getattr(error, 'strerror', None) or error}"
            ) from error
    return port
