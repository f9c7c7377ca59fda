"""Generate packages of bindings, compare them with what is there, and write them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from evenkeel.bindings._generator.emit_contract import emit_contract
from evenkeel.bindings._generator.emit_shared import emit_errors, emit_events, emit_package, emit_types
from evenkeel.bindings._generator.errors import GeneratorError
from evenkeel.bindings._generator.model import ContractModel, TypeBook, read_contract
from evenkeel.bindings._generator.naming import snake
from evenkeel.bindings._generator.sources import read_sources
from evenkeel.bindings._generator.targets import OURS
from evenkeel.bindings._runtime.deployment import artifacts_folder

BINDINGS = Path(__file__).resolve().parents[1]
CHECKOUT = BINDINGS.parents[2]
_FIRST = 'lint.isort.known-first-party = ["evenkeel"]'  # else it depends on which files are there already
_LINT = ("check", "--fix-only", "--quiet", "--select", "I,F401,RUF022", "--config", _FIRST)
_SUMMARY = """Contracts as typed values, over any `Web3`.

    vault = Vault(address, w3)
    swap = venue.swap(token, size, limit_price)           # a Call: nothing has happened yet
    swap.read(block, sender)                              # what it would return, in one request
    batch(w3, [vault.nav(), vault.venues()])              # several, at one block
    vault.rebalance([Instruction(swap.to, swap.data)], deadline, plan_id).send(signer)

Structs and enums are in `types`, custom errors in `errors`, events in `events`, the protocols' own contracts in `external`.
Arguments are checked before anything is sent (`ArgumentError`); a revert is raised as the contract's own error.
"""
_RUNTIME = (
    "ArgumentError",
    "ArtifactError",
    "BindingError",
    "Call",
    "Contract",
    "ContractError",
    "DecodeError",
    "Deployment",
    "Event",
    "LogRef",
    "NoAnswerError",
    "Receipt",
    "RpcError",
    "UnknownBlockError",
    "batch",
    "decode_error",
    "decode_log",
    "decode_logs",
    "try_batch",
)


@dataclass(frozen=True, slots=True)
class Generated:
    """Files of one package: name to text."""

    folder: Path
    files: dict[str, str]

    def differences(self) -> list[str]:
        """What is on disk and not the same, one line a file."""
        out = []
        for name, text in sorted(self.files.items()):
            path = self.folder / name
            if not path.exists():
                out.append(f"{name} is missing")
            elif path.read_text(encoding="utf-8") != text:
                out.append(f"{name} is out of date")
        out += [f"{path.name} is left over" for path in self._left_over()]
        return out

    def write(self) -> list[str]:
        """Make the folder hold these files; returns the names of those that changed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self._left_over():
            path.unlink()
        changed = []
        for name, text in sorted(self.files.items()):
            path = self.folder / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                changed.append(name)
        return changed

    def _left_over(self) -> list[Path]:
        return [path for path in sorted(self.folder.glob("*.py")) if path.name not in self.files]


def generate_ours() -> Generated:
    """Bindings of this project's contracts. Raises `GeneratorError`."""
    book = TypeBook(read_sources([CHECKOUT / "contracts"]))
    folder = artifacts_folder()
    contracts = [read_contract(target.name, folder, target.artifact, book) for target in OURS]
    files = render(contracts, book, "evenkeel.bindings", _SUMMARY, runtime=_RUNTIME)
    tidied = {name: _tidy(BINDINGS / name, text) for name, text in files.items()}
    return Generated(BINDINGS, tidied)


def render(
    contracts: list[ContractModel], book: TypeBook, package: str, summary: str, runtime: tuple[str, ...] = ()
) -> dict[str, str]:
    """The modules of a package, not yet formatted."""
    modules = {contract.name: snake(contract.name) for contract in contracts}
    files = {f"{modules[contract.name]}.py": emit_contract(contract, book, package) for contract in contracts}
    files["errors.py"] = emit_errors(contracts, book, package)
    files["events.py"] = emit_events(contracts, book, package)
    files["types.py"] = emit_types(book)
    files["__init__.py"] = emit_package(modules, package, summary, runtime)
    return files


def _tidy(path: Path, text: str) -> str:
    if importlib.util.find_spec("ruff") is None:
        raise GeneratorError(
            "ruff is not installed; the checked-in bindings are formatted with it (`make setup`)"
        )
    for arguments in (_LINT, ("format", "--quiet")):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(path), "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=CHECKOUT, check=False)  # noqa: S603 - our own interpreter and arguments
        if done.returncode != 0:
            raise GeneratorError(f"{path.name}: ruff refused it: {done.stderr.strip().splitlines()[:1]}")
        text = done.stdout
    return text
