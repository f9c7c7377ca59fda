"""Removes Brownie's build files of contracts that are no longer where they were: it fails on them instead of building anew."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    for path in (ROOT / "build" / "contracts").glob("*.json"):
        built = json.loads(path.read_text())
        sources = [built["sourcePath"], *built["allSourcePaths"].values()]
        if not all((ROOT / source).exists() for source in sources):
            path.unlink()


if __name__ == "__main__":
    main()
