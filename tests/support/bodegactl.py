"""`bodegactl` as an operator has it: real processes, a real `serve`, and what each command said."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.host.cli import run_main
from bodega_controlplane.cli import bodegactl as commands
from bodega_controlplane.store.engine import Store, open_store
from support.ports import free_port

START_S = 60.0
STOP_S = 30.0
COMMAND_S = 60.0


@dataclass(frozen=True)
class Said:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


def bodegactl(*arguments: object, **environment: str) -> Said:
    """Run one command to its end; settings of the caller's own shell do not reach it."""
    done = subprocess.run(
        [sys.executable, "-m", "bodega_controlplane.cli", *map(str, arguments)],
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def in_process(*arguments: object) -> Said:
    """The same without a process of its own, where nothing but the command is asked about; quicker by a second."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            run_main(commands, "bodegactl", list(map(str, arguments)))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BODEGA")}
    return {**kept, **more}


@dataclass(frozen=True)
class ControlPlane:
    """A running `bodegactl serve`."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    log: Path
    http: str
    grpc: str

    def ask(self, *arguments: object, **environment: str) -> Said:
        """Run a command against it, as its operator."""
        location = {
            "BODEGACTL_HUB": self.grpc,
            "BODEGACTL_TOKEN_FILE": str(self.data_dir / "operator.token"),
        }
        return bodegactl(*arguments, **{**location, **environment})


def write_config(folder: Path, data_dir: Path, *, nats_url: str, more: str = "") -> Path:
    """A controlplane.toml that takes free ports."""
    path = folder / "controlplane.toml"
    path.write_text(
        f'data_dir = "{data_dir}"\n{more}[nats]\nurl = "{nats_url}"\n[http]\nport = 0\n[grpc]\nport = 0\n',
        encoding="utf-8",
    )
    return path


def address_of_nobody() -> str:
    """HOST:PORT on loopback where nothing listens."""
    return f"127.0.0.1:{free_port()}"


@contextmanager
def serving(config: Path, data_dir: Path) -> Iterator[ControlPlane]:
    """`bodegactl serve` from ready to stopped by SIGTERM; its log lies beside the configuration."""
    log = config.with_suffix(".log")
    command = [sys.executable, "-m", "bodega_controlplane.cli", "serve", "--config", str(config)]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, env=_environment({}), stderr=errors)
    try:
        _until_ready(process, log)
        ends = json.loads((data_dir / "endpoints.json").read_text(encoding="utf-8"))
        yield ControlPlane(process, data_dir, log, ends["http"], ends["grpc"])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_S)
        finally:
            process.kill()


@contextmanager
def new_database(folder: Path) -> Iterator[Store]:
    """The database of a control plane that is to serve from `folder`: fill it before that."""
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    with closing(open_store("sqlite", data_dir)) as store:
        yield store


@contextmanager
def serving_from(folder: Path, *, more: str = "") -> Iterator[ControlPlane]:
    """`serving` with what `new_database` has made, and without a broker; `more` ends its configuration."""
    data_dir = folder / "data"
    config = write_config(folder, data_dir, nats_url=f"nats://{address_of_nobody()}")
    with config.open("a", encoding="utf-8") as file:
        file.write(more)
    with serving(config, data_dir) as control_plane:
        yield control_plane


def _until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while '"event": "ready"' not in log.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"bodegactl serve is not ready:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.02)
