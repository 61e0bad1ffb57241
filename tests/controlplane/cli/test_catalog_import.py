"""A long catalogue file: checked whole before anything is written, written in slices, repeated safely."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.errors import InvalidInput, Unavailable
from bodega.limits import CATALOGUE_ROWS_MAX, REQUEST_BYTES_MAX
from bodega.limits_hub import IMPORT_ROWS_FIRST
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.goods.catalogue_file import read_skus
from bodega_controlplane.app.wire import sku_draft
from bodega_controlplane.cli.catalog_import import import_skus
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, gtin_of, rows_of, settle


class Hub:
    """UpsertSkus as the servicer does it, and a note of each request."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[pb.UpsertSkusRequest] = []
        self.away_after: int | None = None

    def upsert(self, request: pb.UpsertSkusRequest) -> int:
        """See catalogue.upsert_skus and check_skus."""
        assert request.ByteSize() < REQUEST_BYTES_MAX
        self.asked.append(request)
        drafts = [sku_draft(row) for row in request.skus]
        if request.check_only:
            return self.store.read(lambda tx: catalogue.check_skus(tx, drafts, request.coming_sku_ids))
        if self.away_after is not None and len(self.written) > self.away_after:
            raise Unavailable("no control plane answers")
        return self.store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, drafts))[0]

    @property
    def written(self) -> list[pb.UpsertSkusRequest]:
        """The requests that were no checks."""
        return [one for one in self.asked if not one.check_only]

    def take(self, text: str) -> int:
        """Import a CSV file; what is new or changed."""
        return import_skus(*read_skus(text, is_csv=True), self.upsert, lambda _rows: None)


@pytest.fixture
def hub(sqlite_store: Store, tmp_path: Path) -> Hub:
    settle(sqlite_store, "TEA")
    return Hub(sqlite_store)


def csv_of(rows: int, *more: str, kit: str = "") -> str:
    lines = [f"S{n:05},sku {n},{gtin_of(n)}," for n in range(rows)]
    return "\n".join(["sku_id,name,gtins,components", *([kit] if kit else []), *lines, *more])


def faults_of(hub: Hub, text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(InvalidInput) as caught:
        hub.take(text)
    assert "nothing was imported" in caught.value.message
    return [(fault.line, str(fault)) for fault in caught.value.faults]


def test_many_rows_are_written_in_slices_and_a_second_time_nothing_changes(hub: Hub) -> None:
    text = csv_of(CATALOGUE_ROWS_MAX + 200)
    assert hub.take(text) == CATALOGUE_ROWS_MAX + 200
    assert len(hub.written) > 1
    assert max(len(one.skus) for one in hub.asked) <= CATALOGUE_ROWS_MAX
    assert hub.take(text) == 0
    assert len(rows_of(hub.store, schema.sku)) == CATALOGUE_ROWS_MAX + 201


def test_a_kit_may_stand_before_its_parts_however_long_the_file_is(hub: Hub) -> None:
    kit = f"BIG,Big kit,,SMALL=1;S{IMPORT_ROWS_FIRST + 50:05}=2\nSMALL,Small kit,,S00001=2"
    assert hub.take(csv_of(IMPORT_ROWS_FIRST + 60, kit=kit)) == IMPORT_ROWS_FIRST + 62


def test_what_the_hub_finds_in_any_slice_is_told_with_its_line_and_nothing_is_written(hub: Hub) -> None:
    rows = IMPORT_ROWS_FIRST + 50
    faults = faults_of(hub, csv_of(rows, "KIT,Kit,,NONE=1"))
    assert [line for line, _ in faults] == [rows + 2]
    assert "is no SKU: NONE" in faults[0][1]
    assert hub.written == []
    assert [row.sku_id for row in rows_of(hub.store, schema.sku)] == ["TEA"]


def test_what_comes_twice_in_the_file_is_found_over_all_slices(hub: Hub) -> None:
    rows = IMPORT_ROWS_FIRST + 50
    faults = faults_of(hub, csv_of(rows, "S00000,again,,", f"OTHER,Other,{gtin_of(1)},"))
    assert faults[0] == (rows + 2, f"line {rows + 2}: sku_id: is already at line 2: S00000")
    assert faults[1][0] == rows + 3
    assert "means SKU S00001 already" in faults[1][1]
    assert hub.asked == []


def test_an_outage_between_two_slices_says_how_far_it_came_and_the_file_may_come_again(hub: Hub) -> None:
    hub.away_after = 1
    text = csv_of(CATALOGUE_ROWS_MAX)
    with pytest.raises(Unavailable) as caught:
        hub.take(text)
    assert caught.value.message.startswith(f"{IMPORT_ROWS_FIRST} of {CATALOGUE_ROWS_MAX} rows are imported")
    hub.away_after = None
    assert hub.take(text) == CATALOGUE_ROWS_MAX - IMPORT_ROWS_FIRST


def test_wide_rows_make_small_requests(hub: Hub) -> None:
    parts = ";".join(f"S{n:05}=1" for n in range(50))
    kits = [f"K{n:05},{'x' * 400},,{parts}" for n in range(600)]
    assert hub.take(csv_of(50, *kits)) == 650
