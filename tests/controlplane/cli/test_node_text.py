"""What operators read of a node at a glance: what hinders it comes first, and what is well is not said."""

from __future__ import annotations

from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.node_text import health_text, spread_text


def node(**about: object) -> pb.NodeStatus:
    made = pb.NodeStatus(node_id="lisbon-01", **about)  # type: ignore[arg-type]  # the test's choice
    made.health.ledger_ok = True
    return made


def test_a_node_that_is_well_is_ok() -> None:
    assert health_text(node()) == "ok"


def test_what_was_refused_and_what_waits_without_effect_is_counted() -> None:
    assert health_text(node(refused=2, parked=3)) == "3 parked, 2 refused"
    silent = pb.NodeStatus(node_id="lisbon-01", parked=1)
    assert health_text(silent) == "unknown, 1 parked"


def test_a_fenced_node_says_why_and_nothing_else() -> None:
    assert health_text(node(fenced="its journal has epoch 1", parked=3)) == "fenced: its journal has epoch 1"


def test_a_hub_that_cannot_keep_up_says_what_it_asks_of_its_nodes() -> None:
    assert spread_text(12_000) == "The hub has much to do: its nodes are asked to spread over 12 s."
