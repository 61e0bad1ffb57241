"""A node's journal comes in: each envelope is judged, kept byte for byte, and applied, in one transaction.

The node's word on what happened is final: nothing here refuses a fact because of what it says. What is
refused is an envelope that breaks the stream (a broken chain, another node's name, an unknown epoch); it
is kept for people, and it stalls nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bodega.codec import envelope_from_bytes
from bodega.core.sync import Envelope, Head, Judgement, Verdict, judge
from bodega.errors import PeerFault
from bodega.host.log import get_logger
from bodega.limits import ENVELOPE_BYTES_MAX, REFUSED_ENVELOPES_KEPT_MAX
from bodega_controlplane.app.replica import Replica
from bodega_controlplane.store import journal, nodes
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes that came on the stream of `node_id`: the broker lets nobody else publish on its subject."""

    node_id: str
    subject: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a delivery; `head` is how far the hub has the node's journal now, None if unknown."""

    node_id: str
    verdict: Verdict
    head: Head | None
    reason: str = ""
    events: int = 0


def apply(tx: Transaction, now_ms: int, deliveries: Sequence[Delivery]) -> tuple[Applied, ...]:
    """Apply deliveries in order; one answer for each. Envelopes of one node build on each other."""
    tx.lock_nodes({delivery.node_id for delivery in deliveries})
    replicas: dict[str, Replica | None] = {}
    answers = []
    for delivery in deliveries:
        if delivery.node_id not in replicas:
            row = nodes.by_id(tx, delivery.node_id)
            replicas[delivery.node_id] = Replica(tx, row, now_ms) if row is not None else None
        answer = _take(replicas[delivery.node_id], delivery)
        if answer.verdict is Verdict.REFUSE:
            _keep_refused(tx, now_ms, delivery, answer.reason)
        answers.append(answer)
    for replica in replicas.values():
        if replica is not None:
            replica.write()
    return tuple(answers)


def refuse(tx: Transaction, now_ms: int, delivery: Delivery, reason: str) -> Applied:
    """Set a delivery aside for people, with the reason why it cannot be applied."""
    _keep_refused(tx, now_ms, delivery, reason)
    return Applied(delivery.node_id, Verdict.REFUSE, None, reason)


def _take(replica: Replica | None, delivery: Delivery) -> Applied:
    if replica is None:
        return Applied(delivery.node_id, Verdict.REFUSE, None, "no node of this name is registered")
    judgement = _judge(replica, delivery)
    if judgement.verdict is Verdict.APPLY:
        replica.take(judgement.first_seq, judgement.events, judgement.hashes)
    return Applied(delivery.node_id, judgement.verdict, replica.head, judgement.reason, len(judgement.events))


def _judge(replica: Replica, delivery: Delivery) -> Judgement:
    try:
        envelope = envelope_from_bytes(delivery.body)
    except PeerFault as error:
        return Judgement(Verdict.REFUSE, error.message)
    return _foreign(replica, envelope) or judge(replica.head, envelope)


def _foreign(replica: Replica, envelope: Envelope) -> Judgement | None:
    if envelope.node_id == replica.node_id:
        return None
    return Judgement(
        Verdict.REFUSE, f"it speaks for '{envelope.node_id[:80]}' on the stream of {replica.node_id}"
    )


def _keep_refused(tx: Transaction, now_ms: int, delivery: Delivery, reason: str) -> None:
    log.warning("envelope_refused", node_id=delivery.node_id, subject=delivery.subject, reason=reason, rows=1)
    journal.keep_refused(
        tx,
        node_id=delivery.node_id,
        subject=delivery.subject,
        reason=reason,
        body=delivery.body[: 2 * ENVELOPE_BYTES_MAX],
        at_ms=now_ms,
        rows_max=REFUSED_ENVELOPES_KEPT_MAX,
    )
