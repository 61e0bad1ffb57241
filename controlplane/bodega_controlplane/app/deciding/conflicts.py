"""Conflicts as people ask for them: listed, told with the facts that met, decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bodega.codec import UNKNOWN_FACT, fact_of, fulfillment_state_from_wire, parse_hub_event, parse_node_event
from bodega.core.conflicts.table import CASES
from bodega.core.lifecycles import ConflictState
from bodega.errors import PeerFault
from bodega.v1 import journal_pb2, orders_pb2, stock_pb2
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.deciding import conflict_life, overrides
from bodega_controlplane.app.deciding.conflict_views import ConflictInputView, ConflictStory
from bodega_controlplane.app.ordering.decisions import conflict_view
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import Caller, ConflictView, Page, PageRequest
from bodega_controlplane.store import facts, journal, outbox
from bodega_controlplane.store.transaction import Transaction

MISSING = "missing"
HUB = "hub"
OVERRIDE = "override"


def list_conflicts(
    tx: Transaction, page: PageRequest, *, only_open: bool = False, kind: str = "", node_id: str = ""
) -> Page[ConflictView]:
    """Newest first; empty filters mean all. Raises InvalidInput for a token that is none, or a kind that is none."""
    faults = Faults()
    if kind and kind not in CASES:
        faults.add("kind", f"must be one of {', '.join(CASES)}, is {kind[:80]!r}")
    faults.raise_if_any("the question")
    limit = limit_of(page.size)
    key = key_of(page.token, int, str)
    after = (int(key[0]), str(key[1])) if key else None
    state = ConflictState.OPEN.value if only_open else ""
    rows = facts.conflicts(tx, limit + 1, after, state=state, kind=kind, node_id=node_id)
    views = tuple(map(conflict_view, rows[:limit]))
    more = len(rows) > limit
    return Page(views, token_after(views[-1].opened_at_ms, views[-1].conflict_id) if more else "")


def get_conflict(tx: Transaction, conflict_id: str) -> ConflictView:
    """Raises NotFound."""
    return conflict_view(conflict_life.known(tx, conflict_id))


def tell(tx: Transaction, conflict_id: str) -> ConflictStory:
    """A conflict with its inputs as sentences. Raises NotFound."""
    view = get_conflict(tx, conflict_id)
    case = CASES.get(view.kind)
    return ConflictStory(
        view,
        tuple(_input(tx, view.node_id, event) for event in view.inputs),
        case.sentence if case else "A rule of a newer version.",
    )


def resolve(tx: Transaction, caller: Caller, conflict_id: str, decision: str) -> ConflictView:
    """A person has decided. Raises InvalidInput, NotFound, or IllegalTransition if nothing is open."""
    faults = Faults()
    faults.text("decision", decision)
    faults.raise_if_any("the decision")
    conflict_life.resolve(tx, caller, conflict_id, decision)
    overrides.close_on(tx, caller, overrides.HOLD_OUTCOME, conflict_id)
    return get_conflict(tx, conflict_id)


def _input(tx: Transaction, node_id: str, event: str) -> ConflictInputView:
    """One fact that met, by its name; a hub event is of the stream of the conflict's node."""
    writer, epoch, seq = [*event.split("/"), "", ""][:3]
    if writer == OVERRIDE:
        return ConflictInputView(
            event, OVERRIDE, "", 0, f"a person has set a rule aside, as override {epoch}"
        )
    if not (epoch.isdecimal() and seq.isdecimal()):
        return ConflictInputView(event, MISSING, "", 0, "not the name of an event")
    if writer == HUB:
        read, body = _hub_event, outbox.body_at(tx, node_id, int(epoch), int(seq))
    else:
        found = journal.event_at(tx, writer, int(epoch), int(seq))
        read, body = _node_event, found.body if found is not None else None
    try:
        return read(event, writer, body) if body is not None else _missing(event)
    except PeerFault:
        return ConflictInputView(event, UNKNOWN_FACT, writer, 0, "bytes that are no event")


def _missing(event: str) -> ConflictInputView:
    return ConflictInputView(event, MISSING, "", 0, "not held here: not arrived yet, or of another epoch")


def _node_event(event: str, writer: str, body: bytes) -> ConflictInputView:
    message = parse_node_event(body)
    who = f"{message.actor} at {message.device}" if message.device else message.actor
    return ConflictInputView(event, fact_of(message), f"{who}, {writer}", message.at_ms, _sentence(message))


def _hub_event(event: str, writer: str, body: bytes) -> ConflictInputView:
    message = parse_hub_event(body)
    return ConflictInputView(event, fact_of(message), writer, message.at_ms, _sentence(message))


def _sentence(message: journal_pb2.NodeEvent | journal_pb2.HubEvent) -> str:
    fact = fact_of(message)
    words = _SENTENCES.get(fact)
    return words(getattr(message, fact)) if words else fact.replace("_", " ")


def _movement(fact: stock_pb2.Movement) -> str:
    legs = [
        f"{posting.quantity:+d} {posting.account.sku_id} at {posting.account.bin or posting.account.external}"
        for posting in fact.postings
    ]
    order = f" for {fact.fulfillment_order_id}" if fact.fulfillment_order_id else ""
    why = f" ({fact.reason})" if fact.reason else ""
    return f"{fact.command.replace('_', ' ')}{order}{why}: {', '.join(legs)}"


def _advanced(fact: journal_pb2.FulfillmentAdvanced) -> str:
    parcel = f" in parcel {fact.sscc}" if fact.sscc else ""
    state = fulfillment_state_from_wire(fact.state) or fact.state
    return f"{fact.fulfillment_order_id} of order {fact.order_id} is {state}{parcel}"


def _cancel(fact: journal_pb2.CancelRequested) -> str:
    return f"{fact.asked_by} asks to cancel order {fact.order_id}"


def _work(fact: orders_pb2.FulfillmentOrder) -> str:
    units = sum(line.quantity for line in fact.lines)
    return f"order {fact.order_id} is given out, {units} units, under token {fact.fencing_token}"


def _revoked(fact: journal_pb2.FulfillmentRevoked) -> str:
    return f"{fact.fulfillment_order_id} of order {fact.order_id} is revoked: {fact.reason}"


def _discrepancy(fact: stock_pb2.DiscrepancyOpened) -> str:
    return f"{fact.bin_id} differs from the book by {fact.difference:+d} {fact.sku_id} ({fact.reason})"


# The fact's name on the wire -> the sentence that tells it; what is not listed is told by its name.
_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "movement": _movement,
    "fulfillment_advanced": _advanced,
    "discrepancy_opened": _discrepancy,
    "cancel_requested": _cancel,
    "fulfillment_order": _work,
    "fulfillment_revoked": _revoked,
}
