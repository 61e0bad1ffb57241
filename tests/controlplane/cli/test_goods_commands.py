"""`bodegactl transfers`, `catalog proposals` and `rights rebalance` against a real `bodegactl serve`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bodega.v1 import catalogue_pb2, stock_pb2
from support.bodegactl import ControlPlane, new_database, serving_from
from support.controlplane import NodeByHand, deliver, settle

TEA = ("--node", "lisbon-01", "--sku", "TEA")


def edit(field: str, value: str) -> catalogue_pb2.FieldProposed:
    return catalogue_pb2.FieldProposed(
        kind="sku", subject="TEA", field=field, value=value, base_version=1, reason="on the scale"
    )


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that has heard of a transfer, of three edits, and of a sale of the node's own."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        settle(store, "TEA", node_ids=("lisbon-01", "porto-01"))
        lisbon, porto = NodeByHand(), NodeByHand("porto-01")
        lisbon.shelve("TEA", 40)
        lisbon.move("transfer_out", "TEA", 10, source="A-01-01", transfer_id="T-1")
        lisbon.record(field_proposed=edit("weight_g", "120"))
        sold = stock_pb2.ReservationChanged(
            reservation_id="PU-1", sku_id="TEA", quantity=8, posted=8, state="posted", event="post"
        )
        lisbon.record(reservation_changed=sold)
        porto.move("transfer_in", "TEA", 8, target="DOCK", transfer_id="T-1")
        porto.record(field_proposed=edit("weight_g", "125"))
        porto.record(field_proposed=edit("lot_tracked", "true"))
        for node in (lisbon, porto):
            deliver(store, node.delivery(), now_ms=time.time_ns() // 1_000_000)
    with serving_from(folder) as control_plane:
        yield control_plane


def test_a_transfer_is_listed_shown_and_closed(hub: ControlPlane) -> None:
    [listed] = hub.ask("transfers", "ls", "--open", "--json").json()["transfers"]
    assert (listed["transfer_id"], listed["state"], listed["in_transit"]) == ("T-1", "open", 2)
    shown = hub.ask("transfers", "show", "T-1").out
    assert "T-1 is open, 2 in transit: lisbon-01, porto-01." in shown
    assert ["lisbon-01", "TEA", "-", "10", "0", "0"] in [line.split() for line in shown.splitlines()]
    assert hub.ask("transfers", "show", "T-9").code == 66
    assert hub.ask("transfers", "close", "T-1").code == 2, "a reason is needed"
    closed = hub.ask("transfers", "close", "T-1", "--reason", "crushed", "--json").json()
    assert closed["transfer"]["state"] == "closing"
    conflicts = hub.ask("conflicts", "ls", "--json").json()["conflicts"]
    assert closed["conflict_id"] in {row["conflict_id"] for row in conflicts}


def test_edits_of_nodes_are_listed_and_put_in_force(hub: ControlPlane) -> None:
    found = hub.ask("catalog", "proposals", "ls", "--json").json()["proposals"]
    assert {(one["field"], one["state"]) for one in found} == {
        ("weight_g", "lost"),
        ("lot_tracked", "waiting"),
    }
    assert len(hub.ask("catalog", "proposals", "ls", "--all", "--json").json()["proposals"]) == 3
    (lost,) = [one["proposal_id"] for one in found if one["state"] == "lost"]
    assert lost in hub.ask("catalog", "proposals", "ls").out
    assert hub.ask("catalog", "proposals", "apply", lost).out == "weight_g of sku TEA is 125 now.\n"
    [tea] = hub.ask("catalog", "ls", "--json").json()["skus"]
    assert tea["weight_g"] == 125
    again = hub.ask("catalog", "proposals", "apply", lost)
    assert (again.code, "not possible in state 'applied'" in again.err) == (1, True)


def test_rights_are_rebalanced_after_a_look_at_the_plan(hub: ControlPlane) -> None:
    [plan] = hub.ask("rights", "rebalance", "--dry-run", "--json").json()["moves"]
    assert (plan["kind"], plan["quantity"], plan["used"], plan["transfer_id"]) == ("grant", 8, 8, "")
    said = hub.ask("rights", "rebalance").out
    assert "it used 8 by itself and has rights to 0" in said
    [row] = hub.ask("rights", "ls", "--json").json()["rights"]
    assert row["in_flight"] == 8
    assert hub.ask("rights", "rebalance").out == "All rights are where they are used.\n"
