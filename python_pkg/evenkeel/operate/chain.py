"""The chain that a script works on, and who signs there. Brownie's objects come in as arguments: nothing here imports it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from eth_account import Account
from requests.exceptions import RequestException
from web3 import Web3

from evenkeel import EvenkeelError
from evenkeel.chain import LocalSigner, NodeSigner, Rpc, keystore
from evenkeel.chain.signing import LOCAL_CHAINS
from evenkeel.operate.errors import OperateError
from evenkeel.sandbox.accounts import VOL_SIGNER_ROLES, addresses
from evenkeel.sandbox.accounts import VOL_THRESHOLD as SANDBOX_THRESHOLD
from evenkeel.sandbox.node import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eth_typing import ChecksumAddress

    from evenkeel.chain import Signer

RPC: Final = "EVENKEEL_RPC"
ACCOUNT: Final = "EVENKEEL_ACCOUNT"
VOL_SIGNERS: Final = "EVENKEEL_VOL_SIGNERS"
VOL_THRESHOLD: Final = "EVENKEEL_VOL_THRESHOLD"
DELAY: Final = "EVENKEEL_DELAY"
_LONGEST_DELAY: Final = 30 * 86_400
SANDBOX: Final = "evenkeel-sandbox"
"""The network that set-up adds to Brownie, on port 8545; $EVENKEEL_RPC names a sandbox on another one."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain. `load` opens a Brownie account by its name: `brownie.accounts.load`, or None where there is no Brownie.

    `w3` is not Brownie's own, whose middleware answers from a cache on disk that takes one chain for another of the same id.
    """

    url: str
    w3: Web3
    chain_id: int
    load: Callable[[str], Any] | None = None

    @classmethod
    def at(cls, url: str, load: Callable[[str], Any] | None = None) -> Chain:
        """Connect. Raises `UnreachableRpc` and `InputError`."""
        return cls(url, connect(url), Rpc(url).chain_id(), load)

    @classmethod
    def of_brownie(cls, web3: Any, network: str, load: Callable[[str], Any]) -> Chain:
        """Connect to the node of `brownie.web3` on `network`."""
        named = os.environ.get(RPC) if network == SANDBOX else None
        url = named or getattr(web3.provider, "endpoint_uri", None)
        if url is None:
            raise OperateError(f"network {network}: expected one with an HTTP host")
        return cls.at(str(url), load)

    @property
    def sandbox(self) -> bool:
        """Whether the node is a sandbox's: a local chain that holds the public accounts."""
        return self.chain_id in LOCAL_CHAINS and addresses()["deployer"] in self.w3.eth.accounts

    def role(self, name: str, default: ChecksumAddress) -> ChecksumAddress:
        """Return who holds the role `name`: $EVENKEEL_<NAME>, else the sandbox's account of that name, else `default`."""
        return _named(name) or (addresses()[name] if self.sandbox else default)

    def governor(self) -> ChecksumAddress | None:
        """Return $EVENKEEL_GOVERNOR; None leaves the deployer in charge."""
        return _named("governor")

    def vol_signers(self) -> tuple[tuple[ChecksumAddress, ...], int]:
        """Return who signs vols, and how many must.

        They are $EVENKEEL_VOL_SIGNERS, addresses with commas between them, and $EVENKEEL_VOL_THRESHOLD (default: more than half); else a sandbox's
        three, two of them; else nobody. Raises `OperateError`.
        """
        given = os.environ.get(VOL_SIGNERS, "")
        if not given:
            if not self.sandbox:
                return (), 0
            return tuple(addresses()[role] for role in VOL_SIGNER_ROLES), SANDBOX_THRESHOLD
        found = tuple(_address(VOL_SIGNERS, text.strip()) for text in given.split(","))
        text = os.environ.get(VOL_THRESHOLD, "") or str(len(found) // 2 + 1)
        if not text.isdigit() or not 0 < int(text) <= len(set(found)):
            raise OperateError(
                f"{VOL_THRESHOLD}: expected 1 to {len(set(found))}, the number of signers, got {text}"
            )
        return found, int(text)

    def delay(self) -> int:
        """Return $EVENKEEL_DELAY, seconds that what may raise risk waits; 0 where it is not set. Raises `OperateError`."""
        text = os.environ.get(DELAY, "0")
        if not text.isdecimal() or int(text) > _LONGEST_DELAY:
            raise OperateError(f"{DELAY}: expected whole seconds, at most {_LONGEST_DELAY}, got {text!r}")
        return int(text)

    def signer(self, role: str) -> Signer:
        """Return the account to act as `role`.

        That is the key file of $EVENKEEL_KEYSTORE, else the Brownie account named by $EVENKEEL_ACCOUNT, else the sandbox's
        account of that role, which its node signs for. Raises `OperateError` and `InputError`.
        """
        key = keystore.load()
        if key is not None:
            return LocalSigner(key.account)
        name = os.environ.get(ACCOUNT)
        if name:
            return LocalSigner(Account.from_key(self._open(name)))
        if self.sandbox:
            return NodeSigner(addresses()[role])
        raise OperateError(
            f"{ACCOUNT}: expected the name of a Brownie account, or a key file in {keystore.KEYSTORE}, to act as {role}"
        )

    def _open(self, name: str) -> str:
        if self.load is None:
            raise OperateError(
                f"{ACCOUNT}: Brownie accounts are for Brownie's scripts; use {keystore.KEYSTORE} here"
            )
        try:
            return str(self.load(name).private_key)
        except FileNotFoundError:
            raise OperateError(
                f"{ACCOUNT}: Brownie has no account {name}; `brownie accounts list` shows all"
            ) from None
        except ValueError:
            raise OperateError(f"{ACCOUNT}: the password does not open {name}") from None


def number(what: str, text: str) -> float:
    """Read a script's argument `what`. Raises `OperateError` unless it is a number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (value >= 0 and isfinite(value)):
        raise OperateError(f"{what}: expected a number of 0 or more, got {text}")
    return value


def flag(word: str, text: str) -> bool:
    """Read a script's argument that is `word` or nothing. Raises `OperateError` for anything else."""
    if text not in ("", word):
        raise OperateError(f"expected {word!r} or nothing, got {text!r}")
    return text == word


def _named(role: str) -> ChecksumAddress | None:
    variable = f"EVENKEEL_{role.upper()}"
    given = os.environ.get(variable)
    return _address(variable, given) if given else None


def _address(variable: str, given: str) -> ChecksumAddress:
    if not Web3.is_address(given) or int(given, 16) == 0:
        raise OperateError(f"{variable}: expected an address that is not zero, got {given}")
    return Web3.to_checksum_address(given)


@contextmanager
def one_line() -> Iterator[None]:
    """End a script with one line on standard error and exit code 2 where something it was given is wrong."""
    try:
        yield
    except EvenkeelError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(2) from None
    except RequestException as error:
        # Its text may hold the URL, and a URL may hold a key.
        sys.stderr.write(f"error: the RPC did not answer ({type(error).__name__})\n")
        raise SystemExit(2) from None
