"""Which process a record of a sandbox means."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from evenkeel.sandbox import runs

FIRST_THREAD_GONE = """
import ctypes, socket, threading, time
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=time.sleep, args=(60,)).start()
print(server.getsockname()[1], flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.fixture
def listening():
    """A process that serves a port while its first thread is gone; the port."""
    process = subprocess.Popen([sys.executable, "-c", FIRST_THREAD_GONE], stdout=subprocess.PIPE, text=True)
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


def state(process):
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_node_is_alive_as_long_as_it_holds_its_port(listening, tmp_path):
    process, port = listening
    while state(process) != "Z":
        pass
    run = runs.remember(process.pid, f"http://127.0.0.1:{port}", 1, tmp_path, folder=tmp_path)
    assert run.alive
    run.stop()
    assert not run.alive
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
