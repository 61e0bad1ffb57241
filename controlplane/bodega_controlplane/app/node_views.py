"""The profile of a node as people give it, not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.v1 import catalogue_pb2
from bodega_controlplane.app.views import GeoPoint


@dataclass(frozen=True, slots=True)
class BinDraft:
    """A storage location; lower `walk_order` is nearer to the door. The rest as in bodega.v1.Bin."""

    bin_id: str
    walk_order: int
    kind: str = ""
    temperature_class: str = ""
    velocity_class: str = ""
    capacity_ml: int = 0
    capacity_g: int = 0
    fixed_sku_id: str = ""
    refill_below: int = 0
    refill_to: int = 0


@dataclass(frozen=True, slots=True)
class SsccRange:
    """SSCC serial references that a node may use, both ends included."""

    extension: int
    company_prefix: str
    first_serial: int
    last_serial: int


@dataclass(frozen=True, slots=True)
class NodeDraft:
    """The profile of a node to make known, or to replace.

    What the hub only hands on to the node is kept as it came: messages of bodega.v1, never changed after they are here.
    """

    node_id: str
    name: str
    location: GeoPoint
    ship_from: tuple[str, ...]
    sscc_range: SsccRange
    bins: tuple[BinDraft, ...]
    cartons: tuple[catalogue_pb2.Carton, ...] = ()
    associates: tuple[catalogue_pb2.Associate, ...] = ()
    carrier_services: tuple[catalogue_pb2.CarrierService, ...] = ()
    tracking_ranges: tuple[catalogue_pb2.TrackingRange, ...] = ()
    time_zone: str = ""
    kind: str = ""
    country: str = ""
    capacity_orders: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
