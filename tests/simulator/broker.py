"""A broker with the semantics of NATS JetStream that the sync rests on, and with the ways in which it forgets.

Streams number their messages; a publish may name the sequence that the subject's last message must have
(`Nats-Expected-Last-Subject-Sequence`); durable pull consumers deliver, and deliver again what is not acknowledged in
time; core messages go to whoever listens at that moment. It acknowledges before anything is safe, as JetStream
does: `lose_tail` is a power cut.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from bodega.broker.port import PublishConflict, StoredEnvelope, StreamMissing
from bodega.core.incarnation import StreamState
from bodega.limits import STREAM_AGE_S

ACK_WAIT_S = 30.0
UNACKED_MAX = 512

Reply = Callable[[bytes], None]
# What a node or hub hears: subject, body, and how to answer.
Hear = Callable[[str, bytes, Reply], None]


class Message(NamedTuple):
    """One message of a stream; `behind`: how many waited behind it when it was delivered."""

    seq: int
    subject: str
    body: bytes
    at_s: float
    behind: int = 0


class Sign(Enum):
    """What a pull brings beside messages."""

    HEARTBEAT = "100"
    CONSUMER_GONE = "409"


@dataclass(eq=False, slots=True)
class Pull:
    """A consumer's client asks for up to `left` messages; `hear` gets them, and signs."""

    left: int
    hear: Callable[[Message | Sign], None]
    ended: bool = False


@dataclass(eq=False, slots=True)
class Consumer:
    """A durable pull consumer of one stream; `prefix` selects its subjects."""

    name: str
    prefix: str
    next_seq: int = 1
    unacked: dict[int, float] = field(default_factory=dict)
    again: deque[int] = field(default_factory=deque)
    pulls: deque[Pull] = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class Stream:
    """Messages by sequence, with the last one of each subject. `created` tells it from others of its name."""

    name: str
    created: str
    messages: dict[int, Message] = field(default_factory=dict)
    last_seq: int = 0
    last_of: dict[str, int] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)


class SimBroker:
    """`compares`: publishes are held against the subject's last message. `taken` is every message ever accepted.

    `has_forgotten`: a stream has lost messages, so that nothing more can be compared with them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.compares = True
        self.is_up = True
        self.has_forgotten = False
        self.streams: dict[str, Stream] = {}
        self._made = 0
        self.taken: list[Message] = []
        self._ears: dict[str, dict[object, Hear]] = {}
        self.forgets_connections: Callable[[], None] = lambda: None

    # Streams

    def make_stream(self, name: str) -> None:
        """Make it, or leave it as it is."""
        if name not in self.streams:
            self._made += 1
            self.streams[name] = Stream(name, f"stream {self._made}")

    def state(self, name: str) -> StreamState:
        """What is said of a stream; raises StreamMissing."""
        of = self._stream(name)
        self._age(of)
        return StreamState(
            of.created, min(of.messages, default=of.last_seq + 1), of.last_seq, len(of.consumers)
        )

    def make_consumer(self, stream: str, name: str, prefix: str) -> None:
        """Make a durable consumer, or leave it as it is; raises StreamMissing."""
        self._stream(stream).consumers.setdefault(name, Consumer(name, prefix))

    def publish(self, stream: str, subject: str, body: bytes, expected_last: int | None) -> int:
        """Append; raises StreamMissing, PublishConflict."""
        into = self._stream(stream)
        self._age(into)
        if self.compares and expected_last is not None and into.last_of.get(subject, 0) != expected_last:
            raise PublishConflict(f"{subject}: wrong last sequence")
        into.last_seq += 1
        message = Message(into.last_seq, subject, body, self._loop.time())
        into.messages[message.seq] = message
        into.last_of[subject] = message.seq
        self.taken.append(message)
        for consumer in into.consumers.values():
            self._serve(into, consumer)
        return message.seq

    def last(self, stream: str, subject: str) -> StoredEnvelope | None:
        """The subject's last message; raises StreamMissing."""
        of = self._stream(stream)
        self._age(of)
        seq = of.last_of.get(subject)
        return StoredEnvelope(seq, of.messages[seq].body) if seq is not None else None

    # Consumers

    def pull(self, stream: str, consumer: str, pull: Pull) -> None:
        """Ask for messages; raises StreamMissing if there is no such consumer."""
        found = self._consumer(stream, consumer)
        found.pulls.append(pull)
        self._serve(self._stream(stream), found)

    def ack(self, stream: str, consumer: str, seq: int) -> None:
        """The client has done with a message; says nothing if nobody knows of it any more."""
        of = self.streams.get(stream)
        found = of.consumers.get(consumer) if of else None
        if of is not None and found is not None:
            found.unacked.pop(seq, None)
            self._serve(of, found)

    def waiting(self, stream: str, consumer: str) -> int:
        """Messages that the consumer has not seen acknowledged; raises StreamMissing."""
        found, of = self._consumer(stream, consumer), self._stream(stream)
        ahead = [m for m in of.messages.values() if m.seq >= found.next_seq and _wants(found, m)]
        return len(found.unacked) + len(ahead)

    def _serve(self, stream: Stream, consumer: Consumer) -> None:
        while consumer.pulls and len(consumer.unacked) < UNACKED_MAX:
            pull = consumer.pulls[0]
            message = None if pull.ended or pull.left == 0 else self._next(stream, consumer)
            if message is not None:
                pull.left -= 1
                consumer.unacked[message.seq] = self._loop.time() + ACK_WAIT_S
                self._loop.call_later(ACK_WAIT_S, self._redeliver, stream, consumer, message.seq)
                pull.hear(message._replace(behind=stream.last_seq - message.seq))
            elif pull.ended or pull.left == 0:
                consumer.pulls.popleft()
            else:
                return

    def _next(self, stream: Stream, consumer: Consumer) -> Message | None:
        while consumer.again:
            message = stream.messages.get(consumer.again.popleft())
            if message is not None:
                return message
        while consumer.next_seq <= stream.last_seq:
            message = stream.messages.get(consumer.next_seq)
            consumer.next_seq += 1
            if message is not None and _wants(consumer, message):
                return message
        return None

    def _redeliver(self, stream: Stream, consumer: Consumer, seq: int) -> None:
        due_s = consumer.unacked.get(seq)
        if due_s is not None and due_s <= self._loop.time():
            del consumer.unacked[seq]
            consumer.again.append(seq)
            self._serve(stream, consumer)

    # Core messages: to whoever listens now.

    def listen(self, subject: str, who: object, hear: Hear) -> None:
        """Hear what is said on a subject, or with "word.*" on all that begin with that word."""
        self._ears.setdefault(subject, {})[who] = hear

    def listen_no_more(self, who: object) -> None:
        """Its connection is gone."""
        for ears in self._ears.values():
            ears.pop(who, None)

    def say(self, subject: str, body: bytes, reply: Reply = lambda _body: None) -> bool:
        """Say something; whether anybody was there to hear it."""
        ears = [
            ear
            for name in (subject, f"{subject.partition('.')[0]}.*")
            for ear in self._ears.get(name, {}).values()
        ]
        for hear in ears:
            hear(subject, body, reply)
        return bool(ears)

    # How it forgets

    def lose_tail(self, stream: str, messages: int) -> None:
        """The power failed before the last messages were on the disk: their numbers are given again.

        Consumers go back with it, as nats-server does from 2.14 on (nats-server issues 5412 and 7693).
        """
        of = self.streams.get(stream)
        if of is None:
            return
        lost = sorted(of.messages)[-messages:]
        self.has_forgotten = True
        for seq in lost:
            del of.messages[seq]
        of.last_seq = lost[0] - 1 if lost else of.last_seq
        _note_last(of)
        for consumer in of.consumers.values():
            consumer.next_seq = min(consumer.next_seq, of.last_seq + 1)

    def delete(self, stream: str) -> None:
        """Somebody deletes a stream, and its consumers with it."""
        of = self.streams.pop(stream, None)
        self.has_forgotten = True
        for consumer in of.consumers.values() if of else ():
            _end_pulls(consumer)

    def delete_consumer(self, stream: str, name: str) -> None:
        """Somebody deletes a consumer; raises StreamMissing."""
        found = self._stream(stream).consumers.pop(name, None)
        if found is not None:
            _end_pulls(found)

    def purge(self, stream: str) -> None:
        """Somebody empties a stream; its numbers go on."""
        if of := self.streams.get(stream):
            of.messages.clear()
            self.has_forgotten = True
            of.last_of.clear()

    def reset_consumers(self, stream: str) -> None:
        """Consumers forget what was acknowledged: everything comes again."""
        of = self.streams.get(stream)
        for consumer in of.consumers.values() if of else ():
            consumer.next_seq, consumer.again = 1, deque()
            consumer.unacked.clear()
            self._serve(of, consumer)  # type: ignore[arg-type]  # there are consumers, so there is a stream

    def restart(self) -> None:
        """All connections end; streams and consumers are on the disk."""
        self._ears.clear()
        for stream in self.streams.values():
            for consumer in stream.consumers.values():
                _end_pulls(consumer)
        self.forgets_connections()

    def _stream(self, name: str) -> Stream:
        if name not in self.streams:
            raise StreamMissing(f"there is no stream {name}")
        return self.streams[name]

    def _consumer(self, stream: str, name: str) -> Consumer:
        found = self._stream(stream).consumers.get(name)
        if found is None:
            raise StreamMissing(f"there is no consumer {name}")
        return found

    def _age(self, stream: Stream) -> None:
        """Drop what is too old."""
        oldest_s = self._loop.time() - STREAM_AGE_S
        dropped = [seq for seq, message in stream.messages.items() if message.at_s < oldest_s]
        for seq in dropped:
            del stream.messages[seq]
        if dropped:
            self.has_forgotten = True
            _note_last(stream)


def _wants(consumer: Consumer, message: Message) -> bool:
    return message.subject.startswith(consumer.prefix)


def _note_last(stream: Stream) -> None:
    stream.last_of.clear()
    for seq, message in sorted(stream.messages.items()):
        stream.last_of[message.subject] = seq


def _end_pulls(consumer: Consumer) -> None:
    for pull in consumer.pulls:
        pull.ended = True
        pull.hear(Sign.CONSUMER_GONE)
    consumer.pulls.clear()
