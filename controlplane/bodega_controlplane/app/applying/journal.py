"""A node's journal comes in: each envelope is judged, kept byte for byte, and applied, in one transaction.

The node's word on what happened is final: nothing here refuses a fact because of what it says. What is
refused is an envelope that breaks the stream (a broken chain, another node's name, an unknown epoch); it
is kept for people, and it stalls nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bodega.codec import envelope_from_bytes
from bodega.core.sync import Head, Judgement, Verdict, judge
from bodega.errors import PeerFault
from bodega.host.log import get_logger
from bodega_controlplane.app.applying import refused
from bodega_controlplane.app.applying.replica import Replica
from bodega_controlplane.store import nodes
from bodega_controlplane.store.transaction import Choked, Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes that came on the stream of `node_id`: the broker lets nobody else publish on its subject."""

    node_id: str
    subject: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a delivery; `head` is how far the hub has the node's journal now, None if unknown.

    `foreign`: it named another node as its own.
    """

    node_id: str
    verdict: Verdict
    head: Head | None
    reason: str = ""
    events: int = 0
    foreign: bool = False


def apply(tx: Transaction, now_ms: int, deliveries: Sequence[Delivery]) -> tuple[Applied, ...]:
    """Apply deliveries in order; one answer for each. Envelopes of one node build on each other."""
    tx.lock_nodes({delivery.node_id for delivery in deliveries})
    replicas: dict[str, Replica | None] = {}
    answers = []
    for delivery in deliveries:
        if delivery.node_id not in replicas:
            replicas[delivery.node_id] = _replica(tx, now_ms, delivery.node_id)
        answer = _take(replicas[delivery.node_id], delivery)
        if answer.verdict is Verdict.REFUSE:
            _keep_refused(tx, now_ms, delivery, answer)
        answers.append(answer)
    for replica in replicas.values():
        if replica is not None:
            replica.write()
    return tuple(answers)


def apply_with_care(tx: Transaction, now_ms: int, delivery: Delivery) -> Applied:
    """One delivery, each event by itself: one that the database chokes on is parked, and those after it go on."""
    tx.lock_nodes([delivery.node_id])
    answer, judgement = _judged(_replica(tx, now_ms, delivery.node_id), delivery)
    if answer.verdict is Verdict.REFUSE:
        _keep_refused(tx, now_ms, delivery, answer)
    numbered = enumerate(zip(judgement.events, judgement.hashes, strict=True), start=judgement.first_seq)
    for seq, (event, digest) in numbered:
        head = Head(1, seq, digest)
        try:
            with tx.part():
                _write_one(tx, now_ms, delivery.node_id, head, event)
        except Choked as error:
            log.warning("event_choked_on", node_id=delivery.node_id, seq=seq, reason=str(error))
            _write_one(
                tx, now_ms, delivery.node_id, head, event, problem=f"the database chokes on it: {error}"
            )
    last = _replica(tx, now_ms, delivery.node_id)
    return replace(answer, head=last.head) if last else answer


def _write_one(
    tx: Transaction, now_ms: int, node_id: str, at: Head, event: bytes, *, problem: str = ""
) -> None:
    replica = _replica(tx, now_ms, node_id)
    assert replica is not None, "it was there when the envelope was judged"
    replica.take(at.seq, [event], [at.hash], problem=problem)
    replica.write()


def refuse(tx: Transaction, now_ms: int, delivery: Delivery, reason: str) -> Applied:
    """Set a delivery aside for people, with the reason why it cannot be applied."""
    answer = Applied(delivery.node_id, Verdict.REFUSE, None, reason)
    _keep_refused(tx, now_ms, delivery, answer)
    return answer


def _replica(tx: Transaction, now_ms: int, node_id: str) -> Replica | None:
    row = nodes.by_id(tx, node_id)
    return Replica(tx, row, now_ms) if row is not None else None


def _take(replica: Replica | None, delivery: Delivery) -> Applied:
    answer, judgement = _judged(replica, delivery)
    if replica is not None and answer.verdict is Verdict.APPLY:
        replica.take(judgement.first_seq, judgement.events, judgement.hashes)
        return replace(answer, head=replica.head)
    return answer


def _judged(replica: Replica | None, delivery: Delivery) -> tuple[Applied, Judgement]:
    """What becomes of a delivery, with the head before it."""

    def judged(judgement: Judgement, *, foreign: bool = False) -> tuple[Applied, Judgement]:
        head = replica.head if replica else None
        events = len(judgement.events)
        return Applied(
            delivery.node_id, judgement.verdict, head, judgement.reason, events, foreign
        ), judgement

    if replica is None:
        return judged(Judgement(Verdict.REFUSE, "no node of this name is registered"))
    try:
        envelope = envelope_from_bytes(delivery.body)
    except PeerFault as error:
        return judged(Judgement(Verdict.REFUSE, error.message))
    if envelope.node_id != replica.node_id:
        reason = refused.foreign_reason(replica.node_id, envelope.node_id)
        return judged(Judgement(Verdict.REFUSE, reason), foreign=True)
    if envelope.epoch < replica.head.epoch and replica.has(envelope):
        # The broker keeps what came before a new epoch, and brings it again with a new consumer.
        return judged(Judgement(Verdict.ALREADY_HAVE))
    return judged(judge(replica.head, envelope))


def _keep_refused(tx: Transaction, now_ms: int, delivery: Delivery, answer: Applied) -> None:
    refused.keep(
        tx,
        now_ms,
        node_id=delivery.node_id,
        subject=delivery.subject,
        reason=answer.reason,
        body=delivery.body,
        foreign=answer.foreign,
    )
