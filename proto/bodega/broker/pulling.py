"""Batches of messages from a durable pull consumer, as they come, with a dead-man's switch.

nats-py's `fetch` waits for a whole batch or its time-out, which would add that time to every lone message, and
cannot tell a silent consumer from a dead one. Here a pull stays open, and whatever has gathered while the last
batch was worked on is the next batch. When neither messages nor idle heartbeats come, the consumer or its server
is gone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg

_NANOSECONDS = 1_000_000_000
_HEARTBEAT, _EXPIRED, _NO_RESPONDERS = "100", "408", "503"
# Messages and status lines that may wait in one inbox, per message of a pull; a pull never brings so many.
_BUFFERED_RATIO = 8
_SILENT_HEARTBEATS = 2.5


class PullEnded(Exception):
    """A pull ended before its time; the reason says why: refused by the server, or silent."""


class ConsumerMissing(PullEnded):
    """Nobody answers a pull of this consumer: it does not exist (yet)."""


@dataclass(frozen=True, slots=True)
class Pull:
    """What to pull: of which consumer, how many messages at most per pull and per batch, and for how long."""

    stream: str
    consumer: str
    messages_max: int
    batch_max: int
    expires_s: float
    heartbeat_s: float

    @property
    def request(self) -> bytes:
        """The bytes of CONSUMER.MSG.NEXT."""
        return json.dumps(
            {
                "batch": self.messages_max,
                "expires": int(self.expires_s * _NANOSECONDS),
                "idle_heartbeat": int(self.heartbeat_s * _NANOSECONDS),
            }
        ).encode()


async def batches(client: Client, pull: Pull) -> AsyncGenerator[list[Msg], None]:
    """Batches of 1 to `batch_max` messages, for ever; the caller acknowledges each message.

    Raises PullEnded, ConsumerMissing, and the errors of nats-py.
    """
    arrived: asyncio.Queue[Msg] = asyncio.Queue(_BUFFERED_RATIO * pull.messages_max)
    inbox = client.new_inbox()
    # A callback, because nats-py's `next_msg` makes a task for each message.
    subscription = await client.subscribe(inbox, cb=arrived.put)
    try:
        while True:
            await client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{pull.stream}.{pull.consumer}", pull.request, reply=inbox
            )
            missing = pull.messages_max
            while missing > 0:
                batch, ended = await _gathered(arrived, pull)
                if batch:
                    yield batch
                missing = 0 if ended else missing - len(batch)
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()


async def _gathered(arrived: asyncio.Queue[Msg], pull: Pull) -> tuple[list[Msg], bool]:
    """What has come, waiting for the first; and whether the server has ended the pull."""
    try:
        async with asyncio.timeout(_SILENT_HEARTBEATS * pull.heartbeat_s):
            message = await arrived.get()
    except TimeoutError as error:
        raise PullEnded("it has fallen silent") from error
    batch: list[Msg] = []
    while True:
        if _ends_pull(message):
            return batch, True
        if not _status(message):
            batch.append(message)
        if len(batch) == pull.batch_max or arrived.empty():
            return batch, False
        message = arrived.get_nowait()


def _status(message: Msg) -> str:
    return (message.headers or {}).get("Status", "")


def _ends_pull(message: Msg) -> bool:
    status = _status(message)
    if status in ("", _HEARTBEAT):
        return False
    if status == _EXPIRED:
        return True
    if status == _NO_RESPONDERS:
        raise ConsumerMissing("no such consumer")
    raise PullEnded(f"{status} {(message.headers or {}).get('Description', '')}")
