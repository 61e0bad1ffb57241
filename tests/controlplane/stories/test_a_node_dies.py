"""A node dies with ten orders: what it had begun waits for it, the rest is sent from elsewhere, nothing is sold twice.

Dead and out of touch look the same from here. The node that comes back may have sent something all the same: the shop
is told the truth, and a person that two parcels are on their way.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bodega_controlplane.store import schema
from support.controlplane import POLICY, rows_of
from support.moved_order import LISBON, PORTO, SKU
from support.storefront import Town, open_town

ORDERS, UNITS, BEGUN = 10, 2, 2
SHELF = 40
FREE = SHELF - POLICY.safety_stock


async def ten_orders(town: Town) -> list[str]:
    """All at Lisbon, of which Lisbon has begun two when nothing is heard of it any more."""
    ids = [(await town.placed((SKU, UNITS)))["order_id"] for _ in range(ORDERS)]
    for order_id in ids[:BEGUN]:
        town.hand(LISBON, order_id).claim()
    town.hear()
    return ids


async def where(town: Town, ids: list[str]) -> Counter[str]:
    """How many of them are at which node, as the shop sees it."""
    return Counter([(await town.order(order_id))["node_id"] for order_id in ids])


async def test_a_node_dies_with_ten_orders_and_another_one_sends_those_it_had_not_begun(
    tmp_path: Path,
) -> None:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF, porto_01=SHELF) as town:
        ids = await ten_orders(town)
        town.a_moment_later()
        assert await where(town, ids) == {LISBON: ORDERS}
        town.a_moment_later(down={LISBON})
        assert await where(town, ids) == {LISBON: BEGUN, PORTO: ORDERS - BEGUN}
        moved = UNITS * (ORDERS - BEGUN)
        assert await town.available() == {LISBON: FREE - UNITS * ORDERS, PORTO: FREE - moved}
        for order_id in ids[BEGUN:]:
            town.hand(PORTO, order_id).ship()
        town.hear()
        assert {(await town.order(order_id))["state"] for order_id in ids[BEGUN:]} == {"shipped"}
        assert {(await town.order(order_id))["state"] for order_id in ids[:BEGUN]} == {"in_fulfillment"}


async def test_it_comes_back_and_had_sent_one_of_them_all_the_same(tmp_path: Path) -> None:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF, porto_01=SHELF) as town:
        ids = await ten_orders(town)
        town.a_moment_later(down={LISBON})
        twice, *others = ids[BEGUN:]
        town.hand(LISBON, twice).ship()
        for order_id in others:
            town.hand(LISBON, order_id).stop()
        for order_id in ids[BEGUN:]:
            town.hand(PORTO, order_id).ship()
        town.hear()
        assert {(await town.order(order_id))["state"] for order_id in ids[BEGUN:]} == {"shipped"}
        told = {(row.kind, row.order_id) for row in rows_of(town.store, schema.conflict)}
        assert told == {("two_nodes_claim", twice), ("duplicate_shipment", twice)}
        # What the two orders at Lisbon hold, and the parcel that left there without need, is all that is gone.
        gone = UNITS * (BEGUN + 1)
        assert await town.available() == {LISBON: FREE - gone, PORTO: FREE - UNITS * (ORDERS - BEGUN)}


async def test_nobody_else_has_the_goods_and_they_wait_for_it(tmp_path: Path) -> None:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF) as town:
        ids = await ten_orders(town)
        town.a_moment_later(down={LISBON})
        assert await where(town, ids) == {LISBON: ORDERS}
        for order_id in ids:
            town.hand(LISBON, order_id).ship()
        town.hear()
        assert {(await town.order(order_id))["state"] for order_id in ids} == {"shipped"}
        assert await town.available() == {LISBON: FREE - UNITS * ORDERS, PORTO: 0}
