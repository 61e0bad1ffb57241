"""`bodega conflicts` reads the ledger file: what met at this node, told as sentences, with the agent down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.bodega_command import answer, bodega, write_config
from support.node_under_test import opened_store
from support.worked_order import bring_to, node_with_work


@pytest.fixture(scope="module")
def asleep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node whose agent is down, after a cancel met a packed parcel."""
    folder = tmp_path_factory.mktemp("asleep")

    async def fill() -> None:
        with opened_store(folder) as store:
            hub = await node_with_work(store)
            await store.write(lambda tx: bring_to(tx, "packed"))
            await hub.cancel(1)

    asyncio.run(fill())
    return write_config(folder)


def test_a_conflict_is_listed_and_told_with_the_events_that_met(asleep: Path) -> None:
    (row,) = answer(asleep, "conflicts", "ls")
    assert (row["kind"], row["order_id"], row["needs"]) == ("cancel_races_ship", "ORD-1", "")
    table = bodega(asleep, "conflicts", "ls").stdout
    assert row["conflict_id"] in table
    assert "2 units are put back" in table
    shown = bodega(asleep, "conflicts", "show", row["conflict_id"])
    assert shown.returncode == 0
    assert "met     hub/1/4, which this node's journal does not hold" in shown.stdout
    assert "FO-1 is packed" in shown.stdout
    assert "needs   nobody" in shown.stdout
    told = answer(asleep, "conflicts", "show", row["conflict_id"])
    assert told["inputs"] == row["inputs"]
    assert len(told["input_sentences"]) == 2


def test_a_conflict_that_is_not_here_is_not_found(asleep: Path) -> None:
    said = bodega(asleep, "conflicts", "show", "nothing")
    assert said.returncode == 66
    assert "bodegactl conflicts show" in said.stderr


def test_the_log_tells_the_conflict_and_the_history_of_its_order_has_it(asleep: Path) -> None:
    said = bodega(asleep, "ledger", "log", "--order", "ORD-1")
    assert said.returncode == 0
    assert "cancel_races_ship@1" in said.stdout
