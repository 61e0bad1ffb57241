"""Files for the ledger: read whatever a spreadsheet makes of them, every bad row named by its line, never guessed."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.commands import decode
from bodega.errors import InvalidInput
from bodega.limits import LEDGER_IMPORT_FAULTS_MAX, LEDGER_IMPORT_ROWS_MAX
from bodega_agent.cli.import_commands import COLUMNS, commands_of, file_id
from bodega_agent.cli.import_file import AUTO, CSV, JSON_LINES, Faults, read_bytes, rows_of

Json = dict[str, Any]


def _read(content: bytes | str, shape: str = AUTO, default: str = "count") -> tuple[list[Json], list[str]]:
    """The commands of a file and its faults as a person reads them."""
    raw = content.encode() if isinstance(content, str) else content
    faults = Faults()
    rows = rows_of(raw, shape, COLUMNS, faults)
    made, _outside = commands_of(rows, default, "import-x", faults)
    return made, [str(fault) for fault in faults.found]


def _bodies(content: bytes | str, **more: str) -> list[Json]:
    made, faults = _read(content, **more)
    assert faults == []
    plumbing = {"command", "cmd_id"}
    return [{k: v for k, v in item["command"].items() if k not in plumbing} for item in made]


OATS = {"sku_id": "OAT", "quantity": 5, "bin_id": "A-01"}


@pytest.mark.parametrize(
    "content",
    [
        "sku_id,quantity,bin\nOAT,5,A-01\n",
        "sku_id,quantity,bin\nOAT,5,A-01",
        "\ufeffsku_id,quantity,bin\nOAT,5,A-01\n",
        "sku_id,quantity,bin\r\nOAT,5,A-01\r\n",
        "sku_id,quantity,bin\rOAT,5,A-01\r",
        "sku_id;quantity;bin\nOAT;5;A-01\n",
        "sku_id\tquantity\tbin\nOAT\t5\tA-01\n",
        '"sku_id","quantity","bin"\n"OAT","5","A-01"\n',
        "\n\nsku_id,quantity,bin\n\nOAT,5,A-01\n,,\n\n",
        " sku_id , quantity , bin \n OAT , 5 , A-01 \n",
        "bin,lot,quantity,sku_id\nA-01,,5,OAT\n",
        '{"sku_id": "OAT", "quantity": 5, "bin": "A-01"}\n',
        '\n{"bin_id": "A-01", "lot": "", "quantity": 5, "sku_id": "OAT"}',
    ],
    ids=[
        "plain", "no last newline", "byte order mark", "CRLF", "CR", "semicolons", "tabs", "quotes",
        "blank lines", "spaces", "other order and an empty cell", "JSON lines", "JSON with an empty text",
    ],
)  # fmt: skip
def test_the_same_row_however_it_was_written(content: str) -> None:
    assert _bodies(content) == [OATS]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "file: is empty"),
        (b" \n\n", "file: is empty"),
        (b"sku_id,quantity,bin\n", "file: has no rows"),
        ("sku_id,quantity\nOAT,5\nC\xe3o,5\n".encode("latin-1"), "line 3: file: is not UTF-8"),
        ("sku_id,quantity,bin\nOAT,5,A-01\n".encode("utf-16"), "line 1: file: is not UTF-8"),
        (b"OAT,5,A-01\nRYE,2,A-02\n", "line 1: header: is missing"),
        (b"sku_id,quantity,quantity,bin\nOAT,5,6,A-01\n", "line 1: quantity: is there twice"),
        (b"sku_id,qty,bin\nOAT,5,A-01\n", "line 1: qty: is no column of an import"),
        (b"sku_id,quantity,bin,\nOAT,5,A-01,\n", "line 1: (empty): is no column"),
        (b"sku_id,quantity,bin\nOAT,5\n", "line 2: row: has 2 cells, the header has 3"),
        (b"sku_id,quantity,bin\nOAT,5,A-01,x,y\n", "line 2: row: has 5 cells, the header has 3"),
        (b'sku_id,quantity,bin\nOAT,5,"A-01\n', "is not CSV"),
        (b'sku_id,quantity,bin\n"OAT"x,5,A-01\n', "line 2: row: is not CSV"),
        (b"sku_id,quantity,bin\n" + b"x" * 200_000 + b",5,A-01\n", "line 2: row: is not CSV"),
        (b"sku_id,quantity,bin\nOAT,5.0,A-01\n", "line 2: quantity: must be a whole number"),
        (b"sku_id,quantity,bin\nOAT,-5,A-01\n", "line 2: quantity: must be a whole number"),
        ("sku_id,quantity,bin\nOAT,\u0665,A-01\n".encode(), "line 2: quantity: must be a whole number"),
        (b"sku_id,quantity,bin\nOAT,99999999999999999999,A-01\n", "line 2: quantity: must be a whole number"),
        (b"sku_id,quantity,bin\nOAT,,A-01\n", "line 2: quantity: is missing"),
        (b"sku_id,quantity,bin\nOAT,5,\n", "line 2: bin: is missing"),
        (b"sku_id,quantity,bin\nOAT,5,A 01\n", "line 2: bin: must be visible ASCII"),
        (b"gtin,quantity,bin\n1234567890123,5,A-01\n", "line 2: gtin: "),
        (b"sku_id,quantity,bin,expiry,lot\nOAT,5,A-01,31.12.2026,L1\n", "line 2: expiry: must be a day"),
        (b"command,sku_id,quantity,bin\nteleport,OAT,5,A-01\n", "line 2: command: must be one of"),
        (b"sku_id,quantity,bin,reservation_id\nOAT,5,A-01,R-1\n", "reservation_id"),
        (b'{"sku_id": "OAT"\n', "line 1: row: is not JSON"),
        (b'{"sku_id": "OAT", "sku_id": "RYE"}\n', "line 1: row: is not JSON: 'sku_id' is there twice"),
        (b'{"sku_id": "OAT", "quantity": true, "bin": "A-01"}\n', "line 1: quantity: must be a whole number"),
        (b"[1, 2]\n", "line 1: row: must be a JSON object"),
        (b"[" * 100_000 + b"\n", "line 1: row: is not JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_line_and_column(content: bytes, fault: str) -> None:
    _made, faults = _read(content)
    assert any(fault in told for told in faults), faults


def test_all_bad_rows_are_named_at_once_and_the_good_ones_between_them_are_not() -> None:
    _made, faults = _read("sku_id,quantity,bin\nOAT,x,A-01\nOAT,1,A-02\n,1,A-03\nOAT,1\nOAT,-1,\n")
    assert sorted(told.split(":")[0] for told in faults) == ["line 2", "line 4", "line 5", "line 6", "line 6"]


def test_a_cell_with_line_breaks_moves_the_lines_below_it_and_no_fault_to_the_wrong_row() -> None:
    content = 'sku_id,quantity,bin,reason\r\nOAT,1,A-01,"three\r\nlines\nlong"\r\n\r\nOAT,x,A-02,\r\n'
    _made, faults = _read(content)
    assert "line 2: reason: must not hold control characters" in faults[0]
    assert faults[1].startswith("line 6: quantity: must be a whole number")


def test_a_row_is_named_by_the_line_on_which_it_begins() -> None:
    _made, faults = _read('sku_id,quantity,bin,reason\nOAT,x,A-01,"two\nlines"\n')
    assert {told.split(":")[0] for told in faults} == {"line 2"}


def test_more_rows_than_one_transaction_takes_are_refused_in_a_sentence() -> None:
    row = "OAT,1,A-01\n"
    _made, faults = _read("sku_id,quantity,bin\n" + row * 100_000, default="receive")
    assert len(faults) == 1
    assert (
        f"line {LEDGER_IMPORT_ROWS_MAX + 2}: file: has more than {LEDGER_IMPORT_ROWS_MAX} rows" in faults[0]
    )
    made, faults = _read("sku_id,quantity,bin\n" + row * LEDGER_IMPORT_ROWS_MAX, default="receive")
    assert len(made) == LEDGER_IMPORT_ROWS_MAX
    assert faults == []


def test_so_many_faults_are_counted_and_not_all_named() -> None:
    faults = Faults()
    rows_of(b"sku_id,quantity,bin\n" + b"OAT,1\n" * 500, AUTO, COLUMNS, faults)
    with pytest.raises(
        InvalidInput, match="500 faults, the first 200 are named; nothing was imported"
    ) as caught:
        faults.refuse()
    assert len(caught.value.faults) == LEDGER_IMPORT_FAULTS_MAX


def test_a_row_may_be_any_command_by_its_column_or_the_default() -> None:
    made, faults = _read(
        "command,sku_id,quantity,bin,reason,difference\nadjust,OAT,,A-01,broken,-2\n,OAT,3,A-01,,\n",
        default="receive",
    )
    assert faults == []
    assert [decode(item["command"]).command for item in made] == ["adjust", "receive"]
    assert decode(made[0]["command"]).lines[0].quantity == -2


def test_a_unit_a_line_with_serials_needs_no_quantity_and_counts_join_at_one_place() -> None:
    content = "sku_id,serial,bin\nPHONE,S1,A-01\nPHONE,S2,A-01\nPHONE,S3 S4,B-01\n"
    assert _bodies(content) == [
        {"sku_id": "PHONE", "serials": ["S1", "S2"], "bin_id": "A-01", "quantity": 2},
        {"sku_id": "PHONE", "serials": ["S3", "S4"], "bin_id": "B-01", "quantity": 2},
    ]


def test_a_place_counted_twice_without_serials_is_a_doubt_about_the_file() -> None:
    _made, faults = _read("sku_id,quantity,bin\nOAT,1,A-01\nRYE,1,A-01\nOAT,2,A-01\n")
    assert faults == ["line 4: row: counts the same goods in the same place as line 2"]
    assert _read("sku_id,quantity,bin\nOAT,1,A-01\nOAT,2,A-01\n", default="receive")[1] == []


def test_the_ids_of_commands_come_from_the_bytes_the_default_and_the_row() -> None:
    content = b"sku_id,quantity,bin\nOAT,5,A-01\nRYE,5,A-01\n"
    assert file_id(content, "count") == file_id(content, "count")
    others = {file_id(content, "count"), file_id(content, "receive"), file_id(content + b"\n", "count")}
    assert len(others) == 3
    made, _faults = _read(content)
    assert [item["command"]["cmd_id"] for item in made] == ["import-x-1", "import-x-2"]


def test_rows_of_the_world_outside_are_counted_and_left_out() -> None:
    faults = Faults()
    rows = rows_of(b"sku_id,bin,external,quantity\nOAT,,supplier,-5\nOAT,A-01,,5\n", AUTO, COLUMNS, faults)
    made, outside = commands_of(rows, "count", "import-x", faults)
    assert (len(made), outside, faults.found) == (1, 1, [])


def test_a_file_that_is_not_there_or_too_long_is_refused(tmp_path, monkeypatch) -> None:
    with pytest.raises(Exception, match="No such file") as caught:
        read_bytes(tmp_path / "nowhere.csv")
    assert caught.value.code == "not-found"
    monkeypatch.setattr("bodega_agent.cli.import_file.LEDGER_IMPORT_BYTES_MAX", 3)
    (tmp_path / "long.csv").write_bytes(b"1234")
    with pytest.raises(InvalidInput, match="more than 3 bytes"):
        read_bytes(tmp_path / "long.csv")
    (tmp_path / "fits.csv").write_bytes(b"123")
    assert read_bytes(tmp_path / "fits.csv") == b"123"


@given(st.binary(max_size=300), st.sampled_from([AUTO, CSV, JSON_LINES]))
def test_any_bytes_are_rows_or_faults_and_never_a_crash(content: bytes, shape: str) -> None:
    made, faults = _read(content, shape)
    assert made or faults or not content.strip()


CELLS = st.text(st.sampled_from('abA1-.,;"\n\r\t 9é'), max_size=6)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_cell_comes_back_from_any_dialect_on_the_line_where_it_began(
    rows: list[list[str]], delimiter: str, newline: str
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    starts, written = [], ["sku_id", "bin", "lot"]
    writer.writerow(written)
    for row in rows:
        text = file.getvalue().replace("\r\n", "\n").replace("\r", "\n")
        starts.append(text.count("\n") + 1)
        writer.writerow(row)
    faults = Faults()
    read = rows_of(file.getvalue().encode(), AUTO, COLUMNS, faults)
    expected = [
        (line, [_as_read(cell) for cell in row])
        for line, row in zip(starts, rows, strict=True)
        if any(cell.strip() for cell in row)
    ]
    assert [(row.line, list(row.values.values())) for row in read] == expected
    assert [str(fault) for fault in faults.found] == ([] if expected else ["file: has no rows"])


def _as_read(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
)
OBJECTS = st.dictionaries(st.sampled_from(sorted(COLUMNS)) | st.text(max_size=4), VALUES, max_size=8)


@given(st.lists(OBJECTS, min_size=1, max_size=6))
def test_any_objects_are_right_commands_or_faults_with_their_line(objects: list[Json]) -> None:
    content = "\n".join(json.dumps(thing) for thing in objects)
    made, faults = _read(content)
    assert all(told.startswith("line ") for told in faults if not told.startswith("file: "))
    if not faults:
        for item in made:
            assert decode(item["command"]).cmd_id
