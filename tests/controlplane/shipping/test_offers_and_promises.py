"""What a node can send an order with, what a customer may be promised, and what a carrier that is down changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.parcels import Goods
from bodega.core.promise import Standing
from bodega.core.rates import SERVICE_CLASSES
from bodega.core.routing.bundle import DEFAULT
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Inputs, Line, Site
from bodega.errors import InvalidInput
from bodega.limits import TIME_MS_MAX
from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.shipping import asking, cards, carriers, telling
from bodega_controlplane.app.shipping.offering import offers_at, promises_for
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, PORTO, node_draft, settle
from support.rate_cards import MONDAY_MORNING_MS, TEA, TO_LISBON, TO_MADEIRA, card, service, zone

NODES = ("lisbon-01", "porto-01")
NOW = replace(OPERATOR, now_ms=MONDAY_MORNING_MS)
EVENING_MS = MONDAY_MORNING_MS + 9 * 3600 * 1000


def give(store: Store, what: pb.RateCard | None = None) -> None:
    """Import a card and give every node what follows from it."""
    store.write(lambda tx: cards.import_card(tx, NOW, what or card()))
    tell_all(store)


def tell_all(store: Store) -> list[str]:
    """One round of telling: the nodes that were behind."""
    late = store.read(lambda tx: telling.behind(tx, NOW.now_ms))
    for node_id in late:
        store.write(lambda tx, node_id=node_id: telling.tell(tx, NOW, node_id))
    return late


@pytest.fixture
def network(store: Store) -> Store:
    """Two nodes with the card."""
    settle(store, "TEA", node_ids=NODES)
    give(store)
    return store


def named(store: Store, node_id: str, to=TO_LISBON, goods=TEA, at_ms: int = MONDAY_MORNING_MS):
    offers = store.read(lambda tx: offers_at(tx, [node_id], to, goods, at_ms)[node_id])
    return [(one.service, one.price_minor, one.ship_date, one.due_date) for one in offers]


def test_each_node_offers_what_collects_there_cheapest_first(network: Store) -> None:
    assert named(network, "lisbon-01") == [
        ("ECO", 440, "2026-11-23", "2026-11-26"),
        ("PARCEL", 500, "2026-11-23", "2026-11-25"),
        ("EXPRESS", 900, "2026-11-23", "2026-11-24"),
    ]
    assert [name for name, *_ in named(network, "porto-01")] == ["PARCEL", "EXPRESS"]


def test_a_remote_place_costs_more_and_may_change_which_service_is_the_cheapest(network: Store) -> None:
    assert named(network, "lisbon-01", to=TO_MADEIRA)[0][:2] == ("PARCEL", 500)
    assert ("ECO", 440 + 450) in [row[:2] for row in named(network, "lisbon-01", to=TO_MADEIRA)]


def test_after_the_cut_off_everything_is_a_working_day_later(network: Store) -> None:
    assert named(network, "porto-01", at_ms=EVENING_MS)[0] == ("PARCEL", 500, "2026-11-24", "2026-11-26")


def test_what_no_bracket_takes_and_where_nobody_goes_has_no_offer(network: Store) -> None:
    assert named(network, "lisbon-01", goods=(Goods(1, 10_001),)) == []
    assert named(network, "lisbon-01", to=replace(TO_LISBON, country="DE")) == []
    assert named(network, "unknown") == []


def test_nobody_is_sent_with_a_carrier_that_is_down_and_the_second_one_takes_over(network: Store) -> None:
    network.write(lambda tx: carriers.set_carrier(tx, NOW, "southpost", down=True, reason="strike"))
    assert [name for name, *_ in named(network, "lisbon-01")] == ["PARCEL", "EXPRESS"], (
        "at once, before any node knows"
    )
    network.write(lambda tx: carriers.set_carrier(tx, NOW, "southpost", down=False))
    assert named(network, "lisbon-01")[0][0] == "ECO"


def test_many_nodes_are_asked_at_once_and_answer_as_each_alone(network: Store) -> None:
    together = network.read(lambda tx: offers_at(tx, NODES, TO_LISBON, TEA, MONDAY_MORNING_MS))
    alone = {
        node_id: network.read(lambda tx, n=node_id: offers_at(tx, [n], TO_LISBON, TEA, MONDAY_MORNING_MS)[n])
        for node_id in NODES
    }
    assert together == alone


def test_each_class_is_promised_by_the_cheapest_that_keeps_it(network: Store) -> None:
    found = network.read(lambda tx: promises_for(tx, NODES, TO_LISBON, TEA, MONDAY_MORNING_MS))
    assert [(one.service_class, one.offer.service, one.node_id, one.on_time) for one in found] == [
        ("next_day", "EXPRESS", "lisbon-01", True),
        ("standard", "ECO", "lisbon-01", True),
    ]
    assert found[0].order_by_ms == MONDAY_MORNING_MS + 7 * 3600 * 1000, "collected at 17:00"


def test_a_class_that_nobody_keeps_any_more_today_is_promised_late_with_its_day(network: Store) -> None:
    found = network.read(lambda tx: promises_for(tx, NODES, TO_LISBON, TEA, EVENING_MS))
    next_day, standard = found
    assert (next_day.on_time, next_day.offer.due_date) == (False, "2026-11-25")
    assert standard.on_time


@pytest.mark.parametrize("service_class", SERVICE_CLASSES)
@pytest.mark.parametrize("hours", [0, 6, 9, 5 * 24, 5 * 24 + 12])
def test_what_a_customer_is_promised_from_a_node_is_what_routing_chooses_there(
    network: Store, service_class: str, hours: int
) -> None:
    bike = service("bikes", "BIKE", "same_day", zone("PT", 1500, days=0), cut_off_minute=22 * 60)
    bike.collection_days[:] = []
    give(network, card(services=[*card().services, bike]))
    now_ms = MONDAY_MORNING_MS + hours * 3600 * 1000
    offers = network.read(lambda tx: offers_at(tx, NODES, TO_LISBON, TEA, now_ms)["lisbon-01"])
    promises = network.read(lambda tx: promises_for(tx, ("lisbon-01",), TO_LISBON, TEA, now_ms))
    (promised,) = [one for one in promises if one.service_class == service_class]
    site = Site("lisbon-01", 38.7, -9.1, {"TEA": Standing(9)}, offers=offers)
    lines = (Line(1, "TEA", 2),)
    choice = decide(DEFAULT, Inputs(now_ms, "", "parcel", service_class, lines, TO_LISBON, (site,)))
    assert choice.shares[0].service == promised.offer.service
    assert (choice.stage == "whole") is promised.on_time


def test_a_quote_may_be_asked_for_any_day_that_there_is_and_for_no_other(network: Store) -> None:
    tea = asking.Question("lisbon-01", "PT", "1100-060", 900, 0, residential=True, at_ms=0)
    for at_ms in (0, TIME_MS_MAX):
        quotes, _promises = network.read(lambda tx, at_ms=at_ms: asking.quote(tx, replace(tea, at_ms=at_ms)))
        assert len(quotes) == 3
    for at_ms in (-1, TIME_MS_MAX + 1, 2**63 - 1):
        with pytest.raises(InvalidInput) as refused:
            network.read(lambda tx, at_ms=at_ms: asking.quote(tx, replace(tea, at_ms=at_ms)))
        assert [one.where for one in refused.value.faults] == ["at_ms"]


def test_goods_that_one_box_does_not_hold_are_priced_by_the_parcels_they_become(store: Store) -> None:
    settle(store, "TEA", node_ids=("lisbon-01",))
    box = pb.Carton(
        carton_id="S", length_mm=100, width_mm=100, height_mm=100, max_weight_g=1_100, weight_g=100
    )
    draft = replace(node_draft("porto-01", PORTO, number=1), cartons=(box,), time_zone="Europe/Lisbon")
    store.write(lambda tx: nodes.register_node(tx, NOW, draft))
    give(store)
    prices = [row[1] for row in named(store, "porto-01", goods=(Goods(5, 450, 100),))]
    assert prices == [3 * 500, 3 * 900], "2,250 g, a kilogram in each box"


def test_a_node_that_joins_later_has_the_card_from_its_first_profile_on(network: Store) -> None:
    network.write(lambda tx: nodes.register_node(tx, NOW, node_draft("faro-01", number=2)))
    assert [name for name, *_ in named(network, "faro-01")] == ["PARCEL", "EXPRESS"]
    assert tell_all(network) == [], "there is nothing to tell it"
