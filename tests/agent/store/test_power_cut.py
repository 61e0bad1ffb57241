"""A power cut, at whatever operation of the disk, loses no acknowledged command and spoils no file.

A day of commands goes through the real writer on a `Disk` that remembers what was synced. Then the day is made
again operation by operation; after each one the power fails, and what is left is opened, inspected and worked with
by the real store. Mutants of the store and of the drive show that the inspection finds what it looks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest
from structlog.testing import capture_logs

from bodega_agent.store import writer as writer_module
from bodega_agent.store.schema import open_for_writing
from bodega_agent.store.transaction import Transaction
from support.faulty_disk import Disk
from support.faulty_disk_day import Command, Day
from support.faulty_disk_story import (
    Books,
    Inspection,
    Sending,
    acknowledged,
    opened,
    set_checkpoint_pages,
    work,
)
from support.faulty_disk_vfs import FaultyVfs, Step, Trace, faulty_vfs
from support.long_run import by_length

DAYS = by_length(6, 60)
DAYS_CUT_TWICE = by_length(2, 20)
BATCHES = 12
CUTS_PER_DAY_MIN = 250
WHOLE_DAY_AGAIN_EVERY = 32
SECOND_CUTS_EVERY = 40
BETWEEN_MUTANT_CUTS = 5


@dataclass
class Recording:
    """A day without a cut: its commands, what it did to the disk, and the books at its end."""

    day: Day
    trace: Trace
    books: Books

    @property
    def done(self) -> list[list[Sending]]:
        """Its batches without what was refused: that may well be possible later in the day."""
        return [[s for s in batch if s.cmd_id in self.books.results] for batch in self.day.batches]


@dataclass
class Cuts:
    """What came of many cuts: how many, and the problems of each that had some, by place."""

    count: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)

    def note(self, place: str, problems: list[str]) -> None:
        """One more cut."""
        self.count += 1
        if problems:
            self.problems[place] = problems


class Room:
    """A folder on a faulty disk, where days are recorded and cut."""

    def __init__(self, vfs: FaultyVfs, folder: Path) -> None:
        self._vfs = vfs
        self._folder = folder

    async def record(self, seed: int, *, deaf: frozenset[str] = frozenset()) -> Recording:
        """From an empty disk: half a day, closing time (the WAL is folded in), and the other half."""
        day = Day(seed, batches=BATCHES)
        mount = self._vfs.mount(Disk(), deaf=deaf)
        for batches in (day.batches[: BATCHES // 2], day.batches[BATCHES // 2 :]):
            with opened(self._folder) as store:
                await store.write(set_checkpoint_pages)
                for batch in batches:
                    await work(store, batch, mount.trace)
                books = await store.write(Books.read)
            open_for_writing(self._folder / "ledger.db").close()
        return Recording(day, mount.trace, books)

    async def cut(self, recording: Recording, seed: int, *, every: int = 1) -> Cuts:
        """Cut the power after each operation of the day (or after some), and inspect what is left."""
        cuts = Cuts()
        for number, place, found, promised, answered in moments(recording.trace, seed, {}):
            if number % every:
                continue
            sendings = recording.day.sendings
            whole_day = number % (WHOLE_DAY_AGAIN_EVERY * every) == 0
            next_ones = sendings[max(0, answered - 2) : answered + 4]
            again = recording.done if whole_day else [next_ones]
            problems, after, _ = await self._inspect(found, promised, recording.books, again)
            if whole_day and after is not None and not problems:
                problems = different_ends(after, recording.books)
            cuts.note(place, problems)
        return cuts

    async def cut_twice(self, recording: Recording, seed: int) -> Cuts:
        """Cut the power now and then, and again after each operation of the recovery and the work after it."""
        cuts = Cuts()
        for number, place, found, promised, answered in moments(recording.trace, seed, {}):
            if number % SECOND_CUTS_EVERY != seed % SECOND_CUTS_EVERY:
                continue
            again = [recording.day.sendings[answered : answered + 3]]
            problems, books, trace = await self._inspect(found, promised, recording.books, again)
            cuts.note(place, problems)
            for _, second, left, still_promised, _ in moments(trace, seed, promised, found):
                problems, _, _ = await self._inspect(left, still_promised, books, again)
                cuts.note(f"{place}, then {second}", problems)
        return cuts

    async def _inspect(
        self,
        found: dict[str, bytes],
        promised: Mapping[str, Any],
        full: Books | None,
        again: Sequence[Sequence[Sending]],
    ) -> tuple[list[str], Books | None, Trace]:
        mount = self._vfs.mount(Disk(found))
        inspection = Inspection(self._folder, promised, full)
        books = await inspection.run(again, mount.trace)
        return inspection.problems, books, mount.trace


def moments(
    trace: Trace, seed: int, promised: Mapping[str, Any], start: Mapping[str, bytes] | None = None
) -> Iterator[tuple[int, str, dict[str, bytes], Mapping[str, Any], int]]:
    """After each operation: its number and name, what a cut leaves, what was promised, how many were answered."""
    disk, notes = Disk(start), []
    number = 0
    for step, note in zip(trace.steps, trace.replay(disk), strict=True):
        if note is not None:
            notes.append(note)
            continue
        number += 1
        place = f"{number} {step[0]} {' '.join(str(value) for value in step[1][:2])}"
        found = disk.after_power_cut(Random(f"{seed} {number}"))
        yield number, place, found, {**promised, **acknowledged(notes)}, len(notes)


def different_ends(after: Books, full: Books) -> list[str]:
    """A day of which every command was sent again ends as it would have without a cut."""
    same = after.tables == full.tables and after.results == full.results
    return [] if same else ["the day was sent again and ended differently"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    folder = tmp_path / "disk"
    with faulty_vfs(folder) as vfs, capture_logs():
        yield Room(vfs, folder.resolve())


@pytest.mark.parametrize("seed", range(DAYS))
async def test_a_power_cut_after_any_operation_loses_no_acknowledged_command(room: Room, seed: int) -> None:
    cuts = await room.cut(await room.record(seed), seed)
    assert cuts.problems == {}
    assert cuts.count >= CUTS_PER_DAY_MIN


@pytest.mark.parametrize("seed", range(DAYS_CUT_TWICE))
async def test_a_second_power_cut_while_the_ledger_recovers_loses_nothing_either(
    room: Room, seed: int
) -> None:
    cuts = await room.cut_twice(await room.record(seed), seed)
    assert cuts.problems == {}
    assert cuts.count >= CUTS_PER_DAY_MIN, "else the recovery does less than it did"


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
    assert _lost(cuts) > cuts.count / 4, "NORMAL does not sync a commit; most cuts must find that out"


async def test_the_inspection_kills_a_store_that_answers_before_the_sync(room: Room) -> None:
    cuts = await room.cut(_answering_too_early(await room.record(0)), 0, every=BETWEEN_MUTANT_CUTS)
    assert _lost(cuts) > 0


@pytest.mark.parametrize("file", ["ledger.db", "ledger.db-wal"])
async def test_the_inspection_finds_a_drive_that_only_says_that_it_synced(room: Room, file: str) -> None:
    cuts = await room.cut(await room.record(0, deaf=frozenset({file})), 0, every=BETWEEN_MUTANT_CUTS)
    assert _lost(cuts) > 0


async def test_the_inspection_finds_a_command_that_is_there_in_part(room: Room) -> None:
    recording = await room.record(0)

    def half(self: Command, tx: Transaction) -> dict[str, Any]:
        return self._move(tx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Command, "run", half)
        halves = await room.record(0)
    cuts = await room.cut(
        Recording(recording.day, halves.trace, recording.books), 0, every=BETWEEN_MUTANT_CUTS
    )
    assert any("in part" in text for problems in cuts.problems.values() for text in problems)
