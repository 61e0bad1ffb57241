"""What is in force until an operator activates another bundle: the nearest node that can promise all of it.

A node keeps its safety stock. Nodes that were heard lately, have room and whose carriers keep the promise come before
all others; an order is split only if it may be, into as few parts as possible.
"""

from __future__ import annotations

from bodega.core.routing.document import Document, Edge, Filter, Score, Stage

_FEW = 20_000.0
"""A further node costs as much as the longest way on earth: fewer parts are always better, then nearer ones."""

_SET_ASIDE = ("in-time", "has-room", "heard")

DOCUMENT = Document(
    name="nearest-with-floor",
    version=1,
    notes="The nearest node that can promise all of it; few parts, and only where the order allows them.",
    filters=(
        Filter("in-time", "node.in_time", "no carrier service from there keeps the promise"),
        Filter(
            "has-room",
            "node.capacity_orders == 0 || node.open_orders < node.capacity_orders || order.at_node != ''",
            "has as many orders waiting as it takes",
        ),
        Filter("heard", "node.silent_s < 900", "nothing was heard of it for a quarter of an hour"),
    ),
    scores=(Score("distance", "node.distance_km"),),
    ties=("node.stock_used",),
    stages=(
        Stage("whole"),
        Stage("split", shares_max=3, split_cost=_FEW, when="order.shares_max > 1"),
        Stage("whole-anyway", without=_SET_ASIDE),
        Stage("split-anyway", shares_max=3, split_cost=_FEW, when="order.shares_max > 1", without=_SET_ASIDE),
    ),
    edge=Edge(allows=("carrier", "pickup", "within_site")),
)
