"""The modules that contracts share: structs and enums, errors, events, and the package's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from evenkeel.bindings._generator.errors import GeneratorError
from evenkeel.bindings._generator.model import ContractModel, Item, TypeBook, Value
from evenkeel.bindings._generator.naming import class_name, distinct, error_field, event_field, pascal, snake
from evenkeel.bindings._generator.sources import Doc
from evenkeel.bindings._generator.text import NOTICE, docstring, item_doc, python_type, spec, used_types

_DYNAMIC = re.compile(r"\]$|^bytes$|^string$")


def emit_types(book: TypeBook) -> str:
    """The module of structs and enums."""
    lines = [f'"""Structs and enums. {NOTICE}"""', ""]
    if book.structs:
        lines += ["from dataclasses import dataclass"]
    if book.enums:
        lines += ["from enum import IntEnum"]
    if book.structs:
        lines += ["from typing import ClassVar"]
    lines += ["", f"__all__ = {sorted([*book.structs, *book.enums])!r}", ""]
    for name in sorted(book.enums):
        doc = book.sources.docs.get(name, Doc())
        lines += ["", f"class {name}(IntEnum):", docstring(doc, f"Solidity's enum `{name}`.", "    "), ""]
        lines += [f"    {snake(member).upper()} = {index}" for index, member in enumerate(book.enums[name])]
        lines += [""]
    for name in _by_dependency(book):
        doc = book.sources.docs.get(name, Doc())
        names = distinct(snake(value.name) for value in book.structs[name])
        doc = Doc(doc.text, tuple((snake(param), what) for param, what in doc.params))
        lines += ["", "@dataclass(frozen=True, slots=True)", f"class {name}:"]
        lines += [docstring(doc, f"Solidity's struct `{name}`.", "    "), ""]
        types = ", ".join(f'"{value.type}"' for value in book.structs[name])
        lines += [f"    __abi__: ClassVar[tuple[str, ...]] = ({types},)", ""]
        for value, field in zip(book.structs[name], names, strict=True):
            lines += [f"    {field}: {python_type(value.type, 'field')}"]
        lines += [""]
    return "\n".join(lines) + "\n"


def _by_dependency(book: TypeBook) -> list[str]:
    done: list[str] = []

    def visit(name: str) -> None:
        for used in sorted(used_types((value.type for value in book.structs[name]), book)):
            if used in book.structs and used not in done:
                visit(used)
        if name not in done:
            done.append(name)

    for name in sorted(book.structs):
        visit(name)
    return done


def _unique(items: Iterable[tuple[str, Item]], *, indexed: bool = False) -> dict[str, Item]:
    """Class name to item; equal declarations once, one name with several signatures told apart by its contract."""
    found: dict[str, Item] = {}
    for contract, item in items:

        def key(one: Item) -> object:
            return one.signature, [value.indexed for value in one.inputs] if indexed else None

        name = class_name(pascal(item.name))
        for candidate in (name, f"{contract}{name}"):
            if key(found.setdefault(candidate, item)) == key(item):
                if item.doc.text and not found[candidate].doc.text:
                    found[candidate] = item
                break
        else:
            raise GeneratorError(f"{contract}: {item.signature} is declared in too many ways")
    return dict(sorted(found.items()))


def emit_errors(contracts: Iterable[ContractModel], book: TypeBook, package: str) -> str:
    """The module of custom errors."""
    found = _unique((contract.name, item) for contract in contracts for item in contract.errors)
    used = used_types((value.type for item in found.values() for value in item.inputs), book)
    runtime = ["ContractError", "Panic", "RevertReason", "decode_error"]
    lines = [f'"""Custom errors. {NOTICE}"""', "", "from typing import ClassVar", ""]
    lines += [f"from evenkeel.bindings._runtime import {', '.join([*runtime, 'register_errors'])}"]
    lines += [f"from {package} import types"]
    if used:
        lines += [f"from {package}.types import {', '.join(sorted(used))}"]
    lines += ["", f"__all__ = {sorted([*runtime, *found])!r}", ""]
    for name, item in found.items():
        names = distinct(error_field(value.name) for value in item.inputs)
        lines += [
            "",
            f"class {name}(ContractError):",
            docstring(item_doc(item, error_field), f"`{item.signature}`", "    "),
            "",
        ]
        lines += [f'    SELECTOR = bytes.fromhex("{item.hash[:4].hex()}")']
        if item.inputs:
            lines += [f'    FIELDS: ClassVar[str] = "{spec(item.inputs, names)}"', "    TYPES = vars(types)"]
        lines += [
            f"    {field}: {python_type(value.type, 'field')}"
            for value, field in zip(item.inputs, names, strict=True)
        ]
        lines += [""]
    lines += ["", "register_errors(", *[f"    {name}," for name in found], ")"]
    return "\n".join(lines) + "\n"


def emit_events(contracts: Iterable[ContractModel], book: TypeBook, package: str) -> str:
    """The module of events."""
    found = _unique(
        ((contract.name, item) for contract in contracts for item in contract.events), indexed=True
    )
    used = used_types((value.type for item in found.values() for value in item.inputs), book)
    runtime = ["Event", "LogRef", "decode_log", "decode_logs"]
    lines = [f'"""Events. {NOTICE}"""', "", "from dataclasses import dataclass", ""]
    lines += [f"from evenkeel.bindings._runtime import {', '.join([*runtime, 'register_events'])}"]
    lines += [f"from {package} import types"]
    if used:
        lines += [f"from {package}.types import {', '.join(sorted(used))}"]
    lines += ["", f"__all__ = {sorted([*runtime, *found])!r}", ""]
    for name, item in found.items():
        names = distinct(event_field(value.name) for value in item.inputs)
        shown = [
            Value(value.name, "bytes32", indexed=True)
            if value.indexed and _hashed(value.type, book)
            else value
            for value in item.inputs
        ]
        lines += ["", "@dataclass(frozen=True, slots=True)", f"class {name}(Event):"]
        lines += [docstring(item_doc(item, event_field), f"`{item.signature}`", "    "), ""]
        lines += [f'    TOPIC = bytes.fromhex("{item.hash.hex()}")']
        for label, wanted in (("INDEXED", True), ("DATA", False)):
            part = [
                (value, field) for value, field in zip(shown, names, strict=True) if value.indexed == wanted
            ]
            if part:
                lines += [f'    {label} = "{spec(*zip(*part, strict=True))}"']
        lines += ["    TYPES = vars(types)", ""]
        lines += [
            f"    {field}: {python_type(value.type, 'field')}"
            for value, field in zip(shown, names, strict=True)
        ]
        lines += [""]
    lines += ["", "register_events(", *[f"    {name}," for name in found], ")"]
    return "\n".join(lines) + "\n"


def _hashed(kind: str, book: TypeBook) -> bool:
    return bool(_DYNAMIC.search(kind)) or kind in book.structs


def emit_package(modules: Mapping[str, str], package: str, summary: str, runtime: Iterable[str]) -> str:
    """The `__init__` of the package: names come from their modules when they are first asked for."""
    places = dict.fromkeys(runtime, "_runtime") | dict(modules)
    lines = [
        f'"""{summary}\n{NOTICE}\n"""',
        "",
        "import importlib",
        "from typing import TYPE_CHECKING, Any",
        "",
    ]
    lines += ["if TYPE_CHECKING:"]
    for name, module in sorted(places.items()):
        source = "evenkeel.bindings._runtime" if module == "_runtime" else f"{package}.{module}"
        lines += [f"    from {source} import {name}"]
    lines += ["", f"__all__ = {sorted(places)!r}", "", "_MODULES = {"]
    for name, module in sorted(places.items()):
        source = "evenkeel.bindings._runtime" if module == "_runtime" else f"{package}.{module}"
        lines += [f'    "{name}": "{source}",']
    lines += ["}", "", "if not TYPE_CHECKING:  # a checker would take any name for one that is there"]
    lines += ["", "    def __getattr__(name: str) -> Any:", "        if name not in _MODULES:"]
    lines += ['            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")']
    lines += ["        found = getattr(importlib.import_module(_MODULES[name]), name)"]
    lines += ["        globals()[name] = found", "        return found"]
    return "\n".join(lines) + "\n"
