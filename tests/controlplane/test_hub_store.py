"""The hub's database: what it keeps by itself, whatever the code above it does."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from bodega.errors import ConfigInvalid, SchemaTooNew, Unavailable
from bodega_controlplane.app import audit
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import PageRequest, SkuDraft, SkuUnit
from bodega_controlplane.store import engine, schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Contended, Transaction
from support.controlplane import OPERATOR, NodeByHand, deliver, rows_of, settle
from support.older_schema import back_to


@pytest.mark.parametrize("table", schema.APPEND_ONLY, ids=lambda table: table.name)
@pytest.mark.parametrize("change", [sa.update, sa.delete])
def test_journal_and_audit_refuse_to_be_changed(store: Store, table: sa.Table, change) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1)
    deliver(store, node.delivery())
    before = rows_of(store, table)
    assert before
    statement = change(table) if change is sa.delete else change(table).values(at_ms=0)
    with pytest.raises(DBAPIError, match="append-only"):
        store.write(lambda tx: tx.connection.execute(statement))
    assert rows_of(store, table) == before


def test_a_line_that_was_changed_behind_our_back_is_found(store: Store) -> None:
    settle(store, "TEA", "SALT", "RICE")

    def tamper(tx: Transaction) -> None:
        if tx.exclusive:
            tx.connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        else:
            tx.connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        tx.connection.execute(sa.update(schema.audit).where(schema.audit.c.seq == 3).values(actor="nobody"))

    store.write(tamper)
    check = store.read(audit.verify_audit)
    assert (check.entries, check.first_bad_seq) == (3, 3)


def test_what_raises_leaves_nothing_behind(store: Store) -> None:
    def half(tx: Transaction) -> None:
        tx.audit(at_ms=1, actor="a", action="b", subject="c")
        tx.upsert(schema.meta, [{"key": "half", "value": "done"}])
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        store.write(half)
    assert [row.key for row in rows_of(store, schema.meta)] == ["schema_version"]
    assert rows_of(store, schema.audit) == []


def test_a_read_that_writes_keeps_nothing(store: Store) -> None:
    store.read(lambda tx: tx.upsert(schema.meta, [{"key": "half", "value": "done"}]))
    assert len(rows_of(store, schema.meta)) == 1


def test_a_contended_change_is_run_again_and_given_up_after_so_many_tries(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def twice_contended(tx: Transaction) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise Contended
        return len(tries)

    assert store.write(twice_contended)[0] == 3
    monkeypatch.setattr(engine, "TRANSACTION_TRIES_MAX", 2)

    def always(tx: Transaction) -> None:
        raise Contended

    with pytest.raises(Unavailable, match="contended"):
        store.write(always)


def test_upsert_replaces_adds_and_keeps_as_told(store: Store) -> None:
    row = {"node_id": "n", "print_job_id": "p", "sscc": "1", "state": "sent", "copy": 1, "detail": "a"}
    store.write(lambda tx: tx.upsert(schema.label, [{**row, "updated_at_ms": 1}]))
    second = {**row, "sscc": "2", "state": "confirmed", "copy": 4, "updated_at_ms": 2}
    store.write(lambda tx: tx.upsert(schema.label, [second], keep=["sscc"], add=["copy"]))
    (label,) = rows_of(store, schema.label)
    assert (label.sscc, label.state, label.copy, label.updated_at_ms) == ("1", "confirmed", 5, 2)


def test_a_database_opens_again_with_what_it_held(database: str, tmp_path: Path) -> None:
    first = open_store(database, tmp_path)
    settle(first, "TEA")
    first.close()
    for _ in range(3):
        again = open_store(database, tmp_path)
        assert [row.sku_id for row in rows_of(again, schema.sku)] == ["TEA"]
        again.close()


def test_a_database_of_a_newer_schema_is_refused_and_left_alone(database: str, tmp_path: Path) -> None:
    store = open_store(database, tmp_path)
    newer = [{"key": "schema_version", "value": str(schema.SCHEMA_VERSION + 1)}]
    store.write(lambda tx: tx.upsert(schema.meta, newer))
    store.close()
    for _ in range(2):
        with pytest.raises(
            SchemaTooNew,
            match=f"version {schema.SCHEMA_VERSION + 1}, this program knows up to {schema.SCHEMA_VERSION}",
        ):
            open_store(database, tmp_path)


def test_a_database_of_version_1_is_brought_forward_with_its_rows(database: str, tmp_path: Path) -> None:
    store = open_store(database, tmp_path)
    settle(store, "TEA")

    store.write(lambda tx: back_to(tx, 1))
    store.close()
    again = open_store(database, tmp_path)
    (tea,) = rows_of(again, schema.sku)
    assert (tea.sku_id, tea.serial_tracked, tea.units, tea.components) == ("TEA", False, "[]", "[]")
    drafts = [SkuDraft("MILK", "Milk", units=(SkuUnit("case", 12),))]
    assert again.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, drafts))[0] == 1
    assert rows_of(again, schema.serial) == rows_of(again, schema.node_rights) == []
    again.close()


def test_sqlite_is_safe_against_a_power_cut_and_takes_writers_in_turn(sqlite_store: Store) -> None:
    def pragmas(tx: Transaction) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    assert sqlite_store.read(pragmas) == ["wal", 2, 1]
    version = sqlite_store.read(lambda tx: tx.connection.exec_driver_sql("SELECT sqlite_version()").scalar())
    # Earlier ones can corrupt a WAL that several connections use.
    assert tuple(map(int, str(version).split("."))) > (3, 51, 2)


def test_a_reader_sees_one_moment_while_a_writer_goes_on(store: Store) -> None:
    settle(store, "TEA")

    def look_twice(tx: Transaction) -> tuple[int, int]:
        def count() -> int:
            return tx.connection.execute(sa.select(sa.func.count()).select_from(schema.sku)).scalar_one()

        before = count()
        settle(store, "SALT")
        return before, count()

    assert store.read(look_twice) == (1, 1)


def test_a_database_that_is_away_is_unavailable_and_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        open_store(f"postgresql+psycopg://bodega@/nothing?host={tmp_path}", tmp_path)
    with pytest.raises(ConfigInvalid):
        open_store("mysql://localhost/bodega", tmp_path)


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="unable to open"):
        open_store("sqlite", tmp_path / "missing")


def test_an_empty_database_answers_empty_lists(store: Store) -> None:
    assert store.read(lambda tx: orders.list_orders(tx, PageRequest())).rows == ()
    assert store.read(audit.verify_audit).entries == 0
