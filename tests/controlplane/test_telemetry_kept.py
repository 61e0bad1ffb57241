"""Telemetry at the hub: each row once, the newest of each node, within bounds, and from known nodes only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bodega.errors import InvalidInput, NotFound
from bodega.limits import TELEMETRY_ROWS_PER_REPORT_MAX, TEXT_CHARS_MAX
from bodega.v1 import telemetry_pb2
from bodega_controlplane.app.fleet import telemetry
from bodega_controlplane.store import telemetry as rows_of_nodes
from bodega_controlplane.store.engine import Store
from support.controlplane import settle

NODE = "lisbon-01"


def rows(*numbers: int, detail: str = "") -> list[telemetry_pb2.TelemetryRow]:
    return [telemetry_pb2.TelemetryRow(row_no=number, kind="sample", detail=detail) for number in numbers]


def keep(store: Store, told: Sequence[telemetry_pb2.TelemetryRow], node_id: str = NODE) -> int:
    return store.write(lambda tx: telemetry.keep(tx, 7, node_id, told))[0]


def kept(store: Store) -> list[int]:
    return [row.row_no for row in store.read(lambda tx: rows_of_nodes.newest(tx, NODE, 100))]


def test_a_row_that_comes_again_is_kept_once(store: Store) -> None:
    settle(store, "TEA")
    assert keep(store, rows(1, 2)) == 2
    assert keep(store, rows(2, 3)) == 2
    assert kept(store) == [3, 2, 1]


def test_only_the_newest_of_a_node_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bodega_controlplane.app.fleet.telemetry.TELEMETRY_ROWS_OF_NODE_MAX", 3)
    settle(store, "TEA", node_ids=(NODE, "porto-01"))
    keep(store, rows(9), "porto-01")
    keep(store, rows(1, 2, 3, 4, 5))
    assert kept(store) == [5, 4, 3]
    assert len(store.read(lambda tx: rows_of_nodes.newest(tx, "porto-01", 100))) == 1


def test_what_is_out_of_bounds_is_cut_or_refused(store: Store) -> None:
    settle(store, "TEA")
    keep(store, rows(2**64 - 1, detail="x" * (TEXT_CHARS_MAX + 1)))
    (row,) = store.read(lambda tx: rows_of_nodes.newest(tx, NODE, 10))
    assert (row.row_no, len(row.detail)) == (2**63 - 1, TEXT_CHARS_MAX)
    with pytest.raises(InvalidInput):
        keep(store, rows(*range(TELEMETRY_ROWS_PER_REPORT_MAX + 1)))
    with pytest.raises(NotFound):
        keep(store, rows(1), "ghost")
