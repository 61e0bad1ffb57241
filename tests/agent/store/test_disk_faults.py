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

from bodega.errors import BodegaError, InvalidInput, Unavailable
from bodega_agent.store.store import Store
from support.faulty_disk import Disk
from support.faulty_disk_errors import failing_operations
from support.faulty_disk_story import (
    Books,
    Command,
    Day,
    Inspection,
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
from support.node_under_test import opened_store

BATCHES = by_length(5, 24)
BATCHES_ON_AN_ILL_DISK = 2


@dataclass(frozen=True)
class Illness:
    """What fails, how, and how long."""

    kind: str
    code: int
    lasting: bool


ILLNESSES = {
    "the disk is full for one write": Illness("write", DISK_FULL, lasting=False),
    "the disk stays full": Illness("write", DISK_FULL, lasting=True),
    "a write fails": Illness("write", WRITE_FAILED, lasting=False),
    "all writes fail": Illness("write", WRITE_FAILED, lasting=True),
    "a read fails": Illness("read", READ_FAILED, lasting=False),
    "all reads fail": Illness("read", READ_FAILED, lasting=True),
    "a sync fails": Illness("sync", SYNC_FAILED, lasting=False),
    "all syncs fail": Illness("sync", SYNC_FAILED, lasting=True),
    "a truncation fails": Illness("truncate", WRITE_FAILED, lasting=False),
    "a file can not be opened": Illness("open", NOT_OPENED, lasting=False),
    "a file can not be deleted": Illness("delete", WRITE_FAILED, lasting=False),
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
            await self._send(store, day.commands)
            await self._look(store)
        found = self._mount.disk.after_power_cut(Random(self._fault.nth))
        inspection = Inspection(self._folder, self._promised, None)
        await inspection.run(day.commands, self._vfs.mount(Disk(found)).trace)
        self.problems += inspection.problems

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        """The store opens on an ill disk, or says in a typed error why not, and opens when it is repaired."""
        with ExitStack() as stack:
            try:
                store = stack.enter_context(opened_store(self._folder))
            except BodegaError:
                self._repair()
                store = stack.enter_context(opened_store(self._folder))
            yield store

    def _repair(self) -> None:
        self._mount.fault = None

    async def _send(self, store: Store, commands: Sequence[Command]) -> None:
        """Send commands together; on an ill disk each is answered by a result, or by Unavailable."""
        for cmd_id, answer in await work(store, commands, self._mount.trace):
            if isinstance(answer, Unavailable):
                if self._mount.fault is None:
                    self.problems.append(f"{cmd_id} is refused by a disk that is well: {answer}")
            elif isinstance(answer, InvalidInput):
                pass
            elif isinstance(answer, Exception):
                self.problems.append(f"{cmd_id} is answered by {answer!r}")
            elif self._promised.setdefault(cmd_id, answer) != answer:
                self.problems.append(f"{cmd_id} is answered by {answer}, was {self._promised[cmd_id]}")

    async def _look(self, store: Store) -> None:
        """What was acknowledged is there, and nothing else."""
        books = await store.write(Books.read)
        if books.results != self._promised:
            odd = sorted(set(books.results) ^ set(self._promised))
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
    for nth in itertools.count(1):
        fault = Fault(frozenset({illness.kind}), nth, illness.code, lasting=illness.lasting)
        patient = Patient(vfs, (tmp_path / "disk").resolve(), fault)
        await patient.run(day)
        if patient.problems:
            found[nth] = patient.problems
        if not fault.happened:
            break
    assert found == {}
    assert nth > 1, "the day has no operation of this kind"
