"""Questions for the routing engine, and bundles as their authors write them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from bodega.core.promise import Standing
from bodega.core.routing.bundle import Bundle, parse
from bodega.core.routing.choice import Choice, Judged
from bodega.core.routing.inputs import Destination, Inputs, Line, Offer, Site

LISBON = (38.7223, -9.1393)
PORTO = (41.1579, -8.6291)
MADRID = (40.4168, -3.7038)
# Sunday, 22 November 2026, 23:04 UTC.
NOW_MS = 1_795_388_640_000


def site(
    node_id: str, place: tuple[float, float] = LISBON, /, stock: dict[str, int] | None = None, **said: Any
) -> Site:
    """A node with so many units of each SKU above its safety stock of 2."""
    held = {sku: Standing(units + 2, safety_stock=2) for sku, units in (stock or {"TEA": 10}).items()}
    return Site(node_id, *place, held, **said)


def offer(service: str, price_minor: int = 400, **said: Any) -> Offer:
    """A carrier service that leaves tomorrow and is there the day after."""
    days = {"service_class": "standard", "ship_date": "2026-11-23", "due_date": "2026-11-24", **said}
    return Offer(service, "northpost", price_minor=price_minor, currency="EUR", **days)


def question(*sites: Site, demand: dict[str, int] | None = None, **said: Any) -> Inputs:
    """An order from Lisbon for so many units of each SKU."""
    lines = tuple(
        Line(number, *asked) for number, asked in enumerate((demand or {"TEA": 3}).items(), start=1)
    )
    asked = Inputs(
        NOW_MS,
        "storefront",
        "parcel",
        "standard",
        lines,
        Destination("PT", "1000-001", *LISBON),
        tuple(sites),
    )
    return replace(asked, **said)


def document(**said: Any) -> dict[str, Any]:
    """The smallest bundle that chooses, with what is said of it on top."""
    return {"name": "tried", "version": 1, "stages": [{"name": "whole"}], **said}


def bundle(**said: Any) -> Bundle:
    """That bundle, read."""
    return parse(json.dumps(document(**said)).encode())


def keeping(expression: str, **said: Any) -> Bundle:
    """A bundle of one filter, called "tried-filter"."""
    return bundle(filters=[{"name": "tried-filter", "keep": expression, "why": "it says no"}], **said)


def nodes_of(choice: Choice) -> list[str]:
    """Who serves, best first."""
    return [share.node_id for share in choice.shares]


def judged(choice: Choice, node_id: str) -> Judged:
    """What was found of one node."""
    return next(one for one in choice.candidates if one.node_id == node_id)


def codes(choice: Choice, node_id: str) -> list[str]:
    """The words for programs of one node's reasons."""
    return [reason.code for reason in judged(choice, node_id).reasons]
