"""A pull consumer's messages, one by one, with a dead-man's switch.

nats-py's own `fetch` waits for a whole batch and cannot tell a silent consumer from a dead one. Here each
pull asks for idle heartbeats: when neither messages nor heartbeats come, the consumer or its server is gone
and the pull is made again on a new inbox.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from bodega.limits import DOWN_ENVELOPES_PER_PULL_MAX, DOWN_PULL_HEARTBEAT_S, DOWN_PULL_S

_NANOSECONDS = 1_000_000_000
_HEARTBEAT, _EXPIRED, _NO_RESPONDERS = "100", "408", "503"
# Messages and status lines that may wait in one inbox; a pull never brings so many.
_BUFFERED_MAX = 8 * DOWN_ENVELOPES_PER_PULL_MAX
_REQUEST = json.dumps(
    {
        "batch": DOWN_ENVELOPES_PER_PULL_MAX,
        "expires": int(DOWN_PULL_S * _NANOSECONDS),
        "idle_heartbeat": int(DOWN_PULL_HEARTBEAT_S * _NANOSECONDS),
    }
).encode()


class PullRefused(Exception):
    """The server ended a pull before its time, with its reason: wait before the next one."""


class ConsumerMissing(PullRefused):
    """Nobody answers a pull of this consumer: it does not exist (yet)."""


async def pulled(client: Client, stream: str, consumer: str) -> AsyncIterator[Msg]:
    """Messages of the durable pull consumer, until the consumer falls silent.

    Raises PullRefused, and the errors of nats-py. The caller acknowledges each message.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, pending_msgs_limit=_BUFFERED_MAX)
    try:
        while True:
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", _REQUEST, reply=inbox)
            async for message in _one_pull(subscription):
                yield message
    except TimeoutError:  # that of nats-py is one as well
        return
    finally:
        if not client.is_closed:
            await subscription.unsubscribe()


async def _one_pull(subscription: Subscription) -> AsyncIterator[Msg]:
    """What one pull brings; raises TimeoutError if it falls silent."""
    missing = DOWN_ENVELOPES_PER_PULL_MAX
    while missing:
        message = await subscription.next_msg(timeout=2 * DOWN_PULL_HEARTBEAT_S)
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None:
            missing -= 1
            yield message
        elif status == _EXPIRED:
            return
        elif status == _NO_RESPONDERS:
            raise ConsumerMissing("no such consumer")
        elif status != _HEARTBEAT:
            raise PullRefused(f"{status} {headers.get('Description', '')}")
