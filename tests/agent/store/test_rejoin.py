"""A node that was restored, wiped or copied takes its place again: goods as moved, promises as rights allow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.core.ledger import Account, Disposition, Goods
from bodega.core.sync import Verdict
from bodega.errors import Refused
from bodega_agent.store import ledger, promises
from bodega_agent.store.transaction import Context, Transaction
from bodega_controlplane.app.goods import rights
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.store import epochs as hub_rows
from bodega_controlplane.store import schema
from support.controlplane import OPERATOR, POLICY, rows_of
from support.promising import SHELF, shelve, standing
from support.recovery_world import NODE, RecoveryWorld, facts, names

TEA = Account("TEA", SHELF, Disposition.SELLABLE)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RecoveryWorld]:
    made = RecoveryWorld(tmp_path)
    yield made
    made.hub.close()


def _held(tx: Transaction) -> dict[Account, int]:
    rows = tx.execute("SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance")
    return {Account(*row[:6]): row[6] for row in rows}


def _move(cmd_id: str, units: int, command: str = "post", source: str = SHELF, target: str = "") -> object:
    def job(tx: Transaction) -> int:
        goods = [Goods("TEA", units)]
        return ledger.move(
            tx, Context(cmd_id, actor="ana"), command, goods, source_bin=source, target_bin=target
        )

    return job


def _promise(reservation_id: str, units: int) -> object:
    def job(tx: Transaction) -> object:
        who = Context(f"reserve-{reservation_id}", actor="ana")
        return promises.reserve(tx, who, reservation_id=reservation_id, sku_id="TEA", quantity=units)

    return job


def _agrees(world: RecoveryWorld, held: dict[Account, int]) -> None:
    assert world.hub.read(lambda tx: hub_rows.balances(tx, NODE)) == held
    assert world.row().diverged_seq == 0
    assert world.verified()["ok"], world.verified()


async def _day_and_backup(world: RecoveryWorld) -> Path:
    """10 TEA on the shelf and acknowledged; a backup; then 4 are sold, and the hub has that too."""
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        copy = world.backup_node()
        await store.write(_move("sold-4", 4))
        await world.sync(store)
    return copy


async def test_a_restored_node_goes_on_from_the_hubs_line_and_keeps_what_it_did_since(
    world: RecoveryWorld,
) -> None:
    copy = await _day_and_backup(world)
    world.restore_node(copy)
    async with world.node() as store:
        # The book says 10; 6 are there. People work on.
        await store.write(_move("sold-3", 3))
        fork = await store.head()
        plan = await world.rejoin(store, restored=True)
        assert (plan.ancestor.seq, plan.begun.basis.seq) == (2, 3)
    async with world.node() as store:
        head = await store.head()
        assert (head.epoch, (await store.acked()).seq) == (2, 3)
        told = await facts(store, 3)
        assert names(told) == [
            "epoch_begun",
            "ledger_checkpoint",
            "store_restored",
            "movement",
            "task_opened",
            "conflict_found",
        ]
        assert (told[0].epoch_begun.previous_seq, told[0].epoch_begun.fork_events) == (3, fork.seq - 2)
        assert (told[3].cmd_id, told[3].rebased_from) == ("sold-3", f"1/{fork.seq}")
        assert (told[4].task_opened.kind, told[4].task_opened.bin_id) == ("count", SHELF)
        held = await store.write(_held)
        assert held[TEA] == 3, "10 - 4 that only the hub knew - 3 that only the node knew"
        answers = await world.sync(store)
        assert {answer.verdict for answer in answers} == {Verdict.APPLY}
    _agrees(world, held)
    (conflict,) = rows_of(world.hub, schema.conflict)
    assert (conflict.kind, conflict.state) == ("restored_node", "settled")
    assert json.loads(conflict.effects) == [f"counts:{SHELF}"]
    assert "archives/fork-1-2-" in conflict.undo
    assert world.actions()[-3:] == ["node.rejoined", "node.restored", "conflict.opened"]


async def test_goods_that_the_new_book_has_not_are_found_and_never_negative(world: RecoveryWorld) -> None:
    copy = await _day_and_backup(world)
    world.restore_node(copy)
    async with world.node() as store:
        await store.write(_move("sold-8", 8))
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        held = await store.write(_held)
        assert held.get(TEA, 0) == 0
        assert held[Account("TEA", external="adjustment:found")] == -2
        (found,) = [
            one.discrepancy_opened for one in await facts(store, 3) if one.HasField("discrepancy_opened")
        ]
        assert (found.bin_id, found.difference) == (SHELF, 2)
        await world.sync(store)
    _agrees(world, held)


async def test_a_command_that_the_hub_has_already_is_done_once(world: RecoveryWorld) -> None:
    """A hand-held repeats what it persisted, to a node that has forgotten it."""
    copy = await _day_and_backup(world)
    world.restore_node(copy)
    async with world.node() as store:
        await store.write(_move("sold-4", 4))
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        assert (await store.write(_held))[TEA] == 6
        again = await store.write(lambda tx: tx.once("sold-4", {"any": "body"}, lambda: {"done": "twice"}))
        assert again == {"recovered": True, "seqs": []}


async def test_promises_are_made_again_as_far_as_rights_allow(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        await world.sync(store)
        draft = RightsDraft("q-1", NODE, "TEA", 10)
        world.hub.write(lambda tx: rights.grant(tx, OPERATOR, draft, POLICY))
        await world.sync(store)
        copy = world.backup_node()
        await store.write(_promise("lost-line", 7))
        await world.sync(store)
    world.restore_node(copy)
    async with world.node() as store:
        store.gate.ledger_unsure = ""
        await store.write(_promise("kept", 2))
        await store.write(_promise("void", 4))
        await store.write(_promise("small", 1))
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        now = await standing(store, "TEA")
        assert (now.rights_held, now.local_reserved) == (10, 10)
        states = dict(
            await store.write(lambda tx: list(tx.execute("SELECT reservation_id, state FROM reservation")))
        )
        assert states == {"lost-line": "pending", "kept": "pending", "void": "voided", "small": "pending"}
        await world.sync(store)
    (conflict,) = rows_of(world.hub, schema.conflict)
    assert "voided:void" in json.loads(conflict.effects)
    assert "tell whoever has it" in conflict.needs
    assert conflict.state == "open"
    assert {row.reservation_id: row.state for row in rows_of(world.hub, schema.node_reservation)} == states


async def test_a_wiped_node_waits_for_a_person_and_comes_back_as_the_hub_knows_it(
    world: RecoveryWorld,
) -> None:
    await _day_and_backup(world)
    world.wipe_node()
    async with world.node() as store:
        assert (await world.beat(store)).needs_new_epoch
        with pytest.raises(Refused) as refused:
            await world.rejoin(store)
        assert refused.value.code == "not-declared"
        world.readmit()
        await world.rejoin(store)
    async with world.node() as store:
        held = await store.write(_held)
        assert held[TEA] == 6
        await world.sync(store)
        assert (await store.head()).epoch == 2
        assert not (await world.beat(store)).fenced
        assert await store.write(lambda tx: [row[0] for row in tx.execute("SELECT sku_id FROM sku")]) == [
            "SALT",
            "TEA",
        ]
        await store.write(lambda tx: shelve(tx, "TEA", 1))
        await world.sync(store)
        held = await store.write(_held)
    _agrees(world, held)
    assert rows_of(world.hub, schema.conflict) == [], "it has no story of its own"


async def test_a_clones_tail_is_rebased_once_it_is_let_in(world: RecoveryWorld) -> None:
    await _day_and_backup(world)
    shutil.copytree(world.folder / "node", world.folder / "copy")
    async with world.node() as store:
        await store.write(_move("winner", 1))
        await world.sync(store)
    async with world.node("copy") as clone:
        await clone.write(_move("loser", 2))
        (refused,) = await world.sync(clone)
        assert refused.verdict is Verdict.ALREADY_HAVE, "the hub has another event of this number"
        with pytest.raises(Refused):
            await world.rejoin(clone)
        world.readmit()
        plan = await world.rejoin(clone)
        assert (plan.ancestor.seq, plan.begun.basis.seq) == (3, 4)
    async with world.node("copy") as clone:
        held = await clone.write(_held)
        assert held[TEA] == 3
        await world.sync(clone)
    assert world.hub.read(lambda tx: hub_rows.balances(tx, NODE)) == held
    async with world.node() as store:
        await store.write(_move("late", 1))
        (answer,) = await world.sync(store)
        assert answer.verdict is Verdict.REFUSE, "the old epoch is closed for the other one"
