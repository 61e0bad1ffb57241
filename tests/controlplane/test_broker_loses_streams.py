"""Streams and consumers that vanish under a live connection: both ends notice, say so, and send again from SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext
from structlog.testing import capture_logs

from bodega.core import pacing
from bodega.v1 import journal_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services import stream_watch
from support.joined import hub_at, node_at, tasks_opened
from support.nats import NatsServer
from support.sync_journal import MemoryJournal
from support.waiting import until, until_async


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look every tenth of a second instead of every five."""
    monkeypatch.setattr(stream_watch, "STREAM_CHECK_S", 0.1)
    monkeypatch.setattr(pacing, "HEARTBEAT_S", 0.2)


@pytest.fixture
async def hub(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Hub]:
    async with hub_at(nats_server, tmp_path) as made:
        yield made


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """Somebody who may delete what he likes."""
    client = await nats.connect(nats_server.url)
    yield client.jetstream()
    await client.close()


async def actions(hub: Hub) -> list[str]:
    return [row.action for row in await hub.read(audit.list_audit)]


@pytest.mark.parametrize("lose", ["delete_stream", "purge_stream"])
async def test_a_stream_up_that_is_gone_is_noticed_and_filled_again(
    hub: Hub, nats_server: NatsServer, broker: JetStreamContext, lose: str
) -> None:
    journal = MemoryJournal.of(tasks_opened(50))
    with capture_logs() as logs:
        async with node_at(nats_server, hub, journal) as sync:
            await until(lambda: sync.status().acked_seq == 50)
            await getattr(broker, lose)("UP")
            await until(lambda: any(line["event"] == "broker_stream_changed" for line in logs))
            journal.append(*tasks_opened(50, 51))
            await until(lambda: sync.status().acked_seq == 100)
    what = {"delete_stream": "made_anew", "purge_stream": "emptied"}[lose]
    assert f"broker.stream_{what}" in await actions(hub)
    assert [line["event"] for line in logs].count("broker_lost") == 0


async def test_a_stream_down_that_is_gone_is_made_and_filled_again(
    hub: Hub, nats_server: NatsServer, broker: JetStreamContext
) -> None:
    with capture_logs() as logs:
        await broker.delete_stream("DOWN")
        await until(lambda: any(line["event"] == "broker_stream_changed" for line in logs))
        journal = MemoryJournal()
        async with node_at(nats_server, hub, journal):
            await until(lambda: len(journal.down) == 1)
    assert journal_pb2.HubEvent.FromString(journal.down[0]).WhichOneof("fact") == "node_profile"
    assert [line["event"] for line in logs].count("broker_lost") == 0


async def test_a_nodes_consumer_that_somebody_deleted_is_made_again(
    hub: Hub, nats_server: NatsServer, broker: JetStreamContext
) -> None:
    async def made() -> bool:
        return (await broker.stream_info("DOWN")).state.consumer_count == 1

    await until_async(made)
    with capture_logs() as logs:
        await broker.delete_consumer("DOWN", "node-lisbon-01")
        await until_async(made)
    assert [line["event"] for line in logs].count("node_consumers_missing") == 1


async def test_the_hubs_own_consumer_is_made_again_on_the_same_connection(
    hub: Hub, nats_server: NatsServer, broker: JetStreamContext
) -> None:
    journal = MemoryJournal.of(tasks_opened(5))
    with capture_logs() as logs:
        async with node_at(nats_server, hub, journal) as sync:
            await until(lambda: sync.status().acked_seq == 5)
            await broker.delete_consumer("UP", "hub")
            journal.append(*tasks_opened(5, 6))
            await until(lambda: sync.status().acked_seq == 10)
    events = [line["event"] for line in logs]
    assert {"up_consumer_lost", "up_consumer_missing"} & set(events)
    assert events.count("broker_lost") == 0
