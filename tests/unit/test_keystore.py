"""The keeper's key file: every way it can be wrong is one line that holds no secret."""

import json

import pytest
from eth_account import Account

from evenkeel import InputError
from evenkeel.chain.keystore import KEYSTORE, PASSWORD_FILE, load

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def account():
    return Account.create()


@pytest.fixture
def environment(tmp_path, account):
    key, password = tmp_path / "key.json", tmp_path / "password"
    # Few rounds: the strength of the encryption is not under test.
    key.write_text(json.dumps(account.encrypt(PASSWORD, iterations=2)))
    password.write_text(PASSWORD + "\n")
    return {KEYSTORE: str(key), PASSWORD_FILE: str(password)}


def test_no_key_named_is_no_signer():
    assert load({}) is None


def test_the_key_opens_and_stays_out_of_repr(environment, account):
    signer = load(environment)
    assert signer.address == account.address
    assert account.key.hex() not in repr(signer)


@pytest.mark.parametrize("variable", [KEYSTORE, PASSWORD_FILE])
def test_a_file_that_is_named_but_missing(environment, tmp_path, variable):
    with pytest.raises(InputError, match=f"{variable}: no file at .*gone"):
        load({**environment, variable: str(tmp_path / "gone")})


def test_no_password_file(environment):
    with pytest.raises(InputError, match=f"{PASSWORD_FILE}: expected a file"):
        load({KEYSTORE: environment[KEYSTORE]})


def test_a_wrong_password_is_not_repeated(environment, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("hunter2")
    with pytest.raises(InputError, match="does not open") as caught:
        load({**environment, PASSWORD_FILE: str(wrong)})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["", "[]", '{"address": "0x"}', "\x00\xff"])
def test_a_file_that_is_no_key_file(environment, tmp_path, text):
    other = tmp_path / "other"
    other.write_text(text)
    with pytest.raises(InputError, match=KEYSTORE):
        load({**environment, KEYSTORE: str(other)})
