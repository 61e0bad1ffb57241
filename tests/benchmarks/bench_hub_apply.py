"""Journals of nodes into PostgreSQL: events applied a second, beside what executemany writes of the journal alone.

`apply.rate`: whole envelopes of 200 events, as many a commit as the hub takes, judged, kept and applied; the database
syncs its disk. `apply.rate_of_orders`: the same where each order's work advances, which touches orders and promises.
Raw: psycopg's executemany of the rows of the hub's journal, as many a commit, and nothing else.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from benchmarks import ledger_rows as rows
from benchmarks import sync_drain
from benchmarks.result import Result
from bodega.codec import envelope_to_bytes
from bodega.core.lifecycles import FulfillmentState
from bodega.core.sync import Head, Recorded, pack
from bodega.limits import ENVELOPE_EVENTS_MAX, UP_ENVELOPES_PER_COMMIT_MAX
from bodega_controlplane.app.applying.journal import Delivery, apply
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store, open_store
from support.controlplane import POLICY, SHOP, NodeByHand, order_draft, rows_of, settle
from support.postgres import PostgresServer, find_binaries, serving

NAME = "controlplane.apply"

# Of 500 events each.
BLOCKS = 200
ORDERS = 2_000
_STATES = (
    FulfillmentState.PICKING,
    FulfillmentState.PICKED,
    FulfillmentState.PACKED,
    FulfillmentState.LABELLED,
    FulfillmentState.SHIPPED,
)


def run(blocks: int = BLOCKS, placed: int = ORDERS) -> Iterator[Result]:
    """Movements, then orders."""
    binaries = find_binaries()
    if binaries is None:
        return
    with (
        tempfile.TemporaryDirectory(prefix="bench-apply-") as name,
        serving(binaries, durable=True) as server,
    ):
        folder = Path(name)
        rows.build(folder / "ledger", blocks)
        journal = sync_drain.recorded(folder / "ledger")
        raw = _raw(server, journal)
        with closing(open_store(server.new_database(), folder)) as store:
            settle(store, *(f"SKU-{number:04}" for number in range(rows.SKUS)), node_ids=(rows.NODE_ID,))
            yield Result.against(
                "apply.rate", round(_applied(store, rows.NODE_ID, journal)), "1/s", round(raw)
            )
        with closing(open_store(server.new_database(), folder)) as store:
            journal = _worked(store, placed)
            yield Result.against(
                "apply.rate_of_orders", round(_applied(store, "lisbon-01", journal)), "1/s", round(raw)
            )


def _applied(store: Store, node_id: str, journal: Sequence[Recorded]) -> float:
    """Events a second."""
    begun = int(
        store.read(lambda tx: tx.connection.exec_driver_sql("SELECT max(applied_seq) FROM node").scalar_one())
    )
    deliveries, head = [], Head(1, begun, journal[begun - 1].hash) if begun else Head()
    while head.seq < len(journal):
        envelope = pack(node_id, head, journal[head.seq : head.seq + ENVELOPE_EVENTS_MAX])
        head = Head(head.epoch, envelope.last_seq, envelope.last_hash)
        deliveries.append(Delivery(node_id, f"up.{node_id}.1", envelope_to_bytes(envelope)))
    began = time.perf_counter()
    for first in range(0, len(deliveries), UP_ENVELOPES_PER_COMMIT_MAX):
        part = deliveries[first : first + UP_ENVELOPES_PER_COMMIT_MAX]
        (answers, _) = store.write(lambda tx, part=part: apply(tx, rows.AT_MS, part))  # type: ignore[misc]  # bound now, because it is a loop
        assert all(answer.verdict == "apply" for answer in answers), answers[-1]
    return (len(journal) - begun) / (time.perf_counter() - began)


def _worked(store: Store, placed: int) -> list[Recorded]:
    """A node that has stock, and has picked and shipped so many orders that its hub has placed there."""
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 10 * placed)
    store.write(lambda tx: apply(tx, rows.AT_MS, [node.delivery()]))
    for _ in range(placed):
        store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 1)), POLICY))
    for work in rows_of(store, schema.fulfillment_order):
        about = {"fulfillment_order_id": work.fulfillment_order_id}
        for state in _STATES:
            lines = [(1, 1, 0)] if state is FulfillmentState.SHIPPED else []
            node.advance(work.fulfillment_order_id, work.order_id, state, *lines)
            if state is FulfillmentState.PICKING:
                node.move("pick", "TEA", 1, source="A-01-01", target="STAGE", **about)
    return node.journal


def _raw(server: PostgresServer, journal: Sequence[Recorded]) -> float:
    url = make_url(server.new_database()).set(drivername="postgresql").render_as_string(hide_password=False)
    commits = list(sync_drain.commits(journal))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sync_drain.JOURNAL.format(bytes="BYTEA"))
        connection.commit()
        began = time.perf_counter()
        for made in commits:
            cursor.executemany("INSERT INTO raw_journal VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", made)
            connection.commit()
        return len(journal) / (time.perf_counter() - began)
