"""A customer cancels, at every stage of the work: the shop, the node and the promise say the same of it afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from bodega.v1 import journal_pb2
from bodega_controlplane.store import schema
from support.controlplane import POLICY, deliver, rows_of
from support.moved_order import LISBON, SKU, Hand, news
from support.storefront import Town, open_town

SHELF, UNITS = 10, 3
FREE = SHELF - POLICY.safety_stock


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town("sqlite", tmp_path, lisbon_01=SHELF) as opened:
        yield opened


def _nothing(_hand: Hand) -> None:
    """The node has only heard of it."""


def _pack(hand: Hand) -> None:
    hand.pick()
    hand.pack()


def _label(hand: Hand) -> None:
    _pack(hand)
    hand.label()


STAGES = [
    pytest.param(_nothing, id="assigned"),
    pytest.param(Hand.claim, id="picking"),
    pytest.param(Hand.pick, id="picked"),
    pytest.param(_pack, id="packed"),
    pytest.param(_label, id="labelled"),
]


def put_back(hand: Hand) -> None:
    """Whatever was picked lies on the shelf again."""
    for account, units in list(hand.node.balances.items()):
        if units > 0 and account.bin.startswith(("STAGE-", "PARCEL-")):
            hand.node.move("put_away", SKU, units, source=account.bin, target="A-01-01")


def told_too_late(town: Town, hand: Hand, ship_seq: int) -> None:
    """The node hears of the cancel when the parcel has left, and says so."""
    (cancel_seq,) = town.told_at(LISBON, hand.order_id, "cancel_requested")
    said = journal_pb2.CancelCameTooLate(
        fulfillment_order_id=hand.work_id, order_id=hand.order_id, cancel_seq=cancel_seq, ship_seq=ship_seq
    )
    hand.node.record(cancel_came_too_late=said)


@pytest.mark.parametrize("reach", STAGES)
async def test_what_is_cancelled_before_it_leaves_is_stopped_and_its_units_are_for_sale_again(
    town: Town, reach: Callable[[Hand], None]
) -> None:
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    hand = town.hand(LISBON, order_id)
    reach(hand)
    town.hear()
    answer = await town.cancel(order_id)
    assert (answer.status_code, answer.json()["state"]) == (httpx.codes.ACCEPTED, "cancel_requested")
    assert town.told(LISBON, order_id) == ["fulfillment_order", "cancel_requested"]
    # Until the node has answered, nobody else may have the units: it may ship them.
    assert (await town.available())[LISBON] == FREE - UNITS
    hand.stop()
    put_back(hand)
    town.hear()
    assert (await town.order(order_id))["state"] == "cancelled"
    assert (await town.available())[LISBON] == FREE
    assert (await town.cancel(order_id)).json()["code"] == "order-final"


@pytest.mark.parametrize("reach", STAGES)
async def test_a_cancel_that_comes_while_the_parcel_leaves_stays_shipped_and_somebody_is_told(
    town: Town, reach: Callable[[Hand], None]
) -> None:
    """The node had not heard of it: both facts stand, and the conflict says how to go on."""
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    hand = town.hand(LISBON, order_id)
    reach(hand)
    town.hear()
    await town.cancel(order_id)
    told_too_late(town, hand, ship_seq=hand.ship())
    town.hear()
    order = await town.order(order_id)
    assert (order["state"], order["lines"][0]["shipped"]) == ("shipped", UNITS)
    assert (await town.available())[LISBON] == FREE - UNITS
    assert [row.kind for row in rows_of(town.store, schema.conflict)] == ["cancel_races_ship"]


async def test_what_has_left_can_not_be_cancelled(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    town.hand(LISBON, order_id).ship()
    town.hear()
    answer = await town.cancel(order_id)
    assert (answer.status_code, answer.json()["code"]) == (httpx.codes.CONFLICT, "order-final")
    assert town.told(LISBON, order_id) == ["fulfillment_order"]


async def test_a_cancel_sent_twice_stops_the_work_once(town: Town) -> None:
    order_id = (await town.placed((SKU, UNITS)))["order_id"]
    first, second = await town.cancel(order_id), await town.cancel(order_id)
    assert {first.status_code, second.status_code} == {httpx.codes.ACCEPTED}
    assert town.told(LISBON, order_id) == ["fulfillment_order", "cancel_requested"]
    deliver(town.store, *news(town.store, town.nodes[LISBON]))
    assert (await town.order(order_id))["state"] == "cancel_requested"
