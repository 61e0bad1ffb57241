"""A long catalogue: checked whole before anything is written, written in slices, repeated safely."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bodega.errors import BodegaError, InvalidInput, Refused, Unavailable
from bodega.limits import CATALOGUE_ROWS_MAX
from bodega.limits_hub import IMPORT_ROWS_FIRST
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.goods.catalogue_file import read_skus
from bodega_controlplane.app.goods.importing import Progress, import_skus, import_whole
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import open_store
from support.controlplane import OPERATOR, POLICY, gtin_of, rows_of, settle, sku


class CountedHub(Hub):
    """A hub that counts what is written, and does `before` each of these."""

    written = 0
    before: Callable[[int], None] = staticmethod(lambda _number: None)

    async def run(self, fn: Callable[[Any], Any]) -> Any:
        """See Hub.run."""
        self.before(self.written)
        self.written += 1
        return await super().run(fn)


@pytest.fixture
def hub(database: str, tmp_path: Path) -> Iterator[CountedHub]:
    """One that sells TEA at one node."""
    store = open_store(database, tmp_path)
    settle(store, "TEA")
    opened = CountedHub(store, load_hub_key(tmp_path), POLICY)
    yield opened
    opened.close()


def csv_of(rows: int, *more: str, kit: str = "") -> str:
    lines = [f"S{n:05},sku {n},{gtin_of(n)}," for n in range(rows)]
    return "\n".join(["sku_id,name,gtins,components", *([kit] if kit else []), *lines, *more])


async def take(hub: Hub, text: str, *, is_csv: bool = True) -> int:
    """What is new or changed."""
    return await import_whole(hub, OPERATOR, *read_skus(text, is_csv=is_csv))


async def refusal(hub: CountedHub, text: str, *, is_csv: bool = True) -> list[str]:
    """The faults of a file that is refused as a whole."""
    with pytest.raises(InvalidInput, match="nothing was imported") as caught:
        await take(hub, text, is_csv=is_csv)
    assert hub.written == 0
    assert [row.sku_id for row in rows_of(hub._store, schema.sku)] == ["TEA"]
    return [str(fault) for fault in caught.value.faults]


async def test_many_rows_are_written_in_slices_and_a_second_time_nothing_changes(hub: CountedHub) -> None:
    text = csv_of(CATALOGUE_ROWS_MAX + 200)
    assert await take(hub, text) == CATALOGUE_ROWS_MAX + 200
    assert hub.written > 2
    assert await take(hub, text) == 0
    assert len(rows_of(hub._store, schema.sku)) == CATALOGUE_ROWS_MAX + 201


async def test_it_says_how_far_it_is_first_checked_then_written(hub: CountedHub) -> None:
    rows = IMPORT_ROWS_FIRST + 1
    said = [one async for one in import_skus(hub, OPERATOR, *read_skus(csv_of(rows), is_csv=True))]
    assert said[0] == Progress(checked=IMPORT_ROWS_FIRST)
    assert said[-1] == Progress(rows, rows, rows)
    for before, after in pairwise(said):
        assert before.checked + before.written < after.checked + after.written


async def test_other_writers_come_in_between_the_slices(hub: CountedHub) -> None:
    """One that begins with the import has written many times before it ends."""
    importing = asyncio.create_task(take(hub, csv_of(2_000)))
    others = 0
    while not importing.done():
        others += 1
        await Hub.run(hub, lambda tx: tx.audit(at_ms=1, actor="somebody", action="else", subject="writes"))
    assert await importing == 2_000
    assert others >= hub.written > 2


async def test_a_kit_may_stand_before_its_parts_however_long_the_file_is(hub: CountedHub) -> None:
    kit = f"BIG,Big kit,,SMALL=1;S{IMPORT_ROWS_FIRST + 50:05}=2\nSMALL,Small kit,,S00001=2"
    assert await take(hub, csv_of(IMPORT_ROWS_FIRST + 60, kit=kit)) == IMPORT_ROWS_FIRST + 62


async def test_what_is_found_in_any_slice_is_told_with_its_line_and_nothing_is_written(
    hub: CountedHub,
) -> None:
    rows = IMPORT_ROWS_FIRST + 50
    faults = await refusal(hub, csv_of(rows, "KIT,Kit,,NONE=1"))
    assert faults == [f"line {rows + 2}: components[0].sku_id: is no SKU: NONE"]


async def test_what_comes_twice_is_found_over_all_slices_even_on_one_line(hub: CountedHub) -> None:
    rows = IMPORT_ROWS_FIRST + 50
    faults = await refusal(hub, csv_of(rows, "S00000,again,,", f"OTHER,Other,{gtin_of(1)},"))
    assert faults[0] == f"line {rows + 2}: sku_id: is already at line 2: S00000"
    assert faults[1] == f"line {rows + 3}: gtins: means SKU S00001 already: 0{gtin_of(1)}"
    twice = json.dumps([{"sku_id": "A", "name": "a"}, {"sku_id": "A", "name": "b"}])
    assert await refusal(hub, twice, is_csv=False) == ["line 1: sku_id: is already at line 1: A"]


async def test_more_skus_than_a_slice_holds_can_not_change_their_gtins_in_a_circle(hub: CountedHub) -> None:
    rows = CATALOGUE_ROWS_MAX + 1
    await take(hub, csv_of(rows))
    text = "\n".join(["sku_id,name,gtins", *(f"S{n:05},s,{gtin_of((n + 1) % rows)}" for n in range(rows))])
    with pytest.raises(InvalidInput) as caught:
        await take(hub, text)
    assert f"moves GTINs between {rows} SKUs" in str(caught.value.faults[0])
    fewer = "\n".join(["sku_id,name,gtins", *(f"S{n:05},s,{gtin_of((n + 1) % 9)}" for n in range(9))])
    assert await take(hub, fewer) == 9


async def test_an_outage_between_two_slices_says_how_far_it_came_and_the_file_may_come_again(
    hub: CountedHub,
) -> None:
    def away(number: int) -> None:
        if number == 1:
            raise Unavailable("no database answers")

    hub.before = away
    text = csv_of(CATALOGUE_ROWS_MAX)
    with pytest.raises(Unavailable) as caught:
        await take(hub, text)
    said = caught.value.message
    assert said == f"{IMPORT_ROWS_FIRST} of {CATALOGUE_ROWS_MAX} rows are imported, then: no database answers"
    hub.before = lambda _number: None
    assert await take(hub, text) == CATALOGUE_ROWS_MAX - IMPORT_ROWS_FIRST


@pytest.mark.parametrize(("slices_before", "kind"), [(0, InvalidInput), (1, Refused)])
async def test_a_writer_that_comes_between_check_and_write_is_named_with_the_line(
    hub: CountedHub, slices_before: int, kind: type[BodegaError]
) -> None:
    rows = IMPORT_ROWS_FIRST + 50
    taken = 7 if slices_before == 0 else rows - 1

    def other(number: int) -> None:
        if number == slices_before:
            thief = sku("THIEF", gtin_of(taken))
            hub._store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [thief]))

    hub.before = other
    with pytest.raises(kind) as caught:
        await take(hub, csv_of(rows))
    assert str(caught.value.faults[0]).startswith(f"line {taken + 2}: gtins[0]: means SKU THIEF already")
    assert ("nothing was imported" in caught.value.message) == (slices_before == 0)
