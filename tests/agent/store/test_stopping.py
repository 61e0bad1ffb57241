"""The hub stops work at a node: by a cancel, which leaves a row where facts met, or because another node has it now."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.codec import parse_node_event
from bodega.core.conflicts.row import Conflict
from bodega.core.ledger import Goods, stage_of
from bodega.core.sync import Head
from bodega.v1 import journal_pb2
from bodega_agent.store import inbound, ledger, work
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads.conflicts import FoundConflict, by_id, event_of, newest
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context
from support.node_under_test import HubPen, opened_store
from support.worked_order import FO, STAGES, bring_to, node_with_work

FEW = 10


async def found(store: Store) -> list[FoundConflict]:
    return await store.read(lambda reader: newest(reader, FEW))


async def facts(store: Store) -> list[str]:
    return [row["fact"] for row in await store.read(lambda reader: reader.journal(limit=200))]


async def revoke(hub: HubPen, token: int = 2) -> None:
    await hub.write(
        fulfillment_revoked=journal_pb2.FulfillmentRevoked(
            fulfillment_order_id=FO, order_id="ORD-1", fencing_token=token, reason="given to porto-01"
        )
    )


@pytest.mark.parametrize("stage", STAGES)
async def test_a_cancel_leaves_a_row_only_where_it_met_goods_off_the_shelf(
    tmp_path: Path, stage: str
) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, stage))
        met = (await store.read(lambda reader: reader.head())).seq
        await hub.cancel(1)
        rows = await found(store)
        if stage == "assigned":
            assert rows == []
            return
        (row,) = rows
        assert (row.conflict.kind, row.conflict.order_id) == ("cancel_races_ship", "ORD-1")
        cancel_event, own_event = row.conflict.inputs
        # Profile, SKU, order, cancel.
        assert cancel_event == "hub/1/4"
        body = await store.read(lambda reader: event_of(reader, own_event, "lisbon-01"))
        assert body is not None
        assert parse_node_event(body).WhichOneof("fact") == "fulfillment_advanced"
        assert int(own_event.rpartition("/")[2]) <= met
        if stage == "shipped":
            assert row.conflict.needs
            assert row.conflict.effects == ("stays_shipped:ORD-1",)
        else:
            assert row.conflict.needs == ""
            assert row.conflict.effects[0] == "cancelled:ORD-1"
            assert row.conflict.effects[-1] == "put_back:2"
            assert stage in row.conflict.knew
        assert (await facts(store))[-1] == "conflict_found"
        assert (await store.read(Reader.verify))["ok"]


async def test_a_cancel_that_had_waited_is_named_by_the_epoch_that_it_came_in(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store, pytest.MonkeyPatch.context() as older:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "shipped"))

        def refuse(*_args: object) -> None:
            raise inbound.BodegaError("a bug of that version")

        older.setattr(inbound.stopping, "cancel", refuse)
        await hub.cancel(1)
    with opened_store(tmp_path) as store:
        await store.apply_down((), Head(2))
        await store.apply_parked()
        (row,) = await found(store)
        assert row.conflict.inputs[0] == "hub/1/4"
        events = [parse_node_event(one.body) for one in await store.events_after(0, 100)]
        (late,) = [one.cancel_came_too_late for one in events if one.HasField("cancel_came_too_late")]
        assert (late.down_epoch, late.cancel_seq) == (1, 4)


async def test_a_row_is_found_once_and_can_be_asked_for_by_its_id(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "picked"))
        await hub.cancel(1)
        await hub.cancel(1)
        (row,) = await found(store)
        again = await store.read(lambda reader: by_id(reader, row.conflict.conflict_id))
        assert again == row
        assert isinstance(again.conflict, Conflict)
        assert (await facts(store)).count("conflict_found") == 1


@pytest.mark.parametrize("stage", STAGES)
async def test_revoked_work_leaves_the_queue_or_is_put_back_and_what_was_shipped_stays(
    tmp_path: Path, stage: str
) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, stage))
        before = await facts(store)
        await revoke(hub)
        await revoke(hub)
        order = await store.write(lambda tx: work.find(tx, FO))
        staged = await store.write(lambda tx: work.staged_goods(tx, stage_of(FO)))
        new = (await facts(store))[len(before) :]
        if stage == "shipped":
            assert (order.state, new) == ("shipped", [])
        else:
            picked = stage != "assigned"
            assert order.state == "cancelled"
            assert [goods.quantity for goods in staged] == ([2] if picked else [])
            assert new.count("task_opened") == (1 if picked else 0)
            assert new.count("fulfillment_advanced") == 1
        assert await found(store) == []
        assert await store.write(work.most_urgent) is None
        assert (await store.read(Reader.verify))["ok"]


async def test_the_floor_hears_of_revoked_work_as_of_cancelled_work(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        applied = await hub.write(
            fulfillment_revoked=journal_pb2.FulfillmentRevoked(
                fulfillment_order_id=FO, order_id="ORD-1", fencing_token=2, reason="given to porto-01"
            )
        )
        assert applied.cancelled == (FO,)


async def test_a_revocation_of_an_older_token_or_of_unknown_work_changes_nothing(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await revoke(hub, token=1)
        await hub.write(
            fulfillment_revoked=journal_pb2.FulfillmentRevoked(
                fulfillment_order_id="FO-9", order_id="ORD-9", fencing_token=2
            )
        )
        assert (await store.write(lambda tx: work.find(tx, FO))).state == "assigned"
        assert await store.write(lambda tx: tx.one("SELECT count(*) FROM parked")) == (0,)


async def test_put_back_goods_are_sellable_again(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))
        await revoke(hub)
        await store.write(
            lambda tx: ledger.move(
                tx,
                Context("cmd-9", actor="ana"),
                "put_away",
                [Goods("SKU-1", 2)],
                source_bin=stage_of(FO),
                target_bin="A-01-01",
            )
        )
        stock = await store.read(lambda reader: reader.stock())
        assert [(row["bin"], row["quantity"]) for row in stock] == [("A-01-01", 5)]


async def test_a_hold_from_the_centre_is_an_override_of_the_node_until_it_ends(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        asked = journal_pb2.OverrideSet(
            override_id="V-1",
            rule="hold",
            sku_id="SKU-1",
            quantity=2,
            reason="damp pallet",
            actor="operator",
            state="open",
            expires_after_ms=60_000,
        )
        await hub.write(override_set=asked)
        query = "SELECT state, quantity, actor, reason FROM rule_override"
        assert await store.write(lambda tx: tx.one(query)) == (
            "open",
            2,
            "operator at the hub",
            "damp pallet",
        )
        asked.state = "closed"
        await hub.write(override_set=asked)
        await hub.write(override_set=asked)
        assert (await store.write(lambda tx: tx.one(query)))[0] == "closed"
        assert (await facts(store)).count("override_changed") == 2
        assert await store.write(lambda tx: tx.one("SELECT count(*) FROM parked")) == (0,)
