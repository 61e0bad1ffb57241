"""`bodega sync` and `bodegactl nodes` on real processes: a broker, a hub and an agent, in one story."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bodega_agent.identity import CERTIFICATE_FILE
from support.bodega_command import bodega, running_agent, write_config
from support.bodegactl import ControlPlane, serving
from support.bodegactl import write_config as write_hub_config
from support.nats import NatsServer
from support.waiting import until

pytestmark = [pytest.mark.system]

PROFILE = """\
node_id = "lisbon-01"
name = "Lisbon"
location = { latitude = 38.7, longitude = -9.1 }
ship_from = ["Bodega Lisbon", "Rua 1"]
bins = [{ bin_id = "A-1", walk_order = 1 }]
[sscc_range]
extension = 3
company_prefix = "5600001"
first_serial = 0
last_serial = 99
"""


@dataclass
class House:
    """All of it, running."""

    hub: ControlPlane
    config: Path
    state: Path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    broker = NatsServer(folder / "nats").start()
    data_dir, state = folder / "hub", folder / "node"
    data_dir.mkdir(mode=0o700)
    state.mkdir()
    with serving(write_hub_config(folder, data_dir, nats_url=broker.url), data_dir) as hub:
        profile = folder / "node.toml"
        profile.write_text(PROFILE)
        key = hub.ask("nodes", "register", profile, "--json").json()["hub_verify_key"]
        hub_toml = f'[hub]\nnats_url = "{broker.url}"\nverify_key = "{key}"\n'
        config = write_config(state, extra=hub_toml)
        with running_agent(config):
            yield House(hub, config, state)
    broker.stop()


async def test_a_node_is_seen_asked_paused_resumed_and_looked_at_again(house: House) -> None:
    def node() -> dict:
        return house.hub.ask("nodes", "show", "lisbon-01", "--json").json()

    await until(lambda: node()["last_contact_ms"] > 0, what="the hub has heard of the node")
    asked = house.hub.ask("nodes", "diagnose", "lisbon-01", "--log", "200", "--json")
    assert asked.code == 0, asked.err
    said = asked.json()
    assert said["status"]["node_id"] == "lisbon-01"
    assert any(json.loads(line)["event"] == "ready" for line in said["log_lines"])
    assert "answered in" in house.hub.ask("nodes", "diagnose", "lisbon-01").out

    assert "Sync is paused since" in bodega(house.config, "sync", "pause").stdout
    assert "was paused already" in bodega(house.config, "sync", "pause").stdout
    await until(lambda: node()["paused_at_ms"] > 0, what="the hub has heard of the pause")
    assert "sync paused" in house.hub.ask("nodes", "ls").out
    assert "PAUSED" in bodega(house.config, "sync", "status").stdout
    refused = bodega(house.config, "sync", "resync")
    assert (refused.returncode, "bodega sync resume" in refused.stderr) == (1, True)
    assert "Sync goes on" in bodega(house.config, "sync", "resume").stdout
    assert "was not paused" in bodega(house.config, "sync", "resume").stdout
    assert "The hub was asked" in bodega(house.config, "sync", "resync").stdout
    await until(lambda: node()["paused_at_ms"] == 0, what="the hub has heard of the resume")
    assert (node()["lag_ms"], node()["silent"], node()["divergence"]) == (0, False, None)
    assert "agrees" in house.hub.ask("nodes", "show", "lisbon-01").out


async def test_a_node_makes_itself_a_certificate(house: House) -> None:
    path = house.state / CERTIFICATE_FILE
    await until(path.exists, within_s=60, what="the certificate has come")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_agent_pays_for_no_grpc_before_it_calls_or_is_called() -> None:
    """Its memory is counted; whoever imports gRPC at the top of a file on this way fails here."""
    program = (
        "import sys, bodega_agent.daemon, bodega_agent.transport.nats_link, bodega_agent.services.renewing,"
        " bodega_agent.services.fetching; sys.exit('grpc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
