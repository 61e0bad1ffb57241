"""`bodegactl db` on real databases, of both kinds: what it finds, what it copies, and what it leaves alone."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import engine_of, open_store
from support.bodegactl import Said, address_of_nobody, in_process, serving, write_config
from support.controlplane import POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of, settle
from support.postgres import PostgresServer
from support.tree import ROOT

LOOKED_AT = {"audit lines": 3, "nodes": 1, "journal events": 2, "events for nodes": 3}


class Place:
    """A data folder with a database, as a stopped hub leaves it: a node, stock, one order."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database, self.data_dir = folder, database, folder / "data"
        self.data_dir.mkdir()
        with closing(open_store(database, self.data_dir)) as store:
            settle(store, "TEA")
            node = NodeByHand()
            node.shelve("TEA", 12)
            deliver(store, node.delivery())
            store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 1)), POLICY))
        more = "" if database == "sqlite" else f'database = "{database}"\n'
        nobody = f"nats://{address_of_nobody()}"
        self.config = write_config(folder, self.data_dir, nats_url=nobody, more=more)

    def db(self, *words: object) -> Said:
        """Run one command on it."""
        return in_process("db", *words, "--config", self.config)

    def spoil(self, *statements: str) -> None:
        """Change the database behind everybody's back."""
        engine = engine_of(self.database, self.data_dir)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.commit()
        engine.dispose()


@pytest.fixture
def place(database: str, tmp_path: Path) -> Place:
    return Place(tmp_path, database)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(tmp_path, "sqlite")


def unguarded(place: Place, table: str) -> list[str]:
    """What somebody with the database's password does first."""
    if place.database == "sqlite":
        return [f"DROP TRIGGER {table}_no_update", f"DROP TRIGGER {table}_no_delete"]
    return [f"DROP TRIGGER {table}_append_only ON {table}"]


def test_a_sound_database_is_told_to_be_so_and_counted(place: Place) -> None:
    said = place.db("check", "--json")
    assert (said.code, said.json()["faults"]) == (0, [])
    assert LOOKED_AT.items() <= said.json()["looked_at"].items()
    assert place.db("check").out.startswith("Nothing is wrong: ")
    stats = place.db("stats", "--json").json()
    assert stats["schema_version"] == schema.SCHEMA_VERSION
    assert {row["table"]: row["rows"] for row in stats["tables"]}["orders"] == 1
    assert "journal" in place.db("stats").out


@pytest.mark.parametrize(
    ("table", "statement", "fault"),
    [
        (
            "audit",
            "UPDATE audit SET detail = '{}' WHERE seq = 2",
            "audit: does not fit its chain from line 2 on",
        ),
        ("journal", "DELETE FROM journal WHERE seq = 1", "journal of lisbon-01: event 1 is missing"),
        (
            "journal",
            "UPDATE journal SET body = hash WHERE seq = 2",
            "journal of lisbon-01: does not fit its chain from event 2 on",
        ),
        (
            "journal",
            "DELETE FROM journal WHERE seq = 2",
            "journal of lisbon-01: ends with event 1, the node's row says 2",
        ),
        ("", "DELETE FROM down_log WHERE seq = 2", "stream for lisbon-01: event 2 is missing"),
        (
            "",
            "UPDATE down_log SET body = hash WHERE seq = 3",
            "stream for lisbon-01: does not fit its chain from event 3",
        ),
        (
            "",
            "UPDATE stock SET quantity = 13 WHERE bin = 'A-01-01'",
            "stock: TEA at lisbon-01 does not sum to zero: +1",
        ),
        ("", "DROP INDEX orders_newest", "orders: index orders_newest is missing"),
        ("", "ALTER TABLE label DROP COLUMN copy", "label: column copy is missing"),
        ("", "DROP TABLE task", "task: the table is missing"),
    ],
)
def test_what_somebody_changed_is_found_and_named(
    place: Place, table: str, statement: str, fault: str
) -> None:
    place.spoil(*(unguarded(place, table) if table else []), statement)
    said = place.db("check")
    assert said.code == 1
    assert f"- {fault}" in said.err
    if table:
        assert f"{table}: trigger {table}_" in said.err


def test_a_trimmed_stream_is_no_fault(place: Place) -> None:
    place.spoil("DELETE FROM down_log WHERE seq < 3")
    assert place.db("check", "--json").json()["looked_at"]["events for nodes"] == 1


def test_a_damaged_file_is_found_by_sqlite_itself(sqlite_place: Place) -> None:
    path = sqlite_place.data_dir / "hub.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 4096 * 20)
        file.write(b"\xff" * 4096 * 8)
    assert sqlite_place.db("check").code != 0


def test_what_version_4_has_written_is_found_migrated_and_sound(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with closing(dbapi2.connect(data_dir / "hub.db")) as connection:  # type: ignore[attr-defined]  # it has no types
        connection.executescript((ROOT / "tests/data/hub/version_4.sql").read_text(encoding="utf-8"))
    config = write_config(tmp_path, data_dir, nats_url=f"nats://{address_of_nobody()}")

    def db(*words: str) -> Said:
        return in_process("db", *words, "--config", config)

    assert "schema: has version 4" in db("check").err
    wanted = {"from": 4, "to": schema.SCHEMA_VERSION}
    assert db("migrate", "--dry-run", "--json").json() == {**wanted, "done": False}
    assert db("migrate", "--json").json() == {**wanted, "done": True}
    assert "already" in db("migrate").out
    assert db("check", "--json").json()["faults"] == []


def test_a_newer_schema_is_left_alone(place: Place) -> None:
    place.spoil("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    assert place.db("migrate").code == 76
    assert "schema: has version 99" in place.db("check").err


def test_a_backup_says_what_it_lacks_of_the_present_database(sqlite_place: Place) -> None:
    copy = sqlite_place.folder / "copy.db"
    assert "checked" in sqlite_place.db("backup", copy).out
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(open_store("sqlite", sqlite_place.data_dir)) as store:
        store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 1)), POLICY))
    found = sqlite_place.db("restore-check", copy, "--json").json()
    assert (found["orders"], found["faults"], found["journals"]) == (1, [], {"lisbon-01": 2})
    assert found["missing"] == {"orders": 1, "journals": {"lisbon-01": 0}}
    assert "lacks 1 orders" in sqlite_place.db("restore-check", copy).out
    assert sorted(path.name for path in sqlite_place.folder.iterdir()) == [
        "controlplane.toml",
        "copy.db",
        "data",
    ]


def test_a_backup_never_replaces_a_file_and_leaves_nothing_behind_when_it_fails(sqlite_place: Place) -> None:
    copy = sqlite_place.folder / "copy.db"
    copy.write_bytes(b"mine")
    assert "exists" in sqlite_place.db("backup", copy).err
    assert copy.read_bytes() == b"mine"
    sqlite_place.spoil(*unguarded(sqlite_place, "journal"), "DELETE FROM journal WHERE seq = 2")
    said = sqlite_place.db("backup", sqlite_place.folder / "other.db")
    assert (said.code, "no backup was kept" in said.err) == (1, True)
    assert sorted(path.name for path in sqlite_place.folder.iterdir()) == [
        "controlplane.toml",
        "copy.db",
        "data",
    ]


def test_a_damaged_or_foreign_backup_is_refused(sqlite_place: Place) -> None:
    copy = sqlite_place.folder / "copy.db"
    sqlite_place.db("backup", copy)
    shutil.copy(copy, whole := sqlite_place.folder / "whole.db")
    with copy.open("r+b") as file:
        file.truncate(copy.stat().st_size // 2)
    said = sqlite_place.db("restore-check", copy)
    assert (said.code, "Traceback" in said.err) == (1, False)
    assert sqlite_place.db("restore-check", whole).code == 0
    (foreign := sqlite_place.folder / "foreign").write_bytes(b"PK")
    assert "is no backup" in sqlite_place.db("restore-check", foreign).err


@pytest.mark.postgres
def test_an_archive_of_postgresql_is_checked_in_an_empty_database(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    place = Place(tmp_path, postgres_server.new_database())
    archive = tmp_path / "hub.dump"
    assert place.db("backup", archive, "--json").json()["orders"] == 1
    assert "--into" in place.db("restore-check", archive).err
    fresh = postgres_server.new_database()
    found = place.db("restore-check", archive, "--into", fresh, "--json").json()
    assert (found["faults"], found["missing"]) == ([], {"orders": 0, "journals": {"lisbon-01": 0}})
    assert "is not empty" in place.db("restore-check", archive, "--into", fresh).err


def test_a_vacuum_gives_space_back_but_not_while_a_hub_is_at_work(sqlite_place: Place) -> None:
    filler = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)"
    insert = "INSERT INTO telemetry SELECT 'x', i, 0, 0, '', '', hex(randomblob(200)) FROM n"
    sqlite_place.spoil(f"{insert.replace('SELECT', filler + ' SELECT', 1)}", "DELETE FROM telemetry")
    with serving(sqlite_place.config, sqlite_place.data_dir):
        said = sqlite_place.db("vacuum")
        assert (said.code, "is in use" in said.err) == (69, True)
        assert sqlite_place.db("check").code == 0
        assert sqlite_place.db("backup", sqlite_place.folder / "live.db").code == 0
    told = sqlite_place.db("vacuum", "--json").json()
    assert told["after_bytes"] < told["before_bytes"] // 2
    assert sqlite_place.db("check").code == 0


@pytest.mark.postgres
def test_postgresql_is_vacuumed_beside_a_hub(postgres_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path, postgres_url)
    with closing(open_store(postgres_url, place.data_dir)) as hub:
        assert place.db("vacuum", "--json").json()["after_bytes"] > 0
        assert len(rows_of(hub, schema.orders)) == 1


def test_there_must_be_a_database(tmp_path: Path) -> None:
    config = write_config(tmp_path, tmp_path / "data", nats_url=f"nats://{address_of_nobody()}")
    for words in (("check",), ("stats",), ("migrate",), ("vacuum",), ("backup", tmp_path / "b.db")):
        said = in_process("db", *words, "--config", config)
        assert (said.code, "there is no database" in said.err) == (66, True)
    assert not (tmp_path / "data").exists()
