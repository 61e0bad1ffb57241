"""The broker's streams and consumers: made by the hub, and made again whenever they are gone.

UP carries the nodes' journals, DOWN what the hub tells them. Both are kept for days by age only; nothing is
lost with them, because both ends can send again from SQL.
"""

from __future__ import annotations

from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, StorageType, StreamConfig
from nats.js.errors import BadRequestError

from bodega.broker.streams import DOWN, UP, UP_CONSUMER, consumer_of
from bodega.core.incarnation import StreamState
from bodega.limits import BROKER_REQUEST_S, STREAM_AGE_S, UP_UNACKED_ENVELOPES_MAX

# How long an envelope may be worked on before the broker gives it to another instance.
_ACK_WAIT_S = 30.0

_STREAM_NAME_IN_USE = 10058


async def make_streams(client: Client, replicas: int) -> None:
    """Make both streams and the hub's consumer, or bring them up to date; `replicas` servers keep each of them."""
    jetstream = client.jetstream(timeout=BROKER_REQUEST_S)
    for name in (UP, DOWN):
        config = StreamConfig(
            name=name,
            subjects=[f"{name.lower()}.*.*"],
            storage=StorageType.FILE,
            max_age=STREAM_AGE_S,
            allow_direct=True,
            num_replicas=replicas,
        )
        try:
            await jetstream.add_stream(config)
        except BadRequestError as error:
            if error.err_code != _STREAM_NAME_IN_USE:
                raise
            await jetstream.update_stream(config)
    await jetstream.add_consumer(
        UP,
        ConsumerConfig(
            durable_name=UP_CONSUMER,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=_ACK_WAIT_S,
            max_ack_pending=UP_UNACKED_ENVELOPES_MAX,
        ),
    )


async def state_of(client: Client, name: str) -> StreamState:
    """What the broker says of a stream; NotFoundError if it is not there."""
    info = await client.jsm(timeout=BROKER_REQUEST_S).stream_info(name)
    state = info.state
    return StreamState(str(info.created), state.first_seq, state.last_seq, state.consumer_count)


async def make_node_consumer(client: Client, node_id: str) -> None:
    """Make the consumer that a node binds to; it may only read what is for that node."""
    await client.jetstream(timeout=BROKER_REQUEST_S).add_consumer(
        DOWN,
        ConsumerConfig(
            durable_name=consumer_of(node_id),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=_ACK_WAIT_S,
            filter_subject=f"down.{node_id}.>",
        ),
    )
