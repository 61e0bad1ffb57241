"""What sync needs of a journal: the same suite for the one in memory and for the node's store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bodega.core.chain import GENESIS, extend
from bodega.core.sync import Head
from bodega.v1 import fleet_pb2, journal_pb2
from bodega_agent.services.ports import SyncJournal
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.sync_journal import MemoryJournal


@dataclass
class Kept:
    """A journal and a way to record in it."""

    journal: SyncJournal
    record: Callable[[int], Awaitable[object]]


@pytest.fixture(params=["memory", "store"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "memory":
        memory = MemoryJournal()

        async def remember(count: int) -> None:
            memory.append(*[b"event"] * count)

        yield Kept(memory, remember)
        return
    store = Store(tmp_path / "ledger.db", node_id="lisbon-01", now_ms=lambda: 0, verify=lambda _s, _t: True)

    def work(tx: Transaction) -> None:
        tx.append(Context(cmd_id="c"), state_reported=fleet_pb2.StateReported(generation=1))

    yield Kept(store, lambda count: asyncio.gather(*(store.write(work) for _ in range(count))))
    store.close()


def hub_events(count: int) -> list[bytes]:
    return [journal_pb2.HubEvent(cmd_id=f"c{number}").SerializeToString() for number in range(count)]


async def test_an_empty_journal_stands_at_genesis(kept: Kept) -> None:
    assert await kept.journal.head() == Head()
    assert await kept.journal.acked() == Head()
    assert await kept.journal.down_head() == Head()
    assert await kept.journal.hash_at(0) == GENESIS
    assert await kept.journal.events_after(0, 10) == []


async def test_events_follow_each_other_and_hash_to_the_head(kept: Kept) -> None:
    await kept.record(5)
    events = await kept.journal.events_after(0, 10)
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.hash for event in events] == extend(GENESIS, [event.body for event in events])
    assert await kept.journal.head() == Head(1, 5, events[-1].hash)
    assert await kept.journal.hash_at(3) == events[2].hash
    assert await kept.journal.hash_at(6) is None


async def test_a_read_begins_after_its_sequence_and_keeps_its_limit(kept: Kept) -> None:
    await kept.record(5)
    assert [event.seq for event in await kept.journal.events_after(2, 2)] == [3, 4]


async def test_an_older_ack_takes_nothing_back(kept: Kept) -> None:
    await kept.record(5)
    five = await kept.journal.head()
    await kept.journal.record_ack(five)
    await kept.journal.record_ack(Head(1, 3, (await kept.journal.hash_at(3)) or b""))
    assert await kept.journal.acked() == five


async def test_news_wake_who_waits_and_old_news_do_not_keep_waiting(kept: Kept) -> None:
    waiting = asyncio.create_task(kept.journal.wait_for_news(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await kept.record(1)
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(kept.journal.wait_for_news(0), 5)


async def test_hub_events_move_the_down_head_with_them(kept: Kept) -> None:
    bodies = hub_events(3)
    head = Head(1, 3, extend(GENESIS, bodies)[-1])
    await kept.journal.apply_down(list(enumerate(bodies, start=1)), head)
    assert await kept.journal.down_head() == head


async def test_no_events_and_a_new_epoch_begin_the_hubs_stream_anew(kept: Kept) -> None:
    bodies = hub_events(3)
    await kept.journal.apply_down(list(enumerate(bodies, start=1)), Head(1, 3, extend(GENESIS, bodies)[-1]))
    await kept.journal.apply_down((), Head(2))
    assert await kept.journal.down_head() == Head(2)
    await kept.journal.apply_down([(1, bodies[0])], Head(2, 1, extend(GENESIS, bodies[:1])[0]))
    assert (await kept.journal.down_head()).seq == 1
