"""`bodegactl db restore` on real databases of both kinds: what takes the place, what is kept, what is refused."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import engine_of, open_store
from support.bodegactl import Said, address_of_nobody, in_process, serving, write_config
from support.controlplane import POLICY, SHOP, order_draft, rows_of, settle
from support.tree import ROOT


class Place:
    """A data folder with a database of one node and one order, its hub stopped, and a backup of that."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database, self.data_dir = folder, database, folder / "data"
        self.data_dir.mkdir()
        more = "" if database == "sqlite" else f'database = "{database}"\n'
        self.config = write_config(folder, self.data_dir, nats_url=f"nats://{address_of_nobody()}", more=more)
        with closing(open_store(database, self.data_dir)) as store:
            settle(store, "TEA")
        self.order("first")
        self.copy = folder / "copy"
        assert self.db("backup", self.copy).code == 0

    def db(self, *words: object) -> Said:
        """Run one command on it."""
        return in_process("db", *words, "--config", self.config)

    def order(self, reference: str) -> None:
        """One more, waiting for stock."""
        draft = replace(order_draft(("TEA", 1), reference=reference), backorder=True)
        with closing(open_store(self.database, self.data_dir)) as store:
            store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))

    @property
    def orders(self) -> list[str]:
        """References of its orders."""
        with closing(open_store(self.database, self.data_dir)) as store:
            return sorted(row.reference for row in rows_of(store, schema.orders))

    @property
    def files(self) -> list[str]:
        """What lies in its data folder."""
        return sorted(path.name for path in self.data_dir.iterdir())


@pytest.fixture
def place(database: str, tmp_path: Path) -> Place:
    return Place(tmp_path, database)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(tmp_path, "sqlite")


def test_a_newer_database_is_replaced_only_if_that_is_said_and_is_kept(place: Place) -> None:
    place.order("second")
    files = place.files
    said = place.db("restore", place.copy)
    assert (said.code, "is newer: it has 2 orders, the backup 1" in said.err) == (1, True)
    assert "--over-newer" in said.err
    assert (place.orders, place.files) == (["first", "second"], files)
    done = place.db("restore", place.copy, "--over-newer", "--json").json()
    assert (done["reach"]["orders"], done["before"]["orders"]) == (1, 2)
    assert place.orders == ["first"]
    assert place.db("check").code == 0
    place.order("third")
    assert place.orders == ["first", "third"]
    if place.database == "sqlite":
        assert (place.data_dir / "hub.db").stat().st_mode & 0o777 == 0o600
        with closing(dbapi2.connect(done["kept_as"])) as kept:  # type: ignore[attr-defined]  # it has no types
            assert kept.execute("SELECT count(*) FROM orders").fetchone() == (2,)
    else:
        engine, schema_name = engine_of(place.database, place.data_dir), done["kept_as"].split()[1]
        with engine.connect() as connection:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {schema_name}.orders").scalar() == 2
        engine.dispose()


def test_one_that_is_not_newer_needs_no_word(place: Place) -> None:
    said = place.db("restore", place.copy)
    assert (said.code, "is in force: 1 orders" in said.out) == (0, True)
    assert "What was there is kept as" in said.out
    assert "no hub.key" in said.out
    assert place.orders == ["first"]


def test_nothing_is_restored_while_somebody_has_the_database_open(place: Place) -> None:
    with closing(open_store(place.database, place.data_dir)) as hub:
        hub.read(lambda tx: tx.connection.exec_driver_sql("SELECT 1"))
        said = place.db("restore", place.copy, "--over-newer")
        assert (said.code, "in use" in said.err, "stop every" in said.err) == (69, True, True)
    assert place.orders == ["first"]


def test_a_hub_at_work_is_not_replaced_and_serves_what_was_restored_afterwards(sqlite_place: Place) -> None:
    sqlite_place.order("second")
    with serving(sqlite_place.config, sqlite_place.data_dir):
        assert sqlite_place.db("restore", sqlite_place.copy, "--over-newer").code == 69
    said = sqlite_place.db("restore", sqlite_place.copy, "--over-newer")
    assert (said.code, "hub.key" in said.out) == (0, False)
    with serving(sqlite_place.config, sqlite_place.data_dir) as hub:
        shown = hub.ask("orders", "ls", "--json").json()["orders"]
    assert [order["reference"] for order in shown] == ["first"]


def test_a_backup_with_faults_or_of_another_kind_changes_nothing(place: Place) -> None:
    before = place.files
    other = place.folder / "other"
    other.write_bytes(b"PGDMP" if place.database == "sqlite" else b"SQLite format 3\0")
    wrong_kind = place.db("restore", other, "--over-newer")
    assert (wrong_kind.code, "the configured database wants" in wrong_kind.err) == (65, True)
    with place.copy.open("r+b") as file:
        file.truncate(place.copy.stat().st_size // 2)
    said = place.db("restore", place.copy, "--over-newer")
    assert (said.code, "Traceback" in said.err) == (1, False)
    assert (place.files, place.orders) == (before, ["first"])


def test_a_backup_that_somebody_has_changed_is_refused_by_its_chains(sqlite_place: Place) -> None:
    with closing(dbapi2.connect(sqlite_place.copy)) as copy:  # type: ignore[attr-defined]  # it has no types
        copy.executescript("DROP TRIGGER audit_no_update; UPDATE audit SET detail = '{}' WHERE seq = 2;")
    said = sqlite_place.db("restore", sqlite_place.copy, "--over-newer")
    assert (said.code, "nothing was restored" in said.err) == (1, True)
    with closing(dbapi2.connect(sqlite_place.copy)) as copy:  # type: ignore[attr-defined]  # it has no types
        copy.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        copy.commit()
    assert sqlite_place.db("restore", sqlite_place.copy, "--over-newer").code == 76
    assert sqlite_place.files == ["hub.db"]


def test_in_place_of_nothing_and_of_a_damaged_file(sqlite_place: Place) -> None:
    live = sqlite_place.data_dir / "hub.db"
    live.unlink()
    done = sqlite_place.db("restore", sqlite_place.copy, "--json").json()
    assert (done["before"], done["kept_as"], sqlite_place.orders) == (None, "", ["first"])
    live.write_bytes(b"no database at all" * 1000)
    refused = sqlite_place.db("restore", sqlite_place.copy)
    assert (refused.code, "can not be read" in refused.err) == (1, True)
    done = sqlite_place.db("restore", sqlite_place.copy, "--over-newer", "--json").json()
    assert Path(done["kept_as"]).read_bytes().startswith(b"no database")
    assert sqlite_place.orders == ["first"]


def test_a_backup_of_an_older_version_is_migrated_on_its_way(sqlite_place: Place) -> None:
    older = sqlite_place.folder / "older.db"
    with closing(dbapi2.connect(older)) as connection:  # type: ignore[attr-defined]  # it has no types
        connection.executescript((ROOT / "tests/data/hub/version_4.sql").read_text(encoding="utf-8"))
    kept = shutil.copy(older, sqlite_place.folder / "as-it-was.db")
    assert sqlite_place.db("restore", older, "--over-newer").code == 0
    assert sqlite_place.db("stats", "--json").json()["schema_version"] == schema.SCHEMA_VERSION
    assert older.read_bytes() == Path(kept).read_bytes()
