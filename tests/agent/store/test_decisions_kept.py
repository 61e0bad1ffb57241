"""What a node has decided alone is kept as far as there is room, with the bundles that decided it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import apsw

from bodega.core.routing.bundle import DEFAULT, Bundle
from bodega.core.routing.checking import hard_walk
from bodega.limits_floor import DECISIONS_ALONE_KEPT_MAX, ROUTING_BUNDLES_KEPT_MAX
from bodega_agent.rules.floor.alone import Alone, Decided, decided
from bodega_agent.store.decisions import keep
from bodega_agent.store.reads.decisions import decisions_about, newest_decisions
from bodega_agent.store.schema import SCHEMA_VERSION
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.node_under_test import opened_store
from support.routing import nearest


def made(number: int, decision: str = "within_site", rules: Bundle = DEFAULT) -> Decided:
    """The decision about order `number`, `number` milliseconds after the beginning."""
    asked = replace(hard_walk(2), now_ms=number)
    return decided(Alone(rules, asked), decision, f"FO-{number}")


async def counted(store: Store, table: str) -> int:
    """Rows of a table."""
    row = await store.write(lambda tx: tx.one(f"SELECT count(*) FROM {table}"))
    assert row is not None
    return int(row[0])


async def test_of_each_kind_the_newest_are_kept_and_not_one_more(tmp_path: Path) -> None:
    def job(tx: Transaction) -> None:
        keep(tx, made(0, "pickup"))
        for number in range(DECISIONS_ALONE_KEPT_MAX):
            keep(tx, made(number + 1))

    with opened_store(tmp_path) as store:
        await store.write(job)
        assert await counted(store, "routing_decision") == DECISIONS_ALONE_KEPT_MAX + 1
        await store.write(lambda tx: keep(tx, made(999)))
        assert await counted(store, "routing_decision") == DECISIONS_ALONE_KEPT_MAX + 1
        found = await store.read(lambda reader: newest_decisions(reader, 10_000))
        assert (found[0].subject, found[-2].subject, found[-1].subject) == ("FO-999", "FO-2", "FO-0")
        assert await store.read(lambda reader: decisions_about(reader, "FO-1")) == []
        assert await counted(store, "routing_bundle") == 1


async def test_of_bundles_those_that_decided_last_are_kept_with_their_decisions(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        for version in range(1, ROUTING_BUNDLES_KEPT_MAX + 1):
            await store.write(lambda tx, version=version: keep(tx, made(version, rules=nearest(version))))
        # The first one decides again: it is not the oldest any more.
        await store.write(lambda tx: keep(tx, made(100, rules=nearest(1))))
        assert await counted(store, "routing_decision") == ROUTING_BUNDLES_KEPT_MAX + 1
        await store.write(lambda tx: keep(tx, made(101, rules=nearest(99))))
        found = await store.read(lambda reader: newest_decisions(reader, 10_000))
        assert await counted(store, "routing_bundle") == ROUTING_BUNDLES_KEPT_MAX
        assert {one.subject for one in found} >= {"FO-1", "FO-3", "FO-100", "FO-101"}
        assert "FO-2" not in {one.subject for one in found}
        assert {one.again() for one in found} == {("same", "")}


async def test_a_ledger_of_before_is_brought_forward(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        path = store.path
    older = apsw.Connection(str(path))
    older.execute("DROP TABLE routing_decision; DROP TABLE routing_bundle; PRAGMA user_version = 5")
    older.close()
    with opened_store(tmp_path) as store:
        await store.write(lambda tx: keep(tx, made(1)))
        row = await store.write(lambda tx: tx.one("PRAGMA user_version"))
        assert row == (SCHEMA_VERSION,)
        assert await counted(store, "routing_decision") == 1
