"""A hub's stream that begins anew says all that the node has not answered; what it has done already changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bodega.codec import movement_to_wire
from bodega.core.deadline import BootTime
from bodega.core.ledger import Goods, Reference
from bodega.core.recipes import Book, Places, book
from bodega.v1 import journal_pb2
from bodega_agent.store import ledger
from bodega_agent.store.store import Store as AgentStore
from bodega_agent.store.transaction import Context
from bodega_controlplane.app.deciding import overrides
from bodega_controlplane.app.deciding.conflict_views import HoldDraft, OverrideTerms
from bodega_controlplane.app.fleet import nodes, outbox, restating
from bodega_controlplane.app.goods import divergence
from bodega_controlplane.app.ordering import orders, reassigning
from bodega_controlplane.store import divergence as divergence_rows
from bodega_controlplane.store import nodes as node_rows
from bodega_controlplane.store import schema
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import (
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    node_draft,
    order_draft,
    promises,
    rows_of,
    work_of,
)
from support.promising import shelve
from support.recovery_world import NODE, RecoveryWorld, facts, names

PORTO = "porto-01"
WHO = Context("w-1", actor="ana", device="hh-1")
NOW = BootTime("boot", 1_000)
TERMS = OverrideTerms("damp pallet", 60_000)


@dataclass
class Said:
    """A node with stock, and a second one by hand; `store` is the first one's."""

    world: RecoveryWorld
    store: AgentStore
    porto: NodeByHand

    def begin_anew(self) -> None:
        def work(tx: Transaction) -> int:
            tx.lock_nodes([NODE])
            row = node_rows.by_id(tx, NODE)
            assert row is not None
            return restating.begin_anew(tx, OPERATOR, row, "a test")

        self.world.hub.write(work)

    def told(self) -> list[str]:
        """What the stream of today says, but for the catalogue and settings."""
        row = self.world.row()
        envelope = self.world.hub.read(lambda tx: outbox.envelope_from(tx, NODE, row.down_epoch, 1))
        assert envelope is not None
        said = [journal_pb2.HubEvent.FromString(body).WhichOneof("fact") for body in envelope.events]
        return [str(fact) for fact in said if fact not in {"node_profile", "sku", "stream_restated"}]

    async def heard(self) -> list[str]:
        """What the node records when it has applied all that the hub says."""
        before = (await self.store.head()).seq
        await self.world.bring_down(self.store)
        assert await self.store.write(lambda tx: tx.one("SELECT count(*) FROM parked")) == (0,)
        return names(await facts(self.store, before))


@pytest.fixture
async def said(tmp_path: Path) -> AsyncIterator[Said]:
    world = RecoveryWorld(tmp_path)
    world.hub.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft(PORTO, number=1)))
    porto = NodeByHand(PORTO)
    porto.shelve("TEA", 10)
    deliver(world.hub, porto.delivery())
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        yield Said(world, store, porto)
    world.hub.close()


async def test_work_that_was_taken_away_is_taken_away_again(said: Said) -> None:
    draft = order_draft(("TEA", 1))
    order, _ = said.world.hub.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))
    work_id = work_of(said.world.hub, order.order_id)
    await said.world.sync(said.store)
    move = reassigning.Move(order.order_id, "flood", PORTO)
    said.world.hub.write(lambda tx: reassigning.reassign(tx, OPERATOR, move, POLICY))

    said.begin_anew()
    assert said.told() == ["fulfillment_order", "fulfillment_revoked"]
    assert await said.heard() == ["fulfillment_advanced"]
    assert await said.store.write(
        lambda tx: tx.one("SELECT state FROM fulfillment_order WHERE fulfillment_order_id = ?", (work_id,))
    ) == ("cancelled",)
    said.begin_anew()
    assert await said.heard() == []
    await said.world.sync(said.store)
    assert {row.state for row in promises(said.world.hub, superseded=True)} == {"voided"}
    said.begin_anew()
    assert said.told() == []


async def test_a_hold_is_said_again_while_it_is_in_force_and_its_end_until_the_node_has_ended_it(
    said: Said,
) -> None:
    draft = HoldDraft(NODE, "TEA", "L-1", 4)
    opened, _ = said.world.hub.write(lambda tx: overrides.hold_units(tx, OPERATOR, draft, TERMS, NOW))
    said.begin_anew()
    assert await said.heard() == ["override_changed"]
    held = "SELECT lot, quantity, reason, actor, state FROM rule_override WHERE override_id = ?"
    assert await said.store.write(lambda tx: tx.one(held, (opened.override_id,))) == (
        *("L-1", 4, "damp pallet", "operator at the hub", "open"),
    )
    said.begin_anew()
    assert (said.told(), await said.heard()) == (["override_set"], [])

    await said.world.sync(said.store)
    said.world.hub.write(lambda tx: overrides.close(tx, OPERATOR, opened.override_id))
    said.begin_anew()
    assert (said.told(), await said.heard()) == (["override_set"], ["override_changed"])
    assert (await said.store.write(lambda tx: tx.one(held, (opened.override_id,))))[-1] == "closed"
    await said.world.sync(said.store)
    said.begin_anew()
    assert said.told() == []


async def test_a_hold_of_another_node_whose_name_begins_alike_is_not_ours(said: Said) -> None:
    said.world.hub.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft(f"{NODE}x", number=2)))
    other = HoldDraft(f"{NODE}x", "TEA", "", 1)
    said.world.hub.write(lambda tx: overrides.hold_units(tx, OPERATOR, other, TERMS, NOW))
    said.begin_anew()
    assert said.told() == []


async def test_a_transfer_that_the_node_is_to_settle_is_told_again_and_written_off_once(said: Said) -> None:
    reference = Reference(transfer_id="T-1", final=True)
    sent = book(
        "transfer_out", [Goods("TEA", 3)], Book(said.porto.balances), Places("A-01-01"), reference=reference
    )
    said.porto.record(movement=movement_to_wire(sent.movement))
    two = [Goods("TEA", 2)]
    await said.store.write(
        lambda tx: ledger.move(tx, WHO, "transfer_in", two, target_bin="DOCK", reference=reference)
    )
    await said.world.sync(said.store)
    deliver(said.world.hub, said.porto.delivery(2))

    said.begin_anew()
    assert said.told() == ["transfer_closed"]
    assert await said.heard() == ["movement", "transfer_settled"]
    said.begin_anew()
    assert await said.heard() == ["transfer_settled"], "nothing is written off twice"
    await said.world.sync(said.store)
    (transfer,) = rows_of(said.world.hub, schema.transfer)
    assert (transfer.state, transfer.told_why) == ("closed", "both final")
    said.begin_anew()
    assert said.told() == []


async def test_counts_that_the_node_was_asked_for_are_asked_for_again_and_opened_once(said: Said) -> None:
    def differ(tx: Transaction) -> None:
        divergence.judge(tx, OPERATOR.now_ms, NODE, 2, agrees=False)
        row = divergence_rows.open_of(tx, NODE)
        assert row is not None
        assert divergence.want_counts(tx, OPERATOR, row, ["TEA"], [("TEA", "A-01-01", "")])

    said.world.hub.write(differ)
    said.begin_anew()
    assert said.told() == ["count_wanted"]
    assert await said.heard() == ["task_opened"]
    said.begin_anew()
    assert await said.heard() == []
