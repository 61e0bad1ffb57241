"""What both ends do with a stream: append after a named message, and read the last one back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError, ServiceUnavailableError

from bodega.broker.port import LinkLost, PublishConflict, StoredEnvelope, StreamMissing
from bodega.limits import BROKER_REQUEST_S

# Up carries the nodes' journals, down what the hub tells them.
UP, DOWN = "UP", "DOWN"
UP_CONSUMER = "hub"

_WRONG_LAST_SEQUENCE = 10071


def consumer_of(node_id: str) -> str:
    """The durable consumer that a node pulls its work from."""
    return f"node-{node_id}"


async def publish_after(client: Client, stream: str, subject: str, body: bytes, expected_last: int) -> int:
    """Append a message; its sequence in the stream.

    `expected_last` is the stream sequence of the subject's last message, 0 for none; raises PublishConflict if
    that is not so, StreamMissing, LinkLost.
    """
    headers = {"Nats-Expected-Last-Subject-Sequence": str(expected_last)}
    jetstream = client.jetstream(timeout=BROKER_REQUEST_S)
    with told_in_our_words(f"publish on {subject}"):
        return int((await jetstream.publish(subject, body, stream=stream, headers=headers)).seq)


async def last_of(client: Client, stream: str, subject: str) -> StoredEnvelope | None:
    """The subject's last message, or None; raises StreamMissing, LinkLost."""
    with told_in_our_words(f"read back {subject}"):
        try:
            last = await client.jsm(timeout=BROKER_REQUEST_S).get_last_msg(stream, subject, direct=True)
        except NotFoundError:
            return None
    return StoredEnvelope(int(last.seq or 0), last.data or b"")


@contextmanager
def told_in_our_words(what: str) -> Iterator[None]:
    """Turn the errors of nats-py into those of the port: LinkLost, StreamMissing, PublishConflict."""
    try:
        yield
    except (NoStreamResponseError, NoRespondersError, NotFoundError, ServiceUnavailableError) as error:
        raise StreamMissing(
            f"{what}: the broker has no stream for it", hint="the hub makes its streams when it starts"
        ) from error
    except APIError as error:
        if error.err_code == _WRONG_LAST_SEQUENCE:
            raise PublishConflict(f"{what}: {error.description}") from error
        raise LinkLost(f"{what}: {error.description or error}") from error
    except (NatsError, OSError, TimeoutError) as error:
        raise LinkLost(f"{what}: {str(error) or type(error).__name__}") from error
