"""Values that the use cases of rights take and give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RightsDraft:
    """Rights to move, in base units; a repeat of `request_id` moves nothing twice."""

    request_id: str
    node_id: str
    sku_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class NodeRightsView:
    """Rights of one node to one SKU; fields as in bodega.v1.NodeRights."""

    sku_id: str
    node_id: str
    held: int
    promised: int
    in_flight: int
    wanted: int


@dataclass(frozen=True, slots=True)
class RightsMove:
    """A grant or a recall that is under way, and the node's rights after it."""

    transfer_id: str
    rights: NodeRightsView
