"""A cancel at every stage, and labels that are never printed twice by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.codec import parse_node_event
from bodega.core.ledger import stage_of
from bodega.core.lifecycles import PrintEvent, PrintState
from bodega.errors import InvalidInput, Refused
from bodega_agent.store import labels, work
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Transaction
from support.node_under_test import HubPen, opened_store
from support.worked_order import CONTEXT, FO, STAGES, bring_to, node_with_work


@pytest.mark.parametrize("stage", STAGES)
async def test_a_cancel_wins_before_the_hand_over_and_comes_too_late_after_it(
    tmp_path: Path, stage: str
) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, stage))
        await hub.cancel(1)
        await hub.cancel(1)

        order = await store.write(lambda tx: work.find(tx, FO))
        staged = await store.write(lambda tx: work.staged_goods(tx, stage_of(FO)))
        facts = [row["fact"] for row in await store.read(lambda reader: reader.journal(limit=100))]
        assert order.state == ("shipped" if stage == "shipped" else "cancelled")
        assert facts.count("cancel_came_too_late") == (2 if stage == "shipped" else 0)
        picked = stage not in ("assigned", "shipped")
        assert [goods.quantity for goods in staged] == ([2] if picked else [])
        assert facts.count("task_opened") == (1 if picked else 0)
        assert (await store.read(Reader.verify))["ok"]


async def test_the_label_of_a_cancelled_parcel_does_not_leave_the_queue(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))
        await hub.cancel(1)
        assert await store.write(labels.next_queued) is None
        assert [job["state"] for job in await store.read(Reader.labels)] == ["voided"]


async def test_a_label_that_was_being_sent_when_the_power_failed_is_unknown_and_never_printed_again_blindly(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))

        def send(tx: Transaction) -> None:
            job = labels.next_queued(tx)
            assert job is not None
            labels.advance(tx, CONTEXT, job, PrintEvent.SEND)

        await store.write(send)
    with opened_store(tmp_path) as store:
        lost = await store.write(lambda tx: labels.lose_track_of_sent(tx, CONTEXT))
        assert [job.fulfillment_order_id for job in lost] == [FO]
        assert await store.write(labels.next_queued) is None
        sscc = (await store.write(lambda tx: work.find(tx, FO))).sscc

        with pytest.raises(InvalidInput, match="needs a reason"):
            await store.write(lambda tx: labels.reprint(tx, CONTEXT, sscc, " "))
        again = await store.write(lambda tx: labels.reprint(tx, CONTEXT, sscc, "label torn"))
        assert (again.copy, again.state) == (2, PrintState.QUEUED)
        states = [(job["copy"], job["state"]) for job in await store.read(Reader.labels)]
        assert states == [(1, "superseded"), (2, "queued")]


async def test_a_used_up_sscc_range_stops_packing_and_says_what_to_do(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = HubPen(store)
        await hub.profile(last_serial=0)
        assert await store.write(labels.peek_sscc) == ""
        with pytest.raises(Refused) as refusal:
            await store.write(lambda tx: labels.pack(tx, CONTEXT, FO, ""))
        assert "bodegactl nodes register" in refusal.value.hint


async def test_a_desired_state_is_put_in_force_only_if_it_is_signed_and_valid(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = HubPen(store)
        from bodega.v1 import fleet_pb2

        def desired(generation: int, value: str, signature: bytes = b"the hub's") -> fleet_pb2.DesiredState:
            return fleet_pb2.DesiredState(
                generation=generation, settings={"vision.mode": value}, signature=signature
            )

        await hub.write(desired_state=desired(1, "blocking"))
        await hub.write(desired_state=desired(2, "sometimes"))
        await hub.write(desired_state=desired(3, "off", b"somebody else's"))
        reports = [
            parse_node_event(row["body"]).state_reported
            for row in await store.read(lambda reader: reader.journal())
        ]
        assert [report.generation for report in reports] == [1, 1, 1]
        assert [bool(report.faults) for report in reports] == [False, True, True]
        assert dict(reports[-1].settings) == {"vision.mode": "blocking"}
