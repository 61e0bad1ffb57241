"""The store as the daemon's services see it: `write` a job, `read` a question, wait for news.

It also is the `SyncJournal` that the sync service pumps: the journal itself is the outbox, so all that
sync keeps is a cursor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from bodega.core.deadline import BootTime
from bodega.core.sync import Head, Recorded
from bodega.errors import Unavailable
from bodega_agent.store import inbound
from bodega_agent.store.archiving import mark_dropped
from bodega_agent.store.clock import boot_time
from bodega_agent.store.gate import Gate
from bodega_agent.store.reader import Reader
from bodega_agent.store.schema import opening
from bodega_agent.store.transaction import Transaction
from bodega_agent.store.writer import Writer

T = TypeVar("T")

_INTERRUPT_AGAIN_S = 0.01


async def _nobody_listens(_applied: inbound.Applied) -> None:
    """Until the daemon has wired its services."""


class Store:
    """ledger.db, opened: one writing thread, one reading thread, and `asides` for long questions.

    `gate`: what may still be written. `writer_class` is there for worlds that have no threads.
    """

    writer_class: type[Writer] = Writer

    def __init__(
        self,
        path: Path,
        *,
        node_id: str,
        now_ms: Callable[[], int],
        verify: inbound.Verify,
        clock: Callable[[], BootTime] = boot_time,
        gate: Gate | None = None,
    ) -> None:
        self.path = path
        self._verify = verify
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.gate = gate or Gate()
        self._writer = self.writer_class(
            path, node_id=node_id, now_ms=now_ms, clock=clock, on_commit=self._note_news, gate=self.gate
        )
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-reader")
        self.asides: set[Reader] = set()
        self._head_seq = 0
        self._writer.start()
        with opening(path), ExitStack() as undo:
            undo.callback(self._writer.close)
            self._reader = undo.enter_context(closing(Reader(path)))
            self._head_seq = self._reader.head().seq
            undo.pop_all()
        self.on_hub_events: Callable[[inbound.Applied], Awaitable[None]] = _nobody_listens

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a job in the writer's thread; answered after its commit is on the disk.

        A job may run more than once before it counts (a neighbour failed, the disk was full): what it changes
        outside of the transaction must bear that.
        """
        return await self._writer.submit(work)

    async def read(self, question: Callable[[Reader], T]) -> T:
        """Run a question in the reader's thread."""
        return await self._loop.run_in_executor(self._readers, question, self._reader)

    async def read_aside(self, question: Callable[[Reader], T]) -> T:
        """A question that may take long, on a connection and in a thread of its own; Unavailable if we stop first."""

        def ask() -> T:
            with contextlib.closing(Reader(self.path)) as reader:
                self.asides.add(reader)
                try:
                    return question(reader)
                finally:
                    self.asides.discard(reader)

        try:
            return await asyncio.to_thread(ask)
        except apsw.InterruptError as error:
            raise Unavailable("the agent is stopping") from error

    async def stop_asides(self) -> None:
        """End long questions now; again until all have heard, for one that has just begun hears nothing."""
        while self.asides:
            for reader in list(self.asides):
                with contextlib.suppress(apsw.ConnectionClosedError):
                    reader.connection.interrupt()
            await asyncio.sleep(_INTERRUPT_AGAIN_S)

    async def archives_dropped(self, names: Collection[str]) -> None:
        """Note that these files of the archive are gone for want of room, so that nobody looks for them."""

        def work(tx: Transaction) -> None:
            for name in names:
                mark_dropped(tx, name)

        await self.write(work)

    def close(self) -> None:
        """Finish what is queued and close the file; the writer last, so that it folds the log in."""
        self._readers.shutdown(wait=True)
        self._reader.close()
        self._writer.close()

    def _note_news(self, head_seq: int) -> None:
        self._head_seq = head_seq
        self._news.set()

    # The SyncJournal port: what `services.syncing` needs.

    async def wait_for_news(self, after_seq: int) -> None:
        """Return once the journal's head is beyond `after_seq`."""
        while self._head_seq <= after_seq:
            self._news.clear()
            await self._news.wait()

    async def head(self) -> Head:
        """The head of the journal."""
        return await self.read(Reader.head)

    async def events_after(self, seq: int, limit: int) -> list[Recorded]:
        """Consecutive events that follow `seq`."""
        return await self.read(lambda reader: reader.events(seq, limit))

    async def hash_at(self, seq: int) -> bytes | None:
        """The chain hash after `seq`; None beyond the head."""
        return await self.read(lambda reader: reader.hash_at(seq))

    async def acked(self) -> Head:
        """How far the hub has acknowledged."""
        return await self.read(Reader.acked)

    async def record_ack(self, head: Head) -> None:
        """Remember the hub's ack; an older one changes nothing."""

        def work(tx: Transaction) -> None:
            if head.epoch == tx.head.epoch and head.seq > tx.get("acked_seq", 0):
                tx.put("acked_seq", head.seq)
                tx.put("acked_hash", head.hash)

        await self.write(work)

    async def lower_ack(self, head: Head) -> None:
        """The hub has gone back: nothing after `head` counts as acknowledged, and nothing of it is archived."""

        def work(tx: Transaction) -> None:
            if head.epoch == tx.head.epoch and head.seq < tx.get("acked_seq", 0):
                tx.put("acked_seq", head.seq)
                tx.put("acked_hash", head.hash)

        await self.write(work)

    async def down_head(self) -> Head:
        """How far the hub's stream is applied."""
        return await self.write(inbound.down_head)

    async def apply_down(self, events: Sequence[tuple[int, bytes]], head: Head) -> None:
        """Apply consecutive hub events in one transaction and move the down head with them.

        Unavailable while the disk holds room for physical scans only.
        """
        if events:
            self.gate.check_hub_events()
        applied = await self.write(lambda tx: inbound.apply(tx, events, head, verify=self._verify))
        await self.on_hub_events(applied)

    async def apply_parked(self) -> None:
        """Try again what the hub sent and an older version could not apply; before anything new comes."""
        after: tuple[int, int] | None = (0, 0)
        while after is not None:
            after = await self.write(partial(inbound.apply_parked, after=after, verify=self._verify))
