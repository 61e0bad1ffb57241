"""Why things are as they are: routes, verdicts of cameras, conflicts, each as it was recorded."""

from __future__ import annotations

import json
from typing import Any

from bodega.errors import NotFound
from bodega.v1 import decisions_pb2
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.routing.views import DecisionView
from bodega_controlplane.app.views import (
    ConflictView,
    ReasonView,
    RouteCandidateView,
    RouteDecisionView,
    VisionDecisionView,
)
from bodega_controlplane.store import facts, orders
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


def routes_of(tx: Transaction, order_id: str) -> tuple[RouteDecisionView, ...]:
    """Every decision about an order as it was recorded, the one in force first.

    Raises NotFound, also where none was made yet.
    """
    found = (*map(_recorded, records.explain(tx, order_id)), *_of_older_versions(tx, order_id))
    if not found:
        raise NotFound(
            f"order {order_id} was not given to any node yet",
            hint=f"it waits for its day or for stock: bodegactl orders show {order_id}",
        )
    return found


def _recorded(view: DecisionView) -> RouteDecisionView:
    choice = view.choice
    return RouteDecisionView(
        order_id=view.order_id,
        node_id=choice.shares[0].node_id if choice.shares else "",
        rule=choice.rule,
        candidates=tuple(
            RouteCandidateView(
                one.node_id,
                one.distance_km,
                one.eligible,
                tuple(ReasonView(reason.code, reason.text) for reason in one.reasons),
            )
            for one in choice.candidates
        ),
        decided_at_ms=view.decided_at_ms,
        reason=view.reason,
        decided_by=view.decided_by,
    )


def _of_older_versions(tx: Transaction, order_id: str) -> tuple[RouteDecisionView, ...]:
    """Versions before schema 5 kept the candidates and nothing that they were judged by."""
    row = orders.decision_of(tx, order_id)
    if row is None:
        return ()
    moves = orders.reassignments_of(tx, order_id)
    return (*(_decision(move, move.reason, move.decided_by) for move in moves), _decision(row))


def _decision(row: Row, reason: str = "", decided_by: str = "") -> RouteDecisionView:
    candidates = tuple(map(_candidate, json.loads(row.candidates)))
    return RouteDecisionView(
        row.order_id, row.node_id, row.rule, candidates, row.decided_at_ms, reason, decided_by
    )


def _candidate(value: dict[str, Any]) -> RouteCandidateView:
    reasons = tuple(ReasonView(reason["code"], reason["text"]) for reason in value["reasons"])
    return RouteCandidateView(value["node_id"], value["distance_km"], value["eligible"], reasons)


def list_vision_decisions(
    tx: Transaction, *, order_id: str = "", size: int = 0
) -> tuple[VisionDecisionView, ...]:
    """Newest first."""
    return tuple(map(_vision, facts.vision_decisions(tx, order_id, limit_of(size))))


def _vision(row: Row) -> VisionDecisionView:
    verdict = decisions_pb2.VisionDecision.FromString(row.body)
    return VisionDecisionView(
        node_id=row.node_id,
        order_id=row.order_id,
        fulfillment_order_id=verdict.fulfillment_order_id,
        sku_id=verdict.sku_id,
        outcome=verdict.outcome,
        reasons=tuple(ReasonView(reason.code, reason.text) for reason in verdict.reasons),
        frame_digest=verdict.frame_digest,
        model=verdict.model,
        provider=verdict.provider,
        scores=dict(verdict.scores),
        thresholds=dict(verdict.thresholds),
        seen=tuple(verdict.seen),
        duration_ms=verdict.duration_ms,
    )


def list_conflicts(tx: Transaction, *, size: int = 0) -> tuple[ConflictView, ...]:
    """Newest first; what operators' tools of an older version ask. `app.deciding.conflicts` answers the newer ones."""
    return tuple(map(conflict_view, facts.conflicts(tx, limit_of(size))))


def conflict_view(row: Row) -> ConflictView:
    """A row as a value."""
    return ConflictView(
        conflict_id=row.conflict_id,
        kind=row.kind,
        rule=row.rule,
        inputs=tuple(json.loads(row.inputs)),
        knew=row.knew,
        effect=row.effect,
        undo=row.undo,
        order_id=row.order_id,
        node_id=row.node_id,
        opened_at_ms=row.opened_at_ms,
        sku_id=row.sku_id,
        effects=tuple(json.loads(row.effects)),
        needs=row.needs,
        state=row.state,
        decided_by=row.decided_by,
        decision=row.decision,
        decided_at_ms=row.decided_at_ms,
        override_ends_ms=row.override_ends_ms,
    )
