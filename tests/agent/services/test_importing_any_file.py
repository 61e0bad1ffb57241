"""Whatever stands in a file: all of it is booked and adds up, or nothing is changed and every bad row is named."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.v1 import catalogue_pb2
from bodega_agent.cli.import_commands import COLUMNS, commands_of, file_id
from bodega_agent.cli.import_file import AUTO, Faults, rows_of
from bodega_agent.services.importing import ImportService
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from support.node_under_test import BINS, HubPen, gtin, opened_store

HEADER = ("command", "sku_id", "gtin", "quantity", "unit", "bin", "lot", "expiry", "serial", "disposition")


PLACES = st.sampled_from([*BINS, "DOCK"])
SOME = st.sampled_from(["1", "2", "7"])
# Any cell of a row that was right may become one of these.
SPOILT = st.sampled_from(
    ["?", "x y", "\n", "9" * 30, "-1", "0", "1.5", "", gtin(1), "31.3.2027", "adjust", "S1"]
)


def _row(**cells: str) -> tuple[str, ...]:
    return tuple(cells.get(column, "") for column in HEADER)


RIGHT = st.one_of(
    st.builds(lambda n, at: _row(sku_id="SKU-1", quantity=n, bin=at, command="receive"), SOME, PLACES),
    st.builds(lambda n, at: _row(gtin=gtin(1), quantity=n, bin=at, disposition="damaged"), SOME, PLACES),
    st.builds(
        lambda n, at, unit: _row(sku_id="TEA", quantity=n, bin=at, lot="L1", unit=unit, expiry="2027-03-31"),
        SOME,
        PLACES,
        st.sampled_from(["", "case"]),
    ),
    st.builds(
        lambda serial, at: _row(sku_id="PHONE", bin=at, serial=serial),
        st.sampled_from(["S1", "S2", "S3 S4"]),
        PLACES,
    ),
)
ROWS = st.one_of(
    RIGHT,
    RIGHT,
    RIGHT,
    st.builds(
        lambda row, at, spoilt: (*row[:at], spoilt, *row[at + 1 :]),
        RIGHT,
        st.integers(0, len(HEADER) - 1),
        SPOILT,
    ),
)


def _as_csv(rows: list[tuple[str, ...]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows([HEADER, *rows])
    return file.getvalue().encode()


async def _node(store: Store) -> ImportService:
    hub = HubPen(store)
    await hub.profile()
    await hub.sku(1)
    case = [catalogue_pb2.Unit(unit="case", base_units=6)]
    for sku in (
        catalogue_pb2.Sku(sku_id="TEA", lot_tracked=True, units=case, units_version=1, version=1),
        catalogue_pb2.Sku(sku_id="PHONE", serial_tracked=True, version=1),
    ):
        await hub.write(sku=sku)
    return ImportService(store)


async def _state(store: Store) -> object:
    def ask(reader: Reader) -> object:
        return reader.head().seq, reader.stock(), reader.rows("SELECT * FROM serial ORDER BY serial")

    return await store.read(ask)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=6))
def test_any_rows_are_all_booked_or_none(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    asyncio.run(_check_import_twice(tmp_path_factory.mktemp("node"), _as_csv(rows)))


async def _check_import_twice(folder: Path, content: bytes) -> None:
    faults = Faults()
    made, _outside = commands_of(
        rows_of(content, AUTO, COLUMNS, faults), "count", file_id(content, "count"), faults
    )
    if faults.found or not made:
        assert all(fault.line for fault in faults.found)
        return
    request = {"import_id": "file", "at": 0, "rows": made, "last": True}
    with opened_store(folder) as store:
        service = await _node(store)
        before = await _state(store)
        answer = await service.take(request)
        after = await _state(store)
        assert (await store.read(Reader.verify))["ok"]
        if answer["faults"]:
            assert {fault["line"] for fault in answer["faults"]} <= {item["line"] for item in made}
            assert after == before
            return
        assert answer["imported"] == len(made)
        again = await service.take(request)
        assert (again["imported"], again["repeated"], again["faults"]) == (0, len(made), [])
        assert await _state(store) == after
