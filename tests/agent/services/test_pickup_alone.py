"""A promise of the node's own: the hub's bundle says whether, the rights how many; the decision is kept either way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bodega.core.routing.bundle import DEFAULT
from bodega.errors import IntegrityBroken, NotFound, Refused
from bodega.routing_wire import bundle_message
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.cli import bodega_group
from bodega_agent.rules.floor.alone import decided
from bodega_agent.store import alone
from bodega_agent.store.decisions import NotAlone, keep
from bodega_agent.store.reads.decisions import Kept, decisions_about, newest_decisions
from support.bodega_command import write_config
from support.floor_rig import FloorRig, floor_rig
from support.packing_place import goods, packing_place, picked
from support.picking_day import order, shop
from support.routing import document

BY_RIGHTS = {"allows": ["pickup"]}
LAST_ONE = {"allows": ["pickup"], "stages": [{"name": "counter", "floor": "1"}]}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    async with floor_rig(tmp_path) as one:
        yield one


async def sells(rig: FloorRig, units: int = 4) -> str:
    """A node with some oats, and the right to sell all of them."""
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", units)
    granted = stock_pb2.RightsGranted(transfer_id="T-1", sku_id=oat, quantity=units)
    await rig.hub.write(rights_granted=granted)
    return oat


async def told(rig: FloorRig, activation: int = 1, **said: Any) -> None:
    """The hub puts a bundle in force."""
    body = document("edge", activation, **said)
    await rig.hub.write(routing_bundle=bundle_message(activation, body, b"the hub's"))


def promise(reservation_id: str, quantity: int) -> dict[str, Any]:
    """A customer comes for it later."""
    line = {"reservation_id": reservation_id, "sku_id": "SKU-1", "quantity": quantity}
    return {"command": "reserve", "reference": "pickup 17", **line}


async def kept(rig: FloorRig) -> list[Kept]:
    """What is kept, the newest first; each comes out again as it was recorded."""
    found = await rig.store.read(lambda reader: newest_decisions(reader, 100))
    assert [one.again() for one in found] == [("same", "")] * len(found)
    return found


async def test_without_a_bundle_the_node_promises_from_its_rights_and_says_so(rig: FloorRig) -> None:
    await sells(rig)
    await rig.command(promise("R-1", 3))
    (one,) = await kept(rig)
    assert (one.decision, one.subject, one.digest) == ("pickup", "R-1", DEFAULT.digest)
    assert [row.reasons[0].code for row in one.choice.candidates] == ["has-rights"]
    with pytest.raises(Refused) as refused:
        await rig.command(promise("R-2", 2))
    assert refused.value.code == "insufficient-rights"
    assert len(await kept(rig)) == 1


@pytest.mark.parametrize("edge", [{}, {"edge": {"allows": ["carrier", "within_site"]}}])
async def test_a_bundle_that_forbids_pickup_refuses_and_says_what_to_do(
    rig: FloorRig, edge: dict[str, Any]
) -> None:
    await sells(rig)
    await rig.command(promise("R-1", 1))
    await told(rig, **edge)
    with pytest.raises(NotAlone) as refused:
        await rig.command(promise("R-2", 1))
    assert refused.value.code == "not-by-the-bundle"
    assert (
        refused.value.message
        == "this node may not promise that alone: the bundle edge@1 leaves it to the hub"
    )
    assert "bodega routing show" in refused.value.hint
    # What was promised before is kept: the customer gets it.
    await rig.command({"command": "post", "reservation_id": "R-1", "quantity": 1, "bin_id": "A-01-01"})


async def test_stages_for_nodes_may_keep_the_last_units_on_the_shelf(rig: FloorRig) -> None:
    await sells(rig)
    await told(rig, floor="2", edge=BY_RIGHTS)
    await rig.command(promise("R-1", 1))
    await told(rig, activation=2, edge=LAST_ONE)
    await rig.command(promise("R-2", 2))
    with pytest.raises(NotAlone) as refused:
        await rig.command(promise("R-3", 1))
    assert "SKU-1: 1 wanted, 0 available" in refused.value.message
    assert [(fault.where, "safety stock" in fault.problem) for fault in refused.value.faults] == [
        ("lisbon-01", True)
    ]
    newest, first = await kept(rig)
    assert (newest.choice.stage, first.choice.stage) == ("counter", "rights")


async def test_rules_look_at_the_goods_and_at_the_clock_of_the_node(rig: FloorRig) -> None:
    await sells(rig)
    tea = {"name": "no-oats", "keep": "item.sku_id != 'SKU-1'", "why": "is not for the counter"}
    await told(rig, filters=[tea], edge=LAST_ONE)
    with pytest.raises(NotAlone, match="SKU-1: is not for the counter"):
        await rig.command(promise("R-1", 1))


async def test_a_repeated_command_is_answered_as_before_whatever_is_in_force_by_now(rig: FloorRig) -> None:
    await sells(rig)
    again = promise("R-1", 1) | {"cmd_id": "till-1"}
    await rig.command(again)
    await told(rig)
    await rig.command(again)
    assert len(await kept(rig)) == 1


async def test_decisions_about_a_carrier_go_with_their_recipient_and_no_others(rig: FloorRig) -> None:
    await packing_place(rig, cartons=())
    await goods(rig)
    await told(rig, edge={"allows": ["carrier", "within_site"]})
    name = await picked(rig, 1, carrier_service="GONE")
    await rig.scan("CMD-PACK")
    (one,) = await kept(rig)
    assert (one.decision, one.subject, one.reason) == ("carrier", name, "GONE can not take it")
    about = await rig.store.read(lambda reader: decisions_about(reader, "ORD-1"))
    assert [found.number for found in about] == [one.number]
    await rig.store.write(
        lambda tx: keep(tx, decided(alone.within_site(tx, name, ["OAT"]), "within_site", name))
    )
    await rig.hub.write(recipients_erased=journal_pb2.RecipientsErased(order_ids=["ORD-1"]))
    # The parcel has not left: it needs its recipient.
    assert len(await kept(rig)) == 2
    ended = "UPDATE fulfillment_order SET state = 'shipped'"
    await rig.store.write(lambda tx: tx.execute(ended))
    await rig.hub.write(recipients_erased=journal_pb2.RecipientsErased(order_ids=["ORD-1"]))
    assert [one.decision for one in await kept(rig)] == ["within_site"]


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
