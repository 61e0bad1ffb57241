"""The sync session without I/O: the same rules for the node's stream and for the hub's.

A writer owns a journal and a cursor into it. A reader has a head (epoch, sequence, hash) and judges
each envelope against it: apply, skip what it has, ask for what is missing, or refuse. Delivery may
drop, repeat and reorder envelopes as it likes; the judgement alone decides what is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from bodega.core.chain import GENESIS, extend
from bodega.limits import ENVELOPE_BYTES_MAX, ENVELOPE_EVENTS_MAX, EVENT_BYTES_MAX


class Head(NamedTuple):
    """A position in a stream: everything up to `seq` of `epoch` is there, with this chain hash."""

    epoch: int = 1
    seq: int = 0
    hash: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Envelope:
    """A run of consecutive events of one node's stream (up or down), as bytes."""

    node_id: str
    epoch: int
    first_seq: int
    prev_hash: bytes
    events: tuple[bytes, ...]
    last_hash: bytes

    @property
    def last_seq(self) -> int:
        """Sequence of the last event."""
        return self.first_seq + len(self.events) - 1


class Verdict(StrEnum):
    """What a reader does with an envelope."""

    APPLY = "apply"
    ALREADY_HAVE = "already_have"
    GAP = "gap"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`events` (with their chain `hashes`) are the new ones to apply, starting at `first_seq`."""

    verdict: Verdict
    reason: str = ""
    first_seq: int = 0
    events: tuple[bytes, ...] = ()
    hashes: tuple[bytes, ...] = ()


def judge(head: Head, envelope: Envelope) -> Judgement:
    """Hold an envelope against the reader's head.

    GAP means: ask the writer for everything from head.seq + 1. REFUSE means: it contradicts what we
    hold or breaks a bound, keep it for inspection and apply nothing.
    """
    fault = _malformed(envelope)
    if fault:
        return Judgement(Verdict.REFUSE, fault)
    if envelope.epoch != head.epoch:
        return Judgement(Verdict.REFUSE, f"epoch {envelope.epoch} is not the known epoch {head.epoch}")
    if envelope.last_seq <= head.seq:
        return Judgement(Verdict.ALREADY_HAVE)
    if envelope.first_seq > head.seq + 1:
        return Judgement(Verdict.GAP, f"have {head.seq}, got {envelope.first_seq}")
    hashes = extend(envelope.prev_hash, envelope.events)
    if hashes[-1] != envelope.last_hash:
        return Judgement(Verdict.REFUSE, "the events do not hash to last_hash")
    known = head.seq - envelope.first_seq + 1
    at_head = envelope.prev_hash if known == 0 else hashes[known - 1]
    if at_head != head.hash:
        return Judgement(Verdict.REFUSE, f"the chain differs from ours at sequence {head.seq}")
    return Judgement(
        Verdict.APPLY,
        first_seq=head.seq + 1,
        events=envelope.events[known:],
        hashes=tuple(hashes[known:]),
    )


def _malformed(envelope: Envelope) -> str:
    if not envelope.events:
        return "no events"
    if len(envelope.events) > ENVELOPE_EVENTS_MAX:
        return f"{len(envelope.events)} events are more than {ENVELOPE_EVENTS_MAX}"
    if sum(map(len, envelope.events)) > ENVELOPE_BYTES_MAX:
        return f"more than {ENVELOPE_BYTES_MAX} bytes of events"
    if envelope.first_seq < 1 or len(envelope.prev_hash) != len(GENESIS):
        return "first_seq or prev_hash is malformed"
    return ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of a journal, as its store returns it."""

    seq: int
    body: bytes
    hash: bytes


def pack(node_id: str, before: Head, events: Sequence[Recorded]) -> Envelope:
    """The largest envelope within bounds from consecutive events that follow `before`.

    An event is at most EVENT_BYTES_MAX, so at least one always fits.
    """
    size = 0
    taken: list[Recorded] = []
    for event in events[:ENVELOPE_EVENTS_MAX]:
        size += len(event.body)
        if taken and size > ENVELOPE_BYTES_MAX:
            break
        taken.append(event)
    assert taken, "pack() needs at least one event"
    assert taken[0].seq == before.seq + 1, "events must follow the head that they are packed after"
    return Envelope(
        node_id,
        before.epoch,
        taken[0].seq,
        before.hash,
        tuple(e.body for e in taken),
        last_hash=taken[-1].hash,
    )


assert EVENT_BYTES_MAX <= ENVELOPE_BYTES_MAX, "an envelope must hold at least one event"


@dataclass(frozen=True, slots=True)
class Outbound:
    """A writer's side: `sent` is how far the stream goes, `acked` how far the reader has committed.

    Everything between is in flight, or lost by the broker; `journal` keeps it until it is acked.
    """

    sent: Head
    acked: Head

    def after_send(self, last: Head) -> Outbound:
        """The broker took an envelope up to `last`."""
        return replace(self, sent=last)

    def after_ack(self, ack: Head) -> Outbound:
        """The reader has committed up to `ack`; an older or repeated ack changes nothing."""
        if ack.epoch != self.acked.epoch or ack.seq <= self.acked.seq:
            return self
        return Outbound(sent=ack if ack.seq > self.sent.seq else self.sent, acked=ack)

    def rewound(self) -> Outbound:
        """Send again from what the reader has: the broker may have lost the rest."""
        return replace(self, sent=self.acked)

    @property
    def in_flight(self) -> int:
        """Events sent and not yet acknowledged."""
        return self.sent.seq - self.acked.seq
