"""Rules that a person has set aside, with a reason and an end; an override never edits history."""

from __future__ import annotations

from typing import Any

from bodega.core.deadline import Deadline, deadline, refuse_early
from bodega.core.lifecycles import OVERRIDE, OverrideEvent, OverrideState
from bodega.core.promise import OverrideRule
from bodega.errors import FieldFault, InvalidInput, NotFound, Refused
from bodega.limits import IDENTIFIER_CHARS_MAX, PROMISE_LASTS_MS_MAX, QUANTITY_MAX, TEXT_CHARS_MAX
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.store.transaction import Context, Transaction

Json = dict[str, Any]

_RULES = frozenset(OverrideRule)


def open_override(  # noqa: PLR0913  # the fields of the command
    tx: Transaction,
    context: Context,
    *,
    override_id: str,
    rule: str,
    sku_id: str,
    lot: str = "",
    quantity: int = 0,
    reason: str,
    expires_after_ms: int,
) -> Json:
    """Set a rule aside for a SKU (of one lot, where `lot` is set) until it is closed or its time is over.

    `quantity` is for `hold` only; 0 holds all of it. InvalidInput with every fault, Refused with code
    "override-twice" for an id that is taken.
    """
    _check(override_id, rule, sku_id, lot, quantity, reason, expires_after_ms)
    if tx.one("SELECT 1 FROM rule_override WHERE override_id = ?", (override_id,)):
        raise Refused(
            f"there is an override '{override_id}' already", code="override-twice", hint="give it a new id"
        )
    changed = stock_pb2.OverrideChanged(
        override_id=override_id,
        rule=rule,
        sku_id=sku_id,
        lot=lot,
        quantity=quantity,
        reason=reason,
        state=OVERRIDE.start,
        expires_after_ms=expires_after_ms,
    )
    seq = tx.append(context, override_changed=changed)
    tx.execute(
        "INSERT INTO rule_override(override_id, rule, sku_id, lot, quantity, reason, actor, state, boot_id,"
        " expires_at_ms, expires_after_ms, opened_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(override_id, rule, sku_id, lot, quantity, reason, context.actor, OVERRIDE.start),
            *deadline(expires_after_ms, tx.clock()),
            seq,
        ),
    )
    return {"override_id": override_id, "state": str(OVERRIDE.start), "seq": seq}


def _check(
    override_id: str, rule: str, sku_id: str, lot: str, quantity: int, reason: str, expires_after_ms: int
) -> None:
    held_max = QUANTITY_MAX if rule == OverrideRule.HOLD else 0
    checks = (
        (
            0 < len(override_id) <= IDENTIFIER_CHARS_MAX,
            "override_id",
            f"must be 1 to {IDENTIFIER_CHARS_MAX} characters",
        ),
        (
            rule in _RULES,
            "rule",
            f"must be one of {', '.join(sorted(_RULES))}, is {rule[:IDENTIFIER_CHARS_MAX]!r}",
        ),
        (
            0 < len(sku_id) <= IDENTIFIER_CHARS_MAX,
            "sku_id",
            f"must be 1 to {IDENTIFIER_CHARS_MAX} characters",
        ),
        (len(lot) <= IDENTIFIER_CHARS_MAX, "lot", f"must be at most {IDENTIFIER_CHARS_MAX} characters"),
        (0 <= quantity <= held_max, "quantity", f"must be 0 to {held_max} for this rule, is {quantity}"),
        (
            bool(reason.strip()) and len(reason) <= TEXT_CHARS_MAX,
            "reason",
            f"must say why, in at most {TEXT_CHARS_MAX} characters",
        ),
        (
            0 < expires_after_ms <= PROMISE_LASTS_MS_MAX,
            "expires_after_ms",
            f"must be 1 to {PROMISE_LASTS_MS_MAX}, is {expires_after_ms}: an override has an end",
        ),
    )
    faults = tuple(FieldFault(where, problem) for right, where, problem in checks if not right)
    if faults:
        raise InvalidInput(
            f"this rule can not be set aside: {'; '.join(map(str, faults))}",
            hint="mend each field named and send it again with a new cmd_id",
            faults=faults,
        )


def close_override(tx: Transaction, context: Context, *, override_id: str) -> Json:
    """Put the rule in force again. NotFound; Refused with code "illegal-transition" if it is already."""
    return _end(tx, context, override_id, OverrideEvent.CLOSE)


def expire_override(tx: Transaction, context: Context, *, override_id: str) -> Json:
    """Put the rule in force again because the time is over; Refused with code "not-due" before that."""
    return _end(tx, context, override_id, OverrideEvent.EXPIRE)


def _end(tx: Transaction, context: Context, override_id: str, event: OverrideEvent) -> Json:
    row = tx.one(
        "SELECT state, boot_id, expires_at_ms, expires_after_ms, rule, sku_id, lot, quantity, reason"
        " FROM rule_override WHERE override_id = ?",
        (override_id,),
    )
    if row is None:
        raise NotFound(f"there is no override '{override_id[:IDENTIFIER_CHARS_MAX]}' here")
    state, boot_id, at_ms, after_ms, rule, sku_id, lot, quantity, reason = row
    after = OVERRIDE.step(OverrideState(state), event)
    if event is OverrideEvent.EXPIRE:
        ends = Deadline(boot_id, at_ms, after_ms)
        refuse_early(ends, tx.clock(), f"override '{override_id}'", "to end it now, close it")
    changed = stock_pb2.OverrideChanged(
        override_id=override_id,
        rule=rule,
        sku_id=sku_id,
        lot=lot,
        quantity=quantity,
        reason=reason,
        state=after,
        expires_after_ms=after_ms,
    )
    seq = tx.append(context, override_changed=changed)
    tx.execute("UPDATE rule_override SET state = ? WHERE override_id = ?", (after, override_id))
    return {"override_id": override_id, "state": str(after), "seq": seq}


def set_by_hub(tx: Transaction, context: Context, message: journal_pb2.OverrideSet) -> None:
    """A person at the centre has set a rule aside here, or puts it in force again; nothing if that is done already.

    Raises as `open_override`.
    """
    context = context._replace(actor=f"{message.actor} at the hub")
    known = tx.one("SELECT state FROM rule_override WHERE override_id = ?", (message.override_id,))
    if message.state == OverrideState.OPEN:
        if known is not None:
            return  # said again, where the hub's stream has begun anew
        open_override(
            tx,
            context,
            override_id=message.override_id,
            rule=message.rule,
            sku_id=message.sku_id,
            lot=message.lot,
            quantity=message.quantity,
            reason=message.reason,
            expires_after_ms=message.expires_after_ms,
        )
    elif known == (OverrideState.OPEN,):
        close_override(tx, context, override_id=message.override_id)


def is_set_aside(tx: Transaction, rule: OverrideRule, sku_id: str, lot: str) -> bool:
    """Whether a person has set this rule aside for this lot of a SKU, or for all its lots."""
    row = tx.one(
        "SELECT 1 FROM rule_override WHERE sku_id = ? AND state = 'open' AND rule = ? AND lot IN ('', ?)",
        (sku_id, rule, lot),
    )
    return row is not None
