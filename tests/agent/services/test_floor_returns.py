"""Returns in plain language: by order, by label, blind; graded, decided, put into their place, refunded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bodega.core.ledger import DOCK, Disposition
from bodega.v1 import floor_pb2, orders_pb2
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.services.floor import InspectAsked
from bodega_agent.services.inspecting import InspectingService
from bodega_agent.store.reader import Reader
from bodega_agent.vision.messages import InspectRequest, Verdict
from support.devices import eventually
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import gtin
from support.pickup_story import set_up, sold


async def take(rig: FloorRig, *answers: str, number: int = 1) -> Any:
    """One unit of product `number` comes back; what a person says of it. The last prompt."""
    shown = await rig.item(number)
    return await rig.play(*answers) if answers else shown


async def refunds(rig: FloorRig) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """(order, [(SKU, units, grade)]) of every refund that is due."""
    return [
        (due.order_id, [(line.sku_id, line.quantity, line.grade) for line in due.lines])
        for due in await rig.facts("refund_due")
    ]


async def exceptions(rig: FloorRig) -> list[tuple[str, str, int]]:
    """(kind, SKU, units) of what was noted."""
    return [(fact.kind, fact.sku_id, fact.quantity) for fact in await rig.facts("exception_noted")]


async def at(rig: FloorRig, bin_id: str, disposition: str) -> int:
    """Units of all SKUs with this disposition in a place."""
    found = (await rig.balances()).items()
    return sum(n for account, n in found if (account.bin, account.disposition) == (bin_id, disposition))


async def expected(rig: FloorRig, return_id: str, order_id: str, *lines: tuple[str, int]) -> None:
    """The hub has agreed to a return."""
    await rig.hub.write(
        return_expected=floor_pb2.ReturnExpected(
            return_id=return_id,
            order_id=order_id,
            lines=[floor_pb2.NoticeLine(sku_id=sku_id, quantity=units) for sku_id, units in lines],
        )
    )


async def _by_order(rig: FloorRig) -> None:
    """Two come back: one as new, which goes to the shelf again, one damaged, which goes to its place."""
    await set_up(rig)
    await sold(rig)
    shown = await rig.play("CMD-RETURN", "ORD-1")
    assert shown["expect"]["values"] == [gtin(1)]
    assert (await take(rig, "new", "CMD-ACCEPT"))["step"] == "return_item"
    shown = await take(rig, "damaged", "damaged")
    assert (shown["step"], shown["expect"]["values"]) == ("return_place", ["R-01"])
    await rig.play("R-01", "CMD-DONE", "CMD-DONE", "CMD-PUTAWAY")
    await rig.item(1)
    await rig.scan("A-01-01")
    assert await at(rig, "A-01-01", Disposition.SELLABLE) == 9
    assert await at(rig, "R-01", Disposition.DAMAGED) == 1


async def test_goods_of_an_order_come_back_and_the_customer_gets_the_money_for_them(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _by_order(rig)
        assert await refunds(rig) == [("ORD-1", [("OAT", 1, "new"), ("OAT", 1, "damaged")])]
        opened, closed = await rig.facts("return_advanced")
        assert (opened.state, closed.state, closed.order_id) == ("open", "closed", "ORD-1")
        assert closed.fulfillment_order_id == "FO-1"
        assert [(line.grade, line.disposition) for line in closed.lines] == [
            ("new", "sellable"),
            ("damaged", "damaged"),
        ]
        assert await exceptions(rig) == [("damaged_return", "OAT", 1)]
        assert (await rig.store.read(Reader.verify))["ok"]


async def test_a_return_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_by_order) > 15


async def test_by_the_parcels_label_and_everything_else_that_may_become_of_a_unit(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        sscc = await sold(rig, quantity=3)
        await rig.scan("CMD-RETURN")
        assert (await rig.parcel(sscc))["step"] == "return_item"
        shown = await take(rig, "opened", "CMD-ACCEPT", "A-01-01")
        assert (shown["tone"], shown["step"]) == ("error", "return_place"), "a shelf is no place for it"
        await rig.scan("R-01")
        await take(rig, "used", "supplier", "R-01")
        await take(rig, "used", "scrap")
        await rig.scan("CMD-DONE")
        assert await at(rig, "R-01", Disposition.NOT_SELLABLE) == 2
        assert await rig.held(DOCK, "OAT") == 0
        reasons = [m.reason.rpartition(", ")[2] for m in await rig.facts("movement")]
        assert [one for one in reasons if one in {"refurbish", "supplier", "scrap"}] == [
            "refurbish",
            "supplier",
            "scrap",
        ]


async def test_by_the_tracking_number_that_the_carrier_gave_the_parcel(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        sscc = await sold(rig, quantity=1)
        sql = "UPDATE parcel SET tracking_number = 'RR000000017PT' WHERE sscc = ?"
        await rig.store.write(lambda tx: tx.execute(sql, (sscc,)))
        shown = await rig.play("CMD-RETURN", "RR000000017PT")
        assert shown["step"] == "return_item"
        assert "of order ORD-1" in shown["text"]


async def test_by_the_returns_own_label_against_what_the_hub_announced(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await expected(rig, "RMA-7", "ORD-ELSEWHERE", ("OAT", 2))
        shown = await rig.play("CMD-RETURN", "RMA-7")
        assert shown["detail"] == ["2 x Oat"]
        await take(rig, "new", "CMD-ACCEPT")
        shown = await rig.scan("CMD-DONE")
        assert "money back for 1 of 1 units" in shown["text"]
        assert await refunds(rig) == [("ORD-ELSEWHERE", [("OAT", 1, "new")])]
        assert await exceptions(rig) == [("return_missing", "OAT", 1)]
        assert "closed already" in (await rig.scan("RMA-7"))["text"]


async def test_blind_the_goods_themselves_begin_a_return_of_no_known_order(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await rig.scan("CMD-RETURN")
        shown = await take(rig)
        assert shown["step"] == "return_grade"
        assert "of no known order" in shown["text"]
        await rig.play("used", "CMD-ACCEPT", "R-01", "CMD-DONE")
        assert await refunds(rig) == [("", [("OAT", 1, "used")])]
        opened, _ = await rig.facts("return_advanced")
        assert opened.return_id.startswith("RT-lisbon-01-1-")


async def test_an_order_that_is_still_in_the_house_can_not_come_back(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        oat = await set_up(rig)
        await rig.hub.fulfillment_order(1, (oat, 1))
        shown = await rig.play("CMD-RETURN", "FO-1")
        assert (shown["tone"], shown["step"]) == ("error", "return_find")
        assert "has not left the house" in shown["text"]


async def test_of_an_order_in_two_parts_only_what_has_left_is_owed(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig, quantity=1)
        still_here = orders_pb2.FulfillmentOrder(
            fulfillment_order_id="FO-2",
            order_id="ORD-1",
            lines=[orders_pb2.OrderLine(line=1, sku_id="OAT", quantity=1)],
            fencing_token=1,
        )
        await rig.hub.write(fulfillment_order=still_here)
        await rig.play("CMD-PICK", "A-01-01")
        await rig.item(1)
        await rig.play("CMD-CANCEL", "CMD-RETURN", "ORD-1")
        await take(rig, "2", "new", "CMD-ACCEPT", "CMD-DONE")
        assert await refunds(rig) == [("ORD-1", [("OAT", 1, "new")])]


async def test_more_than_was_sent_comes_back_and_is_taken_but_not_refunded(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig, quantity=1)
        await rig.play("CMD-RETURN", "ORD-1")
        await take(rig, "new", "CMD-ACCEPT")
        assert "1 x Oat more than was sent" in (await take(rig))["text"]
        shown = await rig.play("opened", "CMD-ACCEPT", "R-01", "CMD-DONE")
        assert (shown["tone"], "money back for 1 of 2 units" in shown["text"]) == ("ask", True)
        assert await refunds(rig) == [("ORD-1", [("OAT", 1, "new")])]
        assert await exceptions(rig) == [("return_over", "OAT", 1)]


async def test_what_was_refunded_once_is_not_refunded_with_the_next_return_of_the_order(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig, quantity=1)
        for _ in range(2):
            await rig.play("CMD-RETURN", "ORD-1")
            await take(rig, "new", "CMD-ACCEPT", "CMD-DONE", "CMD-DONE")
        assert await refunds(rig) == [("ORD-1", [("OAT", 1, "new")])]


async def test_another_product_than_was_sent_is_noted_and_nothing_is_owed_for_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await rig.hub.sku_of("RYE", 2)
        await sold(rig)
        await rig.play("CMD-RETURN", "ORD-1")
        assert "was not sent with this order" in (await take(rig, number=2))["text"]
        await rig.play("wrong-item", "CMD-ACCEPT", "R-01", "CMD-DONE")
        assert await refunds(rig) == []
        assert await exceptions(rig) == [("wrong_item_returned", "RYE", 1)]


async def test_several_alike_are_a_number_and_a_scan_by_mistake_is_taken_back(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig, quantity=3)
        await rig.play("CMD-RETURN", "ORD-1")
        await take(rig, "3")
        assert await rig.held(DOCK, "OAT") == 3
        assert (await rig.scan("2"))["tone"] == "error"
        assert (await rig.scan("CMD-VOID"))["step"] == "return_item"
        assert await rig.held(DOCK, "OAT") == 0
        assert (await rig.scan("CMD-DONE"))["tone"] == "error", "nothing came back yet"
        await take(rig, "2", "new", "CMD-ACCEPT", "CMD-DONE")
        assert await refunds(rig) == [("ORD-1", [("OAT", 2, "new")])]
        assert (await rig.store.read(Reader.verify))["ok"]


async def test_a_left_return_goes_on_at_another_device_where_it_stood(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig)
        await rig.play("CMD-RETURN", "ORD-1")
        await take(rig, "used")
        await rig.scan("CMD-CANCEL")
        shown = await rig.play("CMD-RETURN", "FO-1", device="scanner-2")
        assert shown["step"] == "return_dispose"
        assert "It was begun before." in shown["text"]
        await rig.play("CMD-ACCEPT", "R-01", "CMD-DONE", device="scanner-2")
        assert len(await rig.facts("return_advanced")) == 2


async def test_a_return_that_somebody_else_has_closed_is_lost_to_the_other_device(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig)
        await rig.play("CMD-RETURN", "ORD-1")
        await rig.play("CMD-RETURN", "ORD-1", device="scanner-2")
        await take(rig, "new", "CMD-ACCEPT", "CMD-DONE")
        shown = await rig.item(1, device="scanner-2")
        assert (shown["tone"], shown["step"]) == ("error", "idle")


async def test_an_expired_lot_is_never_sold_again_whatever_it_looks_like(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig, lot_tracked=True, expiry_tracked=True)
        await rig.scan("CMD-RETURN")
        assert (await take(rig))["tone"] == "error", "the lot is missing"
        await rig.scan(f"01{gtin(1)}1725010110L-1", "]C1")
        shown = await rig.scan("new")
        assert shown["expect"]["values"][:2] == ["CMD-ACCEPT", "scrap"]
        assert "it has expired" in (await rig.scan("sellable"))["text"]
        await rig.play("CMD-ACCEPT", "CMD-DONE")
        assert await rig.held(DOCK, "OAT") == 0


async def test_cold_goods_that_were_out_of_the_house_are_never_sold_again(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig, cold="chilled")
        await rig.scan("CMD-RETURN")
        shown = await take(rig, "new")
        assert "it can not be sold again: nobody knows that it stayed chilled" in shown["detail"]
        assert (await rig.scan("sellable"))["tone"] == "error"


async def test_a_unit_with_a_serial_comes_back_once(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig, serial_tracked=True)
        await rig.scan("CMD-RETURN")
        assert (await take(rig))["tone"] == "error", "the serial is missing"
        await rig.scan(f"01{gtin(1)}21S-1", "]C1")
        assert (await rig.scan("2"))["tone"] == "error"
        await rig.play("new", "CMD-ACCEPT")
        again = await rig.scan(f"01{gtin(1)}21S-1", "]C1")
        assert "is in DOCK by the book" in again["text"]
        await rig.scan("CMD-DONE")
        closed = (await rig.facts("return_advanced"))[-1]
        assert [list(line.serials) for line in closed.lines] == [["S-1"]]


class Eyes:
    """A camera that answers when it is let, and always the same."""

    def __init__(self, outcome: str) -> None:
        self.outcome = outcome
        self.may_answer = asyncio.Event()
        self.asked: list[InspectRequest] = []

    async def inspect(self, request: InspectRequest) -> Verdict:
        """The outcome, with a reason if it is no pass."""
        self.asked.append(request)
        await self.may_answer.wait()
        reasons = () if self.outcome == "pass" else ("other_item: The camera sees another product.",)
        return Verdict(request.request_id, self.outcome, reasons, model="m@1", provider="cpu")


async def test_the_camera_says_its_part_beside_the_person_and_holds_nothing_up(tmp_path: Path) -> None:
    async with floor_rig(tmp_path, vision=VisionMode.BLOCKING) as rig:
        eyes = Eyes("fail")
        inspecting = InspectingService(rig.store, rig.service, eyes, "bench")
        rig.service.on_inspect = inspecting.ask
        task = asyncio.create_task(inspecting.run())
        try:
            await set_up(rig)
            await rig.scan("CMD-RETURN")
            await take(rig)
            await eventually(lambda: eyes.asked)
            assert eyes.asked[0].subject == "return"
            assert (await rig.scan("new"))["step"] == "return_dispose", "the person does not wait for it"
            eyes.may_answer.set()
            shown = await _until_said(rig, "The camera says fail to Oat")
            assert "camera: fail" in shown["detail"]
            await rig.play("CMD-ACCEPT", "CMD-DONE")
        finally:
            task.cancel()
        closed = (await rig.facts("return_advanced"))[-1]
        assert [(line.grade, line.camera, line.disposition) for line in closed.lines] == [
            ("new", "fail", "sellable")
        ]
        assert await exceptions(rig) == [("camera_overruled", "OAT", 1)]
        (decision,) = await rig.facts("vision_decision")
        assert (decision.return_id, decision.outcome) == (closed.return_id, "fail")


async def _until_said(rig: FloorRig, words: str) -> Any:
    async with asyncio.timeout(10):
        async for shown in rig.board.watch("scanner-1"):
            if words in shown["text"]:
                return shown
    raise AssertionError("watch() ends only by time-out")


async def test_a_camera_that_never_answers_leaves_unknown_and_a_restart_gives_its_question_up(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path, vision=VisionMode.ADVISORY) as rig:
        asked: list[InspectAsked] = []
        rig.service.on_inspect = asked.append
        await set_up(rig)
        await rig.scan("CMD-RETURN")
        await take(rig, "new", "CMD-ACCEPT", "CMD-DONE")
        assert [one.return_id for one in asked] == [(await rig.facts("return_advanced"))[0].return_id]
        closed = (await rig.facts("return_advanced"))[-1]
        assert closed.lines[0].camera == "unknown"
        await rig.crash()
        task = asyncio.create_task(InspectingService(rig.store, rig.service, Eyes("pass"), "bench").run())
        try:
            await _until_said(rig, "Scan the return")
        finally:
            task.cancel()
        (decision,) = await rig.facts("vision_decision")
        assert decision.outcome == "review"
