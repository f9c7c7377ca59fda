"""Fetch the protocols' published artifacts: packed by the npm client, verified, unpacked in part.

`packages.json` lists name, version, integrity (sha512 as npm writes it) and the folders that are kept. Where the
packages come from is the npm client's own configuration. Nothing of a package is run.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evenkeel import EvenkeelError
from evenkeel.sandbox import places
from evenkeel.sandbox.errors import PackageError

MANIFEST = Path(__file__).with_name("packages.json")
_STAMP = ".integrity"


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the manifest. `slug` is its folder; `keep` the path prefixes unpacked from it."""

    slug: str
    name: str
    version: str
    integrity: str
    keep: tuple[str, ...]

    @property
    def spec(self) -> str:
        """What the npm client is asked for."""
        return f"{self.name}@{self.version}"

    @property
    def stamp(self) -> str:
        """Written last into the unpacked folder: equal means complete and of this manifest."""
        return f"{self.integrity} {' '.join(self.keep)}\n"


def manifest() -> tuple[Package, ...]:
    """List the packages of `packages.json`."""
    return tuple(
        Package(**{**entry, "keep": tuple(entry["keep"])}) for entry in json.loads(MANIFEST.read_text())
    )


def missing(folder: Path = places.PACKAGES) -> tuple[Package, ...]:
    """List the packages not yet unpacked into `folder`, or unpacked from another version."""
    return tuple(package for package in manifest() if not _ready(folder / package.slug, package))


def fetch(folder: Path = places.PACKAGES) -> tuple[Package, ...]:
    """Fetch, verify and unpack what is missing; returns it. Quick when nothing is. Raises `PackageError`."""
    wanted = missing(folder)
    if not wanted:
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        for package, tarball in zip(wanted, _pack(wanted, Path(scratch)), strict=True):
            _verify(package, tarball)
            unpacked = Path(scratch) / package.slug
            _unpack(package, tarball, unpacked)
            _place(unpacked, folder / package.slug, package, Path(scratch))
    return wanted


def _ready(folder: Path, package: Package) -> bool:
    try:
        return (folder / _STAMP).read_text() == package.stamp
    except OSError:
        return False


def _pack(wanted: Sequence[Package], scratch: Path) -> list[Path]:
    npm = shutil.which("npm")
    if npm is None:
        raise PackageError("npm is not installed; it comes with Node 20 or later")
    command = [npm, "pack", "--json", "--ignore-scripts", "--pack-destination", str(scratch)]
    done = subprocess.run(  # noqa: S603 -- the arguments are the manifest's
        [*command, *(package.spec for package in wanted)],
        cwd=places.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = next(
            (line for line in reversed(done.stderr.splitlines()) if "error" in line.lower()),
            "no reason given",
        )
        raise PackageError(f"npm could not fetch {', '.join(p.spec for p in wanted)}: {last}")
    packed = {
        f"{entry['name']}@{entry['version']}": scratch / entry["filename"]
        for entry in json.loads(done.stdout)
    }
    return [packed[package.spec] for package in wanted]


def _verify(package: Package, tarball: Path) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise PackageError(f"{package.spec}: integrity is {found}, expected {package.integrity}")


def _unpack(package: Package, tarball: Path, target: Path) -> None:
    with tarfile.open(tarball) as archive:
        for member in archive.getmembers():
            # Every npm tarball has one top folder, whatever its name.
            inside = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
            if member.isfile() and inside.startswith(package.keep) and not inside.endswith(".dbg.json"):
                member.name = inside
                archive.extract(member, target, filter="data")
    if not target.is_dir():
        raise PackageError(f"{package.spec}: holds nothing under {', '.join(package.keep)}")
    (target / _STAMP).write_text(package.stamp)


def _place(unpacked: Path, final: Path, package: Package, scratch: Path) -> None:
    try:
        if final.exists():
            final.rename(scratch / f"{package.slug}.old")
        unpacked.rename(final)
    except OSError as error:
        # Another process may have put the same package there in the meantime.
        if not _ready(final, package):
            raise PackageError(
                f"{package.spec}: cannot place it at {final}: {os.strerror(error.errno or 0)}"
            ) from error


def main() -> int:
    """Fetch the packages and say so in one line."""
    try:
        fetched = fetch()
    except EvenkeelError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 -- this module is also a command
        return 2
    print(f"packages: {len(fetched)} fetched, {len(manifest()) - len(fetched)} already there")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
