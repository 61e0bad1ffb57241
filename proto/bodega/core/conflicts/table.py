"""Every case of two facts that can meet, and the rule that resolves it: what `bodegactl conflicts` explains.

A rule that changes what it decides gets a new version; rows keep the version that made them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Case(NamedTuple):
    """A kind of conflict: its rule as "name@version", and in one sentence what the rule does."""

    rule: str
    sentence: str


CASES: Mapping[str, Case] = {
    "cancel_races_ship": Case(
        "cancel_races_ship@1",
        "A parcel that left before the node knew of the cancel stays shipped and is intercepted or taken back; "
        "else the cancel wins and what was picked is put back.",
    ),
    "physical_shortfall": Case(
        "physical_shortfall@1",
        "Promises are kept by service class, promise time and order id; an order that lacks units is moved to a "
        "node that has them, and where none has, a person decides.",
    ),
    "two_nodes_claim": Case(
        "two_nodes_claim@1",
        "What a node ships before it hears that its work was revoked stands; whoever has the order now is stopped.",
    ),
    "duplicate_shipment": Case(
        "two_nodes_claim@1",
        "Two nodes have shipped one order: both parcels stand, and a person recalls one of them.",
    ),
    "same_stock_sold_twice": Case(
        "rights@1",
        "Cannot happen: each unit may be promised by one side only, the one that holds the right to it.",
    ),
}
