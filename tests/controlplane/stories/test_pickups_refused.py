"""A pickup that comes to nothing: the customer does not come, or the node can not give it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bodega.core.lifecycles import FulfillmentState
from support.controlplane import POLICY
from support.moved_order import LISBON, PARCELS, PORTO, SKU, Hand
from support.storefront import Town, open_town

F = FulfillmentState
SHELF, UNITS = 10, 3
FREE = SHELF - POLICY.safety_stock
PICKUP = {"method": "pickup", "pickup": {"node_id": LISBON, "code": "7731", "hold_s": 3600}}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF, porto_01=SHELF) as opened:
        yield opened


def staged(town: Town, order_id: str) -> Hand:
    """The bag waits at the node."""
    hand = town.hand(LISBON, order_id)
    hand.pick()
    for state in (F.PACKED, F.LABELLED, F.STAGED):
        hand.node.advance(hand.work_id, order_id, state, sscc=PARCELS[LISBON], token=hand.token)
    town.hear()
    return hand


async def test_a_pickup_that_nobody_fetches_goes_back_on_the_shelf_and_is_for_sale_again(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS), **PICKUP))["order_id"]
    assert (await town.available()) == {LISBON: FREE - UNITS, PORTO: FREE}
    hand = staged(town, order_id)
    assert (await town.order(order_id))["state"] == "ready_for_pickup"
    hand.node.advance(hand.work_id, order_id, F.EXPIRED, token=hand.token)
    hand.node.move("put_away", SKU, UNITS, source=f"STAGE-{hand.work_id}", target="A-01-01")
    town.hear()
    assert (await town.order(order_id))["state"] == "not_collected"
    assert (await town.available()) == {LISBON: FREE, PORTO: FREE}


async def test_a_pickup_that_its_node_gives_back_waits_for_a_person_and_goes_nowhere_by_itself(
    town: Town,
) -> None:
    order_id = (await town.placed((SKU, UNITS), **PICKUP))["order_id"]
    hand = town.hand(LISBON, order_id)
    hand.node.advance(hand.work_id, order_id, F.PICKING, token=hand.token)
    hand.node.advance(hand.work_id, order_id, F.HANDED_BACK, (1, 0, UNITS), token=hand.token)
    town.hear()
    town.a_moment_later()
    order = await town.order(order_id)
    assert (order["state"], order["node_id"]) == ("handed_back", LISBON)
    assert town.told(PORTO, order_id) == [], "the customer comes to Lisbon"
    answer = await town.cancel(order_id)
    assert (answer.status_code, answer.json()["state"]) == (httpx.codes.ACCEPTED, "cancelled")
    assert (await town.available()) == {LISBON: FREE, PORTO: FREE}


async def test_a_parcel_that_its_node_gives_back_goes_to_the_other_one_at_once(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    hand = town.hand(LISBON, order_id)
    hand.node.advance(hand.work_id, order_id, F.HANDED_BACK, (1, 0, UNITS), token=hand.token)
    town.hear()
    town.a_moment_later()
    assert town.told(PORTO, order_id) == ["fulfillment_order"]
    assert town.work(PORTO, order_id).fencing_token > hand.token
    town.hand(PORTO, order_id).ship()
    town.hear()
    order = await town.order(order_id)
    assert (order["state"], order["lines"][0]["shipped"]) == ("shipped", UNITS)
    assert (await town.available()) == {LISBON: FREE, PORTO: FREE - UNITS}
