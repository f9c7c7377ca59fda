"""Fetching the protocols' packages: pinned by hash, unpacked whole or not at all, and quick when there is nothing to do."""

import base64
import hashlib
import io
import json
import re
import stat
import tarfile

import pytest

from evenkeel.sandbox import packages
from evenkeel.sandbox.artifacts import Artifact, artifact, hardhat
from evenkeel.sandbox.errors import ArtifactError, PackageError
from evenkeel.sandbox.packages import Package


def tarball(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm on PATH that packs one prepared tarball and counts its calls; returns (manifest setter, calls)."""
    body = tarball({"keep/a.json": "{}", "drop/b.json": "{}", "keep/a.dbg.json": "{}"})
    (tmp_path / "body.tgz").write_bytes(body)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    script = bin_folder / "npm"
    answer = json.dumps([{"name": "@x/y", "version": "1.0.0", "filename": "x-y-1.0.0.tgz"}])
    script.write_text(
        "#!/bin/sh\n"
        f"echo call >> {tmp_path}/calls\n"
        'for last; do [ "$previous" = --pack-destination ] && target="$last"; previous="$last"; done\n'
        f'/bin/cp {tmp_path}/body.tgz "$target/x-y-1.0.0.tgz"\n'
        f"echo '{answer}'\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(bin_folder))
    digest = "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()

    def pin(integrity=digest):
        entry = Package("x-y", "@x/y", "1.0.0", integrity, ("keep/",))
        monkeypatch.setattr(packages, "manifest", lambda: (entry,))

    def calls():
        log = tmp_path / "calls"
        return len(log.read_text().splitlines()) if log.exists() else 0

    pin()
    return pin, calls


def test_only_what_is_kept_is_unpacked_and_only_once(npm, tmp_path):
    _, calls = npm
    folder = tmp_path / "packages"
    assert [package.spec for package in packages.fetch(folder)] == ["@x/y@1.0.0"]
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == ["x-y/.integrity", "x-y/keep/a.json"]
    assert packages.fetch(folder) == ()
    assert calls() == 1


def test_another_hash_is_refused_and_leaves_nothing(npm, tmp_path):
    pin, _ = npm
    pin("sha512-AAAA")
    folder = tmp_path / "packages"
    with pytest.raises(PackageError, match=re.escape("@x/y@1.0.0: integrity is sha512-")):
        packages.fetch(folder)
    assert list(folder.iterdir()) == []


def test_a_changed_pin_fetches_anew(npm, tmp_path):
    _, calls = npm
    folder = tmp_path / "packages"
    packages.fetch(folder)
    (folder / "x-y" / ".integrity").write_text("another version\n")
    assert packages.missing(folder)
    packages.fetch(folder)
    assert packages.missing(folder) == ()
    assert calls() == 2


def test_no_npm_is_one_line(npm, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match="npm is not installed"):
        packages.fetch(tmp_path / "packages")


def test_every_pinned_package_has_a_full_hash_and_its_own_folder():
    pinned = packages.manifest()
    assert all(len(base64.b64decode(package.integrity.removeprefix("sha512-"))) == 64 for package in pinned)
    assert len({package.slug for package in pinned}) == len(pinned)


def test_libraries_are_linked_where_the_compiler_left_room():
    pool = hardhat("aave-core-v3", "protocol/pool/PoolConfigurator.sol")
    library = "0x" + "ab" * 20
    code = pool.initcode(libraries={"ConfiguratorLogic": library})
    for offset in pool.links["ConfiguratorLogic"]:
        assert code[offset : offset + 20] == b"\xab" * 20
    with pytest.raises(ArtifactError, match="PoolConfigurator: needs the library ConfiguratorLogic linked"):
        pool.initcode()


def test_a_wrong_call_is_named():
    token = hardhat("aave-core-v3", "mocks/tokens/MintableERC20.sol")
    assert (
        token.encode("mint(uint256)", 1)[:4] != token.encode("mint(address,uint256)", "0x" + "11" * 20, 1)[:4]
    )
    for function, args, message in (
        ("transfer", ("0x" + "11" * 20,), "takes 2 arguments, got 1"),
        ("fly", (), "0 functions fit 'fly'"),
        ("transfer", ("nobody", 1), "MintableERC20.transfer"),
    ):
        with pytest.raises(ArtifactError, match=re.escape(message)):
            token.encode(function, *args)
    with pytest.raises(ArtifactError, match=r"no artifact Nothing.json"):
        artifact("aave-core-v3", "Nothing.json")


def test_one_output_is_bare_and_several_are_a_tuple():
    abi = (
        {"type": "function", "name": "one", "inputs": [], "outputs": [{"type": "address", "name": ""}]},
        {"type": "function", "name": "two", "inputs": [], "outputs": [{"type": "uint256", "name": ""}] * 2},
    )
    both = Artifact("Both", abi, "", {})
    word = bytes(12) + bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
    assert both.decode("one", word) == "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    assert both.decode("two", bytes(31) + b"\1" + bytes(31) + b"\2") == (1, 2)
