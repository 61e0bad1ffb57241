"""What a set of routing decisions comes to: cost by currency, parcels on time and late, where the work lands."""

from __future__ import annotations

import pytest

from bodega.core.promise import Standing
from bodega.core.routing.choice import Choice, Share
from bodega.core.routing.inputs import Destination, Inputs, Line, Offer, Site
from bodega_controlplane.rules.routing_tally import Tally

DAY_MS = 24 * 3600 * 1000
NEXT = Offer("NEXT", "northpost", "next_day", 700, "EUR", "2026-11-23", "2026-11-24")
ECO = Offer("ECO", "southpost", "standard", 300, "EUR", "2026-11-24", "2026-11-27")
SWISS = Offer("ECO", "alpost", "standard", 900, "CHF", "2026-11-23", "2026-11-27")
# 2026-11-23, noon UTC.
MONDAY_MS = 1_795_435_200_000


def inputs(service_class: str = "standard", ship_by_ms: int = 0) -> Inputs:
    held = {"TEA": Standing(10)}
    sites = (
        Site("lisbon", 38.7, -9.1, held, offers=(NEXT, ECO)),
        Site("bern", 46.9, 7.4, held, offers=(SWISS,)),
    )
    lines = (Line(1, "TEA", 2),)
    there = Destination("PT", "1000", 38.7, -9.1)
    return Inputs(MONDAY_MS, "shop", "parcel", service_class, lines, there, sites, ship_by_ms=ship_by_ms)


def chosen(*shares: tuple[str, str, int]) -> Choice:
    return Choice(tuple(Share(node, {1: 1}, service, price) for node, service, price in shares), "r@1", ())


@pytest.mark.parametrize(
    ("service_class", "ship_by_ms", "service", "on_time"),
    [
        ("standard", 0, "ECO", 1),
        ("next_day", 0, "ECO", 0),
        ("next_day", 0, "NEXT", 1),
        ("standard", MONDAY_MS, "NEXT", 1),
        ("standard", MONDAY_MS, "ECO", 0),
        ("standard", MONDAY_MS + DAY_MS, "ECO", 1),
    ],
)
def test_a_parcel_is_on_time_if_its_service_keeps_class_and_day(
    service_class: str, ship_by_ms: int, service: str, on_time: int
) -> None:
    tally = Tally()
    tally.add(inputs(service_class, ship_by_ms), chosen(("lisbon", service, 1)))
    assert (tally.on_time, tally.late) == (on_time, 1 - on_time)


def test_sums_are_by_currency_and_by_node() -> None:
    tally = Tally()
    tally.add(inputs(), chosen(("lisbon", "ECO", 300), ("bern", "ECO", 900)))
    tally.add(inputs(), chosen(("lisbon", "", 0)))
    tally.add(inputs(), chosen())
    assert (tally.decisions, tally.unserved, tally.splits, tally.shares, tally.unpriced) == (3, 1, 1, 3, 1)
    assert dict(tally.cost_minor) == {"EUR": 300, "CHF": 900}
    assert dict(tally.by_node) == {"lisbon": 2, "bern": 1}
