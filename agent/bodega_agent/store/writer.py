"""One thread owns the writing connection; jobs queue up in front of it and share an fsync.

The event loop never waits for the disk. Jobs that wait together run in one SQLite transaction, quickly: what the
writer itself has written is not looked up again, and ids behind a new one are taken for new. If anything fails,
they run again, each in a savepoint of its own, so that it takes nothing from the others, and nothing is taken for
granted: a job may run more than once before it counts. All are answered after the commit, in one call into the
loop: callers that were answered together come back together, and so share the next fsync too. Nobody lingers for
company: a lone caller's job is on its way at once. A bound on the queue turns overload into an honest error instead
of memory.
"""

from __future__ import annotations

import asyncio
import errno
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, TypeVar

import apsw

from bodega.core.deadline import BootTime
from bodega.errors import BodegaError, Unavailable
from bodega.host.log import get_logger
from bodega.limits import COMMANDS_PER_COMMIT_MAX, COMMANDS_WAITING_MAX
from bodega_agent.store.clock import boot_time
from bodega_agent.store.gate import Gate
from bodega_agent.store.schema import open_for_writing, opening
from bodega_agent.store.transaction import Transaction

log = get_logger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    work: Callable[[Transaction], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class _Outcome(Enum):
    """What became of a batch."""

    COMMITTED = auto()
    JOB_FAILED = auto()
    NO_ROOM = auto()
    DISK_FAILED = auto()


class Writer:
    """The writing side of the store, made in the running loop. `on_commit` is called there after new events.

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
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._opened: Future[None] = Future()
        self._head_in_doubt = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Open the file in the writer's thread; raises what opening raised."""
        self._thread.start()
        self._opened.result()

    def submit(self, work: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """Queue a job, in the loop's thread; its future resolves after the commit that holds it.

        Cancelling the wait does not undo the work. Raises Unavailable when too many wait already.
        """
        if self._jobs.qsize() >= COMMANDS_WAITING_MAX:
            raise Unavailable(
                f"{COMMANDS_WAITING_MAX} commands wait for the disk", hint="try again in a moment"
            )
        job = _Job(work, self._loop.create_future())
        self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Finish everything that is queued, then close the file."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _open(self) -> tuple[apsw.Connection, Transaction]:
        with opening(self._path), ExitStack() as undo:
            connection = undo.enter_context(closing(open_for_writing(self._path)))
            transaction = Transaction(
                connection, node_id=self._node_id, now_ms=self._now_ms, clock=self._clock, gate=self._gate
            )
            undo.pop_all()
        return connection, transaction

    def _run(self) -> None:
        try:
            connection, transaction = self._open()
        except BaseException as error:  # noqa: BLE001  # handed to the caller of start(), whatever it is
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        while batch := self._next_batch():
            self._commit(connection, transaction, batch)
        # What is committed is safe in the log, whether the disk still lets it be folded in or not.
        with suppress(apsw.Error):
            connection.close()

    def _next_batch(self) -> list[_Job]:
        """The first job that comes and what waits behind it; nothing at the end."""
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) == COMMANDS_PER_COMMIT_MAX or self._jobs.empty():
                return batch
            job = self._jobs.get()
        if batch:
            self._jobs.put(None)
        return batch

    def _commit(self, connection: apsw.Connection, transaction: Transaction, batch: list[_Job]) -> None:
        """Run a batch, commit it and have it answered."""
        before = -1 if self._head_in_doubt else transaction.head.seq
        outcome = self._attempt(connection, transaction, batch)
        if outcome is _Outcome.JOB_FAILED and (len(batch) > 1 or transaction.has_guessed):
            outcome = self._attempt(connection, transaction, batch, apart=True)
        if outcome is _Outcome.NO_ROOM and self._gate.make_room():
            # One by one: what is too big for the room that is left takes no scan with it.
            for job in batch:
                self._attempt(connection, transaction, [job], apart=True)
        for job in batch:
            if job.error is not None and not isinstance(job.error, BodegaError):
                log.error("command_failed", exc_info=job.error)
        events = not self._head_in_doubt and transaction.head.seq > before
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._answer, batch, transaction.head.seq if events else None)

    def _attempt(
        self, connection: apsw.Connection, transaction: Transaction, batch: list[_Job], *, apart: bool = False
    ) -> _Outcome:
        """Run jobs and commit them together. After a failed commit the file says where the chain is.

        A job that fails has all of them undone; `apart`, each has a savepoint of its own (which copies every
        page that it changes), one that fails takes nothing from the others, and nothing is taken for granted.
        """
        for job in batch:
            job.result = job.error = None
        transaction.hope(for_new_ids=not apart)
        try:
            self._begin(connection, transaction)
            mark = transaction.head
            for job in batch:
                if apart:
                    connection.execute("SAVEPOINT job")
                _run(job, transaction, flush=apart or job is batch[-1])
                if job.error is not None and not apart:
                    transaction.return_to(mark)
                    connection.execute("ROLLBACK")
                    return _Outcome.JOB_FAILED
                if job.error is not None:
                    connection.execute("ROLLBACK TO job")
                if apart:
                    connection.execute("RELEASE job")
            connection.execute("COMMIT")
        except apsw.Error as error:
            full = _is_full(connection, error)
            if full:
                log.warning("commit_found_disk_full", commands=len(batch))
            else:
                log.exception("commit_failed", commands=len(batch))
            self._head_in_doubt = True
            transaction.pending.forget()
            for job in batch:
                job.error = job.error or Unavailable(
                    f"the ledger could not be written: {error}", hint="check the disk: bodega status"
                )
            _roll_back(connection)
            return _Outcome.NO_ROOM if full else _Outcome.DISK_FAILED
        return _Outcome.COMMITTED

    def _begin(self, connection: apsw.Connection, transaction: Transaction) -> None:
        connection.execute("BEGIN IMMEDIATE")
        if self._head_in_doubt:
            transaction.reload_head()
            self._head_in_doubt = False

    def _answer(self, batch: list[_Job], new_head_seq: int | None) -> None:
        """In the loop: resolve all futures of a commit. One whose caller has gone is left alone."""
        for job in batch:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
        if new_head_seq is not None:
            self._on_commit(new_head_seq)


def _run(job: _Job, transaction: Transaction, *, flush: bool) -> None:
    """Run one job, and `flush` what it and those before it have left to write.

    It may fail without harm to its neighbours; only a disk that fails raises, and ends them all.
    """
    mark = transaction.head
    try:
        job.result = job.work(transaction)
        if flush:
            transaction.flush()
    except (apsw.IOError, apsw.FullError, apsw.CorruptError, apsw.NotADBError):
        raise
    except Exception as error:  # noqa: BLE001  # its caller hears of it; it must not take its neighbours with it
        transaction.return_to(mark)
        # A future refuses to carry a StopIteration.
        job.error = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error


def _roll_back(connection: apsw.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except apsw.Error:
        # The next BEGIN then fails as well, and says so to its callers.
        log.exception("roll_back_failed")


def _is_full(connection: apsw.Connection, error: apsw.Error) -> bool:
    """No room on the disk, or none within a quota, which SQLite takes for any other fault of the disk."""
    no_room = isinstance(error, apsw.IOError) and connection.system_errno in (errno.ENOSPC, errno.EDQUOT)
    return no_room or isinstance(error, apsw.FullError)
