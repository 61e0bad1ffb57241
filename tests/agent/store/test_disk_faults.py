"""A disk that is full or broken: every command gets an honest answer, and the store goes on when it is well again.

One short day is worked through with a fault at every single write, read, sync, truncation, opening and deletion,
once only and lasting until repaired. What was refused is not there; what was acknowledged is there, also after a
power cut that follows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from bodega.errors import BodegaError, Unavailable
from bodega_agent.store.store import Store
from support.faulty_disk import Disk
from support.faulty_disk_day import Day
from support.faulty_disk_errors import failing_operations
from support.faulty_disk_story import (
    Books,
    Inspection,
    Sending,
    is_refusal,
    opened,
    set_checkpoint_pages,
    work,
)
from support.faulty_disk_vfs import (
    DISK_FULL,
    NOT_OPENED,
    READ_FAILED,
    SYNC_FAILED,
    WRITE_FAILED,
    Fault,
    FaultyVfs,
    Mount,
    faulty_vfs,
)
from support.long_run import by_length

BATCHES = by_length(2, 12)
SOME, MANY = by_length((10, 2), (1, 1))
BATCHES_ON_AN_ILL_DISK = 2


@dataclass(frozen=True)
class Illness:
    """What fails, how, how long, and at which of all operations of that kind."""

    kind: str
    code: int
    lasting: bool = False
    every: int = 1


ILLNESSES = {
    "the disk is full for one write": Illness("write", DISK_FULL, every=MANY),
    "the disk stays full": Illness("write", DISK_FULL, lasting=True, every=SOME),
    "a write fails": Illness("write", WRITE_FAILED, every=SOME),
    "all writes fail": Illness("write", WRITE_FAILED, lasting=True, every=SOME),
    "a read fails": Illness("read", READ_FAILED, every=MANY),
    "all reads fail": Illness("read", READ_FAILED, lasting=True, every=SOME),
    "a sync fails": Illness("sync", SYNC_FAILED),
    "all syncs fail": Illness("sync", SYNC_FAILED, lasting=True),
    "a truncation fails": Illness("truncate", WRITE_FAILED),
    "a file can not be opened": Illness("open", NOT_OPENED),
    "a file can not be deleted": Illness("delete", WRITE_FAILED),
}


class Patient:
    """A store on a disk with one fault: opened, worked with, repaired, worked with again, its power cut."""

    def __init__(self, vfs: FaultyVfs, folder: Path, fault: Fault) -> None:
        self._vfs = vfs
        self._folder = folder
        self._fault = fault
        self._mount: Mount = vfs.mount(Disk(), fault=fault)
        self._promised: dict[str, Any] = {}
        self.problems: list[str] = []

    async def run(self, day: Day) -> None:
        """All of it; `problems` says what was wrong."""
        with self._opened():
            pass
        with self._opened() as store:
            with suppress(Unavailable):
                await store.write(set_checkpoint_pages)
            left = BATCHES_ON_AN_ILL_DISK
            for batch in day.batches:
                await self._send(store, batch)
                left -= self._fault.happened
                if not left:
                    self._repair()
            self._repair()
            await self._look(store)
            for batch in day.batches:
                await self._send(store, batch)
            await self._look(store)
        found = self._mount.disk.after_power_cut(Random(self._fault.nth))
        inspection = Inspection(self._folder, self._promised, None)
        await inspection.run(day.batches, self._vfs.mount(Disk(found)).trace)
        self.problems += inspection.problems

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        """The store opens on an ill disk, or says in a typed error why not, and opens when it is repaired."""
        with ExitStack() as stack:
            try:
                store = stack.enter_context(opened(self._folder))
            except BodegaError:
                self._repair()
                store = stack.enter_context(opened(self._folder))
            yield store

    def _repair(self) -> None:
        self._mount.fault = None

    async def _send(self, store: Store, batch: Sequence[Sending]) -> None:
        """Send commands together; on an ill disk each is answered by a result, or by Unavailable."""
        for cmd_id, answer in await work(store, batch, self._mount.trace):
            if isinstance(answer, Unavailable):
                if self._mount.fault is None:
                    self.problems.append(f"{cmd_id} is refused by a disk that is well: {answer}")
            elif is_refusal(answer):
                pass
            elif isinstance(answer, Exception):
                self.problems.append(f"{cmd_id} is answered by {answer!r}")
            elif self._promised.setdefault(cmd_id, answer) != answer:
                self.problems.append(f"{cmd_id} is answered by {answer}, was {self._promised[cmd_id]}")

    async def _look(self, store: Store) -> None:
        """What was acknowledged is there, and nothing else; of the hub's stream, all up to some event."""
        books = await store.write(Books.read)
        heard = max(
            (answer["down_seq"] for answer in self._promised.values() if "down_seq" in answer), default=0
        )
        expected = {f"hub-{seq}": {"down_seq": seq} for seq in range(1, heard + 1)} | self._promised
        if books.results != expected:
            odd = sorted(set(books.results) ^ set(expected))
            self.problems.append(f"answers and books differ: {odd}")


@pytest.fixture
def vfs(tmp_path: Path) -> Iterator[FaultyVfs]:
    with faulty_vfs(tmp_path / "disk") as vfs, failing_operations(vfs), capture_logs():
        yield vfs


@pytest.mark.parametrize("illness", ILLNESSES.values(), ids=ILLNESSES.keys())
async def test_every_command_is_answered_honestly_whatever_operation_of_the_disk_fails(
    vfs: FaultyVfs, tmp_path: Path, illness: Illness
) -> None:
    day = Day(0, batches=BATCHES)
    found: dict[int, list[str]] = {}
    for nth in itertools.count(1, illness.every):
        fault = Fault(frozenset({illness.kind}), nth, illness.code, lasting=illness.lasting)
        patient = Patient(vfs, (tmp_path / "disk").resolve(), fault)
        await patient.run(day)
        if patient.problems:
            found[nth] = patient.problems
        if not fault.happened:
            break
    assert found == {}
    assert nth > 1, "the day has no operation of this kind"
