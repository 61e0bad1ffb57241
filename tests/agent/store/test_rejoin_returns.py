"""A return on the bench of a node that takes its place again: what came back is neither lost nor refunded twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.core.ledger import DOCK, Account, Goods
from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.returns.doing import TakingBack
from bodega_agent.rules.floor.returns.effects import GradeLine, OpenReturn, TakeBack
from bodega_agent.rules.floor.returns.facts import ReturnFacts
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.store import ledger, returns
from bodega_agent.store.floor import effects, reading
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction
from support.promising import shelve
from support.recovery_world import RecoveryWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RecoveryWorld]:
    made = RecoveryWorld(tmp_path)
    yield made
    made.hub.close()


def _take_back(tx: Transaction) -> None:
    returns.expect(tx, floor_pb2.ReturnExpected(return_id="RMA-7", order_id="O-OLD"))
    for effect in (
        OpenReturn("RMA-7", "O-OLD", "FO-OLD"),
        TakeBack("RMA-7", 1, Goods("TEA", 2)),
        GradeLine("RMA-7", 1, "used"),
    ):
        effects.execute(tx, Context("scan-1", actor="ana", device="scanner-1"), effect)


def _bench(tx: Transaction) -> ReturnFacts:
    session = Session("scanner-1", step=FloorStep.RETURN_ITEM, doing=TakingBack("RMA-7"))
    found = reading.facts_for(Look(tx, session, None, VisionMode.OFF, ()))
    assert isinstance(found, ReturnFacts)
    return found


async def test_what_came_back_since_the_backup_stays_on_the_bench(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        copy = world.backup_node()
    world.restore_node(copy)
    async with world.node() as store:
        await store.write(_take_back)
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        bench = (await store.write(_bench)).current
        assert bench is not None
        assert [(line.quantity, line.grade) for line in bench.lines] == [(2, "used")]
        assert (bench.order_id, bench.fulfillment_order_id) == ("O-OLD", ""), (
            "an order that is not here any more"
        )
        there = Account("TEA", DOCK, "returned")
        assert await store.write(lambda tx: ledger.balance_of(tx, there)) == 2
        await world.sync(store)
    assert world.verified()["ok"]
