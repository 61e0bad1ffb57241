"""PostgreSQL, where several write at once and connections are lost: tried again, or told as an outage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bodega.errors import Unavailable
from bodega_controlplane.store import engine, schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import open_test_store, rows_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = open_test_store(postgres_url, tmp_path)
    yield opened
    opened.close()


def test_a_row_that_somebody_else_has_just_made_is_seen_when_it_is_tried_again(store: Store) -> None:
    one = [{"key": "mine", "value": "1"}]
    found: list[list[str]] = []

    def make(tx: Transaction) -> None:
        found.append(list(tx.connection.execute(sa.select(schema.meta.c.key)).scalars()))
        if "mine" not in found[-1]:
            store.write(lambda other: other.insert_many(schema.meta, one))
            tx.insert_many(schema.meta, one)

    store.write(make)
    assert ["mine" in keys for keys in found] == [False, True]
    assert [row.value for row in rows_of(store, schema.meta) if row.key == "mine"] == ["1"]


def test_a_row_that_is_there_already_is_a_fault_after_so_many_tries(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TRANSACTION_TRIES_MAX", 2)
    twice = [{"key": "mine", "value": "1"}]
    store.write(lambda tx: tx.insert_many(schema.meta, twice))
    tries: list[int] = []

    def again(tx: Transaction) -> None:
        tries.append(1)
        tx.insert_many(schema.meta, twice)

    with pytest.raises(sa.exc.IntegrityError, match="unique") as raised:
        store.write(again)
    assert len(tries) == 2
    assert "[parameters:" not in str(raised.value), "what was to be written may be personal"


def test_a_connection_that_is_lost_in_the_middle_is_an_outage(store: Store) -> None:
    def lost(tx: Transaction) -> None:
        mine = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        store.read(
            lambda other: other.connection.exec_driver_sql(f"SELECT pg_terminate_backend({mine})").all()
        )
        tx.insert_many(schema.meta, [{"key": "mine", "value": "1"}])

    with pytest.raises(Unavailable, match="does not answer"):
        store.write(lost)
    store.write(lambda tx: tx.insert_many(schema.meta, [{"key": "mine", "value": "1"}]))
    assert "mine" in {row.key for row in rows_of(store, schema.meta)}


@pytest.mark.parametrize("trusted_s", [0.0, 3600.0])
def test_connections_that_were_cut_while_they_rested_are_made_anew(
    store: Store, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted_s: float
) -> None:
    """Unseen where it was asked first whether it is there; once an outage, and no more, where it was trusted."""
    monkeypatch.setattr(engine, "DATABASE_TRUSTED_S", trusted_s)
    rows_of(store, schema.meta)
    other = open_store(postgres_url, tmp_path)
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    assert other.read(lambda tx: tx.connection.exec_driver_sql(cut).scalar_one()) >= 1
    other.close()
    if trusted_s:
        with pytest.raises(Unavailable, match="does not answer"):
            rows_of(store, schema.meta)
    assert rows_of(store, schema.meta)
