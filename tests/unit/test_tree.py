"""What must not be in the tree: registry addresses, machine paths, build output."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Spelled in pieces so that this file does not match itself.
HOSTS = re.compile(
    "|".join(
        [
            r"registry\." + "npmjs",
            r"npmjs\." + "(com|org)",
            r"files\." + "pythonhosted",
            "pypi" + r"\.org",
            r"deb\." + r"debian\.org",
            "--(extra-)?ind" + "ex-url",
            '"resol' + 'ved": "http',
        ]
    )
)


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def test_no_tracked_file_names_a_registry() -> None:
    found = [path for path in tracked() if HOSTS.search(text(path))]
    assert found == []


def test_every_python_requirement_is_pinned_with_a_hash() -> None:
    lines = (ROOT / "scripts/setup/requirements.txt").read_text().split("\n")
    starts = [i for i, line in enumerate(lines) if re.match(r"[a-z0-9]", line, re.IGNORECASE)]
    assert starts
    for start in starts:
        assert re.match(r"[\w.\-\[\]]+==[\w.+!]+ ", lines[start]), lines[start]
        assert "--hash=sha256:" in lines[start + 1]


def test_node_packages_are_locked_with_integrity() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)


def test_build_output_is_not_tracked() -> None:
    outside = re.compile(r"(^|/)(node_modules|\.venv|out|build|\.evenkeel|__pycache__)/")
    assert [p for p in tracked() if outside.search(str(p.relative_to(ROOT)))] == []


def test_every_requirement_lists_only_public_files() -> None:
    assert "file:" not in (ROOT / "scripts/setup/requirements.txt").read_text()


def test_the_core_never_imports_brownie() -> None:
    package = ROOT / "python_pkg" / "evenkeel"
    importing = re.compile(r"^\s*(from|import) brownie", re.MULTILINE)
    found = {str(p.relative_to(package)) for p in package.rglob("*.py") if importing.search(text(p))}
    assert found <= {"console.py"}
