"""One thread owns the writing connection; jobs queue up in front of it and share an fsync.

The event loop never waits for the disk. Jobs that wait together run in one SQLite transaction, each in
its own savepoint, so that one that fails takes nothing from the others; they are answered only after the
commit. A bound on the queue turns overload into an honest error instead of memory.
"""

from __future__ import annotations

import asyncio
import errno
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from bodega.core.deadline import BootTime
from bodega.errors import BodegaError, Unavailable
from bodega.host.log import get_logger
from bodega.limits import COMMANDS_PER_COMMIT_MAX, COMMANDS_WAITING_MAX
from bodega_agent.store.clock import boot_time
from bodega_agent.store.gate import Gate
from bodega_agent.store.schema import open_for_writing
from bodega_agent.store.transaction import Transaction

log = get_logger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    work: Callable[[Transaction], Any]
    future: Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """The writing side of the store. `on_commit` is called (in the writer's thread) after new events.

    `gate`: asked for room when the disk has none for a commit; what may be refused asks it too.
    """

    def __init__(
        self,
        path: Path,
        *,
        node_id: str,
        now_ms: Callable[[], int],
        on_commit: Callable[[int], None],
        clock: Callable[[], BootTime] = boot_time,
        gate: Gate | None = None,
    ) -> None:
        self._path = path
        self._node_id = node_id
        self._now_ms = now_ms
        self._clock = clock
        self._on_commit = on_commit
        self._gate = gate or Gate()
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=COMMANDS_WAITING_MAX)
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Open the file in the writer's thread; raises what opening raised."""
        self._thread.start()
        self._opened.result()

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Queue a job; its future resolves after the commit that holds it."""
        job = _Job(work, Future())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            job.future.set_exception(
                Unavailable(
                    f"{COMMANDS_WAITING_MAX} commands wait for the disk", hint="try again in a moment"
                )
            )
        return job.future

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Like `submit`, awaited. Cancelling the wait does not undo the work."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(work)))

    def close(self) -> None:
        """Finish everything that is queued, then close the file."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        try:
            connection = open_for_writing(self._path)
            transaction = Transaction(
                connection, node_id=self._node_id, now_ms=self._now_ms, clock=self._clock, gate=self._gate
            )
        except BaseException as error:  # noqa: BLE001  # handed to the caller of start(), whatever it is
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        while (batch := self._next_batch()) is not None:
            self._commit(connection, transaction, batch)
        connection.close()

    def _next_batch(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < COMMANDS_PER_COMMIT_MAX:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, connection: apsw.Connection, transaction: Transaction, batch: list[_Job]) -> None:
        before = transaction.head
        if not self._attempt(connection, transaction, batch) and self._gate.make_room():
            # One by one: what is too big for the room that is left takes no scan with it.
            for job in batch:
                self._attempt(connection, transaction, [job])
        for job in batch:
            _resolve(job)
        if transaction.head.seq > before.seq:
            self._on_commit(transaction.head.seq)

    def _attempt(self, connection: apsw.Connection, transaction: Transaction, batch: list[_Job]) -> bool:
        """Run jobs and commit them together; False if the disk had no room for them."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                job.result = job.error = None
                self._run_job(connection, transaction, job)
            connection.execute("COMMIT")
        except apsw.Error as error:
            full = _is_full(connection, error)
            if full:
                log.warning("commit_found_disk_full", commands=len(batch))
            else:
                log.exception("commit_failed", commands=len(batch))
            self._roll_back(connection, transaction)
            for job in batch:
                job.error = job.error or Unavailable(
                    f"the ledger could not be written: {error}", hint="check the disk: bodega status"
                )
            return not full
        return True

    @staticmethod
    def _run_job(connection: apsw.Connection, transaction: Transaction, job: _Job) -> None:
        mark = transaction.head
        connection.execute("SAVEPOINT job")
        try:
            job.result = job.work(transaction)
        except (apsw.IOError, apsw.FullError, apsw.CorruptError, apsw.NotADBError):
            raise
        except Exception as error:  # a failed job must not take its neighbours with it
            job.error = error
            connection.execute("ROLLBACK TO job")
            transaction.head = mark
            if not isinstance(error, BodegaError):
                log.exception("command_failed")
        connection.execute("RELEASE job")

    @staticmethod
    def _roll_back(connection: apsw.Connection, transaction: Transaction) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        transaction.reload_head()


def _is_full(connection: apsw.Connection, error: apsw.Error) -> bool:
    """No room on the disk, or none within a quota, which SQLite takes for any other fault of the disk."""
    no_room = isinstance(error, apsw.IOError) and connection.system_errno in (errno.ENOSPC, errno.EDQUOT)
    return no_room or isinstance(error, apsw.FullError)


def _resolve(job: _Job) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    else:
        job.future.set_result(job.result)
