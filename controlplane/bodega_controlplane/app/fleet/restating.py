"""The hub's stream for a node, begun anew: everything that the hub knows for the node is said again, in order.

Where the two have different ideas of the old stream (the hub was restored, the node was, or the node is older than
what is kept), nobody repairs it: a new epoch starts at sequence 1. The node takes what it has already as a repeat.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from bodega.core.chain import GENESIS
from bodega.core.lifecycles import FULFILLMENT, OrderState
from bodega.host.log import get_logger
from bodega.v1 import catalogue_pb2, fleet_pb2, journal_pb2, orders_pb2, stock_pb2
from bodega_controlplane.app import wire
from bodega_controlplane.app.deciding import overrides
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods import catalogue, divergence, expecting, transfers
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.routing import activating
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import epochs, nodes, orders, schema
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


def begin_anew(tx: Transaction, caller: Caller, node: Row, reason: str, *, above_epoch: int = 0) -> int:
    """Open the next epoch of a node's down stream and say everything again; returns the epoch.

    The caller holds the node's row. `above_epoch`: what the node has heard of, which may be more than we remember.
    """
    epoch = max(int(node.down_epoch), above_epoch) + 1
    nodes.change(tx, node.node_id, down_epoch=epoch, down_seq=0, down_hash=GENESIS, down_applied_seq=0)
    restated = journal_pb2.StreamRestated(previous_epoch=node.down_epoch, reason=reason)
    events = [*_said_again(tx, node), journal_pb2.HubEvent(stream_restated=restated)]
    outbox.post(tx, caller, node.node_id, events, cmd_id=new_id("C", caller.now_ms))
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="node.stream_begun_anew",
        subject=node.node_id,
        detail={"epoch": epoch, "previous_epoch": node.down_epoch, "reason": reason, "events": len(events)},
    )
    log.warning("down_stream_begun_anew", node_id=node.node_id, epoch=epoch, reason=reason)
    return epoch


def _said_again(tx: Transaction, node: Row) -> Iterator[journal_pb2.HubEvent]:
    yield journal_pb2.HubEvent(node_profile=catalogue_pb2.NodeProfile.FromString(node.profile))
    yield from catalogue.events_of(catalogue.whole_catalogue(tx)).values()
    if node.desired_signature:
        desired = fleet_pb2.DesiredState(
            generation=node.desired_generation,
            settings=json.loads(node.desired_settings),
            signature=bytes.fromhex(node.desired_signature),
        )
        yield journal_pb2.HubEvent(desired_state=desired)
    yield from activating.said_again(tx)
    rows = open_work(tx, node.node_id)
    lines = lines_of_work(tx, rows)
    for row in rows:
        asked = lines.get(row.fulfillment_order_id, ())
        yield journal_pb2.HubEvent(fulfillment_order=assignment(row, asked))
        if row.order_state == OrderState.CANCEL_REQUESTED:
            cancel = journal_pb2.CancelRequested(
                fulfillment_order_id=row.fulfillment_order_id, order_id=row.order_id, asked_by="hub"
            )
            yield journal_pb2.HubEvent(cancel_requested=cancel)
        if row.revoked_event:
            yield journal_pb2.HubEvent(fulfillment_revoked=_revocation(row))
    yield from _rights_under_way(tx, node.node_id)
    yield from overrides.said_again(tx, node.node_id)
    yield from transfers.said_again(tx, node.node_id)
    yield from divergence.said_again(tx, node.node_id)
    yield from expecting.said_again(tx, node.node_id)


def open_work(tx: Transaction, node_id: str) -> list[Row]:
    """Fulfillment orders that have not ended."""
    return epochs.work(tx, node_id, [state.value for state in FULFILLMENT.terminal])


def lines_of_work(tx: Transaction, works: Collection[Row]) -> dict[str, list[Row]]:
    """Fulfillment order id -> what it was asked for, by line."""
    found: dict[str, list[Row]] = {}
    for lines in orders.work_lines_of(tx, {row.order_id for row in works}).values():
        for line in lines:
            found.setdefault(line.fulfillment_order_id, []).append(line)
    return found


def assignment(row: Row, lines: Iterable[Row]) -> orders_pb2.FulfillmentOrder:
    """The message of work as it was given to the node; `row` as `open_work` finds it, `lines` as `lines_of_work`."""
    told = map(wire.work_line_view, lines)
    service = row.carrier_service
    return wire.work_message(row.fulfillment_order_id, row.fencing_token, row._asdict(), told, service)


def _revocation(row: Row) -> journal_pb2.FulfillmentRevoked:
    """As `assigning.take_back` has said it: the next assignment, or none, is another node's."""
    return journal_pb2.FulfillmentRevoked(
        fulfillment_order_id=row.fulfillment_order_id,
        order_id=row.order_id,
        fencing_token=row.fencing_token + 1,
        reason="the order is not this node's any more",
    )


def _rights_under_way(tx: Transaction, node_id: str) -> Iterator[journal_pb2.HubEvent]:
    """Transfers that the node's journal, as far as we have it, has not answered."""
    table = schema.rights_transfer
    for row in epochs.rows_of_node(tx, table, node_id, table.c.state == "open"):
        about = {"transfer_id": row.transfer_id, "sku_id": row.sku_id, "quantity": row.quantity}
        if row.kind == "grant":
            yield journal_pb2.HubEvent(rights_granted=stock_pb2.RightsGranted(**about))
        else:
            yield journal_pb2.HubEvent(rights_wanted=stock_pb2.RightsWanted(**about))
