"""Which node serves an order, and why not the others.

Rule nearest-with-floor@1: of the nodes that can promise all of it, with the safety stock kept, the nearest
to the recipient; of equally near ones, the first by id. One node serves a whole order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from bodega.core.promise import Standing

# Mean radius of the earth, IUGG.
_EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """The rule in force and the units of each SKU that a node never promises."""

    safety_stock: int
    rule: str = "nearest-with-floor@1"


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """Where it goes (degrees, WGS 84) and what is asked for, base units per SKU, each SKU once."""

    latitude: float
    longitude: float
    demand: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node as it stands; a SKU without a standing is one that it does not hold."""

    node_id: str
    latitude: float
    longitude: float
    standings: Mapping[str, Standing]


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable word for programs and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with its judgement; an eligible one says so in a reason too."""

    node_id: str
    distance_km: float
    eligible: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class RouteChoice:
    """The node chosen, or None if nobody can serve; `candidates` best first."""

    node_id: str | None
    rule: str
    candidates: tuple[Judged, ...]


def decide(policy: RoutingPolicy, request: RouteRequest, candidates: Iterable[Candidate]) -> RouteChoice:
    """The same choice for the same inputs, in whatever order they come."""
    judged = [_judge(policy, request, candidate) for candidate in candidates]
    judged.sort(key=lambda one: (not one.eligible, one.distance_km, one.node_id))
    chosen = judged[0].node_id if judged and judged[0].eligible else None
    return RouteChoice(chosen, policy.rule, tuple(judged))


def _judge(policy: RoutingPolicy, request: RouteRequest, candidate: Candidate) -> Judged:
    away = distance_km(request.latitude, request.longitude, candidate.latitude, candidate.longitude)
    nothing = Standing(0, safety_stock=policy.safety_stock)
    short = [
        _too_little(sku_id, wanted, candidate.standings.get(sku_id, nothing))
        for sku_id, wanted in sorted(request.demand.items())
        if wanted > candidate.standings.get(sku_id, nothing).available
    ]
    distance = round(away, 3)
    if short:
        return Judged(candidate.node_id, distance, eligible=False, reasons=tuple(short))
    fits = Reason("can-promise", f"holds all of it above its safety stock, {distance:.1f} km away")
    return Judged(candidate.node_id, distance, eligible=True, reasons=(fits,))


def _too_little(sku_id: str, wanted: int, standing: Standing) -> Reason:
    return Reason(
        "insufficient-stock",
        f"{sku_id}: {wanted} wanted, {standing.available} available "
        f"({standing.sellable} sellable, {standing.reserved} reserved, "
        f"{standing.node_rights} held by the node, {standing.held_back} kept back, "
        f"{standing.safety_stock} safety stock)",
    )


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance by the haversine formula, degrees in."""
    north, to_north = radians(latitude), radians(to_latitude)
    half_chord = (
        sin((to_north - north) / 2) ** 2
        + cos(north) * cos(to_north) * sin(radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half_chord)))
