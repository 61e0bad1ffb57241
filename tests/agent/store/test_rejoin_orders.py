"""Orders, parcels and labels of a node that takes its place again: nothing printed blindly, nothing shipped twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.core.ledger import DOCK, Goods, LotSeen, parcel_place
from bodega.core.lifecycles import FulfillmentEvent, PrintEvent
from bodega.limits import SSCC_SERIALS_SKIPPED
from bodega_agent.store import labels, ledger, overrides, work
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Context, Transaction
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store import schema
from support.controlplane import POLICY, SHOP, order_draft, promises, rows_of, work_of
from support.promising import SHELF, shelve
from support.recovery_world import RecoveryWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RecoveryWorld]:
    made = RecoveryWorld(tmp_path)
    yield made
    made.hub.close()


def _who(cmd_id: str) -> Context:
    return Context(cmd_id, actor="ana", device="hh-1")


def _order(world: RecoveryWorld, quantity: int = 2) -> str:
    order, _ = world.hub.write(
        lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", quantity)), POLICY)
    )
    return work_of(world.hub, order.order_id)


def _pick(work_id: str, units: int) -> object:
    def job(tx: Transaction) -> None:
        who = _who(f"pick-{work_id}")
        work.claim(tx, who, work_id)
        work.pick(tx, who, work_id, 1, Goods("TEA", units), SHELF)
        work.advance(tx, who, work_id, FulfillmentEvent.PICKS_DONE)

    return job


def _pack(work_id: str) -> object:
    def job(tx: Transaction) -> str:
        who = _who(f"pack-{work_id}")
        sscc = labels.peek_sscc(tx)
        labels.pack(tx, who, work_id, sscc)
        work.advance(tx, who, work_id, FulfillmentEvent.PACK)
        return sscc

    return job


def _ship(work_id: str, sscc: str) -> object:
    def job(tx: Transaction) -> None:
        who = _who(f"ship-{work_id}")
        labels.scan_back(tx, who, sscc)
        work.advance(tx, who, work_id, FulfillmentEvent.VERIFY_LABEL)
        place = parcel_place(sscc)
        ledger.move(tx, who, "ship", work.staged_goods(tx, place), source_bin=place)
        work.advance(tx, who, work_id, FulfillmentEvent.HAND_OVER)

    return job


def _send(sscc: str) -> object:
    def job(tx: Transaction) -> None:
        job = labels.latest_for(tx, sscc)
        assert job is not None
        labels.advance(tx, _who(f"print-{sscc}"), job, PrintEvent.SEND)

    return job


def _states(tx: Transaction) -> dict[str, tuple[str, str]]:
    return {
        row[0]: (row[1], row[2])
        for row in tx.execute("SELECT fulfillment_order_id, state, sscc FROM fulfillment_order")
    }


async def test_a_wiped_node_goes_on_with_its_open_orders_and_every_unsure_label_is_in_doubt(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        packed, waiting = _order(world), _order(world)
        await world.sync(store)
        await store.write(_pick(packed, 2))
        sscc = await store.write(_pack(packed))
        await world.sync(store)
    world.wipe_node()
    world.readmit()
    async with world.node() as store:
        await world.rejoin(store)
    async with world.node() as store:
        assert await store.write(_states) == {packed: ("packed", sscc), waiting: ("assigned", "")}
        job = await store.write(lambda tx: labels.latest_for(tx, sscc))
        assert job is not None
        assert (job.state, b"Maria Secreta" in job.document) == ("unknown", True)
        assert await store.write(labels.next_queued) is None, "nothing goes to the printer by itself"
        assert int((await store.write(labels.peek_sscc))[8:-1]) > int(sscc[8:-1]) + 1
        await world.sync(store)
        await store.write(_ship(packed, sscc))
        await world.sync(store)
    (label,) = rows_of(world.hub, schema.label)
    assert label.state == "confirmed"
    assert {row.fulfillment_order_id: row.state for row in rows_of(world.hub, schema.fulfillment_order)} == {
        packed: "shipped",
        waiting: "assigned",
    }
    assert world.verified()["ok"]


async def test_work_done_since_the_backup_is_taken_over_where_it_fits(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        order = _order(world)
        await world.sync(store)
        copy = world.backup_node()
    world.restore_node(copy)
    async with world.node() as store:
        await store.write(_pick(order, 2))
        sscc = await store.write(_pack(order))
        await store.write(_send(sscc))
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        assert await store.write(_states) == {order: ("packed", sscc)}
        picked = await store.write(lambda tx: work.find(tx, order).lines[0].picked)
        job = await store.write(lambda tx: labels.latest_for(tx, sscc))
        assert job is not None
        assert (picked, job.state) == (2, "unknown")
        await world.sync(store)
        await store.write(_ship(order, sscc))
        await world.sync(store)
    (row,) = rows_of(world.hub, schema.fulfillment_order)
    (promise,) = promises(world.hub)
    assert (row.state, row.sscc, promise.posted, promise.state) == ("shipped", sscc, 2, "posted")
    assert world.row().diverged_seq == 0


async def test_an_order_that_left_on_the_hubs_line_and_again_on_the_nodes_is_told_to_a_person(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        order = _order(world)
        await world.sync(store)
        copy = world.backup_node()
        await store.write(_pick(order, 2))
        first = await store.write(_pack(order))
        await store.write(_ship(order, first))
        await world.sync(store)
    world.restore_node(copy)
    async with world.node() as store:
        # Other commands than those of the lost days: people do the work again.
        await store.write(lambda tx: _again(tx, order))
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        (put_back,) = [task for task in await store.read(Reader.tasks) if task["kind"] == "put_back"]
        assert (put_back["place"], put_back["sku_id"], put_back["quantity"]) == (f"STAGE-{order}", "TEA", 2)
        await world.sync(store)
    (conflict,) = rows_of(world.hub, schema.conflict)
    effects = json.loads(conflict.effects)
    assert {f"unfit:{order}:picking", f"put_back:{order}"} <= set(effects)
    assert conflict.state == "open"
    assert f"{order} was" in conflict.needs
    assert rows_of(world.hub, schema.fulfillment_order)[0].state == "shipped"
    assert (world.row().diverged_seq, world.verified()["ok"]) == (0, True)


def _again(tx: Transaction, order: str) -> None:
    who = _who("again-1")
    work.claim(tx, who, order)
    work.pick(tx, who, order, 1, Goods("TEA", 2), SHELF)


async def test_a_number_that_a_copy_gave_out_again_is_told(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        one, two = _order(world), _order(world)
        await world.sync(store)
    shutil.copytree(world.folder / "node", world.folder / "copy")
    async with world.node() as store:
        await store.write(_pick(one, 2))
        sscc = await store.write(_pack(one))
        await world.sync(store)
    async with world.node("copy") as clone:
        await clone.write(_pick(two, 2))
        assert await clone.write(_pack(two)) == sscc
        world.readmit()
        await world.rejoin(clone)
    async with world.node("copy") as clone:
        await world.sync(clone)
    (conflict,) = rows_of(world.hub, schema.conflict)
    assert f"sscc_twice:{sscc}" in json.loads(conflict.effects)
    assert f"two parcels carry SSCC {sscc}" in conflict.needs


async def test_a_restored_node_gives_no_number_out_again(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        order = _order(world)
        await world.sync(store)
        await store.write(_pick(order, 2))
        copy_sscc = await store.write(_pack(order))
        copy = world.backup_node()
    world.restore_node(copy)
    async with world.node() as store:
        following = int((await store.write(labels.peek_sscc))[8:-1])
    skipped = min(SSCC_SERIALS_SKIPPED, (999 - int(copy_sscc[8:-1])) // 2)
    assert following == int(copy_sscc[8:-1]) + skipped + 1


async def test_lots_serials_rules_set_aside_and_open_differences_come_back(world: RecoveryWorld) -> None:
    async with world.node() as store:
        unit = Goods("TEA", 1, lot="L1", serials=("S1",))

        def fill(tx: Transaction) -> None:
            ledger.move(
                tx, _who("in"), "receive", [unit], target_bin=DOCK, lots=[LotSeen("TEA", "L1", "2030-01-31")]
            )
            ledger.move(tx, _who("in"), "put_away", [unit], source_bin=DOCK, target_bin=SHELF)
            ledger.move(tx, _who("sold"), "post", [Goods("SALT", 2)], source_bin=SHELF)
            overrides.open_override(
                tx,
                _who("hold"),
                override_id="OV-1",
                rule="hold",
                sku_id="TEA",
                lot="L1",
                quantity=1,
                reason="sample",
                expires_after_ms=60_000,
            )

        await store.write(fill)
        await world.sync(store)
    world.wipe_node()
    world.readmit()
    async with world.node() as store:
        await world.rejoin(store)
    async with world.node() as store:

        def rows(tx: Transaction) -> list[object]:
            return [
                *tx.execute("SELECT lot, expiry FROM lot"),
                *tx.execute("SELECT serial, bin, lot FROM serial"),
                *tx.execute("SELECT override_id, state, expires_after_ms FROM rule_override"),
                *tx.execute("SELECT sku_id, difference, closed_seq FROM discrepancy"),
            ]

        assert await store.write(rows) == [
            ("L1", "2030-01-31"),
            ("S1", SHELF, "L1"),
            ("OV-1", "open", 60_000),
            ("SALT", 2, 0),
        ]
        (opened,) = await store.write(
            lambda tx: [row[0] for row in tx.execute("SELECT seq FROM discrepancy")]
        )
        await store.write(lambda tx: ledger.close_discrepancies(tx, _who("count"), [opened], "counted"))
        await world.sync(store)
    assert [row.closed_seq > 0 for row in rows_of(world.hub, schema.discrepancy)] == [True]
