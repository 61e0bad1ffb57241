"""The ledger watched while the agent works: an alarm stays until everything is right, and says what it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from bodega.errors import Refused, Unavailable
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from support.ledger_care import BIN, receive, tamper
from support.node_under_test import opened_store

WRONG = f"UPDATE balance SET quantity = quantity + 1 WHERE bin = '{BIN}'"
RIGHT = f"UPDATE balance SET quantity = quantity - 1 WHERE bin = '{BIN}'"
SAID = f"the balance of SKU-1 in {BIN} is 6, its events add up to 5"


@asynccontextmanager
async def agent(folder: Path, *, clean: bool = True) -> AsyncIterator[tuple[Store, IntegrityService]]:
    """A store and its watch; not `clean`: it ends as a process ends that is killed."""
    with opened_store(folder) as store:
        integrity = IntegrityService(store)
        await integrity.start()
        yield store, integrity
        if clean:
            await integrity.close()


async def test_a_healthy_ledger_is_walked_to_its_head_and_compared(tmp_path: Path) -> None:
    async with agent(tmp_path) as (store, integrity):
        await store.write(receive)
        await integrity.walk_on()
        assert (integrity.sound_seq, integrity.trouble) == (2, None)
        store.gate.check_promise()
        await store.write(receive)
        await integrity.walk_on()
        assert integrity.sound_seq == 4


async def test_a_byte_that_rots_behind_the_walk_is_found_in_the_next_round(tmp_path: Path) -> None:
    async with agent(tmp_path) as (store, integrity):
        for _ in range(3):
            await store.write(receive)
        await integrity.walk_on()
        await integrity.walk_on()
        assert integrity.trouble is None, "two rounds over a sound journal"
        tamper(tmp_path, "UPDATE journal SET body = body || x'00' WHERE seq = 2")
        await integrity.walk_on()
        assert integrity.status()["first_bad_seq"] == 2


async def test_a_round_begins_behind_what_was_archived(tmp_path: Path) -> None:
    async with agent(tmp_path) as (store, integrity):
        await store.write(receive)
        archives = ArchiveService(store, integrity, node_id="n", needs_ack=False, now_ms=lambda: 10**15)
        assert [step["step"] async for step in archives.run(0)]
        assert await store.read(lambda reader: reader.first_seq()) > 1
        await integrity.walk_on()
        await store.write(receive)
        await integrity.walk_on()
        assert integrity.trouble is None


async def test_an_alarm_names_the_row_refuses_promises_records_scans_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    async with agent(tmp_path) as (store, _):
        await store.write(receive)
    tamper(tmp_path, WRONG)
    async with agent(tmp_path) as (store, integrity):
        with capture_logs() as logs:
            await integrity.walk_on()
            await integrity.walk_on()
        assert [line["event"] for line in logs if line["log_level"] == "error"] == ["ledger_broken"]
        assert integrity.status()["problem"].startswith(SAID)
        assert integrity.sound_seq == 0
        with pytest.raises(Refused, match="the ledger does not add up"):
            store.gate.check_promise()
        await store.write(receive)
    async with agent(tmp_path) as (store, integrity):
        assert integrity.status()["problem"].startswith(SAID)
        with pytest.raises(Refused, match="the ledger does not add up"):
            store.gate.check_promise()


async def test_only_a_full_check_that_finds_everything_right_takes_an_alarm_back(tmp_path: Path) -> None:
    async with agent(tmp_path) as (store, _):
        await store.write(receive)
    tamper(tmp_path, WRONG)
    async with agent(tmp_path) as (_, integrity):
        await integrity.walk_on()
        assert not (await integrity.verify())["ok"]
        assert integrity.trouble is not None
    tamper(tmp_path, RIGHT)
    async with agent(tmp_path) as (store, integrity):
        await integrity.walk_on()
        await integrity.verify(since_checkpoint=True)
        assert integrity.trouble is not None
        assert (await integrity.verify())["ok"]
        assert integrity.trouble is None
        store.gate.check_promise()
        await integrity.walk_on()
        assert integrity.sound_seq == 2
    async with agent(tmp_path) as (_, integrity):
        assert integrity.trouble is None


async def test_a_clean_stop_needs_no_check_of_the_file_and_any_other_does(tmp_path: Path) -> None:
    async with agent(tmp_path, clean=False) as (store, integrity):
        assert integrity.status()["quick_check"].startswith("not needed"), "a new ledger"
        await store.write(receive)
    async with agent(tmp_path) as (_, integrity):
        assert integrity.status()["quick_check"].startswith("running")
        await integrity.checked()
        assert integrity.status()["quick_check"] == "ok, after a stop that was not clean"
    async with agent(tmp_path, clean=False) as (_, integrity):
        assert integrity.status()["quick_check"].startswith("not needed")
    async with agent(tmp_path) as (_, integrity):
        assert integrity.status()["quick_check"].startswith("running")
        await integrity.checked()


async def test_a_damaged_file_is_found_after_an_unclean_stop(tmp_path: Path) -> None:
    async with agent(tmp_path, clean=False) as (store, _):
        await store.write(receive)
    with closing(apsw.Connection(str(tmp_path / "ledger.db"))) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((page,),) = raw.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'balance_by_bin'")
        size = raw.pragma("page_size")
    with (tmp_path / "ledger.db").open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(b"\xff" * 64)
    async with agent(tmp_path) as (_, integrity):
        await integrity.checked()
        assert integrity.trouble is not None
        assert integrity.trouble.kind == "file"
        assert "SQLite finds the file damaged" in integrity.status()["quick_check"]


async def test_checkpoints_are_made_at_the_head_every_so_many_events_and_when_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_agent.services.integrity.CHECKPOINT_EVENTS_MAX", 6)
    monkeypatch.setattr("bodega_agent.services.integrity.CHECKPOINT_IDLE_EVENTS_MIN", 2)
    async with agent(tmp_path) as (store, integrity):

        async def checkpoints() -> list[int]:
            return await store.write(
                lambda tx: [row[0] for row in tx.execute("SELECT basis_seq FROM checkpoint ORDER BY seq")]
            )

        await store.write(receive)
        await integrity.walk_on()
        assert await checkpoints() == [], "2 events, and perhaps more to come"
        await integrity.walk_on()
        assert await checkpoints() == [2], "idle"
        await integrity.walk_on()
        await integrity.walk_on()
        assert await checkpoints() == [2], "its own event is no reason for the next one"
        for _ in range(3):
            await store.write(receive)
        await integrity.walk_on()
        assert await checkpoints() == [2, 9], "6 events have passed"
        assert integrity.status()["checkpoint_seq"] == 9
    async with agent(tmp_path) as (store, integrity):
        await integrity.walk_on()
        assert integrity.status()["checkpoint_seq"] == 9, "the next start begins there"


async def test_nothing_is_archived_while_the_ledger_does_not_add_up(tmp_path: Path) -> None:
    async with agent(tmp_path) as (store, _):
        await store.write(receive)
        await store.write(receive)
    tamper(tmp_path, WRONG)
    async with agent(tmp_path) as (store, integrity):
        archives = ArchiveService(
            store, integrity, node_id="lisbon-01", needs_ack=False, now_ms=lambda: 10**9
        )
        with pytest.raises(Refused, match="nothing is archived while"):
            _ = [step async for step in archives.run(0)]
        with capture_logs() as logs:
            await archives.by_schedule()
        assert [line["event"] for line in logs] == ["not_archived"]
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        assert reader.first_seq() == 1


async def test_a_stop_does_not_wait_for_a_long_check(tmp_path: Path) -> None:
    async with agent(tmp_path) as (store, integrity):
        await store.write(receive)

        begun = threading.Event()

        def forever(reader: Reader) -> None:
            begun.set()
            endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
            for _row in reader.connection.execute(endless):
                pass

        asking = asyncio.create_task(store.read_aside(forever))
        await asyncio.to_thread(begun.wait)
        await integrity.close()
        with pytest.raises(Unavailable, match="the agent is stopping"):
            await asking
