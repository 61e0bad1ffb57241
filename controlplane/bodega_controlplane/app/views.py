"""Values that go into and come out of the use cases: frozen, typed, the same for HTTP and for gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bodega.core.floor_words import Method
from bodega.core.ledger import Account
from bodega.core.lifecycles import OrderState
from bodega.core.parts import PartState
from bodega.core.promise import ServiceClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, through which channel, and when (milliseconds since 1970-01-01 UTC).

    `actor` is a role ("storefront", "operator"), never a person; `channel` keeps idempotency keys apart.
    """

    actor: str
    channel: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page wanted: `size` 0 means the default; `token` is the last page's `next_page_token` or empty."""

    size: int = 0
    token: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of rows; `next_page_token` is empty on the last one. Tokens are opaque to callers."""

    rows: tuple[T, ...]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """WGS 84, degrees north and east."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a parcel goes. Personal data: kept in orders.recipient and in the node's work, nowhere else."""

    name: str
    address: tuple[str, ...]
    postal_code: str
    country: str
    location: GeoPoint


@dataclass(frozen=True, slots=True)
class DraftLine:
    """`quantity` base units of one SKU; lines may repeat a SKU, they are summed when stock is promised.

    `substitutes`: SKUs that may be sent instead, unit for unit, the best one first.
    """

    sku_id: str
    quantity: int
    substitutes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PickupDraft:
    """Where the customer comes for an order, the code to be said there, and how long it waits once it is staged.

    `hold_ms` 0: it never goes back to stock by itself. The code is a secret: it is stored to be hashed anew for
    another node, never shown, logged or sent.
    """

    node_id: str
    code: str = field(repr=False)
    hold_ms: int = 0


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as a channel places it, not yet checked.

    `backorder`: what can not be promised now waits for stock; else it is refused. `not_before_ms`: a pre-order, nothing
    of which is promised or sent before then. `parts_max`: how many nodes may share it, 1: it is not split.
    """

    reference: str
    lines: tuple[DraftLine, ...]
    recipient: Recipient
    service_class: str = ServiceClass.STANDARD.value
    method: str = Method.PARCEL.value
    ship_complete: bool = False
    ship_by_ms: int = 0
    pickup: PickupDraft | None = None
    backorder: bool = False
    not_before_ms: int = 0
    parts_max: int = 1


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """One line, numbered from 1; quantities in base units. `kit_line`: the line of the kit that it belongs to."""

    line: int
    sku_id: str
    quantity: int
    shipped: int = 0
    short: int = 0
    substitutes: tuple[str, ...] = ()
    kit_line: int = 0


@dataclass(frozen=True, slots=True)
class PartView:
    """What one node at a time is asked for; `lines` with its own units. Without a node, nobody has it yet.

    `fulfillment_order_id`: its newest assignment; `parcels`: SSCCs of all of them.
    """

    part: int
    state: PartState
    node_id: str
    fulfillment_order_id: str
    lines: tuple[OrderLineView, ...]
    parcels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order without personal data. `node_id`: of its first part that has one; empty while nobody has any."""

    order_id: str
    channel: str
    reference: str
    state: OrderState
    node_id: str
    lines: tuple[OrderLineView, ...]
    parcels: tuple[str, ...]
    placed_at_ms: int
    updated_at_ms: int
    service_class: str = ServiceClass.STANDARD.value
    method: str = Method.PARCEL.value
    ship_complete: bool = False
    ship_by_ms: int = 0
    parts: tuple[PartView, ...] = ()
    backorder: bool = False
    not_before_ms: int = 0
    parts_max: int = 1


@dataclass(frozen=True, slots=True)
class SkuUnit:
    """A larger unit that a SKU is handled in: base units in one of it, and the GTINs that mean it."""

    unit: str
    base_units: int
    gtins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkuComponent:
    """Base units of another SKU in one kit."""

    sku_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SkuDraft:
    """A SKU to add or replace; GTINs of 8, 12, 13 or 14 digits are kept as 14."""

    sku_id: str
    name: str
    gtins: tuple[str, ...] = ()
    owner: str = ""
    lot_tracked: bool = False
    serial_tracked: bool = False
    expiry_tracked: bool = False
    weight_g: int = 0
    volume_ml: int = 0
    base_unit: str = ""
    units: tuple[SkuUnit, ...] = ()
    components: tuple[SkuComponent, ...] = ()
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    temperature_class: str = ""
    velocity_class: str = ""
    fragile: bool = False


@dataclass(frozen=True, slots=True)
class SkuView(SkuDraft):
    """A SKU of the catalogue; `version` rises with each change, `units_version` with each of its units."""

    units_version: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class StockLevelView:
    """On hand of one SKU, lot and disposition at one place of one node."""

    node_id: str
    bin: str
    owner: str
    sku_id: str
    lot: str
    disposition: str
    on_hand: int


@dataclass(frozen=True, slots=True)
class SerialView:
    """Where one serial number is, as one node says."""

    serial: str
    node_id: str
    account: Account


@dataclass(frozen=True, slots=True)
class AvailabilityView:
    """What may be promised: available = max(0, sellable - node_rights - reserved - held_back - safety_stock)."""

    sku_id: str
    node_id: str
    sellable: int
    node_rights: int
    reserved: int
    safety_stock: int
    available: int
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class HealthView:
    """A node's own word on how it is, from its last heartbeat; fields as in bodega.v1.Health."""

    version: str = ""
    generation: int = 0
    oldest_unacked_ms: int = 0
    disk_free_bytes: int = 0
    devices_lost: tuple[str, ...] = ()
    vision_provider: str = ""
    labels_unknown: int = 0
    ledger_ok: bool = False
    disk_rung: str = ""
    ledger_problem: str = ""


@dataclass(frozen=True, slots=True)
class NodeView:
    """How far a node and the hub are with each other; fields as in bodega.v1.NodeStatus.

    `health` is None and `last_contact_ms` 0 until the first heartbeat; `diverged_seq` is 0 while the hub's
    copy of the stock agrees with the node's checkpoints; `lost_to_seq` is 0 unless the hub was restored and still
    waits for what it has lost of the node's journal.
    """

    node_id: str
    name: str
    epoch: int
    head_seq: int
    applied_seq: int
    down_head_seq: int
    down_applied_seq: int
    last_contact_ms: int
    health: HealthView | None
    desired_generation: int
    reported_generation: int
    diverged_seq: int
    refused: int = 0
    parked: int = 0
    down_waiting: int = 0
    lost_to_seq: int = 0
    fenced: str = ""
    paused_at_ms: int = 0
    divergence: DivergenceView | None = None


@dataclass(frozen=True, slots=True)
class DivergenceView:
    """A difference between a node's book and our copy; fields as in bodega.v1.Divergence."""

    divergence_id: str
    basis_seq: int
    state: str
    found_at_ms: int
    sku_ids: tuple[str, ...]
    counts_open: int
    problem: str


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A stable word for programs and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class RouteCandidateView:
    """One node as the routing rule saw it."""

    node_id: str
    distance_km: float
    eligible: bool
    reasons: tuple[ReasonView, ...]


@dataclass(frozen=True, slots=True)
class RouteDecisionView:
    """Why an order went to its node; candidates best first. `reason` and `decided_by` are of a later move."""

    order_id: str
    node_id: str
    rule: str
    candidates: tuple[RouteCandidateView, ...]
    decided_at_ms: int
    reason: str = ""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class VisionDecisionView:
    """A camera's verdict; fields as in bodega.v1.VisionDecision, and where it came from."""

    node_id: str
    order_id: str
    fulfillment_order_id: str
    sku_id: str
    outcome: str
    reasons: tuple[ReasonView, ...]
    frame_digest: str
    model: str
    provider: str
    scores: Mapping[str, float]
    thresholds: Mapping[str, float]
    seen: tuple[str, ...]
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ConflictView:
    """Two facts that met; fields as in bodega.v1.Conflict."""

    conflict_id: str
    kind: str
    rule: str
    inputs: tuple[str, ...]
    knew: str
    effect: str
    undo: str
    order_id: str
    node_id: str
    opened_at_ms: int
    sku_id: str
    effects: tuple[str, ...]
    needs: str
    state: str
    decided_by: str
    decision: str
    decided_at_ms: int
    override_ends_ms: int


@dataclass(frozen=True, slots=True)
class AuditEntryView:
    """One line of the audit trail; `detail` is JSON without personal data."""

    seq: int
    at_ms: int
    actor: str
    action: str
    subject: str
    detail: str
    hash: bytes
