"""One stream between two pure sessions, over a broker that drops, repeats, reorders and forgets.

No clock, no I/O: a seed decides everything, so a seed replays everything. The writer may be the node or the
hub; the rules are the same. `Rules` can be replaced one by one, which is how the tests prove that each rule
is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from bodega.core.chain import GENESIS, extend, link
from bodega.core.session import (
    Fenced,
    Silence,
    after_ack,
    after_read_back,
    after_send,
    after_want,
    may_send,
)
from bodega.core.sync import Envelope, Head, Judgement, Outbound, Recorded, Verdict, judge, pack

HEAL_ROUNDS_MAX = 400


@dataclass(frozen=True)
class Rules:
    """What the two ends go by; a mutant replaces one."""

    judge: Callable[[Head, Envelope], Judgement] = judge
    after_want: Callable[[Outbound, Head], Outbound] = after_want
    after_ack: Callable[[Outbound, Head, Head, bytes | None], Outbound | Fenced] = after_ack
    ack_after_commit: bool = True


@dataclass
class Writer:
    """A journal with its cursor. `durable_ack` survives a crash; the rest is memory."""

    rules: Rules
    journal: list[Recorded] = field(default_factory=list)
    out: Outbound = field(default_factory=lambda: Outbound(Head(), Head()))
    durable_ack: Head = field(default_factory=Head)
    expected_last: int | None = None
    silence: Silence = field(default_factory=Silence)
    fenced: str = ""

    @property
    def head(self) -> Head:
        return Head(1, self.journal[-1].seq, self.journal[-1].hash) if self.journal else Head()

    def hash_at(self, seq: int) -> bytes | None:
        if seq == 0:
            return GENESIS
        return self.journal[seq - 1].hash if seq <= len(self.journal) else None

    def record(self, body: bytes) -> None:
        self.journal.append(Recorded(len(self.journal) + 1, body, link(self.head.hash, body)))

    def crash(self) -> None:
        """Back to what is on the disk."""
        self.out = Outbound(self.durable_ack, self.durable_ack)
        self.expected_last, self.silence = None, Silence()

    def take(self, result: Outbound | Fenced) -> None:
        if isinstance(result, Fenced):
            self.fenced = result.reason
        else:
            self.out = result
            if result.acked.seq > self.durable_ack.seq:
                self.durable_ack = result.acked

    def take_ack(self, ack: Head) -> None:
        self.take(self.rules.after_ack(self.out, ack, self.head, self.hash_at(ack.seq)))

    def take_want(self, reader_seq: int) -> None:
        if 0 <= reader_seq <= self.out.sent.seq:
            self.out = self.rules.after_want(self.out, Head(1, reader_seq, self.hash_at(reader_seq) or b""))

    def take_heartbeat(self, reader: Head) -> None:
        self.take_ack(reader)
        self.silence = self.silence.heard(reader.seq, self.out.sent.seq)
        if self.silence.is_loss:
            self.silence = self.silence.after_rewind()
            self.take_want(reader.seq)


@dataclass
class Reader:
    """Applies what it judges to be next."""

    rules: Rules
    applied: list[bytes] = field(default_factory=list)
    head: Head = field(default_factory=Head)

    def take(self, envelope: Envelope) -> Verdict:
        judgement = self.rules.judge(self.head, envelope)
        if judgement.verdict is Verdict.APPLY:
            self.applied += judgement.events
            self.head = Head(1, judgement.first_seq + len(judgement.events) - 1, judgement.hashes[-1])
        return judgement.verdict


class Broken(AssertionError):
    """An invariant does not hold; the message tells which and where."""


class SessionWorld:
    """A writer, a reader and what is between them."""

    def __init__(self, seed: int, rules: Rules | None = None) -> None:
        rules = rules or Rules()
        self.random = Random(seed)
        self.seed = seed
        self.writer, self.reader = Writer(rules), Reader(rules)
        self.rules = rules
        self.stored: list[tuple[int, Envelope]] = []
        self.stream_seq = 0
        self.flying: list[Envelope] = []
        self.acks: list[Head] = []
        self.wants: list[int] = []
        self.events = 0

    def run(self, steps: int = 120) -> None:
        """Faults first, checking safety after each step; then heal, and check that both ends agree."""
        actions = [
            *[self._record] * 4, *[self._pump] * 6, *[self._deliver] * 6, *[self._hear] * 4,
            self._heartbeat, self._lose_delivery, self._repeat_delivery, self._forget, self._redeliver,
            self._crash_writer, self._lose_acks_and_wants, self._fork, self._lose_receipt,
        ]  # fmt: skip
        for _ in range(steps):
            self.random.choice(actions)()
            self.check_safety()
        self.heal()

    def check_safety(self) -> None:
        """What the reader has is exactly the beginning of the journal, and acks never run ahead of it."""
        wrote = [event.body for event in self.writer.journal]
        if self.reader.applied != wrote[: len(self.reader.applied)]:
            raise Broken(f"seed {self.seed}: the reader's events are not the writer's")
        if self.reader.head.seq != len(self.reader.applied):
            raise Broken(f"seed {self.seed}: the reader's head is not what it applied")
        if self.writer.durable_ack.seq > self.reader.head.seq:
            raise Broken(f"seed {self.seed}: acknowledged and lost")

    def heal(self) -> None:
        """No more faults: within a bounded number of rounds both ends are level, and stay so."""
        for _ in range(HEAL_ROUNDS_MAX):
            while self._pump():
                self.check_safety()
            while self.flying:
                self._take(self.flying.pop(0))
                self.check_safety()
            self._hear()
            self._heartbeat()
            if self.reader.head == self.writer.head and self.writer.durable_ack == self.writer.head:
                return
        raise Broken(
            f"seed {self.seed}: not level after {HEAL_ROUNDS_MAX} rounds: writer {self.writer.head.seq},"
            f" reader {self.reader.head.seq}, fenced '{self.writer.fenced}'"
        )

    def _record(self) -> None:
        for _ in range(self.random.randint(1, 300)):
            self.events += 1
            self.writer.record(b"event %d" % self.events)

    def _pump(self, *, lose_receipt: bool = False) -> bool:
        writer = self.writer
        if writer.fenced:
            return False
        if writer.expected_last is None:
            last = self.stored[-1] if self.stored else None
            own_hash = writer.hash_at(last[1].last_seq) if last else None
            writer.take(after_read_back(writer.out, writer.head, last[1] if last else None, own_hash))
            writer.expected_last = last[0] if last else 0
            return True
        events = writer.journal[writer.out.sent.seq : writer.out.sent.seq + 200]
        if not events or not may_send(writer.out):
            return False
        envelope = pack("node", writer.out.sent, events[: self.random.randint(1, 200)])
        if writer.expected_last != (self.stored[-1][0] if self.stored else 0):
            writer.expected_last = None
            return True
        self.stream_seq += 1
        self.stored.append((self.stream_seq, envelope))
        self.flying.append(envelope)
        if lose_receipt:
            writer.expected_last = None
            return True
        writer.expected_last = self.stream_seq
        writer.out = after_send(writer.out, Head(1, envelope.last_seq, envelope.last_hash))
        return True

    def _lose_receipt(self) -> None:
        self._pump(lose_receipt=True)

    def _deliver(self) -> None:
        if self.flying:
            self._take(self.flying.pop(self.random.randrange(len(self.flying))))

    def _take(self, envelope: Envelope) -> None:
        if not self.rules.ack_after_commit:  # the mutant acknowledges, and then the power fails
            self.acks.append(Head(1, envelope.last_seq, envelope.last_hash))
            return
        verdict = self.reader.take(envelope)
        if verdict is Verdict.GAP:
            self.wants.append(self.reader.head.seq)
        self.acks.append(self.reader.head)

    def _hear(self) -> None:
        self.random.shuffle(self.acks)
        for ack in self.acks:
            self.writer.take_ack(ack)
        for reader_seq in self.wants:
            self.writer.take_want(reader_seq)
        self.acks.clear()
        self.wants.clear()

    def _heartbeat(self) -> None:
        self.writer.take_heartbeat(self.reader.head)

    def _lose_delivery(self) -> None:
        if self.flying:
            self.flying.pop(self.random.randrange(len(self.flying)))

    def _repeat_delivery(self) -> None:
        if self.flying:
            self.flying.append(self.random.choice(self.flying))

    def _redeliver(self) -> None:
        """The broker starts its consumer anew: everything that it still holds comes again."""
        self.flying += [envelope for _, envelope in self.stored]

    def _forget(self) -> None:
        """The broker loses its tail, or everything."""
        keep = self.random.choice([0, self.random.randint(0, len(self.stored))])
        del self.stored[keep:]

    def _crash_writer(self) -> None:
        self.writer.crash()

    def _lose_acks_and_wants(self) -> None:
        self.acks.clear()
        self.wants.clear()

    def _fork(self) -> None:
        """An envelope of somebody else's history with a fitting sequence reaches the reader."""
        if self.reader.head.seq:
            bodies = [b"forged %d" % number for number in range(3)]
            foreign = link(GENESIS, b"another history")
            hashes = extend(foreign, bodies)
            first = self.reader.head.seq + 1
            self.flying.append(Envelope("node", 1, first, foreign, tuple(bodies), hashes[-1]))


def without_chain_check(head: Head, envelope: Envelope) -> Judgement:
    """Mutant of `judge`: believes any envelope whose sequence fits."""
    claimed = head._replace(hash=_hash_before(envelope, head.seq))
    return judge(claimed, envelope)


def applying_twice(head: Head, envelope: Envelope) -> Judgement:
    """Mutant of `judge`: forgets that it already has some of the events."""
    judgement = judge(head, envelope)
    if judgement.verdict is not Verdict.APPLY:
        return judgement
    return replace(judgement, events=envelope.events)


def _hash_before(envelope: Envelope, seq: int) -> bytes:
    known = seq - envelope.first_seq + 1
    if not 0 < known <= len(envelope.events):
        return envelope.prev_hash
    return extend(envelope.prev_hash, envelope.events[:known])[-1]


def never_rewinding(out: Outbound, _reader: Head) -> Outbound:
    """Mutant of `after_want`: what was sent once is thought to be there."""
    return out
