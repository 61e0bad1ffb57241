"""What no node has alone comes from several, if the shop allows it: promised whole or not, shipped part by part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from support.controlplane import POLICY
from support.moved_order import LISBON, PORTO, SKU
from support.storefront import Town, open_town

SHELF, UNITS = 7, 8
FREE = SHELF - POLICY.safety_stock


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF, porto_01=SHELF) as opened:
        yield opened


async def test_an_order_that_may_not_be_split_is_refused_and_nothing_is_promised(town: Town) -> None:
    answer = await town.place((SKU, UNITS))
    assert (answer.status_code, answer.json()["code"]) == (httpx.codes.CONFLICT, "insufficient-stock")
    assert await town.available() == {LISBON: FREE, PORTO: FREE}


async def test_a_split_order_is_in_fulfilment_until_its_last_parcel_has_left(town: Town) -> None:
    order = await town.placed((SKU, UNITS), parts_max=2)
    assert {part["node_id"] for part in order["parts"]} == {LISBON, PORTO}
    assert sum((await town.available()).values()) == 2 * FREE - UNITS
    order_id = order["order_id"]
    town.hand(LISBON, order_id).ship()
    town.hear()
    half = await town.order(order_id)
    assert half["state"] == "in_fulfillment"
    assert 0 < half["lines"][0]["shipped"] < UNITS
    town.hand(PORTO, order_id).ship()
    town.hear()
    whole = await town.order(order_id)
    assert (whole["state"], whole["lines"][0]["shipped"], len(whole["parcels"])) == ("shipped", UNITS, 2)
    assert sum((await town.available()).values()) == 2 * FREE - UNITS


async def test_one_of_its_nodes_dies_and_what_the_other_one_has_stays_there(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS), parts_max=2))["order_id"]
    town.hand(PORTO, order_id).ship()
    town.hear()
    town.a_moment_later(down={LISBON})
    assert town.told(LISBON, order_id) == ["fulfillment_order"], (
        "nobody else has enough: it waits for its node"
    )
    town.hand(LISBON, order_id).ship()
    town.hear()
    assert (await town.order(order_id))["state"] == "shipped"


async def test_a_cancel_stops_every_part_that_has_not_left(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS), parts_max=2))["order_id"]
    await town.cancel(order_id)
    town.hand(LISBON, order_id).stop()
    town.hear()
    assert (await town.order(order_id))["state"] == "cancel_requested"
    town.hand(PORTO, order_id).stop()
    town.hear()
    assert (await town.order(order_id))["state"] == "cancelled"
    assert await town.available() == {LISBON: FREE, PORTO: FREE}
