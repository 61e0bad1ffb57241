"""`bodega receive` tells of deliveries from the ledger file, with no agent running."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.bodega_command import answer, bodega, write_config
from support.dock import RYE, announced, case, line, milk, opened
from support.floor_rig import floor_rig


async def _two_deliveries(folder: Path) -> None:
    async with floor_rig(folder) as rig:
        await opened(rig)
        await announced(rig, line("OAT", 10), line("RYE", 2), expected_at_ms=1_800_000_000_000)
        await announced(rig, line("OAT", 5), notice_id="N-2", supplier="", expected_at_ms=1_800_000_100_000)
        await announced(rig, line("OAT", 5), notice_id="N-3", withdrawn=True)
        await rig.play("CMD-RECEIVE", "N-1")
        await case(rig)
        await rig.play("damaged", "1", "CMD-DONE", "yes", "CMD-RECEIVE")
        await rig.item(RYE)
        await milk(rig, "L1", "270131")
        await rig.scan("CMD-HOLD")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a node that has received one delivery against its notice, and one blind."""
    folder = tmp_path_factory.mktemp("node")
    asyncio.run(_two_deliveries(folder))
    return write_config(folder)


def test_notices_and_receipts_are_listed(node: Path) -> None:
    listed = answer(node, "receive", "ls")
    assert [
        (n["notice_id"], n["state"], n["expected"], n["received"], n["open"], n["over"])
        for n in listed["notices"]
    ] == [
        ("N-2", "expected", 5, 0, 5, 0),
        ("N-1", "begun", 12, 12, 2, 2),
        ("N-3", "withdrawn", 5, 0, 5, 0),
    ]
    assert [
        (r["notice_id"], r["state"], r["received"], r["damaged"], r["held"]) for r in listed["receipts"]
    ] == [
        ("", "open", 2, 0, 1),
        ("N-1", "closed", 12, 1, 0),
    ]
    shown = bodega(node, "receive", "ls").stdout
    assert "2027-01-15" in shown
    assert "blind" in shown
    assert [len(rows) for rows in answer(node, "receive", "ls", "--limit", "1").values()] == [1, 1]


def test_a_delivery_is_shown_line_by_line(node: Path) -> None:
    receipts = answer(node, "receive", "ls")["receipts"]
    blind, against = (one["receipt_id"] for one in receipts)
    shown = answer(node, "receive", "show", against)
    assert [
        (o["sku_id"], o["expected"], o["received"], o["damaged"], o["open"], o["over"])
        for o in shown["lines"]
    ] == [
        ("OAT", 10, 12, 1, 0, 2),
        ("RYE", 2, 0, 0, 2, 0),
    ]
    assert answer(node, "receive", "show", "N-1")["lines"] == shown["lines"]
    assert {one["lot"] for one in answer(node, "receive", "show", blind)["lines"]} == {"", "L1"}
    text = bodega(node, "receive", "show", against).stdout
    assert f"{against} of notice N-1 is closed: 12 units came in" in text


def test_a_name_of_nothing_says_what_to_do(node: Path) -> None:
    done = bodega(node, "receive", "show", "N-9")
    assert done.returncode != 0
    assert "there is no notice and no receipt 'N-9' here" in done.stderr
    assert "bodega receive ls" in done.stderr
