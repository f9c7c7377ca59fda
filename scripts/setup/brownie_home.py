"""Give Brownie, in the user's home folder, the two things that a project cannot bring itself.

Brownie finds compilers in `~/.solcx` alone and networks in `~/.brownie/network-config.yaml` alone. `install` adds a
compiler that hands over to this checkout's pinned one, and the network `evenkeel-sandbox`; each only where it is absent.
`remove` takes back what `install` added and nothing else.
"""

import sys
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
COMPILER = CHECKOUT / "scripts" / "setup" / "solc"
MARK = "# written by evenkeel's set-up"
NETWORK = {
    "name": "Evenkeel sandbox",
    "id": "evenkeel-sandbox",
    "chainid": 31337,
    "host": "http://127.0.0.1:8545",
}


def shim_path() -> Path:
    return Path.home() / ".solcx" / "solc-v0.8.30"


def networks_path() -> Path:
    return Path.home() / ".brownie" / "network-config.yaml"


def shim_text() -> str:
    return f"""#!/bin/sh
{MARK}
compiler='{COMPILER}'
if [ ! -x "$compiler" ]; then
  echo "solc: the checkout that $0 points to is gone; delete $0 or run 'make setup' in another checkout" >&2
  exit 1
fi
exec "$compiler" "$@"
"""


def is_dead(shim: Path) -> bool:
    """Ours, and pointing to a checkout that is no longer there."""
    text = shim.read_bytes()[:2000].decode(errors="replace")
    if MARK not in text:
        return False
    target = text.partition("compiler='")[2].partition("'")[0]
    return not Path(target).exists()


def install_compiler() -> None:
    shim = shim_path()
    if shim.exists() and not is_dead(shim):
        return
    shim.parent.mkdir(exist_ok=True)
    draft = shim.with_name(".evenkeel-solc")
    draft.write_text(shim_text())
    draft.chmod(0o755)
    draft.replace(shim)
    print(f"set-up: Brownie's solc 0.8.30 is now {shim}, a shim over this checkout's npm compiler")


def install_network() -> None:
    path = networks_path()
    if not path.exists():
        import brownie._config  # noqa: F401, PLC0415  # importing it writes Brownie's default network list
    config = yaml.safe_load(path.read_text())
    live = config.setdefault("live", [])
    if any(entry["id"] == NETWORK["id"] for group in live for entry in group["networks"]):
        return
    live.append({"name": "Evenkeel", "networks": [NETWORK]})
    write_networks(path, config)
    print(f"set-up: added the network {NETWORK['id']} to {path}")


def write_networks(path: Path, config: dict) -> None:
    draft = path.with_suffix(".evenkeel")
    draft.write_text(yaml.safe_dump(config, sort_keys=False))
    draft.replace(path)


def remove() -> None:
    shim = shim_path()
    if shim.exists() and f"compiler='{COMPILER}'" in shim.read_bytes()[:2000].decode(errors="replace"):
        shim.unlink()
    path = networks_path()
    if path.exists():
        config = yaml.safe_load(path.read_text())
        kept = [group for group in config["live"] if group.get("networks") != [NETWORK]]
        if len(kept) != len(config["live"]):
            config["live"] = kept
            write_networks(path, config)


def main() -> int:
    if sys.argv[1:] == ["install"]:
        install_compiler()
        install_network()
    elif sys.argv[1:] == ["remove"]:
        remove()
    else:
        print("usage: brownie_home.py install | remove", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
