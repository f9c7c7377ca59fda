"""Brownie as its user runs it: its own process in this checkout, with a home folder that is not the user's."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
BROWNIE = str(Path(sys.executable).with_name("brownie"))
LOCK = ROOT / ".evenkeel/brownie.lock"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Home:
    """A home folder set up for Brownie. `variables` are added to the environment of every run."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.variables = variables
        folder.mkdir(exist_ok=True)
        command = [sys.executable, str(ROOT / "scripts/setup/brownie_home.py"), "install"]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("EVENKEEL_")}
        return {**kept, "HOME": str(self.folder), **self.variables}

    def add_network(self, name: str, url: str, chain_id: int) -> None:
        path = self.folder / ".brownie/network-config.yaml"
        config = yaml.safe_load(path.read_text())
        entry = {"id": name, "name": name, "host": url, "chainid": chain_id}
        config["live"].append({"name": name, "networks": [entry]})
        path.write_text(yaml.safe_dump(config))

    def compile(self) -> str:
        """Compile the project."""
        done = self._brownie("compile", timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, script: str, *arguments: str, network: str = "evenkeel-sandbox", stdin: str = ""):
        """`brownie run`; returns the finished process, its texts without colours."""
        return self._brownie("run", script, "main", *arguments, "--network", network, stdin=stdin)

    def console(self, *lines: str, arguments: tuple[str, ...] = ()):
        """Type `lines` into our console."""
        typed = "".join(f"{line}\n" for line in lines)
        return self._run(sys.executable, "-m", "evenkeel.console", *arguments, stdin=typed)

    def _brownie(self, *command: str, stdin: str = "", timeout: float = 120):
        # Loading a project deletes and writes its build files, so only one worker at a time may have Brownie do it.
        LOCK.parent.mkdir(exist_ok=True)
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self._run(BROWNIE, *command, stdin=stdin, timeout=timeout)

    def _run(self, *command: str, stdin: str = "", timeout: float = 120):
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        done.stdout, done.stderr = (_COLOUR.sub("", text) for text in (done.stdout, done.stderr))
        return done
