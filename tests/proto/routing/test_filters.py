"""What a bundle may look at, and what becomes of nodes, SKUs and carrier services that its filters turn down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Inputs, Line, Site
from bodega.limits import TIME_MS_MAX
from support.routing_cases import (
    MADRID,
    NOW_MS,
    PORTO,
    bundle,
    codes,
    judged,
    keeping,
    nodes_of,
    offer,
    question,
    site,
)

NEAR = site("near")
FAR = site("far", MADRID)

CUT_OFF = {"cut_off": {"rows": {"near": 1020}, "default": 1200}}
UNION = {"customs_union": {"rows": {"PT": "EU", "ES": "EU"}, "default": "none"}}

FILTERS: list[tuple[str, str, Site, Site, dict[str, object]]] = [
    ("distance", "node.distance_km <= 300.0", FAR, NEAR, {}),
    (
        "capacity",
        "node.capacity_orders == 0 || node.open_orders < node.capacity_orders",
        replace(NEAR, open_orders=5, capacity_orders=5),
        FAR,
        {},
    ),
    (
        "kind",
        "node.kind in ['store', 'dark_store']",
        replace(NEAR, kind="depot"),
        replace(FAR, kind="store"),
        {},
    ),
    ("label", "'cold' in node.labels", NEAR, replace(FAR, labels={"cold": "yes"}), {}),
    ("silence", "node.silent_s >= 0 && node.silent_s < 60", replace(NEAR, silent_s=-1), FAR, {}),
    (
        "cut-off",
        "node.local_minute < cut_off(node.node_id)",
        replace(NEAR, local_minute=1020),
        replace(FAR, local_minute=1199),
        {"tables": CUT_OFF},
    ),
    (
        "customs border",
        "customs_union(node.country) == customs_union(order.country)",
        replace(NEAR, country="CH"),
        replace(FAR, country="ES"),
        {"tables": UNION},
    ),
    ("stock share", "node.stock_used <= 0.5", site("near", stock={"TEA": 5}), FAR, {}),
    ("carrier", "node.offers > 0", NEAR, replace(FAR, offers=(offer("S"),)), {}),
    (
        "price",
        "node.price_minor < 500",
        replace(NEAR, offers=(offer("S", 500),)),
        replace(FAR, offers=(offer("S", 499),)),
        {},
    ),
    (
        "days",
        "node.due_in_days <= 2",
        replace(NEAR, offers=(offer("S", due_date="2026-11-25"),)),
        replace(FAR, offers=(offer("S"),)),
        {},
    ),
]


@pytest.mark.parametrize(
    ("keep", "refused", "kept", "said"), [one[1:] for one in FILTERS], ids=[one[0] for one in FILTERS]
)
def test_a_node_that_a_filter_turns_down_says_so_and_the_other_serves(
    keep: str, refused: Site, kept: Site, said: dict[str, object]
) -> None:
    choice = decide(keeping(keep, **said), question(refused, kept))
    assert nodes_of(choice) == [kept.node_id]
    reason = judged(choice, refused.node_id).reasons[0]
    assert (reason.code, reason.text) == ("tried-filter", "it says no")


METHODS = "order.method != 'pickup' && order.method != 'locker' || node.kind == 'store'"


@pytest.mark.parametrize(
    ("method", "chosen"),
    [("parcel", "depot"), ("courier", "depot"), ("pickup", "store"), ("locker", "store")],
)
def test_a_way_to_the_customer_may_be_for_some_sorts_of_nodes_only(method: str, chosen: str) -> None:
    sites = [site("depot", kind="depot"), site("store", kind="store")]
    assert nodes_of(decide(keeping(METHODS), question(*sites, method=method))) == [chosen]


def test_an_order_for_one_node_is_served_there_or_nowhere() -> None:
    asked = question(site("near", stock={"TEA": 1}), site("far"), at_node="near")
    choice = decide(bundle(), asked)
    assert nodes_of(choice) == []
    assert codes(choice, "far") == ["another-node-asked"]


def test_every_filter_that_turns_a_node_down_is_named_not_the_first_alone() -> None:
    filters = [
        {"name": f"no-{number}", "keep": "node.kind == 'x'", "why": "not of that sort"} for number in (1, 2)
    ]
    choice = decide(bundle(filters=filters), question(site("near", stock={"TEA": 1})))
    assert codes(choice, "near") == ["no-1", "no-2", "insufficient-stock"]


def frozen(*sites: Site, **said: object) -> Inputs:
    lines = (Line(1, "TEA", 2), Line(2, "ICE", 2, product_class="frozen"))
    return question(*sites, lines=lines, **said)


COLD = "item.product_class != 'frozen' || node.kind == 'cold'"


def test_a_node_may_serve_all_but_a_class_of_products_and_another_one_the_rest() -> None:
    rules = keeping(COLD, stages=[{"name": "split", "shares_max": 2}])
    both = {"TEA": 10, "ICE": 10}
    plain, cold = site("plain", stock=both), site("cold", PORTO, stock={"ICE": 10}, kind="cold")
    choice = decide(rules, frozen(plain, cold, shares_max=2))
    assert {share.node_id: dict(share.quantities) for share in choice.shares} == {
        "plain": {1: 2},
        "cold": {2: 2},
    }
    alone = decide(rules, frozen(plain, cold))
    assert nodes_of(alone) == []
    assert [reason.text for reason in judged(alone, "plain").reasons] == ["ICE: it says no"]


def test_of_the_services_that_may_be_chosen_the_cheapest_that_keeps_the_promise_is() -> None:
    services = (
        offer("CHEAP", 100),
        offer("EXPRESS", 900, service_class="next_day"),
        offer("DEAR", 950, service_class="same_day"),
        offer("BIKE", 500, service_class="same_day"),
    )
    soon = replace(NEAR, offers=(offer("SOON", 500, due_date="2026-11-23"), offer("CHEAPER", 499)))
    assert decide(bundle(), question(soon)).shares[0].service == "CHEAPER"
    here = replace(NEAR, offers=services)
    asked = question(here, service_class="next_day")
    assert decide(bundle(), asked).shares[0].service == "BIKE"
    no_bikes = keeping("offer.service != 'BIKE'")
    share = decide(no_bikes, asked).shares[0]
    assert (share.service, share.price_minor) == ("EXPRESS", 900)


def test_a_service_that_misses_the_day_of_its_class_comes_after_dearer_ones_that_keep_it() -> None:
    gone = replace(offer("NEXT", 300, service_class="next_day", due_date="2026-11-25"), misses=("next_day",))
    bike = offer("BIKE", 900, service_class="same_day")
    here = question(replace(NEAR, offers=(gone, bike)), service_class="next_day")
    assert decide(bundle(), here).shares[0].service == "BIKE"
    assert decide(bundle(), replace(here, service_class="standard")).shares[0].service == "NEXT"
    later = replace(gone, service="LATER", price_minor=100, due_date="2026-11-30")
    all_late = replace(here, sites=(replace(NEAR, offers=(later, gone)),))
    assert decide(bundle(), all_late).shares[0].service == "NEXT", "all are late: the soonest"


def test_a_node_whose_services_are_all_turned_down_does_not_serve_and_says_why_of_each() -> None:
    choice = decide(
        keeping("offer.keeps_class && offer.in_time"),
        question(replace(NEAR, offers=(offer("SLOW"), offer("SLOWER"))), FAR, service_class="same_day"),
    )
    assert nodes_of(choice) == ["far"]
    assert [reason.text for reason in judged(choice, "near").reasons] == [
        "SLOW: it says no",
        "SLOWER: it says no",
    ]


def test_a_service_that_leaves_on_the_day_the_order_says_is_in_time_and_a_day_later_is_not() -> None:
    rules = keeping("offer.in_time")
    day_ms = 24 * 3600 * 1000
    by_monday = question(replace(NEAR, offers=(offer("S"),)), ship_by_ms=NOW_MS + day_ms // 2)
    assert nodes_of(decide(rules, by_monday)) == ["near"]
    assert nodes_of(decide(rules, replace(by_monday, ship_by_ms=NOW_MS))) == []


DAYS = pytest.mark.parametrize(
    ("local_minute", "weekday", "today", "last_day"),
    [
        # It is Sunday, 23:04 UTC; the order is to leave by Tuesday, 02:00 UTC.
        (15 * 60 + 4, 7, 22, 23),  # eight hours behind
        (23 * 60 + 4, 7, 22, 24),
        (12 * 60 + 4, 1, 23, 24),  # thirteen hours ahead
        (-1, 0, 22, 24),  # its clock is not known
        (12 * 60 + 4, 4, 22, 24),  # and that is no clock
    ],
)


def test_an_order_may_have_all_the_time_that_there_is() -> None:
    ahead = replace(NEAR, local_minute=13 * 60 + 4, weekday=1, offers=(offer("S"),))
    assert nodes_of(decide(keeping("offer.in_time"), question(ahead, ship_by_ms=TIME_MS_MAX))) == ["near"]


@DAYS
def test_days_are_those_of_the_nodes_own_calendar(
    local_minute: int, weekday: int, today: int, last_day: int
) -> None:
    there = replace(NEAR, local_minute=local_minute, weekday=weekday)
    for day in (22, 23, 24, 25):
        leaves = replace(there, offers=(offer("S", ship_date=f"2026-11-{day}"),))
        asked = question(leaves, ship_by_ms=NOW_MS + (26 * 60 + 56) * 60_000)
        assert bool(nodes_of(decide(keeping("offer.in_time"), asked))) is (day <= last_day)
        assert nodes_of(decide(keeping(f"offer.ship_in_days == {day - today}"), asked)) == ["near"]


@pytest.mark.parametrize(
    ("floor", "left"), [("2", 10), ("4", 8), ("node.kind == 'store' ? 9 : 0", 3), ("20", 0)]
)
def test_a_node_keeps_what_the_floor_says_and_never_less_than_its_safety_stock(floor: str, left: int) -> None:
    here = site("near", kind="store")
    assert nodes_of(decide(bundle(floor=floor), question(here, demand={"TEA": left + 1}))) == []
    if left:
        assert nodes_of(decide(bundle(floor=floor), question(here, demand={"TEA": left}))) == ["near"]


def test_a_rule_that_has_no_answer_for_a_node_leaves_that_node_out_and_says_so() -> None:
    rules = keeping("node.labels.region == 'south'")
    choice = decide(rules, question(NEAR, replace(FAR, labels={"region": "south"})))
    assert nodes_of(choice) == ["far"]
    assert codes(choice, "near") == ["rule-failed"]
    assert "region" in judged(choice, "near").reasons[0].text


def test_a_score_that_is_no_finite_number_leaves_the_node_out() -> None:
    rules = bundle(scores=[{"name": "odd", "value": "1.0 / node.distance_km"}])
    choice = decide(rules, question(NEAR, FAR))
    assert nodes_of(choice) == ["far"]
    assert codes(choice, "near") == ["rule-failed"]


def test_scores_add_up_by_weight_and_ties_go_to_the_ties_then_to_the_first_by_name() -> None:
    rules = bundle(
        scores=[
            {"name": "way", "value": "node.distance_km", "weight": 0.5},
            {"name": "load", "value": "node.open_orders", "weight": 100},
        ],
        ties=["node.open_orders", "-node.stock_used"],
    )
    busy, idle = replace(NEAR, open_orders=9), site("idle", MADRID)
    choice = decide(rules, question(busy, idle))
    assert nodes_of(choice) == ["idle"]
    assert dict(judged(choice, "near").scores) == {"way": 0.0, "load": 900.0, "total": 900.0}
    fuller = site("z-emptier", stock={"TEA": 4})
    assert nodes_of(decide(rules, question(site("a-fuller"), fuller))) == ["z-emptier"]
    assert nodes_of(decide(rules, question(site("b"), site("a")))) == ["a"]
