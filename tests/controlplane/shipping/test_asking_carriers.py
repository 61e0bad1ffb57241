"""Carriers that the hub asks: what they say stands for the card, and one that is silent is down until it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bodega.core.rates import Bracket, Service
from bodega.errors import Unavailable
from bodega.limits_hub import CARRIER_MISSES_BEFORE_DOWN
from bodega.rates_codec import service_from_wire
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.shipping import cards, carriers
from bodega_controlplane.app.shipping.offering import offers_at
from bodega_controlplane.services.carriers import CarrierService
from bodega_controlplane.services.rates import RateService
from support.controlplane import OPERATOR, make_hub, node_draft
from support.rate_cards import TEA, TO_LISBON, card, service, zone


class Northpost:
    """A carrier in memory: `trouble` is why it is away, `price` what it takes."""

    name = "northpost"

    def __init__(self) -> None:
        self.price, self.hangs, self.closed = 300, False, 0
        self.trouble: Exception | None = None

    async def check(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble

    async def services(self) -> tuple[Service, ...]:
        offered = service_from_wire(
            service(self.name, "PARCEL", "standard", zone("PT", 300, countries=["PT"]))
        )
        (place,) = offered.zones
        brackets = (Bracket(2_000, self.price),)
        return (replace(offered, zones=(replace(place, brackets=brackets),)),)

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def hub(database: str, tmp_path: Path) -> Iterator[Hub]:
    opened = make_hub(database, tmp_path)
    yield opened
    opened.close()


async def settled(hub: Hub) -> None:
    await hub.run(lambda tx: nodes.register_node(tx, OPERATOR, node_draft("lisbon-01")))
    await hub.run(lambda tx: cards.import_card(tx, OPERATOR, card()))
    await RateService(hub).round()


async def offered(hub: Hub) -> list[tuple[str, int]]:
    await RateService(hub).round()
    now_ms = hub.now_ms()
    found = await hub.read(lambda tx: offers_at(tx, ["lisbon-01"], TO_LISBON, TEA, now_ms)["lisbon-01"])
    return [(one.service, one.price_minor) for one in found]


async def down(hub: Hub) -> dict[str, str]:
    found = await hub.read(lambda tx: carriers.list_carriers(tx, hub.now_ms()))
    return {one.carrier: one.said_by for one in found if one.down}


async def test_what_a_carrier_says_stands_for_the_card_until_it_says_otherwise(hub: Hub) -> None:
    await settled(hub)
    northpost = Northpost()
    asking = CarrierService(hub, [northpost])
    await asking.ask(northpost)
    assert await offered(hub) == [("PARCEL", 300), ("ECO", 440)], "its EXPRESS is gone"
    northpost.price = 600
    await asking.ask(northpost)
    assert await offered(hub) == [("ECO", 440), ("PARCEL", 600)]


@pytest.mark.parametrize("price", [2**31, 2**40, "3.00"])
async def test_what_is_not_right_is_not_taken_and_what_was_said_before_holds(hub: Hub, price: int) -> None:
    await settled(hub)
    northpost = Northpost()
    asking = CarrierService(hub, [northpost])
    await asking.ask(northpost)
    northpost.price = price
    await asking.ask(northpost)
    assert ("PARCEL", 300) in await offered(hub)


async def test_one_that_is_silent_is_down_after_some_misses_and_up_with_its_first_answer(hub: Hub) -> None:
    await settled(hub)
    northpost = Northpost()
    asking = CarrierService(hub, [northpost], takes_s=0.01)
    northpost.hangs = True
    for _ in range(CARRIER_MISSES_BEFORE_DOWN - 1):
        await asking.ask(northpost)
    assert await down(hub) == {}
    await asking.ask(northpost)
    assert await down(hub) == {"northpost": "hub"}
    assert [name for name, _price in await offered(hub)] == ["ECO"]
    northpost.hangs = False
    await asking.ask(northpost)
    assert await down(hub) == {}


@pytest.mark.parametrize("trouble", [Unavailable("the lines are down"), ZeroDivisionError("a driver's bug")])
async def test_whatever_a_driver_raises_is_a_miss_of_its_carrier_and_no_more(
    hub: Hub, trouble: Exception
) -> None:
    await settled(hub)
    northpost = Northpost()
    northpost.trouble = trouble
    asking = CarrierService(hub, [northpost])
    for _ in range(CARRIER_MISSES_BEFORE_DOWN):
        await asking.ask(northpost)
    assert await down(hub) == {"northpost": "hub"}


async def test_what_an_operator_has_said_is_not_unsaid_by_an_answer(hub: Hub) -> None:
    await settled(hub)
    await hub.run(lambda tx: carriers.set_carrier(tx, OPERATOR, "northpost", down=True, reason="strike"))
    northpost = Northpost()
    await CarrierService(hub, [northpost]).ask(northpost)
    assert await down(hub) == {"northpost": "operator"}


async def test_what_the_hub_has_found_an_operator_may_say_too_and_then_no_answer_unsays_it(hub: Hub) -> None:
    await settled(hub)
    northpost = Northpost()
    northpost.trouble = Unavailable("the lines are down")
    asking = CarrierService(hub, [northpost])
    for _ in range(CARRIER_MISSES_BEFORE_DOWN):
        await asking.ask(northpost)
    strike = partial(carriers.set_carrier, caller=OPERATOR, carrier="northpost", down=True, reason="strike")
    view, changed = await hub.run(strike)
    assert (changed, view.said_by, view.reason) == (True, "operator", "strike")
    assert (await hub.run(strike))[1] is False
    northpost.trouble = None
    await asking.ask(northpost)
    assert await down(hub) == {"northpost": "operator"}


async def test_carriers_are_closed_at_the_end(hub: Hub) -> None:
    northpost = Northpost()
    running = asyncio.create_task(CarrierService(hub, [northpost]).run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert northpost.closed == 1
