"""Who works on a channel's order, and which parcels left for it, as the nodes say."""

from __future__ import annotations

from bodega.core.lifecycles import FulfillmentState
from bodega.errors import NotFound
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.selling import own_orders
from bodega_controlplane.app.selling.views import FulfillmentView, ShipmentState, ShipmentView
from bodega_controlplane.app.views import Caller, Page, PageRequest
from bodega_controlplane.store import orders, parcels
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

_VOIDED = "voided"
_HAS_LEFT = frozenset({FulfillmentState.SHIPPED, FulfillmentState.COLLECTED})


def fulfillment_orders_of(tx: Transaction, caller: Caller, order_id: str) -> tuple[FulfillmentView, ...]:
    """Every assignment of an order, the first one first. Raises NotFound."""
    own_orders.one_of(tx, caller, order_id)
    work = orders.work_of(tx, [order_id]).get(order_id, [])
    newest = {row.part: row.fulfillment_order_id for row in work}
    return tuple(
        FulfillmentView(
            row.fulfillment_order_id,
            order_id,
            row.node_id,
            row.part,
            FulfillmentState(row.state),
            newest[row.part] == row.fulfillment_order_id,
            row.updated_at_ms,
        )
        for row in work
    )


def shipments_of(tx: Transaction, caller: Caller, order_id: str) -> tuple[ShipmentView, ...]:
    """The parcels of an order by SSCC. Raises NotFound."""
    own_orders.one_of(tx, caller, order_id)
    return tuple(map(_shipment, parcels.parcels_of(tx, order_id)))


def get_shipment(tx: Transaction, caller: Caller, sscc: str) -> ShipmentView:
    """One parcel. Raises NotFound, also for one of another channel."""
    row = parcels.parcel_of(tx, caller.channel, sscc)
    if row is None:
        raise NotFound(f"there is no parcel '{sscc[:80]}'", hint="list them: GET /v1/shipments")
    return _shipment(row)


def list_shipments(
    tx: Transaction, caller: Caller, page: PageRequest, since_ms: int = 0
) -> Page[ShipmentView]:
    """The channel's parcels by their last change, oldest change first. Raises InvalidInput for a bad token."""
    limit = limit_of(page.size)
    key = key_of(page.token, int, str)
    after = (int(key[0]), str(key[1])) if key else None
    rows = parcels.page_of_parcels(tx, caller.channel, after, since_ms, limit + 1)
    views = tuple(map(_shipment, rows[:limit]))
    more = len(rows) > limit
    return Page(views, token_after(views[-1].updated_at_ms, views[-1].sscc) if more else "")


def _shipment(row: Row) -> ShipmentView:
    return ShipmentView(
        sscc=row.sscc,
        order_id=row.order_id,
        fulfillment_order_id=row.fulfillment_order_id,
        node_id=row.node_id,
        state=_state(row),
        carrier=row.carrier,
        service=row.service,
        tracking_number=row.tracking_number,
        weight_g=row.weight_g,
        updated_at_ms=row.updated_at_ms,
    )


def _state(row: Row) -> ShipmentState:
    if row.state == _VOIDED:
        return ShipmentState.VOIDED
    left = FulfillmentState(row.work_state) in _HAS_LEFT
    return ShipmentState.SHIPPED if left else ShipmentState.PACKED
