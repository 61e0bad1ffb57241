"""The whole node's side of sync over a real broker that is killed, wiped and cut off: nothing lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from bodega.broker.connection import Broker
from bodega.core import pacing
from bodega.v1 import fleet_pb2
from bodega_agent.services.syncing import SyncService
from bodega_agent.transport.nats_link import NatsLink
from support.hub_book import HubBook
from support.nats import NatsServer, nats_server
from support.nats_hub import NatsHub
from support.proxy import Proxy
from support.sync_journal import MemoryJournal
from support.synced_node import NODE, bodies
from support.waiting import until

__all__ = ["nats_server"]


async def _well() -> fleet_pb2.Health:
    return fleet_pb2.Health(version="test", ledger_ok=True)


@asynccontextmanager
async def synced(url: str, journal: MemoryJournal, book: HubBook) -> AsyncIterator[SyncService]:
    service = SyncService(
        node_id=NODE,
        boot_nonce="nonce",
        journal=journal,
        link=NatsLink(NODE, Broker(url), draw=lambda: 0.1),
        hub_key=book.hub_key,
        health=_well,
        draw=lambda: 0.1,
    )
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def hub_at(url: str, book: HubBook) -> AsyncIterator[NatsHub]:
    hub = await NatsHub(url).start()
    await hub.make_streams()
    await hub.register()
    await hub.answer(book)
    hub.commit_into(book)
    try:
        yield hub
    finally:
        await hub.stop()


@pytest.fixture
def quick_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heal in tenths of a second instead of in seconds; the cadence itself is tested under virtual time."""
    monkeypatch.setattr(pacing, "HEARTBEAT_S", 0.2)


def _has_sent(sync: SyncService, seq: int) -> bool:
    return sync.status().sent_seq >= seq


async def test_events_of_both_ends_arrive_once_and_in_order(nats_server: NatsServer) -> None:
    book, journal = HubBook(NODE), MemoryJournal()
    async with hub_at(nats_server.url, book) as hub, synced(nats_server.url, journal, book) as sync:
        book.write_down(*bodies(300))
        await hub.publish_down(book.down_envelope(1))
        await hub.publish_down(book.down_envelope(201))
        for first in range(1, 1000, 10):
            journal.append(*bodies(10, first))
            await asyncio.sleep(0)
        await until(lambda: sync.status().acked_seq == 1000 and sync.status().down_seq == 300)
    assert book.up == bodies(1000)
    assert journal.down == bodies(300)


async def test_a_broker_killed_in_mid_stream_loses_and_doubles_nothing(
    nats_server: NatsServer, quick_heartbeats: None
) -> None:
    book, journal = HubBook(NODE), MemoryJournal()
    async with hub_at(nats_server.url, book), synced(nats_server.url, journal, book) as sync:
        for round_no in range(3):
            first = 500 * round_no + 1
            journal.append(*bodies(300, first))
            await until(partial(_has_sent, sync, first))
            await asyncio.to_thread(nats_server.kill)
            journal.append(*bodies(200, first + 300))
            await asyncio.to_thread(nats_server.start)
        await until(lambda: sync.status().acked_seq == 1500)
    assert book.up == bodies(1500)


async def test_a_broker_that_lost_everything_is_filled_again_from_the_journals(
    nats_server: NatsServer, quick_heartbeats: None
) -> None:
    book, journal = HubBook(NODE), MemoryJournal.of(bodies(100))
    async with synced(nats_server.url, journal, book) as sync:
        async with hub_at(nats_server.url, book) as hub:
            await until(lambda: sync.status().acked_seq == 100)
            await hub.stop_committing()
            journal.append(*bodies(400, 101))
            await until(lambda: sync.status().sent_seq == 500)
        await asyncio.to_thread(nats_server.lose_everything)
        book.write_down(*bodies(50))  # published by nobody: the stream that held them is gone
        async with hub_at(nats_server.url, book):
            await until(lambda: sync.status().acked_seq == 500 and sync.status().down_seq == 50)
    assert book.up == bodies(500)
    assert journal.down == bodies(50)


async def test_work_goes_on_behind_a_cut_line_and_is_level_soon_after_it_heals(
    nats_server: NatsServer, quick_heartbeats: None
) -> None:
    book, journal = HubBook(NODE), MemoryJournal()
    async with (
        Proxy(nats_server.port) as proxy,
        hub_at(nats_server.url, book),
        synced(proxy.url, journal, book) as sync,
    ):
        journal.append(*bodies(10))
        await until(lambda: sync.status().acked_seq == 10)
        proxy.cut()
        await until(lambda: not sync.status().connected)
        journal.append(*bodies(5000, 11))
        await until(lambda: sync.status().head_seq == 5010)
        assert sync.status().acked_seq == 10
        proxy.heal()
        await until(lambda: sync.status().acked_seq == 5010)
    assert book.up == bodies(5010)


async def test_a_copy_of_the_node_is_fenced_and_the_hub_keeps_one_history(nats_server: NatsServer) -> None:
    book, journal, copied = HubBook(NODE), MemoryJournal.of(bodies(5)), MemoryJournal.of(bodies(5))
    async with hub_at(nats_server.url, book), synced(nats_server.url, journal, book) as sync:
        await until(lambda: sync.status().acked_seq == 5)
        async with synced(nats_server.url, copied, book) as copy:
            await until(lambda: copy.status().acked_seq == 5)
            journal.append(b"mine")
            await until(lambda: sync.status().acked_seq == 6)
            copied.append(b"the copy's")
            await until(lambda: bool(copy.status().fenced))
            journal.append(b"mine again")
            await until(lambda: sync.status().acked_seq == 7)
            assert sync.status().fenced == ""
    assert book.up == [*bodies(5), b"mine", b"mine again"]
