"""A shelf does not give what it should: the node decides alone which other one serves, as the hub's bundle lets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bodega.core.routing.bundle import DEFAULT
from bodega.routing_wire import bundle_message
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads.decisions import Kept, newest_decisions
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.picking_day import exceptions, items, lines_of, order, shop, state_of
from support.routing import document

LOW = {"name": "low", "keep": "shelf.kind != 'pick_face'", "why": "is a pick face"}
FAR = {"name": "far", "value": "shelf.walk_order", "weight": -1}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    async with floor_rig(tmp_path) as one:
        yield one


async def told(rig: FloorRig, **edge: Any) -> None:
    """The hub puts a bundle in force."""
    await rig.hub.write(routing_bundle=bundle_message(1, document("edge", 1, edge=edge), b"the hub's"))


async def kept(rig: FloorRig) -> list[Kept]:
    """What the node has decided alone, the newest first; each comes out again as it was recorded."""

    def read(reader: Reader) -> list[Kept]:
        return newest_decisions(reader, 100)

    found = await rig.store.read(read)
    assert [one.again() for one in found] == [("same", "")] * len(found)
    return found


async def shelves(rig: FloorRig, units: int = 2) -> str:
    """Oats in three bins."""
    oat, *_ = await shop(rig, faces=("A-01-02",))
    for place in ("A-01-01", "A-01-02", "B-02-01"):
        await rig.stock(oat, place, units)
    return oat


@pytest.mark.parametrize(
    ("reason", "passed"), [("missing", False), ("blocked", True), ("expired", False), ("unreadable", True)]
)
async def test_without_a_bundle_the_default_decides_as_the_floor_always_has(
    rig: FloorRig, reason: str, passed: bool
) -> None:
    oat = await shelves(rig)
    await order(rig, 1, {oat: 2})
    shown = await rig.play("CMD-PICK", "CMD-SHORT", reason)
    assert shown["text"].endswith("Go to A-01-02.")
    (one,) = await kept(rig)
    assert (one.decision, one.subject, one.reason) == ("within_site", "FO-1", reason)
    assert (one.digest, one.choice.rule) == (DEFAULT.digest, DEFAULT.rule)
    assert [(row.node_id, row.eligible) for row in one.choice.candidates] == [
        ("A-01-02", True),
        ("B-02-01", True),
        *([("A-01-01", False)] if passed else []),
    ]
    # Nobody who comes to a shelf of the node needs to be known.
    assert b"Ana" not in one.inputs
    assert b"Ouro" not in one.inputs


async def test_a_pick_that_goes_well_decides_nothing(rig: FloorRig) -> None:
    oat = await shelves(rig)
    await order(rig, 1, {oat: 2})
    await rig.play("CMD-PICK", "A-01-01")
    await items(rig, 1, 2)
    assert await kept(rig) == []


async def test_damaged_goods_beside_enough_good_ones_decide_nothing_and_too_few_do(rig: FloorRig) -> None:
    oat = await shelves(rig)
    await order(rig, 1, {oat: 1})
    await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "damaged", "1")
    assert await kept(rig) == []
    await rig.play("CMD-SHORT", "damaged", "1")
    assert [one.reason for one in await kept(rig)] == ["damaged"]


async def _ruled(rig: FloorRig) -> None:
    """Rules about shelves: the farthest first, and no pick face; what they have said holds until the line is served."""
    oat, _, soy = await shop(rig, faces=("A-01-02",))
    for place, units in (("A-01-01", 3), ("A-01-02", 3), ("B-02-01", 2)):
        await rig.stock(oat, place, units)
    await rig.stock(soy, "A-01-01", 4)
    await told(rig, allows=["within_site"], shelf_filters=[LOW], shelf_scores=[FAR])
    await order(rig, 1, {oat: 3}, instead=[soy])
    shown = await rig.play("CMD-PICK", "CMD-SHORT", "missing")
    assert shown["text"] == "A-01-01 is empty. Go to B-02-01."
    await rig.scan("B-02-01")
    await items(rig, 1, 1)
    wrong = await rig.scan("A-01-02")
    assert wrong["tone"] == "error"
    left = await items(rig, 1, 1)
    assert "A-01-02" not in left["text"]


async def test_rules_about_shelves_lead_the_picker_through_crashes() -> None:
    assert await lived_through_crashes(_ruled) == 7


async def test_scores_lead_to_the_better_shelf_and_to_the_next_one_after_it(rig: FloorRig) -> None:
    oat = await shelves(rig)
    await told(rig, allows=["within_site"], shelf_scores=[FAR])
    await order(rig, 1, {oat: 2})
    assert (await rig.play("CMD-PICK", "CMD-SHORT", "missing"))["text"].endswith("Go to B-02-01.")
    assert (await rig.play("CMD-SHORT", "blocked"))["text"].endswith("Go to A-01-02.")
    last, first = await kept(rig)
    assert [[one.node_id for one in each.choice.shares] for each in (first, last)] == [
        ["B-02-01"],
        ["A-01-02"],
    ]


async def test_where_no_other_shelf_may_serve_the_prompt_says_why_and_another_sku_is_offered(
    rig: FloorRig,
) -> None:
    await _ruled(rig)
    offered = await rig.scan("CMD-SHORT")
    assert "No other bin may serve it: is a pick face." in offered["text"]
    assert "Send 1 x Product 3 instead?" in offered["text"]
    await rig.play("yes", "A-01-01")
    await items(rig, 3, 1)
    assert await lines_of(rig, "FO-1") == [("SKU-1", 3, 2, 1), ("SKU-3", 1, 1, 0)]
    last, first = await kept(rig)
    assert ([one.node_id for one in first.choice.shares], last.choice.shares) == (["B-02-01"], ())
    assert last.choice.candidates[0].reasons[0].code == "low"


async def test_a_bundle_that_lets_no_node_do_it_gives_what_is_missing_back_to_the_hub(rig: FloorRig) -> None:
    oat = await shelves(rig)
    await told(rig, allows=["carrier", "pickup"])
    await order(rig, 1, {oat: 2})
    shown = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "missing")
    assert shown["text"].startswith(
        "A-01-01 is empty. No other bin may serve it: the bundle edge@1 leaves it to the hub. Product 1 is short."
    )
    assert await state_of(rig, "FO-1") == "handed_back"
    assert ("short_pick", "missing", 2) in await exceptions(rig)
    (one,) = await kept(rig)
    assert one.choice.candidates[0].reasons[0].code == "not-for-nodes"


async def test_what_other_shelves_were_to_give_anyway_they_still_give(rig: FloorRig) -> None:
    oat = await shelves(rig)
    await told(rig, allows=[])
    await order(rig, 1, {oat: 3})
    # Two from the first bin, one from the next: the first is empty, the next one is not asked for more.
    shown = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "missing")
    assert "Go to A-01-02." in shown["text"]
    await rig.scan("A-01-02")
    assert (await items(rig, 1, 1))["step"] == "pack"
    assert await lines_of(rig, "FO-1") == [(oat, 3, 1, 2)]


async def test_of_a_batch_who_was_released_last_goes_without(rig: FloorRig) -> None:
    oat = await shelves(rig, units=3)
    await told(rig, allows=[])
    for number in (1, 2):
        await order(rig, number, {oat: 2}, placed_at_ms=number)
    await rig.play("CMD-BATCH", "A-01-01", "CMD-SHORT", "missing")
    assert await lines_of(rig, "FO-1") == [(oat, 2, 0, 1)]
    assert await lines_of(rig, "FO-2") == [(oat, 2, 0, 2)]


async def test_the_log_says_that_it_was_decided_and_not_what_of(
    rig: FloorRig, capsys: pytest.CaptureFixture[str]
) -> None:
    oat = await shelves(rig)
    await order(rig, 1, {oat: 2})
    await rig.play("CMD-PICK", "CMD-SHORT", "missing")
    said = capsys.readouterr()
    assert "decided_alone" in said.out + said.err
    assert "made=" not in said.out + said.err
