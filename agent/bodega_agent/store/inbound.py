"""What the hub's events do at the node, in the same transaction that moves the down head.

Exactly once without de-duplication tables: an event is applied only as the successor of the head. An
event that this version does not know is parked, byte for byte, and stalls nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bodega.codec import UNKNOWN_FACT, desired_state_text, fact_of, parse_hub_event
from bodega.core.conflicts.restored_hub import restored_hub
from bodega.core.sync import Head
from bodega.errors import BodegaError, PeerFault
from bodega.host.log import bound, get_logger
from bodega.v1 import fleet_pb2, journal_pb2
from bodega_agent.rules.settings import faults_in
from bodega_agent.store import catalogue, conflicts, count_tasks, effects, rights, work
from bodega_agent.store.transaction import Context, Transaction

log = get_logger(__name__)

Verify = Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Applied:
    """What the running services must hear of: fulfillment orders with a cancel, and new work or settings."""

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
            tx.execute("INSERT OR REPLACE INTO parked(seq, body) VALUES (?, ?)", (seq, body))
            log.warning("hub_event_parked", seq=seq)
            continue
        _apply_one(tx, seq, event, verify)
        if fact == "cancel_requested":
            cancelled.append(event.cancel_requested.fulfillment_order_id)
    tx.put("down_epoch", head.epoch)
    tx.put("down_seq", head.seq)
    tx.put("down_hash", head.hash)
    return Applied(tuple(cancelled), frozenset(facts))


def _begin_anew(tx: Transaction, head: Head) -> None:
    """The hub says everything again, and may be one that has gone back: what it owns is taken whatever its version."""
    tx.put("down_epoch", head.epoch)
    tx.execute("UPDATE sku SET version = 0")
    tx.put("profile_version", 0)
    tx.put("generation", 0)


def _readable(body: bytes) -> journal_pb2.HubEvent:
    """The event; an empty one, which has no known fact, for bytes that are no event at all."""
    try:
        return parse_hub_event(body)
    except PeerFault:
        return journal_pb2.HubEvent()


def _apply_one(tx: Transaction, seq: int, event: journal_pb2.HubEvent, verify: Verify) -> None:
    context = Context(cmd_id=event.cmd_id, actor="hub", correlation_id=event.correlation_id)
    try:
        with tx.all_or_nothing(), bound(correlation_id=event.correlation_id):
            _dispatch(tx, context, seq, event, verify)
            fact = fact_of(event)
            # A catalogue is hundreds of them at once; what changes work or rules is worth a line each.
            (log.debug if fact == "sku" else log.info)("hub_event_applied", seq=seq, fact=fact)
    except BodegaError as error:
        # A hub event that makes no sense here must not stall the ones behind it: it is parked and said aloud.
        tx.execute("INSERT OR REPLACE INTO parked(seq, body) VALUES (?, ?)", (seq, event.SerializeToString()))
        log.warning("hub_event_refused", seq=seq, code=error.code, reason=error.message)


def _dispatch(
    tx: Transaction, context: Context, seq: int, event: journal_pb2.HubEvent, verify: Verify
) -> None:
    match event.WhichOneof("fact"):
        case "node_profile":
            catalogue.put_profile(tx, event.node_profile)
        case "sku":
            catalogue.put_sku(tx, event.sku)
        case "fulfillment_order":
            work.accept(tx, seq, event.fulfillment_order)
        case "cancel_requested":
            effects.cancel(tx, context, seq, event.cancel_requested)
        case "rights_granted":
            rights.take(tx, context, event.rights_granted)
        case "rights_wanted":
            rights.give_back(tx, context, event.rights_wanted)
        case "stream_restated":
            _find_forgotten(tx, context)
        case "count_wanted":
            count_tasks.open_wanted(tx, context, event.count_wanted)
        case "desired_state":
            _take_desired_state(tx, context, event.desired_state, verify)


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


def _take_desired_state(
    tx: Transaction, context: Context, desired: fleet_pb2.DesiredState, verify: Verify
) -> None:
    """Run a newer, signed and valid configuration, or report why not; the old one then stays in force."""
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


def settings_of(tx: Transaction) -> dict[str, str]:
    """The settings in force that the hub has pushed."""
    body = tx.get("settings")
    return dict(fleet_pb2.DesiredState.FromString(body).settings) if body is not None else {}


def down_head(tx: Transaction) -> Head:
    """How far the hub's stream is applied."""
    genesis = Head()
    return Head(
        tx.get("down_epoch", genesis.epoch),
        tx.get("down_seq", genesis.seq),
        tx.get("down_hash", genesis.hash),
    )
