"""Which node serves an order, and why not the others: of those that can promise all of it, the nearest one.

Of equally near ones, the first by id.
"""

from __future__ import annotations

from bodega.core.promise import Standing, demand_by_sku
from bodega.core.routing.bundle import Bundle
from bodega.core.routing.choice import Choice, Judged, Reason, Share
from bodega.core.routing.inputs import Inputs, Site
from bodega.core.routing.places import distance_km

_NOT_HELD = Standing(0)


def decide(bundle: Bundle, inputs: Inputs) -> Choice:
    """The same choice for the same inputs, in whatever order their sites come."""
    demand = demand_by_sku((line.sku_id, line.quantity) for line in inputs.lines)
    judged = [_judge(demand, inputs, site) for site in inputs.sites if site.node_id not in inputs.passed_over]
    judged.sort(key=lambda one: (not one.eligible, one.distance_km, one.node_id))
    wanted = {line.line: line.quantity for line in inputs.lines}
    if not judged or not judged[0].eligible:
        return Choice((), bundle.rule, tuple(judged), unserved=wanted)
    return Choice((Share(judged[0].node_id, wanted),), bundle.rule, tuple(judged))


def _judge(demand: dict[str, int], inputs: Inputs, site: Site) -> Judged:
    place = inputs.destination
    away = round(distance_km(place.latitude, place.longitude, site.latitude, site.longitude), 3)
    short = [
        _too_little(sku_id, wanted, site.standings.get(sku_id, _NOT_HELD))
        for sku_id, wanted in sorted(demand.items())
        if wanted > site.standings.get(sku_id, _NOT_HELD).available
    ]
    if short:
        return Judged(site.node_id, away, eligible=False, reasons=tuple(short))
    fits = Reason("can-promise", f"holds all of it above its safety stock, {away:.1f} km away")
    return Judged(site.node_id, away, eligible=True, reasons=(fits,))


def _too_little(sku_id: str, wanted: int, standing: Standing) -> Reason:
    return Reason(
        "insufficient-stock",
        f"{sku_id}: {wanted} wanted, {standing.available} available "
        f"({standing.sellable} sellable, {standing.reserved} reserved, "
        f"{standing.node_rights} held by the node, {standing.held_back} kept back, "
        f"{standing.safety_stock} safety stock)",
    )
