"""`bodega pickups` and `bodega returns` over the ledger file of a node, without an agent."""

from __future__ import annotations

import json
from pathlib import Path

from support.bodega_command import answer, bodega, write_config
from support.floor_rig import floor_rig
from support.pickup_story import CODE, order, pack, ready, set_up, sold


async def test_pickups_say_where_each_waits_and_what_is_to_be_put_back(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await ready(rig, 1, hold_ms=3_600_000)
        await ready(rig, 2)
        await rig.play("CMD-COLLECT", "FO-2", CODE, "refused", "CMD-DONE")
        await order(rig, 3, "OAT", 1)
        await pack(rig, 1)
        await order(rig, 4, "OAT", 1, method="parcel")
    config = write_config(tmp_path)
    rows = {row["fulfillment_order_id"]: row for row in answer(config, "pickups")}
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "FO-1": "waiting",
        "FO-2": "refused",
        "FO-3": "to_stage",
    }
    assert 0 < rows["FO-1"]["left_ms"] <= 3_600_000
    assert (rows["FO-2"]["place"], rows["FO-2"]["put_back"]) == ("LOCKER-2", 2)
    shown = bodega(config, "pickups").stdout
    assert "LOCKER-1" in shown
    assert "59 min" in shown
    assert "code" not in json.dumps(list(rows["FO-1"])).replace("wrong_codes", ""), (
        "no code leaves the ledger"
    )


async def test_returns_are_listed_and_told_line_by_line(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await sold(rig)
        await rig.play("CMD-RETURN", "ORD-1")
        await rig.item(1)
        await rig.play("used", "CMD-ACCEPT", "R-01", "CMD-DONE")
        await rig.item(1)
    config = write_config(tmp_path)
    blind, closed = answer(config, "returns", "ls")
    assert (closed["state"], closed["back"], closed["refunded"]) == ("closed", 1, 1)
    assert [row["return_id"] for row in answer(config, "returns", "ls", "--open")] == [blind["return_id"]]
    assert (blind["order_id"], blind["unfinished"]) == ("", 1)
    (line,) = answer(config, "returns", "show", closed["return_id"])["lines"]
    assert (line["grade"], line["disposition"], line["place"]) == ("used", "refurbish", "R-01")
    assert "of order ORD-1: closed" in bodega(config, "returns", "show", closed["return_id"]).stdout
    unknown = bodega(config, "returns", "show", "RT-9")
    assert unknown.returncode != 0
    assert "bodega returns ls" in unknown.stderr
