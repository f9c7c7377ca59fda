"""The keeper's key: an encrypted key file (Web3 Secret Storage v3) named by the environment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from eth_account import Account

from evenkeel._errors import InputError
from evenkeel.chain.signing import KeySigner

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYSTORE = "EVENKEEL_KEYSTORE"
PASSWORD_FILE = "EVENKEEL_KEYSTORE_PASSWORD_FILE"  # noqa: S105 - the name of a variable, not a password


def load(environment: Mapping[str, str] | None = None) -> KeySigner | None:
    """Return the signer of the key file that the environment names, or None when it names none.

    Raises InputError when a file is named but missing, unreadable or not a key file, and when the password does not open it.
    """
    env = os.environ if environment is None else environment
    named = env.get(KEYSTORE, "")
    if not named:
        return None
    path = Path(named)
    text = _read(path, KEYSTORE)
    password_name = env.get(PASSWORD_FILE, "")
    if not password_name:
        raise InputError(f"{PASSWORD_FILE}: expected a file with the password of the key file {path}")
    password = _read(Path(password_name), PASSWORD_FILE).rstrip("\r\n")
    try:
        keyfile = json.loads(text)
    except ValueError:
        keyfile = None
    if not isinstance(keyfile, dict) or "crypto" not in {str(key).lower() for key in keyfile}:
        raise InputError(f"{KEYSTORE}: {path} is not a version 3 key file")
    try:
        key = Account.decrypt(keyfile, password)
    except (ValueError, TypeError, KeyError):
        # No chaining: the cause could carry what was decrypted.
        raise InputError(f"{KEYSTORE}: the password in {password_name} does not open {path}") from None
    return KeySigner(Account.from_key(key))


def _read(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{variable}: no file at {path}") from None
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{variable}: cannot read {path}") from None
