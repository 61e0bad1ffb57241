"""A hub that was put back from a backup: nodes hold what it has lost, and both ends find their way by facts alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.core.lifecycles import FulfillmentEvent
from bodega.core.sync import Head
from bodega.errors import Refused
from bodega.limits import DOWN_LOG_KEPT_S, DOWN_LOG_TRIM_S
from bodega_agent.store import work
from bodega_agent.store.transaction import Context, Transaction
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store import schema
from support.controlplane import OPERATOR, POLICY, SHOP, order_draft, rows_of, sku, work_of
from support.promising import shelve
from support.recovery_world import NODE, RecoveryWorld, facts, names

WHO = Context("w-1", actor="ana", device="hh-1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RecoveryWorld]:
    made = RecoveryWorld(tmp_path)
    yield made
    made.hub.close()


def _place(world: RecoveryWorld, quantity: int = 1, reference: str = "R-1") -> str:
    order, _ = world.hub.write(
        lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", quantity), reference=reference), POLICY)
    )
    return order.order_id


async def test_the_hub_sees_that_it_was_restored_says_so_and_gets_back_what_it_lost(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        await world.beat(store)
        world.backup_hub()
        await store.write(lambda tx: shelve(tx, "TEA", 5))
        await world.sync(store)
        world.restore_hub()

        answer = await world.beat(store)
        assert (answer.up.seq, answer.fenced) == (2, "")
        assert world.row().lost_to_seq == 4
        with pytest.raises(Refused, match="no node has enough stock"):
            _place(world)
        await world.beat(store)
        assert world.actions().count("hub.restored") == 1

        # What `sync_up` does with the answer: its own hash at 2 is the hub's, so it goes back there.
        assert await store.hash_at(answer.up.seq) == answer.up.hash
        await store.lower_ack(answer.up)
        await world.sync(store)
        await world.beat(store)
    assert (world.row().applied_seq, world.row().lost_to_seq) == (4, 0)
    assert world.actions()[-1] == "hub.caught_up"
    assert _place(world)


async def test_an_ack_that_is_lower_counts_only_when_the_hub_has_gone_back(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        first = Head(1, 1, await store.hash_at(1) or b"")
        await store.record_ack(first)
        assert (await store.acked()).seq == 2
        await store.lower_ack(Head(9, 1, first.hash))
        assert (await store.acked()).seq == 2, "of another epoch"
        await store.lower_ack(first)
        assert await store.acked() == first


async def test_a_stream_that_the_hub_forgot_begins_anew_and_what_the_node_has_is_a_repeat(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        kept = _place(world, reference="kept")
        await world.sync(store)
        world.backup_hub()
        forgotten = _place(world, reference="forgotten")
        await world.sync(store)
        done = work_of(world.hub, kept)

        def ship(tx: Transaction) -> None:
            work.claim(tx, WHO, done)
            work.advance(tx, WHO, done, FulfillmentEvent.CANCEL)

        await store.write(ship)
        lost = work_of(world.hub, forgotten)
        world.restore_hub()

        answer = await world.beat(store)
        assert (answer.fenced, answer.down_epoch) == ("", 2)
        assert "node.stream_begun_anew" in world.actions()
        await world.bring_down(store)
        states = dict(
            await store.write(
                lambda tx: list(tx.execute("SELECT fulfillment_order_id, state FROM fulfillment_order"))
            )
        )
        assert states == {done: "cancelled", lost: "assigned"}, "what has ended does not begin again"
        (found,) = [
            one.conflict_found.conflict for one in await facts(store) if one.HasField("conflict_found")
        ]
        assert (found.kind, found.order_id, found.rule) == ("restored_hub", forgotten, "restored_hub@1")
        assert "the hub has forgotten it" in found.knew
        await world.sync(store)
    (row,) = rows_of(world.hub, schema.conflict)
    assert (row.conflict_id, row.order_id, row.state) == (found.conflict_id, forgotten, "open")


async def test_the_hub_wrote_other_events_of_the_same_numbers_before_it_heard_of_the_node(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        world.backup_hub()
        forgotten = _place(world, reference="forgotten")
        await world.sync(store)
        world.restore_hub()
        again = _place(world, reference="another")
        _place(world, reference="one-more")
        assert (await world.beat(store)).down_epoch == 2
        await world.bring_down(store)
        ids = await store.write(
            lambda tx: [row[0] for row in tx.execute("SELECT order_id FROM fulfillment_order")]
        )
        assert {again, forgotten} < set(ids)


async def test_what_the_hub_owns_is_taken_again_whatever_its_version(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await world.bring_down(store)
        world.backup_hub()
        renamed = sku("TEA")
        for name in ("Green tea", "Black tea"):
            draft = renamed.__class__(**{**{f: getattr(renamed, f) for f in renamed.__slots__}, "name": name})
            world.hub.write(lambda tx, draft=draft: _upsert(tx, draft))
        world.hub.write(
            lambda tx: nodes.set_desired_state(tx, OPERATOR, NODE, {"vision.mode": "off"}, lambda _: b"s")
        )
        await world.bring_down(store)
        assert await store.write(lambda tx: tx.get("generation")) == 1
        world.restore_hub()
        await world.beat(store)
        await world.bring_down(store)
        name = await store.write(lambda tx: tx.one("SELECT name FROM sku WHERE sku_id = 'TEA'"))
        assert name == ("TEA in a box",)
        await world.sync(store)
        generation, _ = world.hub.write(
            lambda tx: nodes.set_desired_state(
                tx, OPERATOR, NODE, {"vision.mode": "advisory"}, lambda _: b"s"
            )
        )
        assert generation == 2, "higher than any that the node has run"
        await world.bring_down(store)
        assert await store.write(lambda tx: tx.get("generation")) == 2


def _upsert(tx: object, draft: object) -> None:
    catalogue.upsert_skus(tx, OPERATOR, [draft])  # type: ignore[arg-type]  # as the test made them


async def test_a_hub_that_forgot_an_epoch_believes_the_node_that_was_given_it(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        copy = world.backup_node()
        world.backup_hub()
    world.restore_node(copy)
    async with world.node() as store:
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        await world.sync(store)
        world.restore_hub()
        assert world.row().epoch == 1
        answer = await world.beat(store)
        assert (answer.fenced, answer.up.epoch, world.row().epoch) == ("", 2, 2)
        await store.lower_ack(answer.up)
        await world.sync(store)
        assert world.row().applied_seq == (await store.head()).seq
        assert (await world.beat(store)).down_epoch == 3, "the stream that it knows was never ours"


async def test_rows_that_a_node_has_applied_long_ago_go_and_an_older_state_is_told_everything_again(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await world.sync(store)
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        copy_down = await store.down_head()
        _place(world)
        await world.sync(store)
        before = len(rows_of(world.hub, schema.down_log))
        world.clocks.advance(DOWN_LOG_KEPT_S * 1000)
        await world.beat(store)
        assert len(rows_of(world.hub, schema.down_log)) == 1 < before, (
            "the stream goes on from the last one's hash"
        )
        world.clocks.advance(int(DOWN_LOG_TRIM_S * 1000))
        assert (await world.beat(store)).down_epoch == 1
        _place(world, reference="later")
        await world.bring_down(store)

        def older(tx: Transaction) -> None:
            tx.put("down_seq", copy_down.seq)
            tx.put("down_hash", copy_down.hash)

        await store.write(older)
        assert (await world.beat(store)).down_epoch == 2
        await world.bring_down(store)
        assert names(await facts(store))[-1] == "movement", "both orders were known: nothing is in conflict"
