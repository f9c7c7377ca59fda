"""Artifacts read into what the bindings need of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from evenkeel.bindings._generator.errors import GeneratorError
from evenkeel.bindings._generator.sources import Doc, Sources


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, return value or field. `type` is its Solidity type, with structs and enums under their class names."""

    name: str
    type: str
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A function, event or error."""

    name: str
    signature: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...] = ()
    view: bool = False
    doc: Doc = field(default_factory=Doc)

    @property
    def hash(self) -> bytes:
        """keccak of the signature: the selector's source, the event's topic."""
        return keccak(text=self.signature)


@dataclass(frozen=True, slots=True)
class ContractModel:
    """One contract."""

    name: str
    artifact: str
    doc: Doc
    functions: tuple[Item, ...]
    events: tuple[Item, ...]
    errors: tuple[Item, ...]
    constructor: Item | None


@dataclass(slots=True)
class TypeBook:
    """The structs and enums met so far, by class name. Equal ones of several contracts are one class."""

    sources: Sources
    structs: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def value(self, entry: dict[str, Any]) -> Value:
        """One ABI entry as a `Value`, its structs and enums noted."""
        return Value(entry.get("name", ""), self._type(entry), bool(entry.get("indexed", False)))

    def _type(self, entry: dict[str, Any]) -> str:
        kind: str = entry["type"]
        internal: str = entry.get("internalType", kind)
        if kind.startswith("tuple"):
            return self._struct(internal, entry["components"]) + kind.removeprefix("tuple")
        if internal.startswith("enum "):
            name = internal.removeprefix("enum ").partition("[")[0].rpartition(".")[2]
            if name in self.sources.enums:
                self.enums[name] = self.sources.enums[name]
                return name + kind.removeprefix("uint8")
        if kind == "function":
            return "bytes24"
        return kind

    def _struct(self, internal: str, components: list[dict[str, Any]]) -> str:
        if not internal.startswith("struct "):
            raise GeneratorError(
                f"a tuple without a struct name ({internal}): compile with a Solidity of 0.5.11 or later"
            )
        container, _, name = internal.removeprefix("struct ").partition("[")[0].rpartition(".")
        fields = tuple(self.value(one) for one in components)
        for candidate in (name, f"{container.replace('.', '')}{name}"):
            if self.structs.setdefault(candidate, fields) == fields:
                return candidate
        raise GeneratorError(f"struct {internal} has two layouts")


def read_contract(
    name: str, folder: Path, artifact: str, book: TypeBook, *, deployable: bool = True
) -> ContractModel:
    """Read `artifact` below `folder`, in the format of foundry, hardhat or Chainlink's package.

    Raises `GeneratorError` when it is not there.
    """
    try:
        content = json.loads((folder / artifact).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GeneratorError(f"{folder / artifact}: no such compiled contract; run `make build`") from None
    content = content.get("compilerOutput", content)
    docs = _Docs(content.get("rawMetadata"), book.sources)
    items: dict[str, list[Item]] = {"function": [], "event": [], "error": [], "constructor": []}
    for entry in content["abi"]:
        if entry["type"] in items:
            items[entry["type"]].append(_item(entry, book, docs))
    constructor = None
    if deployable and content["bytecode"]["object"].removeprefix("0x"):
        constructor = (
            items["constructor"][0] if items["constructor"] else Item("constructor", "constructor()", ())
        )
    return ContractModel(
        name,
        artifact,
        docs.contract,
        tuple(sorted(items["function"], key=lambda item: item.signature)),
        tuple(sorted(items["event"], key=lambda item: item.signature)),
        tuple(sorted(items["error"], key=lambda item: item.signature)),
        constructor,
    )


def _item(entry: dict[str, Any], book: TypeBook, docs: _Docs) -> Item:
    name = entry.get("name", "constructor")
    signature = f"{name}({','.join(canonical(one) for one in entry.get('inputs', []))})"
    return Item(
        name,
        signature,
        tuple(book.value(one) for one in entry.get("inputs", [])),
        tuple(book.value(one) for one in entry.get("outputs", [])),
        entry.get("stateMutability") in ("view", "pure"),
        docs.of(entry["type"], signature),
    )


def canonical(entry: dict[str, Any]) -> str:
    """The type of an ABI entry as it stands in signatures."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(canonical(one) for one in entry['components'])}){kind.removeprefix('tuple')}"


class _Docs:
    """NatSpec of one contract, out of its metadata: what our own sources say, not what imported contracts say."""

    def __init__(self, metadata: str | None, sources: Sources) -> None:
        # foundry's parsed `metadata` leaves out what is said about the contract itself
        parsed = json.loads(metadata or "{}")
        output = parsed.get("output", {})
        self._user = output.get("userdoc", {})
        self._dev = output.get("devdoc", {})
        self._sources = sources
        # the compiler joins paragraphs, so the notice of a contract is left where it can be read
        said = self._join(self._dev.get("title", ""))
        source = next(iter(parsed.get("settings", {}).get("compilationTarget", {})), "")
        self.contract = Doc(f"{said} Specified in `{source}`." if said else "")

    def of(self, kind: str, signature: str) -> Doc:
        group = {"function": "methods", "event": "events", "error": "errors", "constructor": "methods"}[kind]
        key = "constructor" if kind == "constructor" else signature
        user, dev = (_first(docs.get(group, {}).get(key, {})) for docs in (self._user, self._dev))
        return Doc(
            self._join(user.get("notice", ""), dev.get("details", "")),
            self._ours(dev.get("params", {})),
            self._ours(dev.get("returns", {})),
        )

    def _join(self, *parts: str) -> str:
        said = [part.strip() for part in parts if part and self._sources.wrote(part)]
        return " ".join(part if part[-1] in ".?!:;" else f"{part}." for part in said)

    def _ours(self, named: dict[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((name, what.strip()) for name, what in named.items() if self._sources.wrote(what))


def _first(entry: Any) -> dict[str, Any]:
    # errors carry a list, one an inherited declaration
    found = entry[0] if isinstance(entry, list) and entry else entry
    return found if isinstance(found, dict) else {}
