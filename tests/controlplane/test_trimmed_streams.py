"""Rows of the hub's streams that nobody asks for again go, a few at a time; what follows them still fits the chain."""

from __future__ import annotations

from bodega.core.sync import Head, Verdict, judge
from bodega.limits import DOWN_LOG_TRIMMED_ROWS_MAX
from bodega_controlplane.app.fleet import outbox, restating
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.store import nodes, schema
from bodega_controlplane.store import outbox as rows
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import OPERATOR, rows_of, settle, sku

NODE = "lisbon-01"
LATER_MS = 2**60


def _trim(
    store: Store, applied: Head, before_ms: int = LATER_MS, most: int = DOWN_LOG_TRIMMED_ROWS_MAX
) -> int:
    return store.write(lambda tx: rows.trim(tx, NODE, applied, before_ms, most))[0]


def _head(store: Store) -> Head:
    return store.read(outbox.heads)[NODE]


def _kept(store: Store) -> list[tuple[int, int]]:
    return sorted((row.epoch, row.seq) for row in rows_of(store, schema.down_log))


def test_what_was_applied_long_ago_goes_but_for_the_row_that_the_stream_goes_on_from(store: Store) -> None:
    settle(store, "TEA", "SALT")
    head = _head(store)
    assert _trim(store, head, before_ms=0) == 0
    assert _trim(store, head, most=1) == 1
    assert _trim(store, head) == head.seq - 2
    assert _kept(store) == [(1, head.seq)]
    store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [sku("OAT")]))
    following = store.read(lambda tx: outbox.envelope_from(tx, NODE, 1, head.seq + 1))
    assert following is not None
    assert judge(head, following).verdict is Verdict.APPLY
    assert store.read(lambda tx: outbox.envelope_from(tx, NODE, 1, head.seq - 1)) is None


def test_an_epoch_that_has_ended_goes_whole(store: Store) -> None:
    settle(store, "TEA")

    def begin_anew(tx: Transaction) -> int:
        tx.lock_nodes([NODE])
        row = nodes.by_id(tx, NODE)
        assert row is not None
        return restating.begin_anew(tx, OPERATOR, row, "a test")

    assert store.write(begin_anew)[0] == 2
    before = _kept(store)
    assert _trim(store, Head(2)) == sum(epoch == 1 for epoch, _ in before)
    assert _kept(store) == [place for place in before if place[0] == 2]
