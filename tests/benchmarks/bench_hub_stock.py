"""What may be promised of a SKU over 200 nodes x 1,000 SKUs, on SQLite and on PostgreSQL; and a catalogue's import.

`atp.query_p99` and `atp.query_pg_p99`: one SKU at every node, as both faces ask it, in milliseconds, beside one
statement that only adds up the same stock. `catalogue.slice_p99`: how long orders wait for a slice of 100 SKUs that
all nodes must be told. Bar of the queries: <= 5 ms.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

from benchmarks import hub_rows
from benchmarks.result import Result
from bodega_controlplane.app.goods import stock
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import POLICY
from support.postgres import find_binaries, serving

NAME = "controlplane.atp"

NODES = 200
QUESTIONS = 2_000
WARM = 50
_SUM = (
    "SELECT node_id, SUM(quantity) FROM stock WHERE sku_id = '{}' AND disposition = 'sellable_accessible'"
    " AND external = '' GROUP BY node_id"
)


def run(nodes: int = NODES, questions: int = QUESTIONS) -> Iterator[Result]:
    """Both databases."""
    with tempfile.TemporaryDirectory(prefix="bench-atp-") as name:
        folder = Path(name)
        yield from _figures("", "sqlite", folder / "sqlite", nodes, questions)
        binaries = find_binaries()
        if binaries is None:
            return
        with serving(binaries, durable=True) as server:
            yield from _figures("_pg", server.new_database(), folder / "pg", nodes, questions)


def _figures(suffix: str, database: str, data_dir: Path, nodes: int, questions: int) -> Iterator[Result]:
    held_s = sorted(hub_rows.build(database, data_dir, nodes))
    yield Result(f"catalogue.slice{suffix}_p99", _ms(held_s, 0.99), "ms")
    with closing(open_store(database, data_dir)) as store:
        draw = Random(3)
        asked = [hub_rows.sku_id(draw.randrange(hub_rows.SKUS)) for _ in range(questions)]
        raw = _timed(store, [partial(_raw, sku_id=one) for one in asked])
        ours = _timed(store, [partial(_available, sku_id=one, nodes=nodes) for one in asked])
    yield Result.against(f"atp.query{suffix}_p99", _ms(ours, 0.99), "ms", _ms(raw, 0.99))
    yield Result(f"atp.query{suffix}_p50", _ms(ours, 0.50), "ms")


def _available(tx: Transaction, sku_id: str, nodes: int) -> None:
    rows = stock.list_availability(tx, [sku_id], POLICY)
    assert len(rows) == nodes
    assert rows[0].sellable == 2 * hub_rows.UNITS_A_BIN


def _raw(tx: Transaction, sku_id: str) -> None:
    assert tx.connection.exec_driver_sql(_SUM.format(sku_id)).all()


def _timed(store: Store, questions: list[Callable[[Transaction], None]]) -> list[float]:
    """Seconds of each, sorted."""
    took_s = []
    for number, question in enumerate(questions):
        began = time.perf_counter()
        store.read(question)
        if number >= WARM:
            took_s.append(time.perf_counter() - began)
    return sorted(took_s)


def _ms(sorted_s: list[float], share: float) -> float:
    return round(sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * share))] * 1e3, 2)
