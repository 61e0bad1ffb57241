"""Values of the channels' room."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bodega.core.lifecycles import FulfillmentState
from bodega_controlplane.rules.channels import ChannelKind


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel that sells. Times in milliseconds since 1970-01-01 UTC; `revoked_at_ms` 0: it may ask.

    `buffer_units`: base units of each SKU at each node that it leaves to the others. `requests_per_s`: how many
    requests a second it may send to one control plane.
    """

    channel_id: str
    kind: ChannelKind
    buffer_units: int
    requests_per_s: int
    created_at_ms: int = 0
    changed_at_ms: int = 0
    revoked_at_ms: int = 0


class ShipmentState(StrEnum):
    """How far a parcel is on its way."""

    PACKED = "packed"
    SHIPPED = "shipped"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """A parcel: `sscc` 18 digits; carrier, service and tracking number as the node says, empty if it has none."""

    sscc: str
    order_id: str
    fulfillment_order_id: str
    node_id: str
    state: ShipmentState
    carrier: str
    service: str
    tracking_number: str
    weight_g: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class FulfillmentView:
    """What one node was asked for. `part` numbers what an order is split into; `in_force` is its newest assignment."""

    fulfillment_order_id: str
    order_id: str
    node_id: str
    part: int
    state: FulfillmentState
    in_force: bool
    updated_at_ms: int


class ReturnState(StrEnum):
    """How far a return is: agreed to, being looked at, done."""

    EXPECTED = "expected"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ReturnLineView:
    """Base units of one SKU, as a node has graded them; grade and disposition are empty for what is only expected."""

    sku_id: str
    quantity: int
    grade: str = ""
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class ReturnView:
    """Goods that a customer sends back: what was agreed to, what has come, and what money is due for."""

    return_id: str
    order_id: str
    state: ReturnState
    node_ids: tuple[str, ...]
    expected: tuple[ReturnLineView, ...]
    received: tuple[ReturnLineView, ...]
    refund_due: tuple[ReturnLineView, ...]
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class ReturnDraft:
    """What a channel wants back: no lines mean all that was sent, no node the one that sent it."""

    lines: tuple[ReturnLineView, ...] = ()
    node_id: str = ""
