"""A promise of the node's own: the hub's bundle says whether, the rights how many; the decision is kept either way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bodega.core.routing.bundle import DEFAULT
from bodega.errors import Refused
from bodega.v1 import journal_pb2
from bodega_agent.rules.floor.alone import decided
from bodega_agent.store import alone
from bodega_agent.store.decisions import NotAlone, keep
from bodega_agent.store.reads.decisions import Kept, decisions_about, newest_decisions
from support.floor_rig import FloorRig, floor_rig
from support.packing_place import goods, packing_place, picked
from support.picking_day import order
from support.selling import promise, sells, told

BY_RIGHTS = {"allows": ["pickup"]}
LAST_ONE = {"allows": ["pickup"], "stages": [{"name": "counter", "floor": "1"}]}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    async with floor_rig(tmp_path) as one:
        yield one


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


async def test_rules_look_at_the_goods_and_at_what_waits_at_the_node(rig: FloorRig) -> None:
    oat = await sells(rig)
    calm = {"name": "calm", "keep": "node.open_orders < 1", "why": "has other work to do"}
    await told(rig, filters=[calm], edge=LAST_ONE)
    await rig.command(promise("R-0", 1))
    await order(rig, 1, {oat: 1})
    with pytest.raises(NotAlone, match="has other work to do"):
        await rig.command(promise("R-1", 1))


async def test_a_rule_about_goods_leaves_out_those_that_it_is_about(rig: FloorRig) -> None:
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
