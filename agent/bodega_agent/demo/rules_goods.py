"""Rules about goods: hands, shelves and both books say the same, unit by unit and bin by bin. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bodega.core.ledger import CARRIER, DOCK, fold, stage_of
from bodega.errors import IntegrityBroken, PeerFault
from bodega_agent.demo import tally
from bodega_agent.demo.evidence import Evidence, Site
from bodega_agent.demo.places import QUALITY_BIN

Breaches = list[str]


def units_balance(evidence: Evidence) -> Breaches:
    """Units in = units out + units on hand + units written off, in both books."""
    broken = []
    for site in evidence.sites:
        books = {"node": site.ledger.balances, "centre": evidence.centre.stock.get(site.node_id, {})}
        for whose, book in books.items():
            rest = tally.units_in(book)
            rest.subtract(tally.external_units(book, CARRIER))
            rest.subtract(tally.units_on_hand(book))
            rest.subtract(tally.units_written_off(book))
            broken += [
                f"{site.node_id}, book of the {whose}: {units:+d} units of {sku_id} are unaccounted for"
                for sku_id, units in rest.items()
                if units
            ]
    return broken


def hands_and_books_agree(evidence: Evidence) -> Breaches:
    """What hands took off the lorry and gave to the carrier is what the book says."""
    broken = []
    for site in evidence.sites:
        broken += _differences(
            f"{site.node_id}: units in", site.floor.unloaded, tally.units_in(site.ledger.balances)
        )
        broken += _differences(
            f"{site.node_id}: units out",
            site.floor.shipped,
            tally.external_units(site.ledger.balances, CARRIER),
        )
    return broken


def shelves_and_books_agree(evidence: Evidence) -> Breaches:
    """Each bin holds what the book says, but for what was stolen and nobody has looked for yet."""
    broken = []
    for site in evidence.sites:
        really = Counter(dict(site.floor.bins))
        for place, units in site.floor.taken.items():
            # An empty shelf that was reported has been written off; any other theft is not known yet.
            if place not in site.floor.reported_empty:
                really[place] += units
        for sku_id, units in site.floor.dock.items():
            really[DOCK, sku_id] += units
        for fulfillment_order_id, stage in site.floor.stages.items():
            for sku_id, units in stage.items():
                really[stage_of(fulfillment_order_id), sku_id] += units
        broken += _differences(f"{site.node_id}: units at", really, tally.bins_of(site.ledger.balances))
    return broken


def node_and_centre_agree(evidence: Evidence) -> Breaches:
    """Node and centre agree, bin by bin."""
    return [
        breach
        for site in evidence.sites
        for breach in _differences(
            f"{site.node_id}: node and centre at",
            site.ledger.balances,
            evidence.centre.stock.get(site.node_id, {}),
        )
    ]


def nothing_lies_about(evidence: Evidence) -> Breaches:
    """Nothing is left on the dock, on a stage or in an unsent parcel."""
    return [
        f"{site.node_id}: {units} of {sku_id} still lie at {place}"
        for site in evidence.sites
        for (place, sku_id), units in tally.bins_of(site.ledger.balances).items()
        if place not in _shelf_bins(evidence, site)
    ]


def _shelf_bins(evidence: Evidence, site: Site) -> frozenset[str]:
    plan = next(plan for plan in evidence.plan.sites if plan.site.node_id == site.node_id)
    return frozenset({*plan.site.bins, QUALITY_BIN})


def the_scanner_is_obeyed(evidence: Evidence) -> Breaches:
    """Every right scan is taken, every wrong one is refused."""
    broken = []
    for site in evidence.sites:
        broken += [f"{site.node_id}: a wrong scan was taken: {said}" for said in site.floor.wrong_scans_taken]
        broken += [
            f"{site.node_id}: a right scan was refused: {said}" for said in site.floor.right_scans_refused
        ]
    return broken


def books_are_the_sum_of_their_events(evidence: Evidence) -> Breaches:
    """Balances are what the journals add up to, at the nodes and at the centre."""
    broken = []
    for site in evidence.sites:
        at_hub = evidence.centre.journals.get(site.node_id, ()), evidence.centre.stock.get(site.node_id, {})
        for whose, (journal, book) in {
            "node": (site.ledger.journal, site.ledger.balances),
            "centre": at_hub,
        }.items():
            what = f"{site.node_id}, journal and book of the {whose}"
            try:
                broken += _differences(f"{what} at", fold(tally.movements(journal)), book)
            except (IntegrityBroken, PeerFault) as error:
                broken.append(f"{what}: {error.message}")
    return broken


def _differences(what: str, really: Mapping[Any, int], by_book: Mapping[Any, int]) -> Breaches:
    return [
        f"{what} {_words(key)}: {really.get(key, 0)} and {by_book.get(key, 0)}"
        for key in sorted({*really, *by_book}, key=str)
        if really.get(key, 0) != by_book.get(key, 0)
    ]


def _words(key: Any) -> str:
    return " ".join(part for part in key if part) if isinstance(key, tuple) else str(key)
