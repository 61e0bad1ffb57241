"""A power cut, at whatever operation of the disk, loses no acknowledged command and spoils no file.

Mutants of the store and of the drive show that the inspection finds what it looks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from bodega.core.commands import SHAPES
from bodega_agent.store import writer as writer_module
from bodega_agent.store.schema import open_for_writing
from bodega_agent.store.transaction import Transaction
from support.faulty_disk_day import Command
from support.faulty_disk_room import Cuts, Recording, Room, faulty_room
from support.faulty_disk_vfs import Step, Trace
from support.long_run import by_length

DAYS = by_length(4, 40)
DAYS_CUT_TWICE = by_length(1, 20)
BETWEEN_CUTS = by_length(2, 1)
CUTS_PER_DAY_MIN = 450 // BETWEEN_CUTS
CUTS_TWICE_MIN = 250
BETWEEN_MUTANT_CUTS = 5


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with faulty_room(tmp_path / "disk") as room:
        yield room


@pytest.mark.parametrize("seed", range(DAYS))
async def test_a_power_cut_after_any_operation_loses_no_acknowledged_command(room: Room, seed: int) -> None:
    cuts = await room.cut(await room.record(seed), seed, every=BETWEEN_CUTS)
    assert cuts.problems == {}
    assert cuts.count >= CUTS_PER_DAY_MIN


@pytest.mark.parametrize("seed", range(DAYS_CUT_TWICE))
async def test_a_second_power_cut_while_the_ledger_recovers_loses_nothing_either(
    room: Room, seed: int
) -> None:
    cuts = await room.cut_twice(await room.record(seed), seed)
    assert cuts.problems == {}
    assert cuts.count >= CUTS_TWICE_MIN, "else the recovery does less than it did"


async def test_the_days_do_every_command_that_there_is(room: Room) -> None:
    done: set[str] = set()
    for seed in range(DAYS):
        recording = await room.record(seed)
        done |= {s.body["command"] for batch in recording.done for s in batch if isinstance(s, Command)}
    assert done == set(SHAPES)


async def test_a_day_does_everything_to_the_disk_that_a_cut_could_fall_into(room: Room) -> None:
    recording = await room.record(0)
    done = Counter((name, *values[:1]) for name, values in recording.trace.steps if name != "note")
    for file in ("ledger.db", "ledger.db-wal"):
        assert done["create", file] > 0
        assert done["write", file] > 0
        assert done["sync", file] > 2, "checkpoints sync both files"
    assert done["write", "ledger.db-journal"] > 0, "a new file is turned to WAL through a rollback journal"
    assert done["delete", "ledger.db-journal"] > 0
    assert done["delete", "ledger.db-wal"] > 0, "closing folds the WAL in and takes it away"
    assert done["sync_folder",] > 0


def _answering_too_early(recording: Recording) -> Recording:
    """The same day as if every command had been answered when its job was done, before its commit."""
    early, written, answered = Trace(), list[Step](), False
    for step in recording.trace.steps:
        if step[0] == "note":
            early.steps.append(step)
            answered = True
            continue
        if answered:
            early.steps += written
            written, answered = [], False
        written.append(step)
    early.steps += written
    return Recording(recording.day, early, recording.books)


def _lost(cuts: Cuts) -> int:
    return sum("is lost" in text for problems in cuts.problems.values() for text in problems)


async def test_the_inspection_kills_a_store_with_synchronous_normal(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_normal(path: Path) -> apsw.Connection:
        connection = open_for_writing(path)
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    monkeypatch.setattr(writer_module, "open_for_writing", open_normal)
    cuts = await room.cut(await room.record(0), 0, every=BETWEEN_MUTANT_CUTS)
    assert _lost(cuts) > cuts.count / 10, "NORMAL does not sync a commit"


async def test_the_inspection_kills_a_store_that_answers_before_the_sync(room: Room) -> None:
    cuts = await room.cut(_answering_too_early(await room.record(0)), 0, every=BETWEEN_MUTANT_CUTS)
    assert _lost(cuts) > 0


@pytest.mark.parametrize("file", ["ledger.db", "ledger.db-wal"])
async def test_the_inspection_finds_a_drive_that_only_says_that_it_synced(room: Room, file: str) -> None:
    cuts = await room.cut(await room.record(0, deaf=frozenset({file})), 0, every=BETWEEN_MUTANT_CUTS)
    assert _lost(cuts) > 0


async def test_the_inspection_finds_a_command_that_is_there_in_part(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events without its result: sent again, it would be done twice."""
    monkeypatch.setattr(Transaction, "once", lambda _tx, _cmd_id, _body, work: work())
    forgetful = await room.record(0)
    monkeypatch.undo()
    cuts = await room.cut(forgetful, 0, every=BETWEEN_MUTANT_CUTS)
    assert any("in part" in text for problems in cuts.problems.values() for text in problems)
