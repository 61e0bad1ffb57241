"""Both daemons as a service manager runs them: they stop in time, and say in one line why they do not start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bodega.core.ledger import SUPPLIER
from bodega.limits import STOP_S
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_agent.demo.bench import SCANNER
from bodega_agent.demo.handheld import AgentGone, Handheld
from bodega_agent.demo.patience import until
from bodega_agent.demo.plan import Barcode, control_barcode
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.world import python_module
from bodega_agent.store.reader import Reader
from support.bodega_command import bodega, fill_ledger, write_config
from support.bodegactl import address_of_nobody, bodegactl
from support.bodegactl import write_config as write_hub_config
from support.node_under_test import scan_text

pytestmark = [pytest.mark.system]


def check_one_clear_line(code: int, err: str, *, expected: int, word: str) -> None:
    """The documented exit code, the word, and no traceback."""
    assert code == expected, err
    assert "Traceback" not in err
    said = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    assert word in said[0]


def agent(config: Path, folder: Path) -> Child:
    """`bodega run` as a child that says when it is ready."""
    argv = python_module("bodega_agent.cli", "run", "--config", str(config))
    return Child(Recipe("agent", argv, folder / "agent.log"), folder)


def with_scanner(folder: Path, scanner: SimulatedScanner) -> Path:
    """A configuration with that scanner."""
    table = f'[[scanners]]\nname = "{SCANNER}"\ndriver = "serial"\noptions = {{ port = "{scanner.path}" }}\n'
    return write_config(folder, extra=table)


async def _receive_for_ever(handheld: Handheld) -> None:
    while True:
        await handheld.scan(Barcode(scan_text(1), "]E0"))


async def _stop_after(handheld: Handheld, beeps: int, child: Child) -> str:
    await until("some scans", lambda: handheld.beeps >= beeps)
    return await child.stop()


async def test_sigterm_in_the_middle_of_scanning_loses_no_scan_that_beeped(tmp_path: Path) -> None:
    await asyncio.to_thread(fill_ledger, tmp_path)
    scanner = SimulatedScanner(tmp_path / "ttyScanner")
    child = agent(with_scanner(tmp_path, scanner), tmp_path)
    handheld = Handheld(SCANNER, scanner, tmp_path / "control.sock")
    try:
        await child.start()
        await handheld.connect()
        await handheld.scan(control_barcode("CMD-RECEIVE"))
        stopping = asyncio.create_task(_stop_after(handheld, 30, child))
        with pytest.raises(AgentGone):
            await _receive_for_ever(handheld)
        assert await stopping == "", "it stops by itself, in time and with exit code 0"
    finally:
        await handheld.close()
        await child.kill()
        scanner.close()
    reader = Reader(tmp_path / "ledger.db")
    supplied = sum(
        -row["quantity"] for row in reader.rows("SELECT * FROM balance WHERE external = ?", SUPPLIER)
    )
    reader.close()
    # The last scan may have been committed without its beep; none that beeped may be missing.
    assert handheld.beeps - 1 <= supplied <= handheld.beeps


def test_the_control_plane_stops_in_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    config = write_hub_config(tmp_path, data, nats_url=f"nats://{address_of_nobody()}")
    log = tmp_path / "hub.log"
    with log.open("w") as err:
        process = subprocess.Popen(
            python_module("bodega_controlplane.cli", "serve", "--config", str(config)), stderr=err
        )
    asyncio.run(until("the control plane", lambda: '"ready"' in log.read_text(), seconds=30))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=STOP_S) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_two_agents_on_one_socket(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "control.sock"))
    listener.listen()
    done = bodega(config, "run")
    listener.close()
    check_one_clear_line(done.returncode, done.stderr, expected=71, word="control.sock")


def test_a_port_of_the_control_plane_in_use(tmp_path: Path) -> None:
    config = write_hub_config(tmp_path, tmp_path / "data", nats_url=f"nats://{address_of_nobody()}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace("[http]\nport = 0", f"[http]\nport = {port}"))
        done = bodegactl("serve", "--config", config)
    check_one_clear_line(done.code, done.err, expected=71, word=str(port))


def test_a_ledger_of_a_newer_bodega(tmp_path: Path) -> None:
    fill_ledger(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.execute("PRAGMA user_version = 99")
    ledger.close()
    done = bodega(write_config(tmp_path), "run")
    check_one_clear_line(done.returncode, done.stderr, expected=76, word="99")


def test_a_hub_database_of_a_newer_bodega(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(data / "hub.db") as database:
        database.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        database.execute("INSERT INTO meta VALUES ('schema_version', '99')")
    database.close()
    config = write_hub_config(tmp_path, data, nats_url=f"nats://{address_of_nobody()}")
    done = bodegactl("serve", "--config", config)
    check_one_clear_line(done.code, done.err, expected=76, word="99")


@pytest.mark.parametrize("program", ["bodega", "bodegactl"])
def test_every_fault_of_a_configuration_is_named_at_once(tmp_path: Path, program: str) -> None:
    config = tmp_path / "faulty.toml"
    config.write_text(
        'node_id = "no spaces please"\nlog_level = 7\n[hub]\nnats_url = "http://example.org"\ncolour = 1\n'
    )
    if program == "bodega":
        done = bodega(config, "run")
        code, err = done.returncode, done.stderr
    else:
        config.write_text("log_level = 7\n[nats]\ncolour = 1\n[http]\nport = 99999\n")
        said = bodegactl("serve", "--config", config)
        code, err = said.code, said.err
    assert code == 78, err
    assert "Traceback" not in err
    faults = [line for line in err.splitlines() if line.strip().startswith("- ")]
    assert len(faults) >= 3, err
    assert all("line " in fault or "required" in fault for fault in faults), err


def test_the_agent_is_ready_before_any_hub_is(tmp_path: Path) -> None:
    key = "A" * 43 + "="
    hub = f'[hub]\nnats_url = "nats://{address_of_nobody()}"\nverify_key = "{key}"\n'
    config = write_config(tmp_path, extra=hub)
    argv = [sys.executable, "-m", "bodega_agent.cli", "run", "--config", str(config)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        events = []
        for line in process.stderr:
            events.append(json.loads(line)["event"])
            if events[-1] == "ready":
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP_S + 5)
    assert events[-1] == "ready"
    assert process.returncode == 0
