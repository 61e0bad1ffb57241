"""Whom orders went to is kept for a while after their end, or until somebody asks; then nobody knows it any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bodega.codec import parse_hub_event
from bodega.errors import InvalidInput, NotFound, Refused
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.privacy.erasing import Erased, erase, erase_ended
from bodega_controlplane.app.views import OrderView
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.services import rounds
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SECRET_NAME, SHOP, deliver, rows_of
from support.moved_order import LISBON, PORTO, Hand, move, news, place, two_nodes, works_of

DAY_MS = 24 * 3600 * 1000
WHY = "asked for by the customer"


def shipped(store: Store) -> OrderView:
    """An order that Lisbon has sent."""
    lisbon, _ = two_nodes(store)
    order = place(store)
    Hand(lisbon, works_of(store, order.order_id)[0], order.order_id).ship()
    deliver(store, *news(store, lisbon))
    return order


def erased(store: Store, *order_ids: str) -> Erased:
    return store.write(lambda tx: erase(tx, OPERATOR, order_ids, WHY))[0]


def told(store: Store, node_id: str) -> list[list[str]]:
    """The orders that a node was told to forget, event by event."""
    bodies = [row.body for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    events = map(parse_hub_event, bodies)
    return [
        list(event.recipients_erased.order_ids) for event in events if event.HasField("recipients_erased")
    ]


def test_on_demand_an_order_forgets_whom_it_went_to_and_its_node_is_told(store: Store) -> None:
    order = shipped(store)
    before = store.read(lambda tx: orders.get_order(tx, order.order_id))
    assert erased(store, order.order_id) == Erased((order.order_id,), (LISBON,))
    (row,) = rows_of(store, schema.orders)
    assert (row.recipient, row.pickup) == ("", "")
    # What was ordered and sent is no secret, and stays.
    assert store.read(lambda tx: orders.get_order(tx, order.order_id)) == before
    assert told(store, LISBON) == [[order.order_id]]
    assert told(store, PORTO) == []
    # The decision stays, and no longer says where it went to.
    assert [row.destination for row in rows_of(store, schema.routing_decision)] == [""]
    (line,) = [row for row in rows_of(store, schema.audit) if row.action == "order.erased"]
    assert (line.subject, line.actor, SECRET_NAME in line.detail) == (order.order_id, "operator", False)
    # Again: nothing is left to erase, and nobody is told.
    assert erased(store, order.order_id) == Erased((), ())
    assert len(told(store, LISBON)) == 1


def test_every_node_that_was_asked_is_told(store: Store) -> None:
    lisbon, porto = two_nodes(store)
    order = place(store)
    move(store, order.order_id, PORTO)
    first, second = works_of(store, order.order_id)
    Hand(lisbon, first, order.order_id).stop()
    Hand(porto, second, order.order_id, token=2).ship()
    deliver(store, *news(store, porto))
    # Lisbon has not said yet that it stopped: it may still ship, and needs the address.
    with pytest.raises(Refused) as refused:
        erased(store, order.order_id)
    assert refused.value.code == "order-open"
    deliver(store, *news(store, lisbon))
    assert erased(store, order.order_id).node_ids == (LISBON, PORTO)


def test_an_order_under_way_keeps_what_it_needs_and_so_do_those_beside_it(store: Store) -> None:
    done = shipped(store)
    open_one = place(store, 1)
    with pytest.raises(Refused) as refused:
        erased(store, done.order_id, open_one.order_id)
    assert refused.value.code == "order-open"
    assert all(SECRET_NAME in row.recipient for row in rows_of(store, schema.orders))
    with pytest.raises(NotFound):
        erased(store, done.order_id, "O-0")
    with pytest.raises(InvalidInput) as invalid:
        store.write(lambda tx: erase(tx, OPERATOR, [], " "))
    assert [fault.where for fault in invalid.value.faults] == ["order_ids", "reason"]


def test_some_time_after_the_end_it_happens_by_itself(store: Store) -> None:
    order = shipped(store)
    open_one = place(store, 1)
    (ended_ms,) = [
        row.updated_at_ms for row in rows_of(store, schema.orders) if row.order_id == order.order_id
    ]

    def round_at(now_ms: int, kept_days: int = 90) -> int:
        caller = replace(SHOP, now_ms=now_ms)
        return store.write(lambda tx: erase_ended(tx, caller, kept_days))[0]

    assert round_at(ended_ms + 90 * DAY_MS) == 0
    # 0 days: only when somebody asks.
    assert round_at(ended_ms + 900 * DAY_MS, kept_days=0) == 0
    assert round_at(ended_ms + 90 * DAY_MS + 1) == 1
    kept = {row.order_id: row.recipient for row in rows_of(store, schema.orders)}
    assert kept[order.order_id] == ""
    assert SECRET_NAME in kept[open_one.order_id]
    assert round_at(ended_ms + 91 * DAY_MS) == 0
    assert told(store, LISBON) == [[order.order_id]]


async def test_the_hub_does_it_in_its_rounds(sqlite_store: Store, tmp_path: Path) -> None:
    order = shipped(sqlite_store)
    hub = Hub(sqlite_store, load_hub_key(tmp_path), POLICY)
    hub.recipients_kept_days = 1
    (one,) = [one for one in rounds.ROUNDS if one.name == "recipients_erased_at_ms"]
    await rounds.do(hub, one)
    assert told(sqlite_store, LISBON) == [[order.order_id]]
