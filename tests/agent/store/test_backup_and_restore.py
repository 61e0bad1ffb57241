"""A backup is a verified prefix of the journal; a restore is a ledger that knows that it was restored."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from bodega.codec import parse_node_event
from bodega.errors import (
    AddressInUse,
    IntegrityBroken,
    InvalidInput,
    NotFound,
    Refused,
    SchemaTooNew,
    Unavailable,
)
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.store.backup import backup, restore
from bodega_agent.store.lock import held
from bodega_agent.store.reader import Reader
from bodega_agent.store.schema import MIGRATIONS
from support.ledger_care import BIN, receive, tamper, verified
from support.node_under_test import opened_store

NOW_MS = 1_800_000_000_000
COPY_HERE = (
    "import sys; from pathlib import Path; from bodega_agent.store.backup import backup; "
    "import json; print(json.dumps(backup(Path(sys.argv[1]), Path(sys.argv[2]), force=True)))"
)


@pytest.fixture
async def node(tmp_path: Path) -> Path:
    """The state folder of a node with four events, stopped."""
    folder = tmp_path / "state"
    folder.mkdir()
    with opened_store(folder) as store:
        await store.write(receive)
        await store.write(receive)
    return folder


def _restore(folder: Path, source: Path, **other: object) -> dict:
    how = {"node_id": "lisbon-01", "actor": "ana", "reason": "new disk", "now_ms": NOW_MS, **other}
    return restore(folder / "ledger.db", source, **how)


def _content(folder: Path) -> object:
    """What the ledger holds, and the files in its folder but SQLite's own."""
    with closing(Reader(folder / "ledger.db")) as reader:
        events, mark = reader.journal(0, 100), reader.meta("restored")
    return events, mark, sorted(p.name for p in folder.iterdir() if not p.name.endswith(("-wal", "-shm")))


async def test_a_backup_is_one_private_file_that_holds_everything(node: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    seen: list[tuple[int, int]] = []
    made = backup(node / "ledger.db", target, progress=lambda done, total: seen.append((done, total)))

    assert (made["head_seq"], made["events"], made["archives"]) == (4, 4, 0)
    assert made["size_bytes"] == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "state"]
    assert seen[-1][0] == seen[-1][1] > 0
    with closing(Reader(target)) as copy, closing(Reader(node / "ledger.db")) as original:
        assert copy.journal(0, 100) == original.journal(0, 100)
        assert copy.stock() == original.stock()


async def test_backups_while_many_write_are_each_a_prefix_of_the_journal(tmp_path: Path) -> None:
    """In processes of their own, as the command is: one process must not open the file twice for that."""
    with opened_store(tmp_path) as store:
        await store.write(receive)
        done = asyncio.Event()

        async def work() -> None:
            while not done.is_set():
                await store.write(receive)

        workers = [asyncio.create_task(work()) for _ in range(32)]
        made = []
        for number in range(3):
            line = [
                sys.executable,
                "-c",
                COPY_HERE,
                str(tmp_path / "ledger.db"),
                str(tmp_path / f"copy-{number}.db"),
            ]
            copying = await asyncio.create_subprocess_exec(
                *line, stdout=subprocess.PIPE, env=os.environ.copy()
            )
            out, _ = await copying.communicate()
            assert copying.returncode == 0
            made.append(json.loads(out))
        done.set()
        await asyncio.gather(*workers)
        heads = [one["head_seq"] for one in made]
        assert 2 <= heads[0] < heads[1] < heads[2]
        for number, one in enumerate(made):
            assert (await store.hash_at(one["head_seq"]) or b"").hex() == one["head_hash"]
            with closing(Reader(tmp_path / f"copy-{number}.db")) as copy:
                assert copy.verify()["ok"]
                assert copy.head().seq == one["head_seq"]


async def test_a_backup_after_an_archive_verifies_from_the_checkpoint_on(node: Path, tmp_path: Path) -> None:
    with opened_store(node) as store:
        service = ArchiveService(
            store, IntegrityService(store), node_id="lisbon-01", needs_ack=False, now_ms=lambda: NOW_MS
        )
        assert [step async for step in service.run(0)]
    made = backup(node / "ledger.db", tmp_path / "copy.db")
    assert (made["archives"], made["events"], made["head_seq"]) == (1, 2, 5)
    _restore(node, tmp_path / "copy.db")
    assert verified(node)["archives"] == 1, "the archives still belong to it"


async def test_a_backup_overwrites_nothing_unless_told_and_never_the_ledger(
    node: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(Refused, match="exists"):
        backup(node / "ledger.db", target)
    assert target.read_text() == "precious"
    assert backup(node / "ledger.db", target, force=True)["head_seq"] == 4
    for own in (node / "ledger.db", node / "ledger.db-wal"):
        with pytest.raises(InvalidInput, match="is the ledger itself"):
            backup(node / "ledger.db", own, force=True)
    with pytest.raises(InvalidInput, match="is a folder"):
        backup(node / "ledger.db", tmp_path, force=True)
    with pytest.raises(NotFound, match="no folder"):
        backup(node / "ledger.db", tmp_path / "not" / "there.db")
    with pytest.raises(NotFound, match="no ledger"):
        backup(tmp_path / "ledger.db", tmp_path / "other.db")


async def test_a_ledger_that_does_not_verify_gives_no_backup_and_the_older_one_stays(
    node: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    backup(node / "ledger.db", target)
    good = target.read_bytes()
    tamper(node, f"UPDATE balance SET quantity = 1 WHERE bin = '{BIN}'")
    with pytest.raises(IntegrityBroken, match="no backup was kept: the balance of SKU-1"):
        backup(node / "ledger.db", target, force=True)
    assert target.read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "state"]


async def test_a_backup_needs_room(node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bodega_agent.store.backup.BACKUP_SPARE_BYTES_MIN", 2**62)
    with pytest.raises(Unavailable, match="bytes of room"):
        backup(node / "ledger.db", tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


async def test_a_restored_ledger_is_the_backup_and_the_replaced_one_stays_beside_it(
    node: Path, tmp_path: Path
) -> None:
    backup(node / "ledger.db", tmp_path / "copy.db")
    with opened_store(node) as store:
        await store.write(receive)
    told = _restore(node, tmp_path / "copy.db")

    replaced = node / "ledger.db.replaced-20270115T080000Z"
    assert told == {"head_seq": 4, "replaced_seq": 6, "replaced": str(replaced)}
    with closing(Reader(node / "ledger.db")) as now, closing(Reader(replaced)) as old:
        assert (now.head().seq, old.head().seq) == (4, 6)
        assert old.verify()["ok"]
    assert (node / "ledger.db").stat().st_mode & 0o777 == 0o600
    assert not [path for path in node.iterdir() if path.name.endswith(".part")]


async def test_the_first_start_after_it_records_it_once_and_the_mark_stays(
    node: Path, tmp_path: Path
) -> None:
    backup(node / "ledger.db", tmp_path / "copy.db")
    _restore(node, tmp_path / "copy.db")
    for _start in range(2):
        with opened_store(node) as store:
            integrity = IntegrityService(store)
            await integrity.start()
            assert integrity.restored is not None
            assert integrity.restored.backup_seq == 4
            assert "nothing is sent to the hub in the old epoch" in integrity.status()["restored"]
            with pytest.raises(Refused, match="restored from a backup") as refused:
                store.gate.check_promise()
            assert refused.value.code == "ledger-unsure"
            await store.write(receive)
            await integrity.close()
    with closing(Reader(node / "ledger.db")) as reader:
        facts = [row["fact"] for row in reader.journal(4, 100)]
        assert facts == ["store_restored", *["movement"] * 4]
        said = parse_node_event(reader.events(4, 1)[0].body)
        assert (said.actor, said.store_restored.reason) == ("ana", "new disk")
        assert (said.store_restored.backup_seq, said.store_restored.replaced_seq) == (4, 4)
    assert verified(node)["ok"]


async def test_a_ledger_that_can_not_even_be_opened_is_replaced_with_its_log_out_of_the_way(
    node: Path, tmp_path: Path
) -> None:
    backup(node / "ledger.db", tmp_path / "copy.db")
    (node / "ledger.db").write_bytes(b"no database at all" * 1000)
    (node / "ledger.db-wal").write_bytes(b"log")
    told = _restore(node, tmp_path / "copy.db")
    assert told["replaced_seq"] == 0
    assert Path(told["replaced"]).read_bytes().startswith(b"no database")
    assert Path(f"{told['replaced']}-wal").read_bytes() == b"log"
    assert verified(node)["ok"]


async def test_a_new_box_is_filled_from_a_backup(node: Path, tmp_path: Path) -> None:
    backup(node / "ledger.db", tmp_path / "copy.db")
    told = _restore(tmp_path / "new", tmp_path / "copy.db")
    assert told == {"head_seq": 4, "replaced_seq": 0, "replaced": ""}
    assert verified(tmp_path / "new")["events"] == 4


def _spoil(copy: Path, *statements: str) -> None:
    with closing(apsw.Connection(str(copy))) as raw:
        for statement in statements:
            raw.execute(statement)


async def test_what_is_no_sound_backup_of_this_node_is_refused_and_nothing_changes(
    node: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"

    def refused(error: type[Exception], match: str, **other: object) -> None:
        before = _content(node)
        with pytest.raises(error, match=match):
            _restore(node, copy, **other)
        assert _content(node) == before

    refused(NotFound, "no backup")
    copy.mkdir()
    refused(InvalidInput, "is a folder")
    copy.rmdir()
    copy.write_bytes(b"")
    refused(InvalidInput, "not a file of SQLite")
    copy.write_bytes(b"SQLite format 3\0" + b"\xff" * 9000)
    refused(InvalidInput, "is no ledger of Bodega")
    copy.unlink()
    _spoil(copy, "CREATE TABLE meta(key, value)")
    refused(InvalidInput, "it has other tables")

    backup(node / "ledger.db", copy, force=True)
    refused(InvalidInput, "the backup is of node 'lisbon-01', this node is 'porto-01'", node_id="porto-01")
    _spoil(copy, "PRAGMA user_version = 99")
    refused(SchemaTooNew, "version 99")
    backup(node / "ledger.db", copy, force=True)
    _spoil(copy, f"UPDATE balance SET quantity = 1 WHERE bin = '{BIN}'")
    refused(IntegrityBroken, "nothing was replaced: the balance of SKU-1")
    backup(node / "ledger.db", copy, force=True)
    copy.write_bytes(copy.read_bytes()[:-8192])
    refused(IntegrityBroken, "copy.db is damaged")


def test_only_one_process_works_on_a_ledger(tmp_path: Path) -> None:
    with (
        held(tmp_path / "ledger.db"),
        pytest.raises(AddressInUse, match="another process"),
        held(tmp_path / "ledger.db"),
    ):
        pass
    with held(tmp_path / "ledger.db"):
        assert (tmp_path / "ledger.lock").exists()


async def test_a_backup_of_an_older_bodega_is_brought_forward_and_its_ledger_asks_for_one_start(
    tmp_path: Path,
) -> None:
    old = tmp_path / "old.db"
    _spoil(
        old,
        MIGRATIONS[0],
        "INSERT INTO meta VALUES ('node_id', 'lisbon-01'), ('epoch', 1)",
        "PRAGMA user_version = 1",
    )
    with pytest.raises(Refused, match="older Bodega"):
        backup(old, tmp_path / "copy.db")
    assert _restore(tmp_path / "state", old)["head_seq"] == 0
    assert verified(tmp_path / "state")["ok"]
