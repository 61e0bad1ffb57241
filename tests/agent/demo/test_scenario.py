"""The plan of a run: the same seed gives the same day, and everything that a rule needs is in it."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from bodega_adapters.framing.check_digit import is_valid_gtin
from bodega_adapters.framing.gs1 import CaseCode, ItemCode, decode
from bodega_agent.demo.catalogue import catalogue
from bodega_agent.demo.plan import (
    ORDERS_MAX,
    ORDERS_MIN,
    Cancel,
    Plan,
    Repeat,
    Wave,
    case_barcode,
    item_barcode,
)
from bodega_agent.demo.scenario import SAFETY_STOCK, make_plan

SIZES = [(ORDERS_MIN, 1), (ORDERS_MIN, 5), (12, 2), (40, 2), (40, 3), (ORDERS_MAX, 5), (ORDERS_MAX, 1)]


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]} orders, {size[1]} nodes")
def plan(request: pytest.FixtureRequest) -> Plan:
    orders, nodes = request.param
    return make_plan(orders=orders, nodes=nodes, seed=orders + nodes)


def test_the_catalogue_has_over_two_hundred_products_with_valid_gtins() -> None:
    products = catalogue()
    assert len(products) >= 200
    for attribute in ("sku_id", "name", "gtin"):
        assert len({getattr(product, attribute) for product in products}) == len(products)
    assert all(is_valid_gtin(product.gtin) and is_valid_gtin(product.ean13) for product in products)


def test_the_same_seed_is_the_same_day() -> None:
    assert make_plan(orders=40, nodes=2, seed=7) == make_plan(orders=40, nodes=2, seed=7)
    assert make_plan(orders=40, nodes=2, seed=7) != make_plan(orders=40, nodes=2, seed=8)


def test_as_many_orders_as_asked_for_can_be_served(plan: Plan) -> None:
    asked = len(plan.orders) + plan.race_units
    assert asked in {orders for orders, _ in SIZES}
    assert len(plan.race) > plan.race_units


def test_each_wish_has_a_key_and_a_reference_of_its_own(plan: Plan) -> None:
    wishes = [*plan.orders, *plan.race, *plan.beyond]
    assert len({wish.key for wish in wishes}) == len({wish.reference for wish in wishes}) == len(wishes)


def test_every_site_has_stock_for_its_orders_above_the_safety_stock(plan: Plan) -> None:
    for index, site in enumerate(plan.sites):
        stock: Counter[str] = Counter()
        for intake in site.intakes:
            stock[intake.product.sku_id] += intake.units
        for order in plan.orders:
            if order.site == index:
                stock.subtract(dict(order.lines))
        assert min(stock.values()) >= SAFETY_STOCK


def test_bins_exist_and_are_used_once(plan: Plan) -> None:
    for site in plan.sites:
        used = [intake.bin_id for intake in (*site.intakes, *site.late_intakes)]
        assert len(used) == len(set(used))
        assert set(used) <= set(site.site.bins)


def test_nobody_steals_what_is_not_there(plan: Plan) -> None:
    for site in plan.sites:
        there = {(intake.bin_id, intake.product.sku_id): intake.units for intake in site.intakes}
        assert all(0 < theft.units <= there[theft.bin_id, theft.sku_id] for theft in site.thefts)


def test_the_node_to_be_killed_gets_an_order_of_several_units_at_the_right_time(plan: Plan) -> None:
    wave = [order for order in plan.wave(plan.kill_wave) if order.site == plan.killed_site]
    site = plan.sites[plan.killed_site]
    on_shelf: Counter[str] = Counter()
    for intake in site.intakes:
        on_shelf[intake.product.sku_id] += intake.units
    for theft in site.thefts:
        on_shelf[theft.sku_id] -= theft.units
    assert any(
        quantity >= 3 and on_shelf[sku_id] >= 2 and order.cancel is Cancel.NEVER
        for order in wave
        for sku_id, quantity in order.lines
    )


def test_the_node_to_be_cut_off_has_work_beforehand(plan: Plan) -> None:
    assert any(order.site == plan.cut_site for order in plan.wave(Wave.BEFORE))


def test_customers_repeat_themselves_and_change_their_minds() -> None:
    plan = make_plan(orders=40, nodes=2, seed=1)
    assert {order.repeat for order in plan.orders} == set(Repeat)
    assert {order.cancel for order in plan.orders} == set(Cancel)


def test_the_places_have_ranges_of_parcel_numbers_of_their_own(plan: Plan) -> None:
    ranges = sorted((site.site.first_serial, site.site.last_serial) for site in plan.sites)
    assert all(last < first for (_, last), (first, _) in itertools.pairwise(ranges))


def test_barcodes_say_what_the_agent_will_read() -> None:
    product = catalogue()[0]
    item, case = item_barcode(product), case_barcode(product, 12)
    assert decode(item.text, item.symbology) == ItemCode(product.gtin)
    assert decode(case.text, case.symbology) == CaseCode(product.gtin, None, 12)
