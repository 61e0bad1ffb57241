"""Rules about people: what each did with their hands is what was asked for, and the book says who it was. Pure."""

from __future__ import annotations

from collections import Counter

from bodega.codec import parse_node_event
from bodega_agent.demo.evidence import Evidence, Site

Breaches = list[str]


def each_parcel_holds_what_was_ordered(evidence: Evidence) -> Breaches:
    """Pick accuracy is 100 %: what left in parcels is what was ordered, but for honest shorts."""
    order_of = {
        work.fulfillment_order_id: work.order_id for site in evidence.sites for work in site.ledger.works
    }
    left: dict[str, Counter[str]] = {}
    for site in evidence.sites:
        for fulfillment_order_id, units in site.floor.parcels.items():
            left.setdefault(order_of.get(fulfillment_order_id, ""), Counter()).update(units)
    broken = []
    for order in evidence.centre.orders:
        wanted: Counter[str] = Counter()
        if order.state != "cancelled":
            for line in order.lines:
                wanted[line.sku_id] += line.quantity - line.short
        got = left.pop(order.order_id, Counter())
        if +got != +wanted:
            broken.append(f"order {order.order_id} should have {dict(+wanted)} and got {dict(+got)}")
    return broken + [
        f"a parcel left for an order that nobody has placed: {dict(units)}" for units in left.values()
    ]


def every_scan_says_who(evidence: Evidence) -> Breaches:
    """Every event of a scanner names one of the people who work there; what the camera says, it says itself."""
    return [
        f"{site.node_id}: event {row.seq} ({row.fact}) of {event.device} was done by '{event.actor}'"
        for site in evidence.sites
        for row in site.ledger.journal
        for event in [parse_node_event(row.body)]
        if event.device.startswith("scanner-")
        and (row.fact, event.actor) != ("vision_decision", "vision")
        and event.actor not in _people_of(evidence, site)
    ]


def _people_of(evidence: Evidence, site: Site) -> frozenset[str]:
    plan = next(plan for plan in evidence.plan.sites if plan.site.node_id == site.node_id)
    return frozenset(person.associate_id for person in plan.site.people)
