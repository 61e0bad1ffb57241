"""A customer moves house while the order is on its way to them: before anybody picks it goes along, afterwards not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from support.controlplane import POLICY
from support.controlplane import PORTO as IN_PORTO
from support.moved_order import LISBON, PORTO, SKU
from support.storefront import Town, open_town

SHELF, UNITS = 10, 3
FREE = SHELF - POLICY.safety_stock
STREET = "Rua da Mudança 3"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF, porto_01=SHELF) as opened:
        yield opened


async def test_before_picking_the_order_goes_to_the_node_next_door_and_the_label_says_where(
    town: Town,
) -> None:
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    assert (await town.order(order_id))["node_id"] == LISBON
    answer = await town.moves_to(order_id, IN_PORTO, STREET)
    assert (answer.status_code, answer.json()["node_id"]) == (httpx.codes.OK, PORTO)
    assert STREET not in answer.text, "no answer tells an address"
    assert list(town.work(PORTO, order_id).recipient.address) == [STREET]
    assert town.told(LISBON, order_id) == ["fulfillment_order", "fulfillment_revoked"]
    # Lisbon may not have heard of it: until it has, its units are nobody else's.
    assert await town.available() == {LISBON: FREE - UNITS, PORTO: FREE - UNITS}
    town.hand(LISBON, order_id).stop()
    town.hand(PORTO, order_id).ship()
    town.hear()
    order = await town.order(order_id)
    assert (order["state"], order["lines"][0]["shipped"]) == ("shipped", UNITS)
    assert await town.available() == {LISBON: FREE, PORTO: FREE - UNITS}


async def test_an_order_that_is_being_picked_keeps_its_address(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    town.hand(LISBON, order_id).claim()
    town.hear()
    answer = await town.moves_to(order_id, IN_PORTO, STREET)
    assert answer.status_code == httpx.codes.CONFLICT, answer.text
    assert STREET not in answer.text
    assert town.told(LISBON, order_id) == ["fulfillment_order"]
    assert town.told(PORTO, order_id) == []
    assert await town.available() == {LISBON: FREE - UNITS, PORTO: FREE}
