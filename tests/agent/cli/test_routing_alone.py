"""`bodega routing` and a refused promise, as a person meets them at a node that has not seen its hub for long."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bodega.errors import IntegrityBroken, NotFound
from bodega_agent.cli import bodega_group
from bodega_agent.store.decisions import NotAlone, keep
from support.bodega_command import answer, bodega, running_agent, write_config
from support.floor_rig import floor_rig
from support.picking_day import order
from support.selling import promise, sells, told


def test_a_running_agent_refuses_what_the_bundle_forbids_and_can_say_why_later(tmp_path: Path) -> None:
    async def fill() -> None:
        async with floor_rig(tmp_path) as rig:
            await sells(rig)
            await told(rig, edge={"allows": ["within_site"]})

    asyncio.run(fill())
    config = write_config(tmp_path)
    with running_agent(config):
        words = ("reserve", "reservation_id=R-1", "sku_id=SKU-1", "quantity=1")
        refused = bodega(config, "ledger", "do", *words)
        assert refused.returncode != 0
        assert (
            "this node may not promise that alone: the bundle edge@1 leaves it to the hub" in refused.stderr
        )
        assert "order it at the hub" in refused.stderr
        (one,) = answer(config, "routing", "explain", "R-1")["decisions"]
        assert one["choice"]["candidates"][0]["reasons"][0]["code"] == "not-for-nodes"
    assert answer(config, "routing", "show")["allows"] == ["within_site"]
    assert [row["outcome"] for row in answer(config, "routing", "replay")["replays"]] == ["same"]


def _run(config: Path, *command: str) -> Result:
    return CliRunner().invoke(
        bodega_group, command, env={"BODEGA_CONFIG": str(config)}, prog_name="bodega", catch_exceptions=False
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    async def fill() -> None:
        async with floor_rig(tmp_path) as rig:
            oat = await sells(rig, units=2)
            await rig.stock(oat, "B-02-01", 2)
            await rig.command(promise("R-1", 1))
            await order(rig, 1, {oat: 1})
            await rig.play("CMD-PICK", "CMD-SHORT", "blocked")
            await told(rig)
            with pytest.raises(NotAlone) as refused:
                await rig.command(promise("R-2", 1))
            made = refused.value.made
            await rig.store.write(lambda tx: keep(tx, made))

    asyncio.run(fill())
    return write_config(tmp_path)


def test_explain_says_which_shelf_and_why_not_the_others(config: Path) -> None:
    said = _run(config, "routing", "explain", "FO-1").output
    assert "FO-1 at 2027-01-15" in said
    assert "which shelf serves it, because: blocked" in said
    assert "by nearest-with-floor@1 (4d97fdab633e), stage within-site: 1 from B-02-01" in said
    assert "nobody gets at it in this walk" in said
    assert _run(config, "routing", "explain", "ORD-1").output == said
    assert max(map(len, said.splitlines())) <= 80


def test_explain_without_a_name_tells_the_last_ones_and_json_has_all_of_them(config: Path) -> None:
    said = _run(config, "routing", "explain").output
    assert said.index("R-2") < said.index("FO-1") < said.index("R-1")
    assert "the bundle edge@1 leaves it to the hub" in said
    found = json.loads(_run(config, "routing", "explain", "R-1", "--json").output)["decisions"]
    assert [(one["decision"], one["rule"]) for one in found] == [("pickup", "nearest-with-floor@1")]
    with pytest.raises(NotFound, match="about 'R-9' this node has decided nothing alone"):
        _run(config, "routing", "explain", "R-9")


def test_replay_makes_every_one_again_and_finds_the_one_that_was_changed(config: Path) -> None:
    said = _run(config, "routing", "replay").output
    assert said == "3 decisions made again: 3 come out as they were recorded, bit for bit.\n"
    asyncio.run(_changed(config.parent))
    with pytest.raises(IntegrityBroken, match="1 of 3 decisions come out otherwise"):
        _run(config, "routing", "replay")
    assert _run(config, "routing", "replay", "R-1").exit_code == 0


async def _changed(folder: Path) -> None:
    async with floor_rig(folder) as rig:
        await rig.store.write(
            lambda tx: tx.execute(
                "UPDATE routing_decision SET choice = CAST(replace(choice, 'B-02-01', 'B-02-02') AS BLOB)"
                " WHERE subject = 'FO-1'"
            )
        )
