"""Promises of the node's own on a real ledger: only from rights, kept in two phases, refused without a trace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from bodega.core.ledger import Goods
from bodega.core.promise import NodeStanding
from bodega.errors import InvalidInput, NotFound, Refused
from bodega_agent.store import ledger, promises
from bodega_agent.store.promises import BasketLine
from bodega_agent.store.reader import Reader
from bodega_agent.store.schema import open_for_reading
from bodega_agent.store.transaction import Transaction
from support.node_under_test import opened_store
from support.promising import SHELF, WHO, able_to_promise, facts, post, release, reserve, shelve, standing


async def test_a_promise_is_made_from_rights_and_from_what_lies_on_the_shelf(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=4, shelf=6)
        made = await reserve(store, "PU-1", 3)
        assert {name: made[name] for name in ("state", "quantity", "pending", "posted", "voided")} == {
            "state": "pending",
            "quantity": 3,
            "pending": 3,
            "posted": 0,
            "voided": 0,
        }
        name, told = (await facts(store))[-1]
        assert (name, told.reservation_id, told.event, told.state) == (
            "reservation_changed",
            "PU-1",
            "reserve",
            "pending",
        )
        left = await standing(store)
        assert (left.sellable, left.rights_held, left.local_reserved, left.available) == (6, 4, 3, 1)


@pytest.mark.parametrize(("rights", "shelf", "asked"), [(2, 9, 3), (9, 2, 3), (0, 9, 1)])
async def test_more_than_rights_or_shelf_allow_is_refused_and_nothing_is_written(
    tmp_path: Path, rights: int, shelf: int, asked: int
) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=rights, shelf=shelf)
        before = await store.head()
        with pytest.raises(Refused) as refused:
            await reserve(store, "PU-1", asked)
        assert refused.value.code == "insufficient-rights"
        assert f"{asked} asked, {min(rights, shelf)} may be promised" in refused.value.faults[0].problem
        assert "rights" in refused.value.hint
        assert await store.head() == before
        assert (await standing(store)).local_reserved == 0


async def test_the_last_unit_goes_to_exactly_one_of_many_who_ask_at_once(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=3, shelf=3)
        await reserve(store, "PU-early", 2)
        asked = [reserve(store, f"PU-{number}", 1) for number in range(40)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, dict) for answer in answers) == 1
        assert {answer.code for answer in answers if isinstance(answer, Refused)} == {"insufficient-rights"}
        left = await standing(store)
        assert (left.local_reserved, left.rights_held, left.available) == (3, 3, 0)


async def test_two_lines_of_one_basket_are_one_question_and_a_basket_is_promised_whole_or_not(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        pen = await able_to_promise(store, rights=5, shelf=9)
        await store.write(lambda tx: shelve(tx, "SKU-2", 9))
        await pen.grant("SKU-2", 1)

        def basket(*lines: tuple[str, str, int]) -> Awaitable[object]:
            wanted = [BasketLine(*line) for line in lines]
            return store.write(lambda tx: promises.reserve_basket(tx, WHO, lines=wanted))

        before = await store.head()
        with pytest.raises(Refused, match="6 asked, 5 may be promised"):
            await basket(("B/1", "SKU-1", 3), ("B/2", "SKU-1", 3))
        with pytest.raises(Refused, match="SKU-2: 2 asked, 1 may be promised"):
            await basket(("B/1", "SKU-1", 3), ("B/2", "SKU-2", 2))
        assert await store.head() == before
        await basket(("B/1", "SKU-1", 3), ("B/2", "SKU-1", 2), ("B/3", "SKU-2", 1))
        assert (await standing(store)).available == (await standing(store, "SKU-2")).available == 0


async def test_the_hubs_open_orders_come_off_the_shelf_before_the_node_promises(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        pen = await able_to_promise(store, rights=6, shelf=6)
        await pen.fulfillment_order(1, ("SKU-1", 4))
        assert (await standing(store)).available == 2
        with pytest.raises(Refused):
            await reserve(store, "PU-1", 3)
        await reserve(store, "PU-1", 2)
        await pen.cancel(1)
        left = await standing(store)
        assert (left.hub_reserved, left.available) == (0, 4)


async def test_a_post_moves_the_goods_uses_the_right_up_and_gives_the_rest_back_in_one_commit(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=5, shelf=6)
        await reserve(store, "PU-1", 4)
        before = (await store.head()).seq
        done = await post(store, "PU-1", 3)
        assert (done["posted"], done["voided"], done["pending"], done["state"]) == (3, 1, 0, "posted")
        (first, movement), (second, told) = await facts(store, before)
        assert (first, movement.command, movement.biz_step, movement.reservation_id) == (
            "movement",
            "post",
            "retail_selling",
            "PU-1",
        )
        assert (second, told.event, told.posted, told.voided) == ("reservation_changed", "post", 3, 1)
        left = await standing(store)
        assert (left.sellable, left.rights_held, left.local_reserved, left.available) == (3, 2, 0, 2)
        assert (await store.read(Reader.verify))["ok"]


async def test_a_promise_is_posted_in_parts_until_the_last_one_is_final(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=5, shelf=6)
        await reserve(store, "PU-1", 4)
        part = await post(store, "PU-1", 1, final=False)
        assert (part["pending"], part["state"]) == (3, "pending")
        assert (await standing(store)).rights_held == 4
        with pytest.raises(Refused) as refused:
            await post(store, "PU-1", 4)
        assert refused.value.code == "more-than-reserved"
        assert (await post(store, "PU-1", 3, final=False))["state"] == "posted"
        with pytest.raises(Refused) as refused:
            await release(store, "PU-1")
        assert refused.value.code == "illegal-transition"


async def test_a_post_of_goods_that_the_book_does_not_hold_is_recorded_and_uses_the_right_up(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=3, shelf=3)
        await reserve(store, "PU-1", 2)
        await post(store, "PU-1", 2, bin_id="A-01-02")
        assert "discrepancy_opened" in [name for name, _ in await facts(store)]
        left = await standing(store)
        assert (left.sellable, left.rights_held) == (3, 1)


async def test_a_reader_is_told_the_same_standing_as_a_command(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        pen = await able_to_promise(store, rights=5, shelf=7)
        await pen.fulfillment_order(1, ("SKU-1", 3))
        await reserve(store, "PU-1", 2)
        told = await standing(store)
        connection = open_for_reading(tmp_path / "ledger.db")
        assert promises.standing(connection, "SKU-1", "2026-01-01") == told
        assert promises.standing(connection, "GHOST", "2026-01-01") == NodeStanding(0)
        connection.close()
        assert [part.units for part in told.breakdown()] == [7, -3, -2, 0, 0, 0]
        assert told.available == 2


async def test_a_released_promise_can_be_promised_again_and_ends_only_once(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=2, shelf=2)
        await reserve(store, "PU-1", 2)
        assert (await release(store, "PU-1"))["state"] == "voided"
        with pytest.raises(Refused, match="'void' is not possible in state 'voided'"):
            await release(store, "PU-1")
        with pytest.raises(Refused, match="'post' is not possible in state 'voided'"):
            await post(store, "PU-1", 1)
        await reserve(store, "PU-2", 2)
        with pytest.raises(Refused) as refused:
            await reserve(store, "PU-1", 1)
        assert refused.value.code == "reservation-twice"
        with pytest.raises(NotFound):
            await release(store, "PU-9")


async def test_goods_of_another_sku_are_not_handed_over_for_a_promise(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=2, shelf=2)
        await reserve(store, "PU-1", 1)
        before = await store.head()
        with pytest.raises(InvalidInput) as invalid:
            await store.write(
                lambda tx: promises.post(
                    tx, WHO, reservation_id="PU-1", goods=Goods("SKU-9", 1), bin_id=SHELF, final=True
                )
            )
        assert invalid.value.faults[0].where == "sku_id"
        assert await store.head() == before


async def test_every_bad_field_is_named_at_once(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        lines = [BasketLine("B/1", "", 0), BasketLine("B/1", "S" * 65, 1_000_001)]
        with pytest.raises(InvalidInput) as invalid:
            await store.write(
                lambda tx: promises.reserve_basket(
                    tx, WHO, lines=lines, reference="r" * 501, expires_after_ms=-1
                )
            )
        assert {fault.where for fault in invalid.value.faults} == {
            "reservation_id",
            "reference",
            "expires_after_ms",
            "lines[0].sku_id",
            "lines[0].quantity",
            "lines[1].sku_id",
            "lines[1].quantity",
        }


async def test_the_hub_takes_rights_back_only_as_far_as_they_are_free(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        pen = await able_to_promise(store, rights=5, shelf=9)
        await reserve(store, "PU-1", 3)
        await pen.recall("SKU-1", 4, "R-2")
        await pen.recall("SKU-1", 4, "R-3")
        told = [(name, one.transfer_id, one.quantity, one.held) for name, one in (await facts(store))[-2:]]
        assert told == [("rights_returned", "R-2", 2, 3), ("rights_returned", "R-3", 0, 3)]
        left = await standing(store)
        assert (left.rights_held, left.local_reserved, left.available) == (3, 3, 0)


async def test_stock_lost_under_promises_is_a_measured_shortfall_and_stops_new_ones(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=6, shelf=6)
        await reserve(store, "PU-1", 4)

        def lose(tx: Transaction) -> int:
            return ledger.move(tx, WHO, "count_down", [Goods("SKU-1", 3)], source_bin=SHELF)

        await store.write(lose)
        left = await standing(store)
        assert (left.sellable, left.local_reserved, left.shortfall, left.available) == (3, 4, 1, 0)
        assert sum(part.units for part in left.breakdown()) == 0
        with pytest.raises(Refused, match=r"shortfall \+1"):
            await reserve(store, "PU-2", 1)


async def test_while_the_node_makes_no_promises_the_ones_that_it_made_are_kept(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=6, shelf=6)
        await reserve(store, "PU-1", 2)

        store.gate.closed_because = "the disk is nearly full"
        with pytest.raises(Refused) as refused:
            await reserve(store, "PU-2", 1)
        assert refused.value.code == "disk-full"
        assert (await post(store, "PU-1", 2))["state"] == "posted"
