"""A real node, hub and broker: a backup is put back, a disk is lost, and the node takes its place again by itself."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.limits import OTHER_AGENT_SILENT_S
from bodega_agent.demo.patience import until
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store.engine import open_store
from support.bodega_command import answer, bodega, running_agent, write_config
from support.bodegactl import ControlPlane, serving
from support.bodegactl import write_config as write_hub_config
from support.controlplane import settle
from support.nats import NatsServer

pytestmark = [pytest.mark.system]

COMES_BACK_S = OTHER_AGENT_SILENT_S + 40
# A made-up state folder for the node, so that a test can lose it.
STATE = "state"


@pytest.fixture
def hub_config(tmp_path: Path, nats_server: NatsServer) -> Path:
    """Of a hub that knows one node and sells TEA; not running."""
    data_dir = tmp_path / "hub"
    data_dir.mkdir(mode=0o700)
    store = open_store("sqlite", data_dir)
    settle(store, "TEA")
    store.close()
    return write_hub_config(tmp_path, data_dir, nats_url=nats_server.url)


@pytest.fixture
def hub(hub_config: Path) -> Iterator[ControlPlane]:
    with serving(hub_config, hub_config.parent / "hub") as control_plane:
        yield control_plane


def _node(tmp_path: Path, server: NatsServer) -> Path:
    folder = tmp_path / STATE
    folder.mkdir(exist_ok=True)
    key = base64.b64encode(load_hub_key(tmp_path / "hub").verify_key).decode()
    config = write_config(folder, extra=f'[hub]\nnats_url = "{server.url}"\nverify_key = "{key}"\n')
    # Beside its state, not in it.
    return Path(shutil.move(config, tmp_path / "agent.toml"))


def _receive(config: Path, units: int) -> None:
    command = {
        "cmd_id": f"receive-{units}",
        "command": "receive",
        "sku_id": "TEA",
        "quantity": units,
        "bin_id": "A-01-01",
    }
    body = json.dumps(command)
    # Again, with the same id, while the agent is starting anew.
    _wait("it is received", lambda: bodega(config, "ledger", "do", "-", stdin=body).returncode == 0)


def _wait_for_catalogue(config: Path) -> None:
    _wait("the profile and the SKU", lambda: answer(config, "sync", "status")["down_seq"] >= 2)


def _wait(what: str, fact: Any, seconds: float = 30) -> None:
    asyncio.run(until(what, fact, seconds=seconds))


def _is_current(config: Path, epoch: int) -> bool:
    said = bodega(config, "sync", "status", "--json")
    if said.returncode:
        return False  # it starts anew for its new epoch
    facts = json.loads(said.stdout)
    return facts["epoch"] == epoch and facts["acked_seq"] == facts["head_seq"] > 0 and not facts["fenced"]


def _units(rows: list[dict[str, Any]]) -> int:
    return sum(int(row.get("on_hand", row.get("quantity", 0))) for row in rows)


def test_a_restored_node_and_then_a_wiped_one_come_back(
    tmp_path: Path, hub: ControlPlane, nats_server: NatsServer
) -> None:
    config = _node(tmp_path, nats_server)
    with running_agent(config):
        _wait_for_catalogue(config)
        _receive(config, 3)
        _wait("the hub has it", lambda: _is_current(config, 1))
        assert bodega(config, "ledger", "backup", str(tmp_path / "copy.db")).returncode == 0
        _receive(config, 5)
        _wait("the hub has it", lambda: _is_current(config, 1))
    assert bodega(config, "ledger", "restore", str(tmp_path / "copy.db"), "--reason", "test").returncode == 0
    with running_agent(config):
        _receive(config, 7)
        _wait("a new epoch", lambda: _is_current(config, 2), COMES_BACK_S)
        assert _units(answer(config, "stock")) == 15
        assert answer(config, "status")["health"] == []
        assert [row["kind"] for row in answer(config, "ledger", "forks")] == ["events", "ledger"]
    [conflict] = hub.ask("conflicts", "ls", "--json").json()["conflicts"]
    assert conflict["kind"] == "restored_node"

    shutil.rmtree(tmp_path / STATE)
    (tmp_path / STATE).mkdir()
    with running_agent(config):
        _wait("it is fenced", lambda: answer(config, "sync", "status")["fenced"] != "")
        _wait("it is told why", lambda: "readmit" in answer(config, "sync", "status")["new_epoch"])
        assert "new epoch     not yet" in bodega(config, "sync", "status").stdout
        assert hub.ask("nodes", "readmit", "lisbon-01", "--reason", "new disk").code == 0
        _wait("a new epoch", lambda: _is_current(config, 3), COMES_BACK_S)
        assert _units(answer(config, "stock")) == 15
    [node] = hub.ask("nodes", "ls", "--json").json()["nodes"]
    assert (node["epoch"], node["fenced"], node["diverged_seq"]) == (3, "", 0)


def test_a_hub_put_back_from_a_backup_gets_from_its_node_what_it_lost(
    tmp_path: Path, hub_config: Path, nats_server: NatsServer
) -> None:
    data_dir, copy = tmp_path / "hub", tmp_path / "hub-copy"
    with serving(hub_config, data_dir):
        config = _node(tmp_path, nats_server)
    with running_agent(config):
        with serving(hub_config, data_dir):
            _wait_for_catalogue(config)
            _receive(config, 3)
            _wait("the hub has it", lambda: _is_current(config, 1))
        shutil.copytree(data_dir, copy)
        with serving(hub_config, data_dir):
            _receive(config, 5)
            _wait("the hub has it", lambda: _is_current(config, 1))
        shutil.rmtree(data_dir)
        shutil.copytree(copy, data_dir)
        with serving(hub_config, data_dir) as hub:
            _wait("the hub knows", lambda: "hub.restored" in _audit(hub))
            _wait("it has caught up", lambda: "hub.caught_up" in _audit(hub))
            _wait("the node is current", lambda: _is_current(config, 1))
            assert answer(config, "sync", "status")["hub_went_back"] == 1
            assert _units(hub.ask("stock", "ls", "--json").json()["levels"]) == 8


def _audit(hub: ControlPlane) -> list[str]:
    entries = hub.ask("audit", "ls", "--subject", "lisbon-01", "--json").json()["entries"]
    return [entry["action"] for entry in entries]
