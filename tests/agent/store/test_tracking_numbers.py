"""A tracking number is never given twice: not after a restart, not after a restore, not by a node that was wiped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bodega.core.ledger import Goods
from bodega.core.lifecycles import FulfillmentEvent
from bodega.limits_floor import TRACKING_NUMBERS_SKIPPED
from bodega.v1 import catalogue_pb2
from bodega_agent.rules.floor.pack.effects import Closed, Pack
from bodega_agent.rules.tracking import TrackingRange
from bodega_agent.store import catalogue, parcels, rate_card, work
from bodega_agent.store import labels as papers
from bodega_agent.store.floor import effects
from bodega_agent.store.transaction import Context, Transaction
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.ordering import orders
from support.controlplane import OPERATOR, POLICY, SHOP, node_draft, order_draft, work_of
from support.node_under_test import opened_store
from support.packing_place import CARD
from support.promising import SHELF, shelve
from support.recovery_world import RecoveryWorld

RANGE = catalogue_pb2.TrackingRange(
    carrier="northpost",
    scheme="s10",
    prefix="RA",
    suffix="PT",
    first_number=100,
    last_number=90_000_000,
    digits=8,
)
RULE = TrackingRange("northpost", "s10", "RA", "PT", 100, 90_000_000, 8)


def _world(folder: Path) -> RecoveryWorld:
    made = RecoveryWorld(folder)
    draft = replace(node_draft("lisbon-01"), carrier_services=CARD[:1], tracking_ranges=(RANGE,))
    made.hub.write(lambda tx: nodes.register_node(tx, OPERATOR, draft))
    return made


def _parcel(world: RecoveryWorld) -> str:
    order, _ = world.hub.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 1)), POLICY))
    return work_of(world.hub, order.order_id)


def _closes(work_id: str) -> object:
    def job(tx: Transaction) -> str:
        who = Context(f"pack-{work_id}", actor="ana", device="hh-1")
        work.claim(tx, who, work_id)
        work.pick(tx, who, work_id, 1, Goods("TEA", 1), SHELF)
        work.advance(tx, who, work_id, FulfillmentEvent.PICKS_DONE)
        sscc = papers.peek_sscc(tx)
        effects.execute(tx, who, Pack(work_id, sscc, Closed(carrier="northpost", service="NEXT")))
        row = parcels.find(tx, sscc)
        assert row is not None
        return row.tracking_number

    return job


async def _given(world: RecoveryWorld, number: int) -> list[str]:
    """So many parcels of a day, and the hub has heard of them."""
    async with world.node() as store:
        await world.sync(store)
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        ids = [_parcel(world) for _ in range(number)]
        await world.sync(store)
        numbers = [await store.write(_closes(work_id)) for work_id in ids]
        await world.sync(store)
    return [str(one) for one in numbers]


async def test_a_wiped_node_goes_on_well_behind_the_numbers_that_the_hub_has_heard_of(tmp_path: Path) -> None:
    world = _world(tmp_path)
    try:
        given = await _given(world, 2)
        assert [RULE.serial(number) for number in given] == [100, 101]
        world.wipe_node()
        world.readmit()
        async with world.node() as store:
            await world.rejoin(store)
        async with world.node() as store:
            await world.sync(store)
            again = _parcel(world)
            await world.sync(store)
            assert RULE.serial(str(await store.write(_closes(again)))) == 102 + TRACKING_NUMBERS_SKIPPED
    finally:
        world.hub.close()


async def test_a_restored_node_leaves_out_what_it_may_have_given_since_its_backup(tmp_path: Path) -> None:
    world = _world(tmp_path)
    try:
        await _given(world, 1)
        copy = world.backup_node()
        async with world.node() as store:
            lost = _parcel(world)
            await world.sync(store)
            since = RULE.serial(str(await store.write(_closes(lost))))
        world.restore_node(copy)
        async with world.node() as store:
            next_one = await store.write(_next_serial)
            assert since is not None
            assert next_one == 101 + TRACKING_NUMBERS_SKIPPED > since
    finally:
        world.hub.close()


def _next_serial(tx: Transaction) -> int:
    profile = catalogue.profile_of(tx)
    assert profile is not None
    serial = RULE.serial(rate_card.take_number(tx, profile, "northpost"))
    assert serial is not None
    return serial


async def test_of_a_range_that_is_nearly_used_up_at_most_half_of_the_rest_is_left_out(tmp_path: Path) -> None:
    def job(tx: Transaction) -> list[str]:
        short = catalogue_pb2.TrackingRange()
        short.CopyFrom(RANGE)
        short.last_number = 109
        profile = catalogue_pb2.NodeProfile(node_id="lisbon-01", tracking_ranges=[short])
        first = rate_card.take_number(tx, profile, "northpost")
        rate_card.skip_numbers(tx, profile, rate_card.last_serials(tx))
        return [first, rate_card.take_number(tx, profile, "northpost")]

    with opened_store(tmp_path) as store:
        numbers = await store.write(job)
        assert [RULE.serial(number) for number in numbers] == [100, 105]
