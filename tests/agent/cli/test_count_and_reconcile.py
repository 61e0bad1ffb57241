"""`bodega count` and `bodega reconcile`: what the floor counts, seen and decided at the keyboard."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.bodega_command import answer, bodega, running_agent, write_config
from support.floor_rig import floor_rig

BIN = "A-01-01"


async def _fill(folder: Path) -> None:
    """Ten of product 1 in A-01-01, four of them counted twice; three were picked from another bin by the book."""
    async with floor_rig(folder) as rig:
        await rig.hub.profile()
        await rig.hub.sku(1)
        await rig.stock("SKU-1", BIN, 10)
        await rig.stock("SKU-1", "B-02-01", 9)
        await rig.command(
            {"command": "pick", "sku_id": "SKU-1", "quantity": 3, "bin_id": "B-02-01", "to_bin_id": "A-01-02"}
        )
        await rig.play("CMD-COUNT", BIN)
        for _ in range(2):
            await rig.item(1)
            await rig.play("4", "CMD-DONE")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The agent is down."""
    asyncio.run(_fill(tmp_path))
    return write_config(tmp_path)


def test_counts_are_listed_and_shown_with_every_round_while_the_agent_is_down(config: Path) -> None:
    (row,) = answer(config, "count", "ls", "--state", "waits_for_approval")
    assert (row["place"], row["cause"], row["round"], row["differing"]) == (BIN, "plan", 2, 1)
    shown = answer(config, "count", "show", row["count_id"])
    rounds = [(line["round"], line["counted"], line["book"], line["verdict"]) for line in shown["rounds"]]
    assert rounds == [(1, 4, 10, "again"), (2, 4, 10, "held")], "a recount is held against the book"
    table = bodega(config, "count", "show", row["count_id"]).stdout
    assert table.count("-6") == 2
    places = [row["place"] for row in answer(config, "count", "next")]
    assert places == ["A-01-02", "B-02-01"], "what waits for a lead is not counted meanwhile"
    missing = bodega(config, "count", "show", "COUNT-9")
    assert missing.returncode == 66
    assert "bodega count ls" in missing.stderr


def test_a_count_is_approved_and_a_bin_reconciled_while_the_agent_runs(config: Path) -> None:
    (row,) = answer(config, "count", "ls")
    with running_agent(config):
        done = answer(config, "count", "approve", row["count_id"], "SKU-1")
        assert done == {"booked": True}
        again = bodega(config, "count", "approve", row["count_id"], "SKU-1")
        assert again.returncode == 66
        found = answer(config, "reconcile", BIN, "--counted", "SKU-1=7")
        (line,) = found["lines"]
        assert (line["book"], line["difference"], found["posted"]) == (4, 3, [])
        posted = answer(config, "reconcile", BIN, "--counted", "SKU-1=7", "--post")
        assert posted["posted"][0]["difference"] == 3
        stale = answer(config, "reconcile", BIN, "--counted", "SKU-1=7", "--post", "--basis", "1")
        assert "recount" in stale["posted"][0], "goods have moved there since event 1"
        typed = bodega(config, "reconcile", BIN, stdin="SKU-1\n6\n\ny\n")
        assert "SKU-1: booked, -1." in typed.stdout, typed.stderr
        asked, shown = typed.stdout.split("SKU  ", 1)
        assert "7" not in asked, "the book is not shown before all is counted"
        assert "7" in shown
    assert [row["quantity"] for row in answer(config, "stock", "--bin", BIN)] == [6]


def test_a_difference_is_previewed_with_what_explains_it_without_an_agent(config: Path) -> None:
    said = bodega(config, "reconcile", BIN, "--counted", "SKU-1=7")
    assert said.returncode == 0, said.stderr
    assert "-3" in said.stdout
    assert "3 left B-02-01 by the book, and may have been taken here" in said.stdout


def test_a_mistyped_count_is_refused_with_every_fault(config: Path) -> None:
    said = bodega(config, "reconcile", BIN, "--counted", "SKU-1", "--counted", "SKU-2=many")
    assert said.returncode == 65
    assert "SKU-1" in said.stderr
    assert "SKU-2=many" in said.stderr
