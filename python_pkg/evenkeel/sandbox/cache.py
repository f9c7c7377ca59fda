"""Deployed state on disk, under a hash of everything it depends on; restored by the node at start, never over RPC.

An entry is a folder `<price>-<start>-<hash>` with the node's state, the protocols file, and the digests of both. A damaged or outdated
entry is dropped with one line saying so.
"""

import fcntl
import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evenkeel import InputError
from evenkeel.deploy.protocols import Protocols
from evenkeel.sandbox import places
from evenkeel.sandbox.artifacts import own
from evenkeel.sandbox.errors import CacheError
from evenkeel.sandbox.packages import MANIFEST

_STATE, _PROTOCOLS, _DIGESTS = "state.json", "protocols.json", "digests.json"
_KEPT = 8
_OWN_CONTRACTS = ("ExchangeRates",)
_SOURCES = ("accounts.py", "artifacts.py", "build.py", "deployer.py", "node.py", "up.py", "protocols/*.py")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A deployed state: the file a node loads, and where everything is on it."""

    state: Path
    protocols: Protocols


def key(price: float, start: int) -> str:
    """Hash what the deployed state depends on: start price and time, packages, deployer sources, our artifacts, the node."""
    digest = hashlib.sha256(f"{price!r} {start}".encode())
    here = Path(__file__).parent
    for file in (MANIFEST, *(path for pattern in _SOURCES for path in sorted(here.glob(pattern)))):
        digest.update(file.read_bytes())
    for name in _OWN_CONTRACTS:
        digest.update(own(name).bytecode.encode())
    lock = places.ROOT / "package-lock.json"
    if lock.exists():
        digest.update(lock.read_bytes())
    return digest.hexdigest()[:16]


def load(
    price: float,
    start: int,
    build: Callable[[], tuple[str, Protocols]],
    *,
    folder: Path = places.CACHE,
    say: Say,
) -> Entry:
    """Return the entry for these inputs; where there is none that can be used, make it from `build`'s state dump.

    `build` returns what `anvil_dumpState` answered and the protocols. `say` gets one line whenever something is built.
    """
    name = key(price, start)
    label = f"{price:.10g}-{start}"
    final = folder / f"{label}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        why = "no cached state for these inputs"
        if final.exists():
            try:
                return _read(final)
            except (CacheError, InputError) as error:
                why = f"the cached state is damaged ({error})"
                shutil.rmtree(final, ignore_errors=True)
        outdated = [path for path in folder.glob(f"{label}-*") if path != final]
        if outdated and not why.startswith("the"):
            why = "the cached state is outdated"
        say(f"sandbox: {why}; deploying the protocols anew")
        dump, protocols = build()
        _write(final, dump, protocols)
        for path in outdated:
            shutil.rmtree(path, ignore_errors=True)
        _prune(folder)
        return _read(final)


def _read(entry: Path) -> Entry:
    try:
        digests = json.loads((entry / _DIGESTS).read_text())
        for name in (_STATE, _PROTOCOLS):
            if digests[name] != _digest(entry / name):
                raise CacheError(f"{name} is not what was written")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CacheError(f"{type(error).__name__} in {entry.name}") from error
    return Entry(entry / _STATE, Protocols.load(entry / _PROTOCOLS))


def _write(final: Path, dump: str, protocols: Protocols) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=final.parent))
    try:
        # The dump is hex of a gzipped JSON document; the node loads the document itself.
        (scratch / _STATE).write_bytes(gzip.decompress(bytes.fromhex(dump.removeprefix("0x"))))
        protocols.save(scratch / _PROTOCOLS)
        digests = {name: _digest(scratch / name) for name in (_STATE, _PROTOCOLS)}
        (scratch / _DIGESTS).write_text(json.dumps(digests))
        scratch.rename(final)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _prune(folder: Path) -> None:
    entries = sorted(
        (p for p in folder.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True
    )
    for path in entries[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Let one process at a time look and build, so that several starting together deploy once."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
