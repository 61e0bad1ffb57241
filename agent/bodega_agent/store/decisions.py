"""What the node has decided alone, kept: the question, the bundle and the choice, so that it can be made again.

The newest of each kind are kept, and the bundles that decided them; a decision about a carrier goes with its recipient
(`forgetting.py`). They are this file's own: no event tells of them, and a new epoch begins without.
"""

from __future__ import annotations

import json

from bodega.core.routing.alone import CARRIER
from bodega.core.routing.record import choice_to_json, inputs_to_json
from bodega.errors import FieldFault, Refused
from bodega.limits_floor import DECISIONS_ALONE_KEPT_MAX, ROUTING_BUNDLES_KEPT_MAX
from bodega_agent.rules.floor.alone import Decided
from bodega_agent.store.transaction import Transaction


class NotAlone(Refused):
    """The bundle in force does not let this node decide that, or its rules speak against it.

    The command is undone; `made` is for the caller to keep in a transaction of its own.
    """

    code = "not-by-the-bundle"

    def __init__(self, made: Decided, what: str, hint: str) -> None:
        faults = tuple(
            FieldFault(one.node_id, reason.text)
            for one in made.choice.candidates
            if not one.eligible
            for reason in one.reasons
        )
        super().__init__(f"{what}: {made.why_not}", hint=hint, faults=faults)
        self.made = made


def keep(tx: Transaction, made: Decided) -> None:
    """Keep a decision with its bundle; what there is no room for any more goes, the oldest first."""
    bundle = made.bundle
    tx.execute(
        "INSERT INTO routing_decision(decision, subject, reason, at_ms, digest, inputs, choice)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            made.decision,
            made.subject,
            made.reason,
            made.inputs.now_ms,
            bundle.digest,
            inputs_to_json(made.inputs),
            choice_to_json(made.choice),
        ),
    )
    tx.execute(_NO_ROOM_FOR, (made.decision, made.decision, DECISIONS_ALONE_KEPT_MAX))
    tx.execute(
        "INSERT OR IGNORE INTO routing_bundle(digest, body) VALUES (?, ?)", (bundle.digest, bundle.body)
    )
    if tx.changes():
        tx.execute(_BY_OLD_BUNDLES, (ROUTING_BUNDLES_KEPT_MAX,))
        tx.execute("DELETE FROM routing_bundle WHERE digest NOT IN (SELECT digest FROM routing_decision)")


_NO_ROOM_FOR = """
DELETE FROM routing_decision WHERE decision = ? AND number <= (
  SELECT number FROM routing_decision WHERE decision = ? ORDER BY number DESC LIMIT 1 OFFSET ?)
"""
_BY_OLD_BUNDLES = """
DELETE FROM routing_decision WHERE digest NOT IN (
  SELECT digest FROM routing_decision GROUP BY digest ORDER BY max(number) DESC LIMIT ?)
"""


def forget(tx: Transaction, fulfillment_order_ids: list[str]) -> None:
    """Decisions that say where these orders went."""
    tx.execute(
        "DELETE FROM routing_decision WHERE decision = ? AND subject IN (SELECT value FROM json_each(?))",
        (CARRIER, json.dumps(fulfillment_order_ids)),
    )
