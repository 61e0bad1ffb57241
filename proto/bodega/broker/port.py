"""The words that every link to a broker uses, at the node and at the hub, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import PeerFault, Unavailable


class LinkLost(Unavailable):
    """The broker or the other end did not answer. Whether it got the message is not known."""

    code = "link-lost"


class StreamMissing(Unavailable):
    """The broker answers, but the stream or its consumer is not there: the hub makes them."""

    code = "stream-missing"


class PublishConflict(PeerFault):
    """The subject's last message is not the expected one: read it back and compare."""

    code = "publish-conflict"


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """The last message of a subject: its sequence in the broker's stream, and its bytes."""

    stream_seq: int
    body: bytes
