"""Two nodes work on one order: parcels that left stand, people recall one of two, and arrival decides nothing."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega.codec import parse_hub_event
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega_controlplane.app.applying.journal import apply
from bodega_controlplane.app.deciding import conflicts
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import SHOP, deliver, open_test_store, promises, rows_of
from support.moved_order import (
    LISBON,
    PARCELS,
    PORTO,
    Hand,
    conflicts_of,
    look_after,
    move,
    news,
    order_now,
    place,
    two_nodes,
    works_of,
)
from support.waiting import until


def moved(store: Store) -> tuple[str, Hand, Hand]:
    """An order of 3 that went from Lisbon to Porto; the hands of both."""
    lisbon, porto = two_nodes(store)
    order_id = place(store, 3).order_id
    lisbon.seen_seq = porto.seen_seq = 3
    move(store, order_id)
    first, second = works_of(store, order_id)
    return order_id, Hand(lisbon, first, order_id), Hand(porto, second, order_id, token=2)


def revocations(store: Store, node_id: str) -> list[tuple[str, int, str]]:
    events = [parse_hub_event(row.body) for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    return [
        (one.fulfillment_revoked.fulfillment_order_id, one.fulfillment_revoked.fencing_token, one.cmd_id)
        for one in events
        if one.HasField("fulfillment_revoked")
    ]


def test_a_parcel_of_the_old_token_alone_stands_and_the_new_node_is_stopped(store: Store) -> None:
    order_id, old, new = moved(store)
    ship_seq = old.ship()
    deliver(store, *news(store, old.node))
    after = order_now(store, order_id)
    assert (after.state, after.parcels) == (OrderState.SHIPPED, (PARCELS[LISBON],))
    assert [(line.shipped, line.short) for line in after.lines] == [(3, 0)]
    (row,) = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest())).rows
    assert (row.kind, row.rule, row.state, row.needs) == (
        "two_nodes_claim",
        "two_nodes_claim@1",
        "settled",
        "",
    )
    assert row.inputs == ("hub/1/4", f"{LISBON}/1/{ship_seq}")
    assert "up to 3 when it shipped" in row.knew
    look_after(store)
    look_after(store)
    assert revocations(store, PORTO) == [(new.work_id, 3, f"revoke-{new.work_id}")]
    new.stop()
    deliver(store, *news(store, new.node))
    assert order_now(store, order_id).state is OrderState.SHIPPED
    assert {row.state for row in promises(store)} == {"voided"}


def test_two_parcels_are_on_their_way_and_a_person_recalls_one(store: Store) -> None:
    order_id, old, new = moved(store)
    seqs = (old.ship(), new.ship())
    deliver(store, *news(store, new.node))
    deliver(store, *news(store, old.node))
    after = order_now(store, order_id)
    assert (after.state, set(after.parcels)) == (OrderState.SHIPPED, set(PARCELS.values()))
    assert after.lines[0].shipped == 6
    (open_row,) = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest(), only_open=True)).rows
    assert open_row.kind == "duplicate_shipment"
    assert open_row.inputs == (f"{LISBON}/1/{seqs[0]}", f"{PORTO}/1/{seqs[1]}")
    assert open_row.needs.startswith(f"recall one parcel: {PARCELS[LISBON]}")
    story = store.read(lambda tx: conflicts.tell(tx, open_row.conflict_id))
    assert [one.fact for one in story.inputs] == ["fulfillment_advanced"] * 2
    assert story.inputs[0].sentence.endswith(f"is shipped in parcel {PARCELS[LISBON]}")
    assert story.inputs[0].who == f"associate, {LISBON}"
    look_after(store)
    assert revocations(store, PORTO) == []


def test_a_cancel_of_the_moved_order_does_not_make_a_parcel_on_its_way_unseen(store: Store) -> None:
    """Cancelled at the new node, shipped by the old one: whichever word comes first, it counts as shipped."""
    order_id, old, new = moved(store)
    store.write(lambda tx: orders.cancel_order(tx, SHOP, order_id))
    new.stop()
    deliver(store, *news(store, new.node))
    assert order_now(store, order_id).state is OrderState.CANCELLED
    old.ship()
    deliver(store, *news(store, old.node))
    assert order_now(store, order_id).state is OrderState.SHIPPED


def test_a_third_node_has_it_and_the_first_one_ships(store: Store) -> None:
    order_id, old, new = moved(store)
    move(store, order_id)
    third = works_of(store, order_id)[2]
    old.ship()
    deliver(store, *news(store, old.node))
    look_after(store)
    assert [work for work, _, _ in revocations(store, PORTO)] == [new.work_id]
    assert [work for work, _, _ in revocations(store, LISBON)] == [old.work_id, third]


@pytest.mark.postgres
def test_both_parcels_are_read_at_the_same_moment_and_none_is_overlooked(
    postgres_url: str, tmp_path: Path
) -> None:
    """Two transactions, each with its own node locked: the second one must see what the first one writes."""
    with closing(open_test_store(postgres_url, tmp_path)) as store, ThreadPoolExecutor(1) as other:
        _, old, new = moved(store)
        old.ship()
        new.ship()
        (from_old,), (from_new,) = news(store, old.node), news(store, new.node)
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        second: list[Future[object]] = []

        def first(tx: Transaction) -> None:
            apply(tx, SHOP.now_ms, [from_old])
            second.append(other.submit(deliver, store, from_new))

            def met() -> bool:
                return second[0].done() or bool(tx.connection.execute(waiting).scalar_one())

            asyncio.run(until(met, what="the second one is done, or waits for the first"))

        store.write(first)
        second[0].result()
        assert {kind for _, kind, *_ in conflicts_of(store)} == {"two_nodes_claim", "duplicate_shipment"}


FATES = st.sampled_from(["ship", "stop", "pick"])
CUTS = st.lists(st.integers(1, 4), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(old_fate=FATES, new_fate=FATES, cancelled=st.booleans(), data=st.data())
def test_arrival_decides_nothing(old_fate: str, new_fate: str, cancelled: bool, data: st.DataObject) -> None:
    """What the nodes did is fixed; how their journals are cut, mixed and looked after changes no row and no state."""
    outcomes = []
    for turns in (
        ["lisbon", "porto"],
        ["porto", "lisbon"],
        data.draw(st.permutations(["lisbon", "porto"] * 6)),
    ):
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(open_test_store("sqlite", Path(folder))) as store,
        ):
            order_id, old, new = moved(store)
            if cancelled:
                store.write(lambda tx, asked=order_id: orders.cancel_order(tx, SHOP, asked))
            getattr(old, old_fate)()
            getattr(new, new_fate)()
            whole = len(turns) == 2
            for turn in turns:
                node = old.node if turn == "lisbon" else new.node
                after = sum(row.node_id == node.node_id for row in rows_of(store, schema.journal))
                step = len(node.journal) if whole else data.draw(st.integers(1, 3))
                if after < len(node.journal):
                    deliver(store, node.delivery(after, min(after + step, len(node.journal))))
                if data.draw(st.booleans()):
                    look_after(store)
            for node in (old.node, new.node):
                deliver(store, *news(store, node))
            look_after(store)
            outcomes.append(_outcome(store, order_id, old, new))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def _outcome(store: Store, order_id: str, old: Hand, new: Hand) -> object:
    """Everything that people see, with the names that this run made up taken out."""
    after = order_now(store, order_id)
    names = {order_id: "O", old.work_id: "F-old", new.work_id: "F-new"}

    def plain(text: str) -> str:
        for name, word in names.items():
            text = text.replace(name, word)
        return text

    rows = sorted(
        (kind, plain(inputs), plain(effects)) for _, kind, inputs, effects, _ in conflicts_of(store)
    )
    lines = [(line.shipped, line.short) for line in after.lines]
    promised = [
        (row.node_id, row.posted, row.voided, row.state)
        for superseded in (False, True)
        for row in promises(store, superseded=superseded)
    ]
    states = [
        FulfillmentState(row.state)
        for row in sorted(rows_of(store, schema.fulfillment_order), key=lambda row: row.fencing_token)
    ]
    return after.state, sorted(after.parcels), lines, rows, promised, states
