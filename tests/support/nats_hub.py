"""The hub's end of one node's sync over a real broker: the streams, the consumer, answers, acks.

It is small on purpose: the rules are in `support.hub_book`, the broker is real.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from bodega.broker.connection import stop_if_cancelled
from bodega.core.sync import Verdict
from bodega.v1 import sync_pb2, telemetry_pb2
from support.hub_book import HubBook
from support.nats import settle


class NatsHub:
    """Connect with `start`; everything else as the names say."""

    def __init__(self, url: str, node_id: str = "lisbon-01", user: str = "", password: str = "") -> None:
        self._url = url
        self._node_id = node_id
        self._login = {"user": user, "password": password} if user else {}
        self._client = Client()
        self._tasks: list[asyncio.Task[None]] = []
        self.commits = asyncio.Event()

    async def start(self) -> NatsHub:
        self._client = await nats.connect(
            self._url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=_quiet, **self._login
        )
        return self

    async def stop(self) -> None:
        await self.stop_committing()
        await self._client.close()

    async def stop_committing(self) -> None:
        """The hub's database is away; its broker and its answers are not."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def make_streams(self) -> None:
        js = self._client.jetstream()
        for name in ("UP", "DOWN"):
            await js.add_stream(StreamConfig(name=name, subjects=[f"{name.lower()}.*.*"], allow_direct=True))
        await js.add_consumer("UP", ConsumerConfig(durable_name="hub", ack_policy=AckPolicy.EXPLICIT))

    async def register(self) -> None:
        """Make the node's consumer."""
        name = f"node-{self._node_id}"
        config = ConsumerConfig(
            durable_name=name,
            ack_policy=AckPolicy.EXPLICIT,
            filter_subject=f"down.{self._node_id}.>",
            ack_wait=2.0,
        )
        await self._client.jetstream().add_consumer("DOWN", config)

    async def unregister(self) -> None:
        await self._client.jetstream().delete_consumer("DOWN", f"node-{self._node_id}")

    async def answer(self, book: HubBook) -> None:
        """Answer heartbeats and wants."""

        async def on_heartbeat(message: Msg) -> None:
            request = sync_pb2.HeartbeatRequest.FromString(message.data)
            await message.respond(book.answer_heartbeat(request).SerializeToString())

        async def on_want(message: Msg) -> None:
            request = sync_pb2.WantRequest.FromString(message.data)
            await message.respond(book.answer_want(request).SerializeToString())

        async def on_telemetry(message: Msg) -> None:
            report = telemetry_pb2.TelemetryReport.FromString(message.data)
            await message.respond(book.keep_telemetry(report).SerializeToString())

        await self._client.subscribe(f"tel.{self._node_id}", cb=on_telemetry)
        await self._client.subscribe(f"hb.{self._node_id}", cb=on_heartbeat)
        await self._client.subscribe(f"events.{self._node_id}", cb=on_want)
        await settle(self._client)

    def commit_into(self, book: HubBook) -> None:
        """Take the up stream into the book, for ever, and acknowledge as the hub does."""
        self._tasks.append(asyncio.create_task(self._commit(book)))

    async def _commit(self, book: HubBook) -> None:
        subscription = await self._client.jetstream().pull_subscribe_bind("hub", "UP")
        while True:
            messages = []
            with suppress(TimeoutError, NatsError):
                messages = await subscription.fetch(1, timeout=0.5)
            stop_if_cancelled()
            for message in messages:
                verdict = book.take_up(message.data)
                await message.ack()
                await self.ack(book.ack())
                if verdict is Verdict.GAP:
                    await self.want(self._want(book))
                self.commits.set()

    def _want(self, book: HubBook) -> sync_pb2.WantRequest:
        return sync_pb2.WantRequest(node_id=self._node_id, epoch=book.head.epoch, from_seq=book.head.seq + 1)

    async def ack(self, ack: sync_pb2.Ack) -> None:
        await self._client.publish(f"ack.{self._node_id}", ack.SerializeToString())

    async def want(self, want: sync_pb2.WantRequest) -> None:
        await self._client.publish(f"want.{self._node_id}", want.SerializeToString())

    async def publish_down(self, body: bytes) -> None:
        await self._client.jetstream().publish(f"down.{self._node_id}.1", body)

    async def up_messages(self) -> list[bytes]:
        js = self._client.jetstream()
        state = (await js.stream_info("UP")).state
        found = [await js.get_msg("UP", seq) for seq in range(state.first_seq, state.last_seq + 1)]
        return [message.data or b"" for message in found]

    async def down_unacked(self) -> int:
        info = await self._client.jetstream().consumer_info("DOWN", f"node-{self._node_id}")
        return (info.num_ack_pending or 0) + (info.num_pending or 0)

    async def forget_up(self) -> None:
        await self._client.jetstream().purge_stream("UP")


async def _quiet(_error: Exception) -> None:
    """The broker is killed on purpose here."""
