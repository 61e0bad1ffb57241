"""A person sets a rule aside (rule human_override@1): typed, with actor, reason and an end; it never edits history.

It outranks the rule until it is closed, or until its time is over by a clock that nobody can set: never early, and
after a reboot anew in full. What a node must know goes to it in its stream, and it answers in its own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bodega.core.conflicts.human_override import human_override
from bodega.core.deadline import BootTime, deadline
from bodega.core.lifecycles import OVERRIDE, OverrideEvent, OverrideState
from bodega.core.promise import OverrideRule
from bodega.errors import NotFound, Refused
from bodega.limits import OVERRIDE_LASTS_MS_MAX, QUANTITY_MAX, UPKEEP_ROWS_MAX
from bodega.v1 import journal_pb2
from bodega_controlplane.app.applying import reported
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.deciding import conflict_life
from bodega_controlplane.app.deciding.conflict_views import HoldDraft, OverrideTerms, OverrideView
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import Caller, Page, PageRequest
from bodega_controlplane.store import catalogue, facts, nodes, overrides
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

KEEP_AT_NODE, HOLD_OUTCOME, HOLD = "keep_at_node", "hold_outcome", "hold"


class _Wanted(NamedTuple):
    """What a person sets aside: of which kind, on what, and what it does; `lot` and `quantity` of a hold."""

    kind: str
    subject: str
    effect: str
    lot: str = ""
    quantity: int = 0


def check_terms(faults: Faults, terms: OverrideTerms) -> None:
    """Why, and for how long: an override has both."""
    faults.text("reason", terms.reason)
    faults.number("expires_after_ms", terms.expires_after_ms, 1, OVERRIDE_LASTS_MS_MAX)


def keep_at_node(
    tx: Transaction, caller: Caller, order_id: str, terms: OverrideTerms, now: BootTime
) -> OverrideView:
    """No rule and nobody moves the order away from its node. Raises InvalidInput, NotFound, Refused."""
    faults = Faults()
    check_terms(faults, terms)
    faults.raise_if_any("the override")
    order = orders.lock_order(tx, order_id)
    effect = f"order {order_id} stays at {order.node_id}"
    return _open(tx, caller, _Wanted(KEEP_AT_NODE, order_id, effect), terms, now)


def hold_outcome(
    tx: Transaction, caller: Caller, conflict_id: str, effect: str, terms: OverrideTerms, now: BootTime
) -> OverrideView:
    """What a person says holds in place of a rule's outcome. Raises InvalidInput, NotFound, Refused."""
    faults = Faults()
    check_terms(faults, terms)
    faults.text("effect", effect)
    faults.raise_if_any("the override")
    conflict_life.set_aside(tx, caller, conflict_id, effect, caller.now_ms + terms.expires_after_ms)
    return _open(tx, caller, _Wanted(HOLD_OUTCOME, conflict_id, effect), terms, now)


def hold_units(
    tx: Transaction, caller: Caller, draft: HoldDraft, terms: OverrideTerms, now: BootTime
) -> OverrideView:
    """Keep units at a node from being promised; the node is told, and says when it does.

    Raises InvalidInput, NotFound.
    """
    faults = Faults()
    check_terms(faults, terms)
    faults.number("quantity", draft.quantity, 0, QUANTITY_MAX)
    faults.raise_if_any("the override")
    tx.lock_nodes([draft.node_id])
    if nodes.by_id(tx, draft.node_id) is None:
        raise NotFound(f"there is no node '{draft.node_id[:80]}'", hint="list the nodes: bodegactl nodes ls")
    if not catalogue.by_ids(tx, {draft.sku_id}):
        raise NotFound(
            f"there is no SKU '{draft.sku_id[:80]}'", hint="list the catalogue: bodegactl catalog ls"
        )
    units = str(draft.quantity) if draft.quantity else "all"
    lot = f" (lot {draft.lot})" if draft.lot else ""
    effect = f"{draft.node_id} promises {units} of {draft.sku_id}{lot} to nobody"
    subject = f"{draft.node_id}/{draft.sku_id}"
    view = _open(tx, caller, _Wanted(HOLD, subject, effect, draft.lot, draft.quantity), terms, now)
    _tell(tx, caller, _known(tx, view.override_id))
    return view


def said_again(tx: Transaction, node_id: str) -> Iterator[journal_pb2.HubEvent]:
    """What a node must hear where its stream begins anew: holds, and the ends of those that it may still have."""
    for row in overrides.untold_to(tx, HOLD, node_id):
        yield _event_of(row, row.actor if row.state == OverrideState.OPEN else row.ended_by)


def _tell(tx: Transaction, caller: Caller, hold: Row) -> None:
    node_id = hold.subject.partition("/")[0]
    outbox.post(tx, caller, node_id, [_event_of(hold, caller.actor)], cmd_id=new_id("C", caller.now_ms))


def _event_of(hold: Row, actor: str) -> journal_pb2.HubEvent:
    event = journal_pb2.OverrideSet(
        override_id=hold.override_id,
        rule=OverrideRule.HOLD.value,
        sku_id=hold.subject.partition("/")[2],
        lot=hold.lot,
        quantity=hold.quantity,
        reason=hold.reason,
        actor=actor,
        state=hold.state,
        expires_after_ms=hold.expires_after_ms,
    )
    return journal_pb2.HubEvent(override_set=event)


def _open(
    tx: Transaction, caller: Caller, wanted: _Wanted, terms: OverrideTerms, now: BootTime
) -> OverrideView:
    kind, subject = wanted.kind, wanted.subject
    if kind != HOLD and overrides.open_on(tx, kind, subject) is not None:
        raise Refused(
            f"{subject} has an override of this kind already",
            code="override-twice",
            hint="close it first: bodegactl overrides ls --open",
        )
    ends = deadline(terms.expires_after_ms, now)
    override_id = new_id("V", caller.now_ms)
    overrides.insert(
        tx,
        {
            "override_id": override_id,
            **wanted._asdict(),
            "reason": terms.reason,
            "actor": caller.actor,
            "state": OVERRIDE.start.value,
            "opened_at_ms": caller.now_ms,
            "boot_id": ends.boot_id,
            "expires_at_ms": ends.at_ms,
            "expires_after_ms": ends.after_ms,
        },
    )
    _audit(tx, caller, "override.opened", override_id, kind, subject)
    if kind != HOLD_OUTCOME:
        _leave_row(tx, caller, override_id, wanted, terms)
    return _view(_known(tx, override_id))


def _leave_row(
    tx: Transaction, caller: Caller, override_id: str, wanted: _Wanted, terms: OverrideTerms
) -> None:
    """Among the conflicts; an outcome that is held is told by the row that it sets aside."""
    node_id, _, sku_id = wanted.subject.partition("/") if wanted.kind == HOLD else ("", "", "")
    conflict = human_override(
        override_id=override_id,
        effect=wanted.effect,
        actor=caller.actor,
        reason=terms.reason,
        close=f"bodegactl overrides close {override_id}",
        order_id=wanted.subject if wanted.kind == KEEP_AT_NODE else "",
        node_id=node_id,
        sku_id=sku_id,
    )
    facts.put_conflicts(tx, [reported.conflict_row(conflict, caller.now_ms)])


def close(tx: Transaction, caller: Caller, override_id: str) -> OverrideView:
    """The rule is in force again. Raises NotFound; Refused with code "illegal-transition" if it is already."""
    row = _known(tx, override_id)
    if row.kind == HOLD:
        tx.lock_nodes([row.subject.partition("/")[0]])
    view = _end(tx, caller, row, OverrideEvent.CLOSE)
    if row.kind == HOLD:
        _tell(tx, caller, _known(tx, override_id))
    return view


def close_on(tx: Transaction, caller: Caller, kind: str, subject: str) -> None:
    """Close the one in force on a subject, if there is one: what it held is decided otherwise now."""
    row = overrides.open_on(tx, kind, subject)
    if row is not None:
        _end(tx, caller, row, OverrideEvent.CLOSE)


def expire_due(tx: Transaction, caller: Caller, now: BootTime) -> int:
    """End what is due; the number of those. After a reboot, what was under way begins anew."""
    overrides.begin_anew(tx, now)
    rows = overrides.due(tx, now, UPKEEP_ROWS_MAX)
    for row in rows:
        _end(tx, caller, row, OverrideEvent.EXPIRE)
    return len(rows)


def _end(tx: Transaction, caller: Caller, row: Row, event: OverrideEvent) -> OverrideView:
    after = OVERRIDE.step(OverrideState(row.state), event)
    overrides.end_open(tx, row.override_id, state=after.value, now_ms=caller.now_ms, by=caller.actor)
    if row.kind == HOLD_OUTCOME:
        conflict_life.put_in_force(tx, row.subject)
    _audit(tx, caller, f"override.{after}", row.override_id, row.kind, row.subject)
    return _view(_known(tx, row.override_id))


def is_kept(tx: Transaction, order_id: str) -> bool:
    """Whether a person keeps the order at its node."""
    return overrides.open_on(tx, KEEP_AT_NODE, order_id) is not None


def refuse_if_kept(tx: Transaction, order_id: str) -> None:
    """Raise Refused with code "kept-at-node" where a person keeps the order at its node."""
    kept = overrides.open_on(tx, KEEP_AT_NODE, order_id)
    if kept is not None:
        raise Refused(
            f"{kept.actor} keeps order {order_id} at its node: {kept.reason}",
            code="kept-at-node",
            hint=f"close the override first: bodegactl overrides close {kept.override_id}",
        )


def list_overrides(tx: Transaction, page: PageRequest, *, only_open: bool) -> Page[OverrideView]:
    """Newest first. Raises InvalidInput for a token that is none."""
    limit = limit_of(page.size)
    key = key_of(page.token, int, str)
    rows = overrides.page(tx, key and (int(key[0]), str(key[1])), limit + 1, only_open=only_open)
    views = tuple(map(_view, rows[:limit]))
    more = len(rows) > limit
    return Page(views, token_after(views[-1].opened_at_ms, views[-1].override_id) if more else "")


def _known(tx: Transaction, override_id: str) -> Row:
    row = overrides.by_id(tx, override_id)
    if row is None:
        raise NotFound(f"there is no override '{override_id[:80]}'", hint="list them: bodegactl overrides ls")
    return row


def _audit(tx: Transaction, caller: Caller, action: str, override_id: str, kind: str, subject: str) -> None:
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action=action,
        subject=subject,
        detail={"override_id": override_id, "kind": kind},
    )


def _view(row: Row) -> OverrideView:
    return OverrideView(**{name: getattr(row, name) for name in OverrideView.__slots__})
