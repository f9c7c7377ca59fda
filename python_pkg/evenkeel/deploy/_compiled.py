"""Creation code and calldata of our contracts, from what the compiler wrote."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector

from evenkeel.deploy.errors import DeploymentError


def creation(contract: str, *args: Any) -> bytes:
    """Return creation code with the constructor's arguments. Raises `DeploymentError`."""
    compiled = _artifact(contract)
    code = compiled["bytecode"]["object"].removeprefix("0x")
    inputs: list[Any] = next(
        (item["inputs"] for item in compiled["abi"] if item["type"] == "constructor"), []
    )
    return bytes.fromhex(code) + _encode(contract, inputs, args)


def calldata(contract: str, function: str, *args: Any) -> bytes:
    """Return calldata of `function`, a name that the contract has once. Raises `DeploymentError`."""
    entry = _function(contract, function)
    return bytes(function_abi_to_4byte_selector(entry)) + _encode(
        f"{contract}.{function}", entry["inputs"], args
    )


def selector(contract: str, function: str) -> bytes:
    """Return the four bytes that name `function`."""
    return bytes(function_abi_to_4byte_selector(_function(contract, function)))


def runtime_size(contract: str) -> int:
    """Return how many bytes of code the contract leaves on chain."""
    return len(_artifact(contract)["deployedBytecode"]["object"].removeprefix("0x")) // 2


def _function(contract: str, function: str) -> Any:
    found = [item for item in _artifact(contract)["abi"] if item.get("name") == function]
    found = [item for item in found if item["type"] == "function"]
    if len(found) != 1:
        raise DeploymentError(f"{contract}: {len(found)} functions are called {function}, expected one")
    return found[0]


def _encode(what: str, inputs: list[Any], args: tuple[Any, ...]) -> bytes:
    try:
        return encode([collapse_if_tuple(item) for item in inputs], args)
    except Exception as error:
        raise DeploymentError(f"{what}: arguments do not fit its ABI ({error})") from error


@lru_cache(maxsize=64)
def _artifact(contract: str) -> Any:
    named = os.environ.get("EVENKEEL_ARTIFACTS")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "out"
    path = folder / f"{contract}.sol" / f"{contract}.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DeploymentError(
            f"{contract}: no compiled contract at {path}; run `make build` first"
        ) from error
