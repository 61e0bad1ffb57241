"""Batches of messages from a durable pull consumer, as they come.

nats-py's `fetch` waits for a whole batch or its time-out, which would add that time to every lone message.
Here a pull stays open, and whatever has gathered while the last batch was worked on is the next batch. Idle
heartbeats tell a quiet consumer from a dead one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from nats.aio.client import Client
from nats.aio.msg import Msg

_PULL_MESSAGES_MAX = 128
_PULL_S = 10
_HEARTBEAT_S = 1
_NANOSECONDS = 1_000_000_000

_REQUEST = json.dumps(
    {
        "batch": _PULL_MESSAGES_MAX,
        "expires": _PULL_S * _NANOSECONDS,
        "idle_heartbeat": _HEARTBEAT_S * _NANOSECONDS,
    }
).encode()

_HEARTBEAT, _EXPIRED = "100", "408"


class ConsumerLost(Exception):
    """The consumer is gone, or silent for longer than its heartbeats allow."""


async def batches(client: Client, stream: str, consumer: str, batch_max: int) -> AsyncIterator[list[Msg]]:
    """Batches of 1 to `batch_max` messages, for ever; the caller acknowledges each message.

    Raises ConsumerLost, and the errors of nats-py.
    """
    arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def gather(message: Msg) -> None:
        arrived.put_nowait(message)

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=gather)
    try:
        while True:
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", _REQUEST, reply=inbox)
            missing = _PULL_MESSAGES_MAX
            while missing > 0:
                batch, ended = await _gathered(arrived, batch_max)
                if batch:
                    yield batch
                missing = 0 if ended else missing - len(batch)
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()


async def _gathered(arrived: asyncio.Queue[Msg], batch_max: int) -> tuple[list[Msg], bool]:
    """What has come, waiting for the first; and whether the server has ended the pull."""
    try:
        async with asyncio.timeout(2.5 * _HEARTBEAT_S):
            message = await arrived.get()
    except TimeoutError as error:
        raise ConsumerLost("it has fallen silent") from error
    batch: list[Msg] = []
    while True:
        if _ends_pull(message):
            return batch, True
        if not _status(message):
            batch.append(message)
        if len(batch) == batch_max or arrived.empty():
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
    raise ConsumerLost(f"{status} {(message.headers or {}).get('Description', '')}")
