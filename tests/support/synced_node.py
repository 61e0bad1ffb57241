"""One node's sync under virtual time: the real service between a journal, a broker and a hub in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bodega.core.sync import Verdict
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_agent.services.syncing import SyncService
from support.hub_book import HubBook
from support.memory_link import MemoryBroker, MemoryLink
from support.sync_journal import MemoryJournal

NODE = "lisbon-01"
A_MOMENT_S = 0.01


@dataclass
class SyncedNode:
    """A node's sync, and everything around it."""

    broker: MemoryBroker = field(default_factory=MemoryBroker)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    book: HubBook = field(default_factory=lambda: HubBook(NODE))
    draw: float = 0.5
    fenced: str = ""
    beats: list[float] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.link = MemoryLink(self.broker)
        self.sync = SyncService(
            node_id=NODE,
            boot_nonce="nonce",
            journal=self.journal,
            link=self.link,
            hub_key=self.book.hub_key,
            health=self._health,
            fenced=self.fenced,
            draw=lambda: self.draw,
        )

    async def _health(self) -> fleet_pb2.Health:
        self.beats.append(asyncio.get_running_loop().time())
        return fleet_pb2.Health(version="test")

    async def start(self) -> None:
        """Run with a broker that is there."""
        self.broker.start()
        await self.run()

    async def run(self) -> None:
        """Run, broker or not."""
        self._task = asyncio.create_task(self.sync.run())
        await asyncio.sleep(A_MOMENT_S)

    async def stop(self) -> None:
        """Cancel and wait."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def commit_at_once(self) -> None:
        """The hub commits every envelope as it is published, and says so."""

        def take(body: bytes) -> None:
            if self.book.take_up(body) in (Verdict.APPLY, Verdict.ALREADY_HAVE):
                self.say(self.book.ack())

        self.broker.book = self.book
        self.broker.on_up = take

    def say(self, ack: sync_pb2.Ack) -> None:
        assert self.broker.listener is not None
        self.broker.listener.ack_received(ack)

    def want(self, from_seq: int) -> None:
        assert self.broker.listener is not None
        self.broker.listener.want_received(sync_pb2.WantRequest(node_id=NODE, epoch=1, from_seq=from_seq))


def bodies(count: int, start: int = 1) -> list[bytes]:
    """Bytes of events, told apart by their number."""
    return [b"event %d" % number for number in range(start, start + count)]
