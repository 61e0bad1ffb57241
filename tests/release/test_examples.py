"""The example files that a technician copies are right: each goes through what reads it on a real box."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bodega_agent.config import load_config as load_agent
from bodega_agent.demo.broker import find_nats_server, node_permissions
from bodega_controlplane.cli.node_profile import read_profile
from bodega_controlplane.config import load_config as load_controlplane
from support.tree import ROOT

EXAMPLES = ROOT / "packaging" / "examples"


def test_the_agents_file_is_right() -> None:
    config = load_agent(EXAMPLES / "agent.toml")
    assert config.hub is not None
    assert config.vision is not None


def test_the_control_planes_file_is_right() -> None:
    assert load_controlplane(EXAMPLES / "controlplane.toml").promise.safety_stock == 2


def test_the_nodes_profile_is_right() -> None:
    path = EXAMPLES / "node.toml"
    profile = read_profile(path.read_text(), path)
    assert profile.node_id == load_agent(EXAMPLES / "agent.toml").node_id
    assert [each.bin_id for each in profile.bins] == ["A-01-01", "A-01-02"]


def test_the_broker_takes_its_file_and_lets_a_node_do_what_the_demo_lets_it_do(tmp_path: Path) -> None:
    text = (EXAMPLES / "nats.conf").read_text()
    allowed = node_permissions("lisbon-01")
    for subject in (*allowed["publish"], *allowed["subscribe"]):
        assert f'"{subject}"' in text
    # The certificate is the technician's own: everything else is judged as it stands.
    start, end = text.index("tls {"), text.index("authorization")
    plain = tmp_path / "nats.conf"
    plain.write_text(text[:start] + text[end:])
    done = subprocess.run(
        [find_nats_server(), "-t", "-c", str(plain)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
