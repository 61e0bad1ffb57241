"""Sums over evidence that both the invariants and the figures need. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core.ledger import COUNT, FOUND, SUPPLIER, Account, Movement
from bodega_agent.demo.evidence import Evidence, Ledger, Row

FINAL_STATES = frozenset({"shipped", "partially_shipped", "unfulfillable", "cancelled"})


def movements(journal: Iterable[Row]) -> list[Movement]:
    """Every movement of a journal, decoded from the recorded bytes."""
    return [
        movement_from_wire(event.movement)
        for event in (parse_node_event(row.body) for row in journal)
        if event.WhichOneof("fact") == "movement"
    ]


def external_units(balances: Mapping[Account, int], external: str) -> Counter[str]:
    """Units by SKU that an external account got; negative for what came out of it."""
    found: Counter[str] = Counter()
    for account, quantity in balances.items():
        if account.external == external:
            found[account.sku_id] += quantity
    return found


def units_in(balances: Mapping[Account, int]) -> Counter[str]:
    """Units by SKU that came in from suppliers."""
    return Counter({sku_id: -units for sku_id, units in external_units(balances, SUPPLIER).items()})


def units_on_hand(balances: Mapping[Account, int]) -> Counter[str]:
    """Units by SKU in bins, on the dock, on stages and in parcels."""
    found: Counter[str] = Counter()
    for account, quantity in balances.items():
        if account.is_physical:
            found[account.sku_id] += quantity
    return found


def units_written_off(balances: Mapping[Account, int]) -> Counter[str]:
    """Units by SKU that counts took out of the book, less those that scans found."""
    gone = external_units(balances, COUNT)
    gone.update(external_units(balances, FOUND))
    return gone


def bins_of(balances: Mapping[Account, int]) -> dict[tuple[str, str], int]:
    """Units by (place, SKU), whatever lot, owner and disposition."""
    found: Counter[tuple[str, str]] = Counter()
    for account, quantity in balances.items():
        if account.is_physical:
            found[account.bin, account.sku_id] += quantity
    return {place: units for place, units in found.items() if units}


def oversold_units(evidence: Evidence) -> dict[tuple[str, str], int]:
    """Units promised that were never there, by (node, SKU).

    Promised: units of all orders that were accepted and not cancelled. There: units that came in from the
    supplier. Shrink that shows at the shelf is a measured shortfall and no oversell, so a short unit counts
    here only as far as no count wrote a unit of that SKU off.
    """
    promised: Counter[tuple[str, str]] = Counter()
    short: Counter[tuple[str, str]] = Counter()
    for order in evidence.centre.orders:
        if order.state == "cancelled":
            continue
        for line in order.lines:
            promised[order.node_id, line.sku_id] += line.quantity
            short[order.node_id, line.sku_id] += line.short
    over: Counter[tuple[str, str]] = Counter()
    for site in evidence.sites:
        came_in, gone = units_in(site.ledger.balances), units_written_off(site.ledger.balances)
        for node_id, sku_id in [key for key in promised if key[0] == site.node_id]:
            key = (node_id, sku_id)
            over[key] = max(0, promised[key] - came_in[sku_id], short[key] - max(0, gone[sku_id]))
    return dict(+over)


def lost_events(ledger: Ledger, at_hub: Iterable[Row]) -> list[str]:
    """Events that a node's file holds, or held before it was killed, and that are missing now.

    Missing means: no row of the same epoch and sequence with the same chain hash.
    """
    hub = {(row.epoch, row.seq): row.hash for row in at_hub}
    here = {(row.epoch, row.seq): row.hash for row in ledger.journal}
    lost = [
        f"event {row.epoch}/{row.seq} ({row.fact}) is not in the hub's journal"
        for row in ledger.journal
        if hub.get((row.epoch, row.seq)) != row.hash
    ]
    lost += [
        f"event {row.epoch}/{row.seq} was there before the kill and is gone"
        for row in ledger.kept
        if here.get((row.epoch, row.seq)) != row.hash
    ]
    return lost


def doubled_events(ledger: Ledger, at_hub: Iterable[Row]) -> list[str]:
    """Rows of the hub's journal beyond those that the node recorded: the same event at two places."""
    surplus = Counter(row.body for row in at_hub)
    surplus.subtract(Counter(row.body for row in ledger.journal))
    return [
        f"an event is {more} times too often in the hub's journal" for more in surplus.values() if more > 0
    ]


def double_labels(evidence: Evidence) -> dict[str, int]:
    """Labels beyond the first that came out of printers, by SSCC, over all nodes."""
    printed = Counter(sscc for site in evidence.sites for sscc in site.floor.labels)
    return {sscc: many - 1 for sscc, many in printed.items() if many > 1}
