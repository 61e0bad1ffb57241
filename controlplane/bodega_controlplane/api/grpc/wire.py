"""Views of the app layer <-> messages of the gRPC services. Field by field, no decisions.

Requests are values from outside: sizes are cut to their bounds here, contents are checked by the app layer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from bodega import codec
from bodega.limits import PAGE_ROWS_MAX
from bodega.v1 import (
    catalogue_pb2,
    conflicts_pb2,
    controlplane_pb2,
    decisions_pb2,
    fleet_pb2,
    orders_pb2,
    stock_pb2,
)
from bodega_controlplane.app import views
from bodega_controlplane.app.deciding.conflict_views import ConflictInputView, OverrideView
from bodega_controlplane.app.goods import rights_views
from bodega_controlplane.app.node_views import BinDraft, NodeDraft, SsccRange
from bodega_controlplane.rules.lag import lag_of


def page_request(size: int, token: str) -> views.PageRequest:
    """A page wanted; sizes above the bound are served as the bound (AIP-158)."""
    return views.PageRequest(page_size(size), token)


def page_size(size: int) -> int:
    """Rows wanted, at most PAGE_ROWS_MAX; 0 stays 0 and means the default."""
    return min(size, PAGE_ROWS_MAX)


def order(view: views.OrderView) -> orders_pb2.Order:
    """One order with its lines."""
    return orders_pb2.Order(
        order_id=view.order_id,
        channel=view.channel,
        reference=view.reference,
        lines=_order_lines(view.lines),
        state=codec.order_state_to_wire(view.state),
        node_id=view.node_id,
        parcels=view.parcels,
        placed_at_ms=view.placed_at_ms,
        updated_at_ms=view.updated_at_ms,
        service_class=view.service_class,
        method=view.method,
        ship_complete=view.ship_complete,
        ship_by_ms=view.ship_by_ms,
        parts=[
            orders_pb2.OrderPart(
                part=part.part,
                state=part.state.value,
                node_id=part.node_id,
                fulfillment_order_id=part.fulfillment_order_id,
                lines=_order_lines(part.lines),
                parcels=part.parcels,
            )
            for part in view.parts
        ],
        backorder=view.backorder,
        not_before_ms=view.not_before_ms,
        parts_max=view.parts_max,
    )


def _order_lines(lines: Iterable[views.OrderLineView]) -> list[orders_pb2.OrderLine]:
    return [
        orders_pb2.OrderLine(
            line=line.line,
            sku_id=line.sku_id,
            quantity=line.quantity,
            shipped=line.shipped,
            short=line.short,
            substitutes=line.substitutes,
            kit_line=line.kit_line,
        )
        for line in lines
    ]


def stock_level(view: views.StockLevelView) -> stock_pb2.StockLevel:
    """On hand at one place."""
    return stock_pb2.StockLevel(
        node_id=view.node_id,
        bin=view.bin,
        owner=view.owner,
        sku_id=view.sku_id,
        lot=view.lot,
        disposition=view.disposition,
        on_hand=view.on_hand,
    )


def availability(view: views.AvailabilityView) -> stock_pb2.Availability:
    """What may be promised of one SKU at one node."""
    return stock_pb2.Availability(
        sku_id=view.sku_id,
        node_id=view.node_id,
        sellable=view.sellable,
        node_rights=view.node_rights,
        reserved=view.reserved,
        safety_stock=view.safety_stock,
        available=view.available,
        held_back=view.held_back,
    )


def rights_draft(
    message: controlplane_pb2.GrantRightsRequest | controlplane_pb2.RecallRightsRequest,
) -> rights_views.RightsDraft:
    """Rights to move."""
    return rights_views.RightsDraft(message.request_id, message.node_id, message.sku_id, message.quantity)


def node_rights(view: rights_views.NodeRightsView) -> controlplane_pb2.NodeRights:
    """Rights of one node to one SKU."""
    return controlplane_pb2.NodeRights(
        sku_id=view.sku_id,
        node_id=view.node_id,
        held=view.held,
        promised=view.promised,
        in_flight=view.in_flight,
        wanted=view.wanted,
    )


def node_draft(message: catalogue_pb2.NodeProfile) -> NodeDraft:
    """The version in the message is ignored: the control plane gives it."""
    sscc = message.sscc_range
    return NodeDraft(
        node_id=message.node_id,
        name=message.name,
        location=views.GeoPoint(message.location.latitude, message.location.longitude),
        ship_from=tuple(message.ship_from),
        sscc_range=SsccRange(sscc.extension, sscc.company_prefix, sscc.first_serial, sscc.last_serial),
        bins=tuple(
            BinDraft(**{field.name: getattr(row, field.name) for field in fields(BinDraft)})
            for row in message.bins
        ),
        cartons=tuple(message.cartons),
        associates=tuple(message.associates),
        carrier_services=tuple(message.carrier_services),
        tracking_ranges=tuple(message.tracking_ranges),
        time_zone=message.time_zone,
        kind=message.kind,
        country=message.country,
        capacity_orders=message.capacity_orders,
        labels=dict(message.labels),
    )


def node_status(view: views.NodeView, now_ms: int) -> controlplane_pb2.NodeStatus:
    """How far a node is; `health` stays unset until its first heartbeat."""
    lag = lag_of(
        now_ms=now_ms,
        last_contact_ms=view.last_contact_ms,
        head_seq=view.head_seq,
        applied_seq=view.applied_seq,
        oldest_unacked_ms=view.health.oldest_unacked_ms if view.health else 0,
    )
    return controlplane_pb2.NodeStatus(
        node_id=view.node_id,
        name=view.name,
        epoch=view.epoch,
        head_seq=view.head_seq,
        applied_seq=view.applied_seq,
        down_head_seq=view.down_head_seq,
        down_applied_seq=view.down_applied_seq,
        last_contact_ms=view.last_contact_ms,
        health=_health(view.health) if view.health else None,
        desired_generation=view.desired_generation,
        reported_generation=view.reported_generation,
        diverged_seq=view.diverged_seq,
        refused=view.refused,
        parked=view.parked,
        down_waiting=view.down_waiting,
        lost_to_seq=view.lost_to_seq,
        fenced=view.fenced,
        paused_at_ms=view.paused_at_ms,
        lag_ms=lag.ms,
        silent=lag.silent,
        divergence=_divergence(view.divergence) if view.divergence else None,
    )


def _divergence(view: views.DivergenceView) -> controlplane_pb2.Divergence:
    return controlplane_pb2.Divergence(
        divergence_id=view.divergence_id,
        basis_seq=view.basis_seq,
        state=view.state,
        found_at_ms=view.found_at_ms,
        sku_ids=view.sku_ids,
        counts_open=view.counts_open,
        problem=view.problem,
    )


def _health(view: views.HealthView) -> fleet_pb2.Health:
    return fleet_pb2.Health(
        version=view.version,
        generation=view.generation,
        oldest_unacked_ms=view.oldest_unacked_ms,
        disk_free_bytes=view.disk_free_bytes,
        devices_lost=view.devices_lost,
        vision_provider=view.vision_provider,
        labels_unknown=view.labels_unknown,
        ledger_ok=view.ledger_ok,
        disk_rung=view.disk_rung,
        ledger_problem=view.ledger_problem,
    )


def _reasons(rows: tuple[views.ReasonView, ...]) -> list[decisions_pb2.Reason]:
    return [decisions_pb2.Reason(code=row.code, text=row.text) for row in rows]


def route_decision(view: views.RouteDecisionView) -> decisions_pb2.RouteDecision:
    """The decision with every candidate."""
    return decisions_pb2.RouteDecision(
        order_id=view.order_id,
        node_id=view.node_id,
        rule=view.rule,
        candidates=[
            decisions_pb2.RouteCandidate(
                node_id=row.node_id,
                distance_km=row.distance_km,
                eligible=row.eligible,
                reasons=_reasons(row.reasons),
            )
            for row in view.candidates
        ],
        decided_at_ms=view.decided_at_ms,
        reason=view.reason,
        decided_by=view.decided_by,
    )


def vision_decision(view: views.VisionDecisionView) -> decisions_pb2.VisionDecision:
    """A camera's verdict."""
    return decisions_pb2.VisionDecision(
        fulfillment_order_id=view.fulfillment_order_id,
        sku_id=view.sku_id,
        outcome=view.outcome,
        reasons=_reasons(view.reasons),
        frame_digest=view.frame_digest,
        model=view.model,
        provider=view.provider,
        scores=view.scores,
        thresholds=view.thresholds,
        seen=view.seen,
        duration_ms=view.duration_ms,
    )


def conflict(view: views.ConflictView) -> decisions_pb2.Conflict:
    """Two facts that met."""
    return decisions_pb2.Conflict(
        conflict_id=view.conflict_id,
        kind=view.kind,
        rule=view.rule,
        inputs=view.inputs,
        knew=view.knew,
        effect=view.effect,
        undo=view.undo,
        order_id=view.order_id,
        node_id=view.node_id,
        opened_at_ms=view.opened_at_ms,
        sku_id=view.sku_id,
        effects=view.effects,
        needs=view.needs,
        state=view.state,
        decided_by=view.decided_by,
        decision=view.decision,
        decided_at_ms=view.decided_at_ms,
        override_ends_ms=view.override_ends_ms,
    )


def conflict_input(view: ConflictInputView) -> conflicts_pb2.ConflictInput:
    """One of the facts that met."""
    return conflicts_pb2.ConflictInput(
        event=view.event, fact=view.fact, who=view.who, at_ms=view.at_ms, sentence=view.sentence
    )


def override(view: OverrideView) -> conflicts_pb2.Override:
    """A rule that was set aside."""
    return conflicts_pb2.Override(**{name: getattr(view, name) for name in OverrideView.__slots__})


def audit_entry(view: views.AuditEntryView) -> controlplane_pb2.AuditEntry:
    """One line of the audit trail."""
    return controlplane_pb2.AuditEntry(
        seq=view.seq,
        at_ms=view.at_ms,
        actor=view.actor,
        action=view.action,
        subject=view.subject,
        detail=view.detail,
        hash=view.hash,
    )
