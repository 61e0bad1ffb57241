"""A folder on a faulty disk, where a day of a node's real store is recorded, and cut short again and again.

The day is worked through once. Then it is made again operation by operation; after each one the power fails, and
what is left is opened, inspected and worked with by the real store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from structlog.testing import capture_logs

from bodega_agent.store.schema import open_for_writing
from support.faulty_disk import Disk
from support.faulty_disk_day import Day
from support.faulty_disk_story import (
    Books,
    Inspection,
    Sending,
    acknowledged,
    opened,
    set_checkpoint_pages,
    work,
)
from support.faulty_disk_vfs import FaultyVfs, Mount, Trace, faulty_vfs

BATCHES = 10
WHOLE_DAY_AGAIN_EVERY = 32
SECOND_CUTS_EVERY = 40


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
        self.folder = folder

    def mount(self, files: Mapping[str, bytes]) -> Mount:
        """Go on from these files."""
        return self._vfs.mount(Disk(files))

    async def record(self, seed: int, *, deaf: frozenset[str] = frozenset()) -> Recording:
        """From an empty disk: half a day, closing time (the WAL is folded in), and the other half."""
        day = Day(seed, batches=BATCHES)
        mount = self._vfs.mount(Disk(), deaf=deaf)
        for batches in (day.batches[: BATCHES // 2], day.batches[BATCHES // 2 :]):
            with opened(self.folder) as store:
                await store.write(set_checkpoint_pages)
                for batch in batches:
                    await work(store, batch, mount.trace)
                books = await store.write(Books.read)
            open_for_writing(self.folder / "ledger.db").close()
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
            problems, after, _ = await self.inspect(found, promised, recording.books, again)
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
            problems, books, trace = await self.inspect(found, promised, recording.books, again)
            cuts.note(place, problems)
            for _, second, left, still_promised, _ in moments(trace, seed, promised, found):
                problems, _, _ = await self.inspect(left, still_promised, books, again)
                cuts.note(f"{place}, then {second}", problems)
        return cuts

    async def inspect(
        self,
        found: dict[str, bytes],
        promised: Mapping[str, Any],
        full: Books | None,
        again: Sequence[Sequence[Sending]],
    ) -> tuple[list[str], Books | None, Trace]:
        """What is wrong with what was found, the books after some more work, and what that did to the disk."""
        mount = self.mount(found)
        inspection = Inspection(self.folder, promised, full)
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


@contextmanager
def faulty_room(folder: Path) -> Iterator[Room]:
    """A room in a new folder."""
    with faulty_vfs(folder) as vfs, capture_logs():
        yield Room(vfs, folder.resolve())
