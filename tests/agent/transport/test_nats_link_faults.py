"""The link over NATS when the broker dies, the line goes dead, or the hub has not been there yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega.broker import connection
from bodega.broker.connection import Broker
from bodega.errors import ConfigInvalid, Unavailable
from bodega.limits import (
    ENVELOPE_BYTES_MAX,
    RECONNECT_BASE_S,
    RECONNECT_MAX_S,
    STOP_S,
)
from bodega.v1 import sync_pb2
from bodega_agent.services.ports import LinkLost
from bodega_agent.transport import nats_link
from bodega_agent.transport.nats_link import NatsLink
from support.hub_book import HubBook
from support.listener import Heard
from support.nats import NatsServer
from support.nats_hub import NatsHub
from support.proxy import Proxy
from support.waiting import BUSY_MACHINE_S, until

NODE = "lisbon-01"


@asynccontextmanager
async def running(link: NatsLink, heard: Heard) -> AsyncIterator[None]:
    task = asyncio.create_task(link.run(heard))
    try:
        yield
    finally:
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert time.monotonic() - began < STOP_S + BUSY_MACHINE_S


def quick(url: str) -> NatsLink:
    """A link whose waits are drawn short."""
    return NatsLink(NODE, Broker(url), draw=lambda: 0.1)


async def test_it_starts_without_a_broker_and_connects_when_there_is_one(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats").start()
    server.stop()
    heard, link = Heard(), quick(server.url)
    with capture_logs() as logs:
        async with running(link, heard):
            await until(lambda: any(line["event"] == "broker_lost" for line in logs))
            with pytest.raises(LinkLost):
                await link.last_up(1)
            await asyncio.to_thread(server.start)
            await until(lambda: link.connected)
    server.stop()
    assert [line["event"] for line in logs].count("broker_lost") == 1
    assert heard.connections == [True, False]


async def test_a_killed_broker_is_said_lost_once_and_found_again(nats_server: NatsServer) -> None:
    hub = await NatsHub(nats_server.url).start()
    await hub.make_streams()
    await hub.register()
    heard, link = Heard(), quick(nats_server.url)
    with capture_logs() as logs:
        async with running(link, heard):
            await until(lambda: link.connected)
            first = await link.publish_up(1, b"one", 0)
            nats_server.kill()
            await until(lambda: not link.connected)
            await asyncio.to_thread(nats_server.start)
            await until(lambda: link.connected)
            stored = await link.last_up(1)
            assert stored is not None
            assert stored.stream_seq == first
            await hub.publish_down(b"still there")
            delivery = await asyncio.wait_for(link.next_down(), 10)
            assert delivery.body == b"still there"
            await delivery.ack()
    await hub.stop()
    events = [line["event"] for line in logs]
    assert (events.count("broker_lost"), events.count("broker_connected")) == (1, 2)


async def test_a_cut_line_ends_the_connection_and_a_healed_one_brings_it_back(
    nats_server: NatsServer,
) -> None:
    heard = Heard()
    async with Proxy(nats_server.port) as proxy:
        link = quick(proxy.url)
        async with running(link, heard):
            await until(lambda: link.connected)
            proxy.cut()
            await until(lambda: not link.connected)
            proxy.heal()
            await until(lambda: link.connected)
    assert heard.connections == [True, False, True, False]


@pytest.mark.parametrize("bytes_stuck", [0, 8 * ENVELOPE_BYTES_MAX])
async def test_a_half_open_line_is_seen_by_its_missing_pongs_even_with_unsent_bytes(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, bytes_stuck: int
) -> None:
    """Pings every second here instead of 3; seen within three of them and the poll of the closing."""
    monkeypatch.setattr(connection, "BROKER_PING_S", 1)
    heard = Heard()
    async with Proxy(nats_server.port) as proxy:
        link = quick(proxy.url)
        async with running(link, heard):
            await until(lambda: link.connected)
            proxy.black_hole()
            began = time.monotonic()
            stuck = [
                asyncio.create_task(link.publish_up(1, bytes(ENVELOPE_BYTES_MAX), 0))
                for _ in range(bytes_stuck // ENVELOPE_BYTES_MAX)
            ]
            await until(lambda: not link.connected)
            results = await asyncio.gather(*stuck, return_exceptions=True)
            assert time.monotonic() - began < 3 + 1 + BUSY_MACHINE_S
            assert all(isinstance(result, LinkLost) for result in results)
            proxy.heal()
            await until(lambda: link.connected)


async def test_it_stops_in_time_while_the_line_is_dead(nats_server: NatsServer) -> None:
    async with Proxy(nats_server.port) as proxy:
        link = quick(proxy.url)
        async with running(link, Heard()):
            await until(lambda: link.connected)
            proxy.black_hole()


async def test_a_node_that_is_not_registered_says_so_once_and_receives_when_it_is(
    nats_server: NatsServer,
) -> None:
    hub = await NatsHub(nats_server.url).start()
    await hub.make_streams()
    with capture_logs() as logs:
        link = quick(nats_server.url)
        async with running(link, Heard()):
            await until(lambda: any(line["event"] == "node_not_registered" for line in logs))
            await asyncio.sleep(0.3)  # time for several more tries
            await hub.register()
            await hub.publish_down(b"welcome")
            delivery = await asyncio.wait_for(link.next_down(), 10)
            assert delivery.body == b"welcome"
            await delivery.ack()
    await hub.stop()
    assert [line["event"] for line in logs].count("node_not_registered") == 1


async def test_a_deleted_consumer_is_bound_again_when_the_hub_has_made_it_anew(
    nats_server: NatsServer,
) -> None:
    hub = await NatsHub(nats_server.url).start()
    await hub.make_streams()
    await hub.register()
    link = quick(nats_server.url)
    async with running(link, Heard()):
        await hub.publish_down(b"one")
        delivery = await asyncio.wait_for(link.next_down(), 10)
        await delivery.ack()
        await hub.unregister()
        await hub.register()
        await hub.publish_down(b"two")
        bodies = [(await asyncio.wait_for(link.next_down(), 10)).body for _ in range(2)]
    await hub.stop()
    assert bodies == [b"one", b"two"]  # a consumer made anew starts again; sync skips what it has


async def test_a_message_that_was_not_acknowledged_comes_again(nats_server: NatsServer) -> None:
    hub = await NatsHub(nats_server.url).start()
    await hub.make_streams()
    await hub.register()
    await hub.publish_down(b"one")
    link = quick(nats_server.url)
    async with running(link, Heard()):
        for _ in range(2):
            delivery = await asyncio.wait_for(link.next_down(), 10)
            assert delivery.body == b"one"
    await hub.stop()


async def test_the_documented_permissions_are_all_that_a_node_needs(tmp_path: Path) -> None:
    config = f"""
    authorization {{ users: [
      {{ user: hub, password: hub }}
      {{ user: {NODE}, password: secret, permissions: {{
         publish: ["up.{NODE}.>", "hb.{NODE}", "events.{NODE}", "tel.{NODE}", "$JS.API.DIRECT.GET.UP.up.{NODE}.>",
                   "$JS.API.CONSUMER.INFO.DOWN.node-{NODE}", "$JS.API.CONSUMER.MSG.NEXT.DOWN.node-{NODE}",
                   "$JS.ACK.DOWN.node-{NODE}.>", "rpc.hub.{NODE}.>"],
         subscribe: ["ack.{NODE}", "want.{NODE}", "_INBOX_{NODE}.>", "rpc.node.{NODE}.>"],
         allow_responses: {{ max: 1, expires: "10m" }} }} }}
    ] }}"""
    server = NatsServer(tmp_path / "nats", config).start()
    password = tmp_path / "password"
    password.write_text("secret\n")
    hub = await NatsHub(server.url, user="hub", password="hub").start()
    await hub.make_streams()
    await hub.register()
    book, heard = HubBook(NODE), Heard()
    await hub.answer(book)
    link = NatsLink(NODE, Broker(server.url, NODE, password))
    with capture_logs() as logs:
        async with running(link, heard):
            await until(lambda: link.connected)
            sequence = await link.publish_up(1, b"one", 0)
            stored = await link.last_up(1)
            assert stored is not None
            assert stored.stream_seq == sequence
            await link.heartbeat(sync_pb2.HeartbeatRequest(node_id=NODE))
            await hub.publish_down(b"work")
            await (await asyncio.wait_for(link.next_down(), 10)).ack()
            await hub.ack(book.ack())
            await hub.want(sync_pb2.WantRequest(node_id=NODE))
            await until(lambda: bool(heard.acks and heard.wants))
            assert await hub.down_unacked() == 0
    await hub.stop()
    server.stop()
    assert not [line for line in logs if line["event"] == "broker_error"]


async def test_a_wrong_password_is_said_and_tried_again(tmp_path: Path) -> None:
    config = f"authorization {{ user: {NODE}, password: right }}"
    server = NatsServer(tmp_path / "nats", config).start()
    password = tmp_path / "password"
    password.write_text("wrong")
    link = NatsLink(NODE, Broker(server.url, NODE, password), draw=lambda: 0.1)
    with capture_logs() as logs:
        async with running(link, Heard()):
            await until(lambda: any("uthorization" in str(line.get("reason")) for line in logs))
            password.write_text("right")
            await until(lambda: link.connected)
    server.stop()


async def test_a_missing_password_file_is_said_and_tried_again(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    link = NatsLink(NODE, Broker(nats_server.url, NODE, password), draw=lambda: 0.1)
    with capture_logs() as logs:
        async with running(link, Heard()):
            await until(lambda: any("password" in str(line.get("reason")) for line in logs))
            password.write_text("any")
            await until(lambda: link.connected)


async def test_a_cancellation_that_nats_py_loses_is_found_again() -> None:
    """`asyncio.wait_for` of Python 3.11 may answer a cancellation with a result."""

    async def answers_all_the_same() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "an answer that came in the same moment"
        return ""

    link = quick("nats://127.0.0.1:1")
    task = asyncio.create_task(link._over_the_link(answers_all_the_same()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("url", ["nats://hub.example:4222", "nats://127.0.0.1:4222,nats://10.0.0.5:4222"])
def test_an_unencrypted_address_off_this_machine_is_refused(url: str) -> None:
    with pytest.raises(ConfigInvalid):
        Broker(url)


async def test_waits_between_connects_grow_to_the_maximum_and_never_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Backoff alone, with each connect failing at once and each wait recorded instead of slept."""
    waits: list[float] = []

    async def refused(*_args: object, **_named: object) -> None:
        raise Unavailable("nobody listens")

    async def recorded(delay: float) -> None:
        waits.append(delay)
        if len(waits) == 40:
            raise asyncio.CancelledError

    monkeypatch.setattr(nats_link, "connect", refused)
    monkeypatch.setattr(nats_link.asyncio, "sleep", recorded)
    with pytest.raises(asyncio.CancelledError):
        await NatsLink(NODE, Broker("nats://127.0.0.1:1"), draw=lambda: 1.0).run(Heard())
    assert waits[:8] == [min(RECONNECT_MAX_S, RECONNECT_BASE_S * 2**n) for n in range(1, 9)]
    assert set(waits[8:]) == {RECONNECT_MAX_S}
