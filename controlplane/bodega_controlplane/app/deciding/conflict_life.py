"""What becomes of a conflict after a rule has found it: resolved by a person or by what followed, or set aside.

What the rule found is never edited: these steps touch only who decided what, and when (`core.lifecycles.CONFLICT`).
"""

from __future__ import annotations

from bodega.core.lifecycles import CONFLICT, ConflictEvent, ConflictState
from bodega.errors import NotFound
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import facts
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


def known(tx: Transaction, conflict_id: str, *, hold: bool = False) -> Row:
    """The row; with `hold` to be changed by nobody else. Raises NotFound."""
    row = facts.conflict(tx, conflict_id, hold=hold)
    if row is None:
        raise NotFound(
            f"there is no conflict '{conflict_id[:80]}'", hint="list the conflicts: bodegactl conflicts ls"
        )
    return row


def resolve(tx: Transaction, caller: Caller, conflict_id: str, decision: str) -> None:
    """Somebody has decided, or what followed has. Raises NotFound, or IllegalTransition if nothing is open."""
    row = known(tx, conflict_id, hold=True)
    after = CONFLICT.step(ConflictState(row.state), ConflictEvent.RESOLVE)
    facts.change_conflict(
        tx,
        conflict_id,
        state=after.value,
        decided_by=caller.actor,
        decision=decision,
        decided_at_ms=caller.now_ms,
        override_ends_ms=0,
    )
    _audit(tx, caller, "conflict.resolved", row)


def set_aside(tx: Transaction, caller: Caller, conflict_id: str, effect: str, ends_ms: int) -> None:
    """A person holds another outcome than the rule's. Raises NotFound, or IllegalTransition."""
    row = known(tx, conflict_id, hold=True)
    after = CONFLICT.step(ConflictState(row.state), ConflictEvent.OVERRIDE)
    facts.change_conflict(
        tx,
        conflict_id,
        state=after.value,
        decided_by=caller.actor,
        decision=effect,
        decided_at_ms=caller.now_ms,
        override_ends_ms=ends_ms,
    )
    _audit(tx, caller, "conflict.overridden", row)


def put_in_force(tx: Transaction, conflict_id: str) -> None:
    """The override has ended: the rule's outcome holds again, and what needs a person is open again."""
    row = known(tx, conflict_id, hold=True)
    event = ConflictEvent.REOPEN if row.needs else ConflictEvent.SETTLE
    if not CONFLICT.allows(ConflictState(row.state), event):
        return
    after = CONFLICT.step(ConflictState(row.state), event)
    facts.change_conflict(
        tx, conflict_id, state=after.value, decided_by="", decision="", decided_at_ms=0, override_ends_ms=0
    )


def _audit(tx: Transaction, caller: Caller, action: str, row: Row) -> None:
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action=action,
        subject=row.order_id or row.sku_id or row.node_id,
        detail={"conflict_id": row.conflict_id, "rule": row.rule},
    )
