"""What a writer makes of news from the broker and from its reader, without I/O. Node and hub use the same.

The journal is the record and the broker may forget anything, so every doubt has one answer: go back to
what the reader is known to have and send again; the reader skips what it holds (`core.sync.judge`).
The one thing that must stop a writer is proof that somebody else writes its stream, or that its own
journal lost its end: then the writer is fenced, and a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bodega.core.sync import Envelope, Head, Outbound
from bodega.limits import (
    ENVELOPE_EVENTS_MAX,
    HEARTBEATS_SILENT_MAX,
    HEARTBEATS_SILENT_START,
    PUBLISH_WINDOW_ENVELOPES_MAX,
)


@dataclass(frozen=True, slots=True)
class Fenced:
    """The writer must stop; `reason` says why and what to do, in one sentence each."""

    reason: str


def may_send(out: Outbound) -> bool:
    """Whether the window has room: what is in flight may have to be sent again, so it is bounded."""
    return out.in_flight < PUBLISH_WINDOW_ENVELOPES_MAX * ENVELOPE_EVENTS_MAX


def after_read_back(
    out: Outbound, head: Head, stored: Envelope | None, own_hash: bytes | None
) -> Outbound | Fenced:
    """Compare the last envelope that the broker holds of this stream with the own journal.

    `own_hash` is the own chain hash at `stored.last_seq` (None beyond `head`). If the
    broker took the envelope that was next, although its receipt was lost, then it counts as sent. If it has lost the
    end of what it took, then that counts as not sent.
    """
    if stored is None:
        return out.rewound()
    if stored.epoch != head.epoch:
        return Fenced(f"the broker holds epoch {stored.epoch} in the stream of epoch {head.epoch}")
    if stored.last_seq > head.seq:
        return Fenced(
            f"the broker holds this node's events up to {stored.last_seq}, but the journal ends at"
            f" {head.seq}: it was restored from a backup, or a copy of this node is running"
        )
    if stored.last_hash != own_hash:
        return Fenced(
            f"the broker holds another event {stored.last_seq} than the journal:"
            " a copy of this node is running"
        )
    at_the_broker = Head(stored.epoch, stored.last_seq, stored.last_hash)
    if stored.first_seq - 1 <= out.sent.seq < stored.last_seq:
        return out.after_send(at_the_broker)
    if stored.last_seq < out.sent.seq:
        return out.after_send(max(at_the_broker, out.acked, key=lambda one: one.seq))
    return out


def after_ack(out: Outbound, ack: Head, head: Head, own_hash: bytes | None) -> Outbound | Fenced:
    """The reader says that it has committed up to `ack`; `own_hash` is the own hash at that sequence.

    An ack of another epoch is an old one and changes nothing.
    """
    if ack.epoch != head.epoch:
        return out
    if ack.seq > head.seq:
        return Fenced(
            f"the hub has committed this node's events up to {ack.seq}, but the journal ends at {head.seq}:"
            " it was restored from a backup, or a copy of this node is running"
        )
    if ack.hash != own_hash:
        return Fenced(
            f"the hub has committed another event {ack.seq} than the journal: a copy of this node is running"
        )
    return out.after_ack(ack)


def after_send(out: Outbound, last: Head) -> Outbound:
    """The broker took an envelope up to `last`; an ack that came first may already stand beyond it."""
    return out.after_send(last) if last.seq > out.sent.seq else out


def after_want(out: Outbound, reader: Head) -> Outbound:
    """The reader holds only up to `reader`, perhaps less than it once acknowledged: send from there."""
    if reader.epoch != out.sent.epoch or reader.seq >= out.sent.seq:
        return out
    return Outbound(sent=reader, acked=reader if reader.seq < out.acked.seq else out.acked)


@dataclass(frozen=True, slots=True)
class Silence:
    """Counts heartbeats in which the reader stands still although more was sent to it.

    After `patience` of them the rest counts as lost. Patience doubles while sending again does not help,
    so that a reader that is merely busy is not buried under repeats.
    """

    reader_seq: int = -1
    heartbeats: int = 0
    patience: int = HEARTBEATS_SILENT_START

    def heard(self, reader_seq: int, sent_seq: int) -> Silence:
        """A heartbeat said that the reader stands at `reader_seq`."""
        if reader_seq >= sent_seq:
            return Silence()
        if reader_seq != self.reader_seq:
            return Silence(reader_seq)
        return replace(self, heartbeats=self.heartbeats + 1)

    @property
    def is_loss(self) -> bool:
        """Whether it is time to send again from where the reader stands."""
        return self.heartbeats >= self.patience

    def after_rewind(self) -> Silence:
        """Count anew, and wait longer before the next time."""
        return Silence(self.reader_seq, 0, min(self.patience * 2, HEARTBEATS_SILENT_MAX))
