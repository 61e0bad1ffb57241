"""controlplane.toml: what an operator may set, and what is refused with its key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bodega.errors import ConfigInvalid
from bodega.limits_hub import NODE_LEASE_S, NODE_LEASE_S_MAX, NODE_LEASE_S_MIN
from bodega_controlplane import server
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.config import ControlPlaneConfig, load_config

EXAMPLE = Path(__file__).parents[2] / "packaging" / "examples" / "controlplane.toml"


def config_of(folder: Path, more: str = "") -> ControlPlaneConfig:
    path = folder / "controlplane.toml"
    faces = "[http]\nport = 0\n[grpc]\nport = 0\n"
    path.write_text(f'data_dir = "{folder}/data"\n[nats]\nurl = "nats://127.0.0.1:1"\n{faces}{more}')
    return load_config(path)


def test_the_example_is_read_and_its_comments_are_the_defaults(tmp_path: Path) -> None:
    example = load_config(EXAMPLE)
    assert example.orders.node_lease_s == NODE_LEASE_S
    said = EXAMPLE.read_text().replace("# [orders]\n# node", "[orders]\nnode")
    path = tmp_path / "all.toml"
    path.write_text(said)
    assert load_config(path).orders == example.orders


def test_a_lease_of_nodes_may_be_set_between_its_bounds(tmp_path: Path) -> None:
    for lease_s in (NODE_LEASE_S_MIN, 900, NODE_LEASE_S_MAX):
        assert config_of(tmp_path, f"[orders]\nnode_lease_s = {lease_s}").orders.node_lease_s == lease_s
    for said in (NODE_LEASE_S_MIN - 1, NODE_LEASE_S_MAX + 1, "nan", "inf", "true", '"5m"'):
        with pytest.raises(ConfigInvalid) as caught:
            config_of(tmp_path, f"[orders]\nnode_lease_s = {said}")
        assert [fault.where for fault in caught.value.faults] == ["orders.node_lease_s"]


async def test_the_lease_that_is_set_is_the_one_that_nodes_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, leases_s = asyncio.Event(), []

    class Upkeep(server.UpkeepService):
        def __init__(self, hub: Hub, *, lease_s: float) -> None:
            super().__init__(hub, lease_s=lease_s)
            leases_s.append(self._leases._lease_s)
            stop.set()

    monkeypatch.setattr(server, "UpkeepService", Upkeep)
    await server.serve(config_of(tmp_path, "[orders]\nnode_lease_s = 900"), stop)
    assert leases_s == [900]
