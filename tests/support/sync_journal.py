"""A SyncJournal in memory: the port's contract without a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bodega.core.chain import GENESIS, link
from bodega.core.sync import Head, Recorded


class MemoryJournal:
    """A node's journal and down head; `down` holds the bodies of applied hub events.

    `gone_to`: events up to here were in an archive that is gone.
    """

    def __init__(self, epoch: int = 1) -> None:
        self.epoch = epoch
        self.gone_to = 0
        self.events: list[Recorded] = []
        self.down: list[bytes] = []
        self.acks: list[Head] = []
        self._down_head = Head()
        self._grew = asyncio.Event()

    def append(self, *bodies: bytes) -> None:
        """Record events."""
        for body in bodies:
            before = self.events[-1].hash if self.events else GENESIS
            self.events.append(Recorded(len(self.events) + 1, body, link(before, body)))
        self._grew.set()

    @classmethod
    def of(cls, bodies: Iterable[bytes]) -> MemoryJournal:
        """A journal with these events."""
        journal = cls()
        journal.append(*bodies)
        return journal

    async def head(self) -> Head:
        return self.head_now()

    def head_now(self) -> Head:
        return (
            Head(self.epoch, self.events[-1].seq, self.events[-1].hash) if self.events else Head(self.epoch)
        )

    async def events_after(self, seq: int, limit: int) -> list[Recorded]:
        return [] if seq < self.gone_to else self.events[seq : seq + limit]

    async def hash_at(self, seq: int) -> bytes | None:
        if seq == 0:
            return GENESIS
        if seq < self.gone_to:
            return None
        return self.events[seq - 1].hash if seq <= len(self.events) else None

    async def acked(self) -> Head:
        return self.acks[-1] if self.acks else Head(self.epoch)

    async def record_ack(self, head: Head) -> None:
        if head.seq > (await self.acked()).seq:
            self.acks.append(head)

    async def lower_ack(self, head: Head) -> None:
        self.acks = [ack for ack in self.acks if ack.seq < head.seq] + [head]

    async def down_head(self) -> Head:
        return self._down_head

    async def apply_down(self, events: Sequence[tuple[int, bytes]], head: Head) -> None:
        if not events:
            self.down.clear()
        assert [seq for seq, _ in events] == list(range(len(self.down) + 1, head.seq + 1))
        self.down += [body for _, body in events]
        self._down_head = head

    async def wait_for_news(self, after_seq: int) -> None:
        while len(self.events) <= after_seq:
            self._grew.clear()
            await self._grew.wait()
