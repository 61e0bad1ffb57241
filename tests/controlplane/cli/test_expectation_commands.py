"""`bodegactl notices`, `transfers order`, `returns expect` and `floor ls` against a real `bodegactl serve`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.v1 import floor_pb2
from support.bodegactl import ControlPlane, new_database, serving_from
from support.controlplane import NodeByHand, deliver, settle
from support.moved_order import Hand, news, place, works_of

LISBON, PORTO = "lisbon-01", "porto-01"
AT_LISBON = ("--node", LISBON, "--supplier", "Acme")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ControlPlane, str]]:
    """A control plane of two nodes, one of which has shipped an order; and that order."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        settle(store, "TEA", "MUG", node_ids=(LISBON, PORTO))
        node = NodeByHand()
        node.shelve("TEA", 12)
        node.record(exception_noted=floor_pb2.ExceptionNoted(kind="over_receipt", sku_id="TEA", quantity=2))
        deliver(store, node.delivery())
        order = place(store, 2)
        Hand(node, works_of(store, order.order_id)[0], order.order_id, 2).ship()
        deliver(store, *news(store, node))
    with serving_from(folder) as control_plane:
        yield control_plane, order.order_id


def test_a_notice_is_put_from_options_or_a_file_listed_and_withdrawn(
    hub: tuple[ControlPlane, str], tmp_path: Path
) -> None:
    ask = hub[0].ask
    put = ask("notices", "put", "D-1", *AT_LISBON, "--line", "TEA=40/L-7/2027-01-31", "--json").json()
    assert put["notice"]["lines"] == [
        {"sku_id": "TEA", "quantity": 40, "lot": "L-7", "expiry": "2027-01-31", "sscc": ""}
    ]
    file = tmp_path / "d-2.csv"
    file.write_text("sku_id,quantity\nTEA,4\nMUG,2\n", encoding="utf-8")
    said = ask("notices", "put", "D-2", *AT_LISBON, "--expected", "2026-11-24", "--lines", file).out
    assert "D-2, version 1, is announced: 6 units for lisbon-01." in said
    listed = ask("notices", "ls", "--node", LISBON, "--json").json()["notices"]
    assert {one["notice"]["notice_id"] for one in listed} == {"D-1", "D-2"}
    assert "withdrawn" in ask("notices", "withdraw", "D-1", "--node", LISBON).out
    assert ask("notices", "withdraw", "D-9", "--node", LISBON).code == 66


def test_lines_that_make_no_sense_are_named(hub: tuple[ControlPlane, str], tmp_path: Path) -> None:
    said = hub[0].ask("notices", "put", "D-3", *AT_LISBON, "--line", "TEA", "--line", "MUG=0")
    assert said.code == 65
    assert "--line TEA: needs 1 to" in said.err
    assert "--line MUG=0: needs 1 to" in said.err
    assert hub[0].ask("notices", "put", "D-3", *AT_LISBON, "--line", "GHOST=1").code == 65
    file = tmp_path / "odd.csv"
    for text in ("sku,quantity\nTEA,4\n", "sku_id,quantity\nTEA\n", "sku_id,quantity\nTEA,4,5\n"):
        file.write_text(text, encoding="utf-8")
        assert hub[0].ask("notices", "put", "D-3", *AT_LISBON, "--lines", file).code == 65


def test_a_transfer_is_ordered_once_by_its_request_id(hub: tuple[ControlPlane, str]) -> None:
    asked = ("transfers", "order", "--from", LISBON, "--to", PORTO, "--line", "TEA=3", "--request-id", "r1")
    first = hub[0].ask(*asked, "--json").json()
    assert first["lines"][0]["quantity"] == 3
    assert hub[0].ask(*asked, "--json").json() == first
    listed = hub[0].ask("transfers", "ls", "--json").json()["transfers"]
    assert [one["transfer_id"] for one in listed] == [first["transfer_id"]]


def test_a_return_is_agreed_to_and_not_twice(hub: tuple[ControlPlane, str]) -> None:
    control_plane, order_id = hub
    said = control_plane.ask("returns", "expect", order_id, "--json").json()
    assert (said["node_id"], said["expected"]["lines"][0]["quantity"]) == (LISBON, 2)
    assert control_plane.ask("returns", "expect", order_id).code == 1
    (listed,) = control_plane.ask("floor", "ls", "returns", "--json").json()["returns"]
    assert (listed["return_id"], listed["state"]) == (said["expected"]["return_id"], "expected")


def test_what_the_floors_say_is_listed_by_kind(hub: tuple[ControlPlane, str]) -> None:
    (noted,) = hub[0].ask("floor", "ls", "exceptions", "--node", LISBON, "--json").json()["exceptions"]
    assert (noted["kind"], noted["quantity"]) == ("over_receipt", "2")
    assert "over_receipt" in hub[0].ask("floor", "ls", "exceptions").out
    assert "No refunds." in hub[0].ask("floor", "ls", "refunds").out
    assert hub[0].ask("floor", "ls", "secrets").code == 2
