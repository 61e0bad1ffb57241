"""What devices, broker, databases and API really hold at the end of a run, as values to judge.

`invariants.py` and `figures.py` read nothing else. Each part comes from another witness, and none of them is
asked what it meant to do: hands and printers (`Floor`), the nodes' files (`Ledger`), the hub's database
(`Centre`), the broker's streams (`Wire`), and the answers of the public API (`Till`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.core.ledger import Account
from bodega.core.sync import Envelope
from bodega_agent.demo.plan import Plan
from bodega_agent.demo.proxy import Outage
from bodega_agent.demo.shop import Receipt


@dataclass(frozen=True, slots=True)
class Row:
    """One event of a journal. `committed_ms` is 0 in a node's own journal; times are wall clock."""

    epoch: int
    seq: int
    hash: bytes
    body: bytes
    fact: str = ""
    cmd_id: str = ""
    at_ms: int = 0
    committed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; base units. `picked` is counted by nodes, `shipped` by the centre."""

    line: int
    sku_id: str
    quantity: int
    short: int
    picked: int = 0
    shipped: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """A fulfillment order, as node or centre has it."""

    fulfillment_order_id: str
    order_id: str
    state: str
    sscc: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A customer's order, as the centre or the API has it."""

    order_id: str
    reference: str
    state: str
    node_id: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """What hands and devices know of one node. `labels` are the SSCCs that came out of the printer.

    `bins`: units by (bin, SKU) on the shelf; `taken`: stolen from there; `reported_empty`: (bin, SKU) that
    the associate found and reported empty; `parcels`: what left with the carrier, by fulfillment order.
    `wrong_scans_taken` and `right_scans_refused`: sentences; `wrong_scans`: slips of the hand in all.
    """

    bins: Mapping[tuple[str, str], int]
    taken: Mapping[tuple[str, str], int]
    reported_empty: frozenset[tuple[str, str]]
    unloaded: Mapping[str, int]
    shipped: Mapping[str, int]
    dock: Mapping[str, int]
    stages: Mapping[str, Mapping[str, int]]
    parcels: Mapping[str, Mapping[str, int]]
    labels: tuple[str, ...]
    wrong_scans_taken: tuple[str, ...] = ()
    right_scans_refused: tuple[str, ...] = ()
    wrong_scans: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What one node's file holds. `kept` is the journal as it was just before the agent was killed.

    `verified` is the node's own check of its chain and balances; `acked_seq` and `down_seq` are its cursors;
    `labels_asked_again` counts print jobs beyond the first of a parcel.
    """

    journal: tuple[Row, ...]
    balances: Mapping[Account, int]
    works: tuple[Work, ...]
    acked_seq: int
    down_seq: int
    verified: bool
    labels_asked_again: int = 0
    kept: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Centre:
    """What the hub's database holds; mappings are by node.

    `audit_entries` and `audit_first_bad_seq` (0 for none) are what `bodegactl audit verify` found.
    `conflicts` counts rows by kind, `verdicts` those of the cameras by outcome.
    """

    journals: Mapping[str, tuple[Row, ...]]
    stock: Mapping[str, Mapping[Account, int]]
    down_logs: Mapping[str, tuple[Row, ...]]
    applied_seq: Mapping[str, int]
    down_applied_seq: Mapping[str, int]
    orders: tuple[Order, ...]
    works: tuple[Work, ...]
    open_reservations: int
    refused_envelopes: int
    audit_entries: int
    audit_first_bad_seq: int
    conflicts: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wire:
    """What the broker's streams hold, by node, in stream order."""

    up: Mapping[str, tuple[Envelope, ...]]
    down: Mapping[str, tuple[Envelope, ...]]


@dataclass(frozen=True, slots=True)
class Till:
    """What the shop was told: a receipt per wish, and all orders as the API lists them at the end."""

    receipts: tuple[Receipt, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One node, from all sides: `cuts` of its network, `deaths` of its agent."""

    node_id: str
    floor: Floor
    ledger: Ledger
    cuts: tuple[Outage, ...] = ()
    deaths: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything."""

    plan: Plan
    sites: tuple[Site, ...]
    centre: Centre
    wire: Wire
    till: Till
    unclean_stops: tuple[str, ...] = ()

    def site(self, node_id: str) -> Site:
        """One node by its id; it must be there."""
        return next(site for site in self.sites if site.node_id == node_id)
