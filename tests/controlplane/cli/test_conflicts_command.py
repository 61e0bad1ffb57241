"""`bodegactl conflicts`, `overrides` and `orders reassign` against a real `bodegactl serve`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.bodegactl import ControlPlane, new_database, serving_from
from support.controlplane import deliver
from support.moved_order import LISBON, PORTO, SKU, news, place, two_nodes


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane: a large order that nobody can serve whole any more, a small one that both could."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        lisbon, _ = two_nodes(store, lisbon=20, porto=8)
        place(store, 2, reference="small")
        place(store, 8, 1, reference="large")
        lisbon.move("count_down", SKU, 14, source="A-01-01")
        deliver(store, *news(store, lisbon))
    with serving_from(folder) as control_plane:
        yield control_plane


def order_of(hub: ControlPlane, reference: str) -> dict[str, object]:
    found = hub.ask("orders", "ls", "--json").json()["orders"]
    return next(order for order in found if order["reference"] == reference)


def test_conflicts_are_listed_told_overridden_and_resolved(hub: ControlPlane) -> None:
    large = order_of(hub, "large")["order_id"]
    found = hub.ask("conflicts", "ls", "--kind", "physical_shortfall", "--node", LISBON, "--json").json()
    (row,) = found["conflicts"]
    assert (row["order_id"], row["state"]) == (large, "open")
    assert row["needs"].startswith("move the order")
    table = hub.ask("conflicts", "ls", "--open").out
    assert table.splitlines()[0].split()[:4] == ["CONFLICT", "OPENED", "STATE", "KIND"]
    told = hub.ask("conflicts", "show", row["conflict_id"])
    assert told.code == 0
    for word in (
        "rule     physical_shortfall@1: Promises are kept",
        "count down: -",
        "knew     ",
        "undo     ",
    ):
        assert word in told.out
    held = hub.ask(
        *("conflicts", "override", row["conflict_id"], "--effect", "wait for the truck"),
        *("--reason", "due at three", "--until", "4h", "--request-id", "q-1"),
    )
    assert (held.code, "is overridden until 2" in held.out) == (0, True)
    assert "wait for the truck" in hub.ask("overrides", "ls", "--open").out
    decided = hub.ask("conflicts", "resolve", row["conflict_id"], "--decision", "ship short", "--json").json()
    assert (decided["state"], decided["decided_by"], decided["decision"]) == (
        "resolved",
        "operator",
        "ship short",
    )
    again = hub.ask("conflicts", "resolve", row["conflict_id"], "--decision", "ship short")
    assert (again.code, "possible here: nothing" in again.err) == (1, True)
    assert hub.ask("conflicts", "show", "nothing").code == 66


def test_an_order_is_kept_moved_and_explained(hub: ControlPlane) -> None:
    order_id = order_of(hub, "small")["order_id"]
    kept = hub.ask("overrides", "keep", order_id, "--reason", "collected", "--until", "2d", "--json").json()
    refused = hub.ask("orders", "reassign", order_id, "--reason", "flooded")
    assert (refused.code, kept["override_id"] in refused.err) == (1, True)
    assert hub.ask("overrides", "close", kept["override_id"]).code == 0
    assert hub.ask("overrides", "close", kept["override_id"]).code == 1
    moved = hub.ask("orders", "reassign", order_id, "--to", PORTO, "--reason", "flooded")
    assert (moved.code, f"node       {PORTO}" in moved.out) == (0, True), moved.err
    explained = hub.ask("orders", "explain", order_id).out
    assert "operator moved it: flooded" in explained
    assert f"before that it was at {LISBON}" in explained


@pytest.mark.parametrize("until", ["soon", "0h", "2001-01-01"])
def test_an_end_that_is_none_is_wrong_usage(hub: ControlPlane, until: str) -> None:
    said = hub.ask("overrides", "keep", "O-1", "--reason", "x", "--until", until)
    assert (said.code, "is no span" in said.err) == (2, True)
