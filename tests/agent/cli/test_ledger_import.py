"""`bodega ledger import` against a real agent: opening stock in, all of it or nothing, and out again as it was."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bodega.v1 import catalogue_pb2
from support.bodega_command import answer, bodega, running_agent, write_config
from support.node_under_test import BINS, HubPen, opened_store

OPENING = f"""\
sku_id;quantity;bin;lot;expiry;serial;disposition
SKU-1;12;{BINS[0]};;;;
SKU-1;2;{BINS[1]};;;;damaged
TEA;5;{BINS[0]};L1;2027-03-31;;
TEA;7;{BINS[0]};L2;;;
PHONE;;{BINS[2]};;;S1;
PHONE;;{BINS[2]};;;S2;
PHONE;1;DOCK;;;S3;in_progress
"""


def _learn_catalogue(folder: Path) -> None:
    async def learn() -> None:
        with opened_store(folder) as store:
            hub = HubPen(store)
            await hub.profile()
            await hub.sku(1, owner="ACME")
            for sku in (
                catalogue_pb2.Sku(sku_id="TEA", name="Tea", lot_tracked=True, version=1),
                catalogue_pb2.Sku(sku_id="PHONE", name="Phone", serial_tracked=True, version=1),
            ):
                await hub.write(sku=sku)

    asyncio.run(learn())


@contextmanager
def _node(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    _learn_catalogue(folder)
    config = write_config(folder)
    with running_agent(config):
        yield config


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with _node(tmp_path_factory.mktemp("world") / "lisbon") as config:
        yield config


def _stock(config: Path) -> list[tuple[object, ...]]:
    rows = [tuple(row.values()) for row in answer(config, "stock")]
    where = [(row["serial"], row["bin"]) for row in answer(config, "stock", "--serials")]
    return [rows, where, [(row["lot"], row["expiry"]) for row in answer(config, "stock", "lots")]]


def test_a_file_with_a_bad_row_changes_nothing_and_names_it_by_line_and_column(
    node: Path, tmp_path: Path
) -> None:
    before = answer(node, "stock")
    file = tmp_path / "bad.csv"
    file.write_text(f"sku_id,quantity,bin\nSKU-1,1,{BINS[0]}\nSKU-7,1,{BINS[0]}\nSKU-1,1,A-99\n")
    done = bodega(node, "ledger", "import", str(file))
    assert done.returncode == 65
    assert "nothing was imported" in done.stderr
    assert "line 3: sku_id: 'SKU-7' is no SKU in the catalogue" in done.stderr
    assert "line 4: bin: 'A-99' is no bin of this node" in done.stderr
    assert answer(node, "stock") == before


def test_a_bad_file_is_told_without_an_agent(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("sku_id,quantity,bin\nSKU-1,many,A-01-01\n")
    done = bodega(write_config(tmp_path), "ledger", "import", str(file))
    assert done.returncode == 65
    assert "line 2: quantity: must be a whole number" in done.stderr


def test_opening_stock_comes_in_once_and_goes_out_as_it_was(node: Path, tmp_path: Path) -> None:
    opening = tmp_path / "opening.csv"
    opening.write_text(OPENING)

    rehearsed = bodega(node, "ledger", "import", str(opening), "--dry-run")
    assert rehearsed.stdout == "6 commands from 7 rows are right and would be imported.\n"
    assert answer(node, "stock") == []
    imported = bodega(node, "ledger", "import", str(opening))
    assert imported.stdout.startswith("6 commands from 7 rows imported, events 1 to "), imported.stderr
    again = bodega(node, "ledger", "import", str(opening))
    assert again.stdout == "nothing changed; 6 commands were imported before.\n"
    sums = {row["sku_id"]: row["quantity"] for row in answer(node, "stock", "--group", "sku")}
    assert sums == {"SKU-1": 14, "TEA": 12, "PHONE": 3}
    assert answer(node, "ledger", "verify")["ok"]

    exported = bodega(node, "ledger", "export", "--table", "balance", "--format", "csv").stdout
    assert {row["owner"] for row in csv.DictReader(io.StringIO(exported)) if row["sku_id"] == "SKU-1"} == {
        "ACME"
    }
    with _node(tmp_path / "porto") as other:
        done = bodega(other, "ledger", "import", "-", stdin=exported)
        assert "6 commands from 6 rows imported" in done.stdout, done.stderr
        assert "rows of the world outside were left out" in done.stdout
        assert _stock(other) == _stock(node)


def test_every_row_is_a_movement_that_says_who_counted(node: Path) -> None:
    shown = bodega(node, "ledger", "log", "--sku", "TEA", "--lot", "L1").stdout
    assert "technician at control" in shown
    assert f"counted {BINS[0]}: 5 TEA (lot L1) more than the book said (count)" in shown


def test_rows_may_be_any_commands(node: Path, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_text(
        '{"command": "receive", "sku_id": "SKU-1", "quantity": 4}\n'
        f'{{"command": "put_away", "sku_id": "SKU-1", "quantity": 4, "to_bin_id": "{BINS[2]}"}}\n'
    )
    assert answer(node, "ledger", "import", str(file))["imported"] == 2
    (placed,) = answer(node, "stock", "--sku", "SKU-1", "--bin", BINS[2])
    assert placed["quantity"] == 4


def test_a_file_longer_than_one_request_is_still_one_import(node: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    reason = "x" * 400
    rows = [
        f'{{"command": "receive", "sku_id": "SKU-1", "quantity": 1, "bin": "DOCK", "reason": "{reason}"}}\n'
        for _ in range(3_000)
    ]
    file.write_text("".join(rows))
    assert file.stat().st_size > 1024 * 1024
    assert answer(node, "ledger", "import", str(file))["imported"] == 3_000
    (dock,) = answer(node, "stock", "--sku", "SKU-1", "--bin", "DOCK")
    assert dock["quantity"] == 3_000
