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
    "restored_node": Case(
        "restored_node@1",
        "What a node wrote beside the hub's line is judged event by event: goods stay where they were brought,"
        " promises are checked again, every bin that was touched is counted.",
    ),
    "cloned_node": Case(
        "cloned_node@1",
        "Of two agents that run as one node, the one whose events the hub has goes on and the other is fenced;"
        " what that one wrote is kept.",
    ),
    "restored_hub": Case(
        "restored_hub@1",
        "An order that the hub has forgotten with a restore stays at its node until a person decides.",
    ),
    "count_races_movements": Case(
        "count_races_movements@1",
        "A count of a place that goods moved in or out of while it was counted books nothing and is asked for again.",
    ),
    "edited_on_both_sides": Case(
        "edited_on_both_sides@1",
        "Each field has an owner; a shared field goes by the hub's order and the later edit is kept to be re-applied;"
        " units, barcodes and tracking wait for a person.",
    ),
    "transfer_differs": Case(
        "transfer_differs@1",
        "When both nodes have said that nothing follows, what left one and did not reach the other is written off at"
        " the receiving one.",
    ),
    "human_override": Case(
        "human_override@1",
        "What a person sets aside, with a reason and an end, outranks the rule until it is closed; no history changes.",
    ),
    "duplicate_scan": Case(
        "duplicate_scan@1",
        "The device's own counter decides: the same number again is the same scan, and does nothing.",
    ),
}
