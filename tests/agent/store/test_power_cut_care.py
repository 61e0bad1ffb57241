"""A power cut while the ledger is cared for: brought forward, archived, backed up. Nothing is lost, or half done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import apsw
import pytest

from bodega.core.sync import Recorded
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.store import schema
from bodega_agent.store.backup import backup
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.verify import verify
from support.faulty_disk import Disk
from support.faulty_disk_files import traced_files
from support.faulty_disk_room import Room, faulty_room, moments
from support.faulty_disk_story import Books, opened
from support.faulty_disk_vfs import Trace
from support.ledger_care import receive
from support.long_run import by_length

SEEDS = by_length(1, 20)
RECEIPTS = 20
CUTS_MIN = 30
ALL = 100_000


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with faulty_room(tmp_path / "disk") as room:
        yield room


def _files_after(trace: Trace) -> dict[str, bytes]:
    """The disk at the end of a day, all of it synced."""
    disk = Disk()
    for _ in trace.replay(disk):
        pass
    return {name: bytes(disk.content(name)) for name in disk.names()}


# -- an older file -----------------------------------------------------------------------------------------------


async def _file_of_version_1(room: Room) -> tuple[dict[str, bytes], Books]:
    """A ledger as the first Bodega left it (its tables, its columns, its version), and what it held."""
    tables = ("journal", "balance", "command", "meta")
    room.mount({})
    with opened(room.folder) as store:
        for _ in range(RECEIPTS):
            await store.write(receive)
        books = await store.write(Books.read)
        rows = await store.read(
            lambda r: {t: list(r.connection.execute(f"SELECT * FROM {t}")) for t in tables}
        )
    mount = room.mount({})
    with closing(apsw.Connection(str(room.folder / "ledger.db"))) as old:
        old.execute("PRAGMA journal_mode=WAL")
        with old:
            old.execute(schema.MIGRATIONS[0])
            for table, values in rows.items():
                columns = len(list(old.execute(f"PRAGMA table_info({table})")))
                marks = ", ".join("?" * columns)
                old.executemany(f"INSERT INTO {table} VALUES ({marks})", [row[:columns] for row in values])
            old.execute("PRAGMA user_version=1")
    return {name: bytes(mount.disk.content(name)) for name in mount.disk.names()}, books


async def test_a_power_cut_while_an_older_file_is_brought_forward_loses_nothing(room: Room) -> None:
    start, books = await _file_of_version_1(room)
    mount = room.mount(start)
    with opened(room.folder):
        pass

    wrong, cuts = {}, 0
    for seed in range(SEEDS):
        for _, place, found, _, _ in moments(mount.trace, seed, {}, start):
            problems, after, _ = await room.inspect(found, books.results, None, [])
            cuts += 1
            if not problems and replace(after, last_seqs={}) != replace(books, last_seqs={}):
                problems = ["the books changed"]
            if problems:
                wrong[place] = problems
    assert wrong == {}
    assert cuts >= CUTS_MIN


# -- archives ----------------------------------------------------------------------------------------------------


async def _archive(store: Store) -> None:
    service = ArchiveService(
        store, IntegrityService(store), node_id="lisbon-01", needs_ack=False, now_ms=lambda: 10**9
    )
    async for _ in service.run(0):
        pass


@dataclass
class _Past:
    """All events before they were archived, and the tables beside them."""

    events: list[Recorded]
    books: Books

    @classmethod
    async def read(cls, store: Store) -> _Past:
        return cls(await _events(store), await store.write(Books.read))


async def _events(store: Store) -> list[Recorded]:
    found: list[Recorded] = []
    while more := await store.events_after(len(found), ALL):
        found += more
    return found


async def _archive_problems(room: Room, found: dict[str, bytes], past: _Past) -> list[str]:
    """Open what is left, look for every event, and archive what is not archived yet."""
    mount = room.mount(found)
    problems = []
    with traced_files(room.folder, mount):
        for moment in ("after the cut", "archived again"):
            with opened(room.folder) as store:
                if moment == "archived again":
                    await _archive(store)
                events = await _events(store)
                report = await store.read(Reader.verify)
                books = await store.write(Books.read)
            if events[: len(past.events)] != past.events:
                problems.append(f"{moment}: {len(events)} events, there were {len(past.events)}")
            if not report["ok"] or books.tables != past.books.tables:
                problems.append(f"{moment}: {report['problem'] or 'the tables changed'}")
    return problems


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_power_cut_while_events_are_archived_loses_none_of_them(room: Room, seed: int) -> None:
    start = _files_after((await room.record(seed)).trace)
    mount = room.mount(start)
    with traced_files(room.folder, mount), opened(room.folder) as store:
        past = await _Past.read(store)
        # SQLite syncs the folder with its first commit; what is made in it later has to see to itself.
        await store.write(lambda tx: tx.put("first_commit", 1))
        await _archive(store)
        assert len(await store.read(lambda reader: reader.journal(0, ALL))) < len(past.events)

    wrong, cuts = {}, 0
    for _, place, found, _, _ in moments(mount.trace, seed, {}, start):
        cuts += 1
        if problems := await _archive_problems(room, found, past):
            wrong[place] = problems
    assert wrong == {}
    assert cuts >= CUTS_MIN


# -- backups -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_backup_is_whole_or_not_there_and_the_ledger_does_not_notice(room: Room, seed: int) -> None:
    recording = await room.record(seed)
    start = _files_after(recording.trace)
    mount = room.mount(start)
    with traced_files(room.folder, mount):
        backup(room.folder / "ledger.db", room.folder / "copy.db")
        mount.trace.note("answer", "backup", {})

    wrong, backups = {}, 0
    for _, place, found, promised, _ in moments(mount.trace, seed, {}, start):
        problems, _, _ = await room.inspect(found, recording.books.results, recording.books, [])
        room.mount(found)
        if "copy.db" in found:
            backups += 1
            with closing(apsw.Connection(str(room.folder / "copy.db"))) as copy:
                problems += [text for (text,) in copy.execute("PRAGMA integrity_check") if text != "ok"]
                if not (report := verify(copy, None))["ok"]:
                    problems.append(report["problem"])
        elif promised:
            problems.append("an acknowledged backup is gone")
        if problems:
            wrong[place] = problems
    assert wrong == {}
    assert backups > 0
