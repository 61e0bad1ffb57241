"""What the hub's events do at the node, in the same transaction that moves the down head.

Exactly once without de-duplication tables: an event is applied only as the successor of the head. An
event that this version does not know is parked, byte for byte, and stalls nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bodega.codec import UNKNOWN_FACT, desired_state_text, fact_of, parse_hub_event
from bodega.core.conflicts.restored_hub import restored_hub
from bodega.core.sync import Head
from bodega.errors import BodegaError, PeerFault
from bodega.host.log import bound, get_logger
from bodega.limits import PARKED_EVENTS_PER_COMMIT_MAX
from bodega.v1 import catalogue_pb2, fleet_pb2, journal_pb2
from bodega_agent.rules.settings import faults_in
from bodega_agent.store import (
    catalogue,
    conflicts,
    count_tasks,
    forgetting,
    notices,
    overrides,
    parked,
    release,
    returns,
    rights,
    routing,
    stopping,
    transfer_orders,
    transfers,
    work,
)
from bodega_agent.store.parked import Parked
from bodega_agent.store.settings import settings_of
from bodega_agent.store.stopping import HubEvent
from bodega_agent.store.transaction import Context, Transaction

log = get_logger(__name__)

_UNKNOWN = "this version does not know it"
_STOPS_WORK = frozenset({"cancel_requested", "fulfillment_revoked"})

Verify = Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Applied:
    """What the running services must hear of: fulfillment orders that were stopped, and new work or settings."""

    cancelled: tuple[str, ...]
    facts: frozenset[str]


def apply(tx: Transaction, events: Sequence[tuple[int, bytes]], head: Head, *, verify: Verify) -> Applied:
    """Apply consecutive hub events and move the down head, in this transaction."""
    cancelled: list[str] = []
    facts: set[str] = set()
    if head.epoch > down_head(tx).epoch:
        _begin_anew(tx, head)
    for seq, body in events:
        tx.put("down_seq", seq)
        event = _readable(body)
        fact = fact_of(event)
        facts.add(fact)
        if fact == UNKNOWN_FACT:
            parked.park(tx, Parked(head.epoch, seq, body, _UNKNOWN))
            log.warning("hub_event_parked", seq=seq)
            continue
        reason = _tried(tx, HubEvent(head.epoch, seq), event, verify)
        if reason:
            # A hub event that makes no sense here must not stall the ones behind it.
            parked.park(tx, Parked(head.epoch, seq, body, reason))
        if fact in _STOPS_WORK:
            cancelled.append(getattr(event, fact).fulfillment_order_id)
    tx.put("down_epoch", head.epoch)
    tx.put("down_seq", head.seq)
    tx.put("down_hash", head.hash)
    return Applied(tuple(cancelled), frozenset(facts))


def _begin_anew(tx: Transaction, head: Head) -> None:
    """The hub says everything again, and may be one that has gone back: what it owns is taken whatever its version."""
    tx.put("down_epoch", head.epoch)
    tx.execute("UPDATE sku SET version = 0")
    tx.execute("UPDATE notice SET version = 0")
    tx.put("profile_version", 0)
    tx.put("generation", 0)
    tx.put("routing_activation", 0)


def _readable(body: bytes) -> journal_pb2.HubEvent:
    """The event; an empty one, which has no known fact, for bytes that are no event at all."""
    try:
        return parse_hub_event(body)
    except PeerFault:
        return journal_pb2.HubEvent()


def apply_parked(tx: Transaction, after: tuple[int, int], *, verify: Verify) -> tuple[int, int] | None:
    """Try again what could not be applied when it came, in the order of the stream: this may be a newer version.

    At most PARKED_EVENTS_PER_COMMIT_MAX after (epoch, sequence) `after`; where it stopped, None when all were tried.
    What still can not be applied stays, with its reason.
    """
    rows = parked.following(tx, after, PARKED_EVENTS_PER_COMMIT_MAX)
    for one in rows:
        event = _readable(one.body)
        fact = fact_of(event)
        if fact == UNKNOWN_FACT:
            continue
        reason = _tried(tx, HubEvent(one.epoch, one.seq), event, verify)
        if reason:
            parked.park(tx, one._replace(reason=reason))
            continue
        parked.remove(tx, one)
        tx.append(
            Context(cmd_id=event.cmd_id, actor="hub", correlation_id=event.correlation_id),
            parked_event_applied=journal_pb2.ParkedEventApplied(
                down_epoch=one.epoch, down_seq=one.seq, fact=fact
            ),
        )
        log.info("parked_event_applied", epoch=one.epoch, seq=one.seq, fact=fact)
    return (rows[-1].epoch, rows[-1].seq) if len(rows) == PARKED_EVENTS_PER_COMMIT_MAX else None


def _tried(tx: Transaction, place: HubEvent, event: journal_pb2.HubEvent, verify: Verify) -> str:
    """Apply one event, or leave everything as it was; the reason why it could not be, or empty."""
    context = Context(cmd_id=event.cmd_id, actor="hub", correlation_id=event.correlation_id)
    fact = fact_of(event)
    try:
        with tx.all_or_nothing(), bound(correlation_id=event.correlation_id):
            _HANDLERS[fact](_Arrived(tx, context, place, verify), getattr(event, fact))
            # A catalogue is hundreds of them at once; what changes work or rules is worth a line each.
            (log.debug if fact == "sku" else log.info)("hub_event_applied", seq=place.seq, fact=fact)
    except BodegaError as error:
        log.warning("hub_event_refused", seq=place.seq, fact=fact, code=error.code, reason=error.message)
        return error.message
    return ""


class _Arrived(NamedTuple):
    """What a handler may need beside the fact: where it stands in the stream, and who checks the hub's signatures."""

    tx: Transaction
    context: Context
    place: HubEvent
    verify: Verify


def _take_profile(at: _Arrived, profile: catalogue_pb2.NodeProfile) -> None:
    """The node's own facts; with the hours of its carriers, what waits is more or less urgent."""
    catalogue.put_profile(at.tx, profile)
    release.rank_waiting(at.tx)


def _find_forgotten(tx: Transaction, context: Context) -> None:
    """Work that the hub has not said again in this epoch of its stream: it knows nothing of it any more."""
    epoch = tx.get("down_epoch", 1)
    for order in work.open_but_for(tx, epoch):
        conflict = restored_hub(
            node_id=tx.get("node_id"),
            order_id=order.order_id,
            fulfillment_order_id=order.fulfillment_order_id,
            state=order.state,
            down_epoch=epoch,
        )
        conflicts.record(tx, context, conflict)


def _take_desired_state(at: _Arrived, desired: fleet_pb2.DesiredState) -> None:
    """Run a newer, signed and valid configuration, or report why not; the old one then stays in force."""
    tx, context, _, verify = at
    if desired.generation <= tx.get("generation", 0):
        return
    text = desired_state_text(tx.get("node_id"), desired.generation, desired.settings.items())
    faults = (
        faults_in(desired.settings) if verify(desired.signature, text) else ["the signature is not the hub's"]
    )
    if not faults:
        tx.put("generation", desired.generation)
        tx.put("settings", desired.SerializeToString())
    tx.append(
        context,
        state_reported=fleet_pb2.StateReported(
            generation=tx.get("generation", 0), settings=settings_of(tx), faults=faults
        ),
    )


def down_head(tx: Transaction) -> Head:
    """How far the hub's stream is applied."""
    genesis = Head()
    return Head(
        tx.get("down_epoch", genesis.epoch),
        tx.get("down_seq", genesis.seq),
        tx.get("down_hash", genesis.hash),
    )


# The fact's name on the wire -> what it does here.
_HANDLERS: Mapping[str, Callable[[_Arrived, Any], None]] = {
    "node_profile": _take_profile,
    "sku": lambda at, fact: catalogue.put_sku(at.tx, fact),
    "fulfillment_order": lambda at, fact: work.accept(at.tx, at.place.seq, fact),
    "cancel_requested": lambda at, fact: stopping.cancel(at.tx, at.context, at.place, fact),
    "fulfillment_revoked": lambda at, fact: stopping.revoke(at.tx, at.context, fact),
    "override_set": lambda at, fact: overrides.set_by_hub(at.tx, at.context, fact),
    "rights_granted": lambda at, fact: rights.take(at.tx, at.context, fact),
    "rights_wanted": lambda at, fact: rights.give_back(at.tx, at.context, fact),
    "count_wanted": lambda at, fact: count_tasks.open_wanted(at.tx, at.context, fact),
    "advance_notice": lambda at, fact: notices.put_notice(at.tx, fact),
    "return_expected": lambda at, fact: returns.expect(at.tx, fact),
    "transfer_closed": lambda at, fact: transfers.close(at.tx, at.context, fact),
    "transfer_ordered": lambda at, fact: transfer_orders.accept(at.tx, fact),
    "recipients_erased": lambda at, fact: forgetting.forget_recipients(at.tx, fact.order_ids),
    "stream_restated": lambda at, _fact: _find_forgotten(at.tx, at.context),
    "desired_state": _take_desired_state,
    "routing_bundle": lambda at, fact: routing.take(at.tx, at.context, fact, at.verify),
}
