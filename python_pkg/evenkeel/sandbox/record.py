"""What a deployment has done, as a file of JSON lines: appended to, never rewritten, so that a kill loses no line."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eth_typing import ChecksumAddress

from evenkeel import InputError


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a deployment.

    `address` is what it creates (None for a call); `hash` is None until it was sent, `block` until it was mined.
    """

    name: str
    sender: ChecksumAddress
    nonce: int
    address: ChecksumAddress | None = None
    hash: str | None = None
    block: int | None = None


class Record:
    """The steps of one deployment by one account on one chain. Raises `InputError` for a file of another."""

    def __init__(self, path: Path | None, *, chain_id: int, account: ChecksumAddress, genesis: str) -> None:
        self.sent = 0
        self._path = path
        self._steps: dict[str, Step] = {}
        self._values: dict[str, int] = {}
        head: dict[str, Any] = {"chain_id": chain_id, "account": account, "genesis": genesis}
        if path is not None and path.exists():
            self._read(path, head)
        else:
            self._append(head)

    def get(self, name: str) -> Step | None:
        """Return the step of this name, or None where nothing was sent for it."""
        return self._steps.get(name)

    def unsettled(self) -> tuple[Step, ...]:
        """List the steps whose transaction was not seen mined, by nonce."""
        return tuple(sorted((s for s in self._steps.values() if s.block is None), key=lambda s: s.nonce))

    def put(self, step: Step) -> None:
        """Record what is known of a step now."""
        self._steps[step.name] = step
        self._append(asdict(step))

    def drop(self, name: str) -> None:
        """Forget a step: its transaction never happened, or failed."""
        del self._steps[name]
        self._append({"name": name, "dropped": True})

    def remember(self, name: str, value: int) -> int:
        """Return the value kept under `name`, or keep `value` there."""
        if name not in self._values:
            self._values[name] = value
            self._append({"name": name, "value": value})
        return self._values[name]

    def remembers(self, name: str) -> bool:
        """Whether a value is kept under `name`."""
        return name in self._values

    def _append(self, line: dict[str, Any]) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self, path: Path, head: dict[str, Any]) -> None:
        text = path.read_text()
        complete = text[: text.rfind("\n") + 1]
        if complete != text:
            # A kill in the middle of a write leaves part of a line; its transaction was not yet sent.
            path.write_text(complete)
        lines = complete.splitlines()
        if not lines:
            self._append(head)
            return
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
                if number == 1:
                    found = {key: entry[key] for key in head}
                elif entry.get("dropped"):
                    self._steps.pop(entry["name"], None)
                elif "value" in entry:
                    self._values[entry["name"]] = int(entry["value"])
                else:
                    step = Step(**entry)
                    self._steps[step.name] = step
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"{path}, line {number}: not a line of a deployment's record") from error
        wrong = next((key for key in head if found[key] != head[key]), None)
        if wrong is not None:
            raise InputError(
                f"{path}: recorded {wrong} {found[wrong]}, but this is {head[wrong]}; move the file away to start anew"
            )
