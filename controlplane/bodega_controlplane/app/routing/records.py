"""Every routing decision as a record: what it was made from, by which bundle, what came of it and why.

Enough to make it again, bit for bit. Where an order goes to is personal data and kept apart from the rest, so that it
can be erased; of an erased decision stay who was chosen, and the words for programs.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from hashlib import sha256

from bodega.core.routing.choice import Choice
from bodega.core.routing.inputs import Destination, Inputs
from bodega.core.routing.record import inputs_to_json
from bodega.core.routing.rows import choice_from_rows, choice_to_rows, inputs_from_rows, inputs_to_rows
from bodega.errors import IntegrityBroken, NotFound
from bodega.limits_hub import ROUTING_RECORD_BYTES_MAX
from bodega_controlplane.app.ordering.choosing import Decided
from bodega_controlplane.app.routing.views import DecisionView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import orders, routing
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

_NOWHERE = Destination("", "", 0.0, 0.0)
# Records are many and small: the quickest level packs them five times, in a tenth of a millisecond.
_PACKING_LEVEL = 1


def keep(
    tx: Transaction,
    caller: Caller,
    order_id: str,
    decided: Decided,
    *,
    decided_by: str = "",
    reason: str = "",
    first_token: int = 0,
) -> str:
    """Record a decision about an order in the transaction that acts on it; its id.

    `decided_by`: the rule or person that had the order moved, with its reason; empty where it was placed.
    `first_token`: the lowest fencing token that the move gave out.
    """
    number = routing.next_number(tx, order_id) if decided_by else 1
    decision_id = f"{order_id}/{number}"
    without = replace(decided.inputs, destination=_NOWHERE)
    routing.decided(
        tx,
        {
            "decision_id": decision_id,
            "order_id": order_id,
            "number": number,
            "decided_at_ms": caller.now_ms,
            "decided_by": decided_by,
            "reason": reason,
            "rule": decided.rule,
            "digest": decided.bundle.digest,
            "first_token": first_token,
            "destination": json.dumps(asdict(decided.inputs.destination), sort_keys=True, ensure_ascii=False),
            "inputs": packed(inputs_to_rows(without)),
            "choice": packed(choice_to_rows(decided.choice)),
        },
    )
    return decision_id


def inputs_of(row: Row) -> Inputs | None:
    """What a decision was made from; None once where it went to has been erased. Raises IntegrityBroken."""
    if not row.destination:
        return None
    return replace(
        inputs_from_rows(unpacked(row.inputs)), destination=Destination(**json.loads(row.destination))
    )


def choice_bytes(row: Row) -> bytes:
    """What came of it, as it was recorded."""
    return unpacked(row.choice)


def choice_of(row: Row) -> Choice:
    """What came of it."""
    return choice_from_rows(choice_bytes(row))


def packed(text: bytes) -> bytes:
    """As a record keeps it."""
    return zlib.compress(text, _PACKING_LEVEL)


def unpacked(kept: bytes) -> bytes:
    """The inverse of `packed`. Raises IntegrityBroken."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(kept, ROUTING_RECORD_BYTES_MAX)
    except zlib.error as error:
        raise IntegrityBroken("a routing decision cannot be read", hint="bodegactl audit verify") from error
    if not unpacker.eof:
        raise IntegrityBroken(f"a routing decision has more than {ROUTING_RECORD_BYTES_MAX} bytes")
    return text


def explain(tx: Transaction, order_id: str) -> tuple[DecisionView, ...]:
    """Every decision about an order, the newest first. Raises NotFound."""
    rows = routing.decisions_of(tx, order_id)
    if not rows and not orders.by_ids(tx, [order_id]):
        raise NotFound(f"there is no order '{order_id[:80]}'", hint="list the orders: bodegactl orders ls")
    return tuple(map(_view, rows))


def _view(row: Row) -> DecisionView:
    inputs = inputs_of(row)
    return DecisionView(
        decision_id=row.decision_id,
        order_id=row.order_id,
        decided_at_ms=row.decided_at_ms,
        decided_by=row.decided_by,
        reason=row.reason,
        digest=row.digest,
        choice=choice_of(row),
        inputs_sha256=sha256(inputs_to_json(inputs)).hexdigest() if inputs else "",
    )


def erase(tx: Transaction, order_ids: Iterable[str]) -> int:
    """Forget where orders went to, and how far that was from each node; how many decisions lost something.

    Distances and sentences go too: from three distances anybody finds the house.
    """
    erased = 0
    for order_id in sorted(set(order_ids)):
        for row in routing.decisions_of(tx, order_id):
            if not row.destination:
                continue
            left = _without_place(choice_of(row))
            routing.save_decision(tx, row.decision_id, destination="", choice=packed(choice_to_rows(left)))
            erased += 1
    return erased


def _without_place(choice: Choice) -> Choice:
    candidates = tuple(
        replace(
            one,
            distance_km=0.0,
            scores={},
            reasons=tuple(replace(reason, text=reason.code) for reason in one.reasons),
        )
        for one in choice.candidates
    )
    notes = tuple(replace(note, text=note.code) for note in choice.notes)
    return replace(choice, candidates=candidates, notes=notes)
