"""The control plane as a process: ready, told apart from its faults, and stopped in time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from bodega.errors import ExitCode
from bodega.limits import STOP_S
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import open_store
from support.waiting import BUSY_MACHINE_S

pytestmark = pytest.mark.system

_START_S = 60


def write_config(folder: Path, *, http_port: int = 0, grpc_port: int = 0, broker_port: int = 1) -> Path:
    path = folder / "controlplane.toml"
    path.write_text(
        f'data_dir = "{folder / "data"}"\n'
        f'[nats]\nurl = "nats://127.0.0.1:{broker_port}"\n'
        f"[http]\nport = {http_port}\n[grpc]\nport = {grpc_port}\n"
    )
    return path


def command(config: Path) -> list[str]:
    return [sys.executable, "-m", "bodega_controlplane.cli", "serve", "--config", str(config)]


@contextmanager
def serving(config: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    """The process, and its `ready` event."""
    process = subprocess.Popen(
        command(config), stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "ready":
                break
        else:
            pytest.fail(f"it ended with {process.wait()} before it was ready")
        yield process, event
    finally:
        process.kill()
        process.communicate()


def caller(ready: dict[str, object]) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(str(ready["http_port"]))))


def failing(config: Path) -> tuple[int, str]:
    done = subprocess.run(command(config), stderr=subprocess.PIPE, text=True, timeout=_START_S, check=False)
    return done.returncode, done.stderr


def test_it_serves_without_a_broker_and_says_where(tmp_path: Path) -> None:
    with serving(write_config(tmp_path)) as (_, ready):
        ends = json.loads((tmp_path / "data" / "endpoints.json").read_text())
        assert ends == {
            "http": f"http://127.0.0.1:{ready['http_port']}",
            "grpc": f"127.0.0.1:{ready['grpc_port']}",
        }
        with urlopen(f"{ends['http']}/healthz", timeout=10) as answer:
            assert answer.status == 200


def test_sigterm_stops_it_in_time_with_exit_0_even_while_a_client_hangs_on(tmp_path: Path) -> None:
    with serving(write_config(tmp_path)) as (process, ready), caller(ready) as hanging:
        hanging.sendall(b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=_START_S) == ExitCode.OK
        assert time.monotonic() - began < STOP_S + BUSY_MACHINE_S


def test_systemd_is_told_that_it_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(_START_S)
        notices: list[str] = []
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        with serving(write_config(tmp_path), **environment) as (process, _):
            while not {"READY=1", "WATCHDOG=1"} <= set(notices):
                notices.append(systemd.recv(100).decode())
            process.send_signal(signal.SIGTERM)
            while notices[-1] != "STOPPING=1":
                notices.append(systemd.recv(100).decode())
        assert set(notices) == {"READY=1", "WATCHDOG=1", "STOPPING=1"}


@pytest.mark.parametrize("face", ["http", "grpc"])
def test_a_port_in_use_is_one_clear_line_and_exit_71(tmp_path: Path, face: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = failing(write_config(tmp_path, **{f"{face}_port": port}))
    assert code == ExitCode.ADDRESS_IN_USE
    assert f"error: cannot listen on 127.0.0.1:{port} for {face}" in text
    assert f"another port in [{face}]" in text
    assert "Traceback" not in text


def test_a_database_of_a_newer_schema_is_exit_76(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = open_store("sqlite", data)
    store.write(lambda tx: tx.upsert(schema.meta, [{"key": "schema_version", "value": "99"}]))
    store.close()
    code, text = failing(write_config(tmp_path))
    assert code == ExitCode.SCHEMA
    assert "schema version 99" in text
    assert "Traceback" not in text


def test_a_bad_configuration_names_every_fault_and_is_exit_78(tmp_path: Path) -> None:
    path = write_config(tmp_path, http_port=-1)
    path.write_text(path.read_text().replace("[nats]", "[nats]\nreplicas = 2") + "colour = 1\n")
    code, text = failing(path)
    assert code == ExitCode.CONFIG
    assert "must be 1, 3 or 5, is 2" in text
    assert "http.port" in text
    assert "grpc.colour" in text
    assert "Traceback" not in text
