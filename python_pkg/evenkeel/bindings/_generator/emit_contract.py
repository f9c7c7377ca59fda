"""The module of one contract."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from evenkeel.bindings._generator.errors import GeneratorError
from evenkeel.bindings._generator.model import ContractModel, Item, TypeBook
from evenkeel.bindings._generator.naming import distinct, function_name, pascal, result_field, snake
from evenkeel.bindings._generator.text import NOTICE, docstring, item_doc, python_type, spec, used_types


def method_names(functions: Iterable[Item]) -> dict[str, str]:
    """Signature to method name. Overloads get their number of arguments behind the name, or, where two have the same
    number, their argument types: `transfer_2`, `get_address`, `get_uint256`.
    """
    functions = list(functions)
    count = Counter(function_name(item.name) for item in functions)
    arity = Counter((function_name(item.name), len(item.inputs)) for item in functions)
    names: dict[str, str] = {}
    for item in functions:
        name = function_name(item.name)
        if count[name] > 1:
            if arity[name, len(item.inputs)] == 1:
                name = f"{name}_{len(item.inputs)}"
            else:
                kinds = [re.sub(r"\W+", "_", value.type).strip("_").lower() for value in item.inputs]
                name = "_".join([name.rstrip("_"), *kinds])
        if name in names.values():
            raise GeneratorError(f"{item.signature}: another function is called {name} too")
        names[item.signature] = name
    return names


def emit_contract(contract: ContractModel, book: TypeBook, package: str) -> str:
    """The module of one contract."""
    names = method_names(contract.functions)
    constants: list[str] = []
    results: list[str] = []
    methods: list[str] = []
    for item in contract.functions:
        method = names[item.signature]
        arguments = distinct(snake(value.name) for value in item.inputs)
        returned, result = _returned(item, method, results)
        constant = f"_{method.upper().strip('_')}"
        constants += [
            f"{constant} = Function[{returned}](",
            f'    "{contract.name}.{item.name}", "{item.hash[:4].hex()}", "{spec(item.inputs, arguments)}",',
            f'    "{", ".join(value.type for value in item.outputs)}", vars(types), view={item.view},',
            f"    result={result}," if result else "",
            ")",
        ]
        typed = [
            f"{name}: {python_type(value.type, 'argument')}"
            for value, name in zip(item.inputs, arguments, strict=True)
        ]
        methods += [f"    def {method}({', '.join(['self', *typed])}) -> Call[{returned}]:"]
        methods += [docstring(item_doc(item, snake), f"`{item.signature}`", "        ", "Args", "Returns")]
        methods += [f"        return self._call({', '.join([constant, *arguments])})", ""]
    kinds = [value.type for item in contract.functions for value in (*item.inputs, *item.outputs)]
    deploy: list[str] = []
    if contract.constructor is not None:
        kinds += [value.type for value in contract.constructor.inputs]
        deploy = _deploy(contract, contract.constructor)
    body = "\n".join([*results, "", *constants])
    text = "\n".join(
        [
            "",
            f"class {contract.name}(Contract):",
            docstring(contract.doc, f"The contract `{contract.name}`.", "    "),
            "",
            "    __slots__ = ()",
            "",
            *methods,
            *deploy,
        ]
    )
    return _header(contract, book, package, kinds, body + text) + body + "\n" + text + "\n"


def _returned(item: Item, method: str, results: list[str]) -> tuple[str, str]:
    kinds = [python_type(value.type, "result") for value in item.outputs]
    if len(kinds) < 2:
        return (kinds[0] if kinds else "None"), ""
    if not all(value.name for value in item.outputs):
        return f"tuple[{', '.join(kinds)}]", ""
    name = f"{pascal(method)}Result"
    fields = distinct(result_field(value.name) for value in item.outputs)
    results += ["", f"class {name}(NamedTuple):", f'    """What `{item.name}` returns."""', ""]
    results += [f"    {field}: {kind}" for field, kind in zip(fields, kinds, strict=True)]
    results += [""]
    return name, name


def _deploy(contract: ContractModel, constructor: Item) -> list[str]:
    arguments = distinct(snake(value.name) for value in constructor.inputs)
    typed = [
        f"{name}: {python_type(value.type, 'argument')}"
        for value, name in zip(constructor.inputs, arguments, strict=True)
    ]
    return [
        "    @classmethod",
        f"    def deploy({', '.join(['cls', *typed])}) -> Deployment[{contract.name}]:",
        docstring(item_doc(constructor, snake), f"Creation code of `{contract.name}`.", "        ", "Args"),
        f"        return _CONSTRUCTOR({', '.join([contract.name, *arguments])})",
        "",
        "",
        f'_CONSTRUCTOR = Constructor[{contract.name}]("{contract.artifact}",',
        f'    "{spec(constructor.inputs, arguments)}", vars(types))',
    ]


def _header(contract: ContractModel, book: TypeBook, package: str, kinds: Iterable[str], text: str) -> str:
    runtime = ["Call", "Contract", "Function"]
    if "Deployment[" in text:
        runtime += ["Constructor", "Deployment"]
    lines = [f'"""Contract `{contract.name}`. {NOTICE}"""', "", "from __future__ import annotations", ""]
    if "Sequence[" in text:
        lines += ["from collections.abc import Sequence"]
    if "(NamedTuple)" in text:
        lines += ["from typing import NamedTuple"]
    if "ChecksumAddress" in text:
        lines += ["from eth_typing import ChecksumAddress"]
    lines += [
        f"from evenkeel.bindings._runtime import {', '.join(sorted(runtime))}",
        f"from {package} import types",
    ]
    if used := used_types(kinds, book):
        lines += [f"from {package}.types import {', '.join(sorted(used))}"]
    return "\n".join(lines) + "\n\n"
