"""Every routing decision is a record: explained as it was made, made again bit for bit, tried with other rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bodega.core.routing.bundle import DEFAULT, parse
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Inputs
from bodega.errors import NotFound, Refused
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.node_views import NodeDraft
from bodega_controlplane.app.ordering import decisions, orders, reassigning
from bodega_controlplane.app.ordering.reassigning import Move
from bodega_controlplane.app.routing import activating, past, records
from bodega_controlplane.app.routing.views import ReplayView
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store import routing, schema
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    OPERATOR,
    POLICY,
    PORTO,
    SHOP,
    NodeByHand,
    deliver,
    node_draft,
    order_draft,
    rows_of,
    settle,
)
from support.routing import document

NODES = ("lisbon-01", "porto-01")
# Whoever is farthest is best.
FARTHEST = parse(
    document("farthest", 1, scores=[{"name": "near", "value": "0.0 - node.distance_km", "weight": 1.0}])
)


def stocked(store: Store, **units: int) -> None:
    """Both nodes hold so much of each SKU."""
    settle(store, *units, node_ids=NODES)
    for node_id in NODES:
        node = NodeByHand(node_id)
        for sku_id, quantity in units.items():
            node.shelve(sku_id, quantity)
        deliver(store, node.delivery())


def place(store: Store, *lines: tuple[str, int], at_ms: int = SHOP.now_ms) -> str:
    caller = replace(SHOP, now_ms=at_ms)
    return store.write(lambda tx: orders.place_order(tx, caller, order_draft(*lines), POLICY))[0].order_id


def inputs_of(store: Store, order_id: str) -> Inputs:
    (row,) = store.read(lambda tx: routing.decisions_of(tx, order_id))
    inputs = records.inputs_of(row)
    assert inputs is not None
    return inputs


def outcomes(store: Store) -> list[str]:
    return [one.outcome for one in store.read(lambda tx: past.replay(tx, PageRequest())).replays]


def test_a_decision_is_explained_as_it_was_made(store: Store) -> None:
    stocked(store, TEA=10)
    order_id = place(store, ("TEA", 3))
    (told,) = store.read(lambda tx: records.explain(tx, order_id))
    assert (told.order_id, told.digest, told.decided_by) == (order_id, DEFAULT.digest, "")
    assert [share.node_id for share in told.choice.shares] == ["lisbon-01"]
    assert [one.node_id for one in told.choice.candidates] == ["lisbon-01", "porto-01"]
    assert told.choice == decide(DEFAULT, inputs_of(store, order_id))

    store.write(
        lambda tx: reassigning.reassign(
            tx, replace(OPERATOR, now_ms=SHOP.now_ms + 1), Move(order_id, "the roof leaks"), POLICY
        )
    )
    newest, first = store.read(lambda tx: records.explain(tx, order_id))
    assert first == told
    assert (newest.decided_by, newest.reason) == ("operator", "the roof leaks")
    assert [share.node_id for share in newest.choice.shares] == ["porto-01"]
    views = store.read(lambda tx: decisions.routes_of(tx, order_id))
    assert [view.node_id for view in views] == ["porto-01", "lisbon-01"]
    with pytest.raises(NotFound):
        store.read(lambda tx: records.explain(tx, "O-ghost"))


def test_rules_look_at_what_the_operator_says_of_a_node_and_at_what_waits_there(store: Store) -> None:
    stocked(store, TEA=10)
    told = {"kind": "store", "country": "PT", "capacity_orders": 40, "labels": {"region": "north"}}
    draft: NodeDraft = replace(node_draft("porto-01", PORTO, number=1), time_zone="Europe/Lisbon", **told)
    store.write(lambda tx: nodes.register_node(tx, OPERATOR, draft))
    store.write(lambda tx: tx.connection.exec_driver_sql("UPDATE sku SET weight_g = 80, volume_ml = 200"))
    place(store, ("TEA", 1))
    inputs = inputs_of(store, place(store, ("TEA", 2)))
    lisbon, porto = inputs.sites
    assert (porto.kind, porto.country, porto.capacity_orders, porto.labels) == tuple(told.values())
    assert (lisbon.kind, lisbon.open_orders, porto.open_orders) == ("", 1, 0)
    assert (lisbon.silent_s, lisbon.local_minute, lisbon.weekday) == (-1, 22 * 60 + 13, 2)
    (line,) = inputs.lines
    assert (line.weight_g, line.volume_ml) == (80, 200)
    heard = SHOP.now_ms - 90_500
    store.write(lambda tx: tx.connection.execute(schema.node.update().values(last_contact_ms=heard)))
    assert [site.silent_s for site in inputs_of(store, place(store, ("TEA", 1))).sites] == [90, 90]


def test_decisions_are_made_again_bit_for_bit_and_a_changed_record_is_found_out(store: Store) -> None:
    stocked(store, TEA=20)
    ids = [place(store, ("TEA", 1), at_ms=SHOP.now_ms + number) for number in range(3)]
    assert outcomes(store) == ["same"] * 3
    (row,) = store.read(lambda tx: routing.decisions_of(tx, ids[1]))
    text = json.loads(records.choice_bytes(row))
    text["choice"]["shares"][0]["node_id"] = "porto-01"
    changed = records.packed(json.dumps(text).encode())
    store.write(lambda tx: routing.save_decision(tx, row.decision_id, choice=changed))
    found = store.read(lambda tx: past.replay_order(tx, ids[1])).replays
    assert [one.outcome for one in found] == ["differs"]
    assert found[0].detail
    assert outcomes(store) == ["same", "differs", "same"]


@pytest.mark.parametrize("column", ["inputs", "choice"])
def test_a_record_that_can_not_be_read_is_told_with_the_others(store: Store, column: str) -> None:
    stocked(store, TEA=20)
    ids = [place(store, ("TEA", 1), at_ms=SHOP.now_ms + number) for number in range(3)]
    (row,) = store.read(lambda tx: routing.decisions_of(tx, ids[1]))
    store.write(lambda tx: routing.save_decision(tx, row.decision_id, **{column: b"rot"}))
    assert outcomes(store) == ["same", "differs", "same"]
    found = store.read(lambda tx: past.simulate(tx, DEFAULT, PageRequest()))
    assert (found.before.decisions, found.left_out) == (2, 1)


def test_pages_go_through_all_decisions_once(store: Store) -> None:
    stocked(store, TEA=50)
    ids = {place(store, ("TEA", 1)) for _ in range(5)}
    seen: list[ReplayView] = []
    token = ""
    while True:
        page = PageRequest(2, token)
        answer = store.read(lambda tx, page=page: past.replay(tx, page))
        assert answer.total == (0 if token else 5)
        seen += answer.replays
        token = answer.next_token
        if not token:
            break
    assert len(seen) == 5
    assert {one.order_id for one in seen} == ids
    later = store.read(lambda tx: past.replay(tx, PageRequest(), since_ms=SHOP.now_ms + 1))
    assert later.replays == ()


def test_a_simulation_says_what_other_rules_would_have_changed_and_changes_nothing(
    store: Store, tmp_path: Path
) -> None:
    stocked(store, TEA=20)
    order_id = place(store, ("TEA", 2))
    before = rows_of(store, schema.routing_decision)
    same = store.read(lambda tx: past.simulate(tx, DEFAULT, PageRequest()))
    assert (same.changes, same.total, same.left_out) == ((), 1, 0)
    assert same.before == same.after
    other = store.read(lambda tx: past.simulate(tx, FARTHEST, PageRequest()))
    (change,) = other.changes
    assert (change.order_id, other.bundle.rule) == (order_id, "farthest@1")
    assert [share.node_id for share in change.before + change.after] == ["lisbon-01", "porto-01"]
    assert dict(other.before.by_node) == {"lisbon-01": 1}
    assert dict(other.after.by_node) == {"porto-01": 1}
    assert rows_of(store, schema.routing_decision) == before

    # What was simulated is what happens once it is in force.
    key = load_hub_key(tmp_path)
    store.write(lambda tx: activating.activate(tx, OPERATOR, FARTHEST, "a trial", key.sign))
    policy = replace(POLICY, bundle=FARTHEST)
    view = store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 2)), policy))[0]
    assert view.node_id == "porto-01"
    assert [share.node_id for share in decide(FARTHEST, inputs_of(store, view.order_id)).shares] == [
        "porto-01"
    ]
    assert outcomes(store) == ["same", "same"]


def test_an_erased_decision_keeps_who_was_chosen_and_nothing_that_leads_to_the_house(store: Store) -> None:
    stocked(store, TEA=20)
    order_id = place(store, ("TEA", 1))
    assert store.write(lambda tx: records.erase(tx, [order_id, "O-ghost"]))[0] == 1
    assert store.write(lambda tx: records.erase(tx, [order_id]))[0] == 0
    (told,) = store.read(lambda tx: records.explain(tx, order_id))
    assert [share.node_id for share in told.choice.shares] == ["lisbon-01"]
    assert {one.distance_km for one in told.choice.candidates} == {0.0}
    assert "km" not in "".join(reason.text for one in told.choice.candidates for reason in one.reasons)
    assert told.inputs_sha256 == ""
    (row,) = rows_of(store, schema.routing_decision)
    assert b"1200-001" not in records.unpacked(row.inputs)
    assert row.destination == ""
    assert outcomes(store) == ["erased"]
    assert store.read(lambda tx: past.simulate(tx, FARTHEST, PageRequest())).left_out == 1


def test_a_decision_by_a_bundle_that_is_not_kept_can_not_be_made_again_and_says_so(store: Store) -> None:
    stocked(store, TEA=20)
    place(store, ("TEA", 1))
    store.write(lambda tx: tx.connection.execute(schema.routing_decision.update().values(digest="f" * 64)))
    assert outcomes(store) == ["not_recorded"]


def test_an_order_that_no_node_has_all_of_is_split_where_it_may_be(store: Store) -> None:
    stocked(store, TEA=10)
    whole = order_draft(("TEA", 12))
    with pytest.raises(Refused):
        store.write(lambda tx: orders.place_order(tx, SHOP, whole, POLICY))
    in_parts = replace(whole, parts_max=2)
    order_id = store.write(lambda tx: orders.place_order(tx, SHOP, in_parts, POLICY))[0].order_id
    (told,) = store.read(lambda tx: records.explain(tx, order_id))
    assert {share.node_id: dict(share.quantities) for share in told.choice.shares} == {
        "lisbon-01": {1: 8},
        "porto-01": {1: 4},
    }
    assert outcomes(store) == ["same"]
    assert store.read(lambda tx: past.simulate(tx, DEFAULT, PageRequest())).before.splits == 1


def test_of_a_pre_order_nothing_was_decided_yet_and_that_is_said(store: Store) -> None:
    stocked(store, TEA=10)
    early = replace(order_draft(("TEA", 1)), not_before_ms=SHOP.now_ms + 1)
    order_id = store.write(lambda tx: orders.place_order(tx, SHOP, early, POLICY))[0].order_id
    assert store.read(lambda tx: records.explain(tx, order_id)) == ()
    with pytest.raises(NotFound, match="not given to any node yet"):
        store.read(lambda tx: decisions.routes_of(tx, order_id))
