"""A hub's copy that differs from the node's book is found, narrowed to SKUs, counted, and right again."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bodega.limits import DIVERGENCE_SKUS_MAX
from bodega_controlplane.api.grpc.wire import node_status
from bodega_controlplane.cli.node_text import stock_text
from bodega_controlplane.store import schema, stock
from support.nats import NatsServer
from support.node_and_hub import NODE, Pair, pair, running
from support.waiting import until_async


async def shelve(both: Pair) -> None:
    """Some stock of two SKUs at the node, known at the hub."""
    await until_async(lambda: _knows(both, "TEA"), what="the node knows its catalogue")
    for sku_id, quantity in (("OAT", 5), ("TEA", 7)):
        await both.do("receive", sku_id=sku_id, quantity=quantity, bin_id="DOCK")
        await both.do("put_away", sku_id=sku_id, quantity=quantity, to_bin_id="A-01-01")
    await both.caught_up()


async def _knows(both: Pair, sku_id: str) -> bool:
    return bool(
        await both.store.read(lambda reader: reader.rows("SELECT 1 FROM sku WHERE sku_id = ?", sku_id))
    )


async def spoil(both: Pair, sku_id: str, change: int) -> None:
    """The hub's copy goes wrong: a bug, a disk, a hand in the database."""
    table = schema.stock
    query = (
        sa.update(table)
        .where(table.c.sku_id == sku_id, table.c.bin == "A-01-01")
        .values(quantity=table.c.quantity + change)
    )
    await both.hub.run(lambda tx: tx.connection.execute(query) and None)


async def compare(both: Pair) -> None:
    await both.integrity.compare_soon()
    await both.caught_up()


async def books_agree(both: Pair) -> bool:
    ours = await both.hub.read(lambda tx: stock.physical_at(tx, NODE))
    theirs = await both.store.read(
        lambda reader: {
            tuple(row[:6]): row[6]
            for row in reader.connection.execute(
                "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance WHERE bin <> ''"
            )
        }
    )
    return {tuple(account): quantity for account, quantity in ours.items()} == theirs


async def actions(both: Pair) -> list[str]:
    query = sa.select(schema.audit.c.action).order_by(schema.audit.c.seq)
    return await both.hub.read(lambda tx: list(tx.connection.execute(query).scalars()))


async def test_a_difference_becomes_a_count_of_exactly_the_skus_that_differ_and_goes_away(both: Pair) -> None:
    await shelve(both)
    await spoil(both, "TEA", 2)
    await compare(both)
    found = await both.view()
    assert found.diverged_seq > 0
    assert found.divergence is not None
    assert found.divergence.state == "found"

    await both.reconciler.sweep()
    asked = (await both.view()).divergence
    assert asked is not None
    assert (asked.state, asked.sku_ids) == ("counting", ("TEA",))

    async def has_task() -> bool:
        return any(task["kind"] == "count" for task in await both.tasks())

    await until_async(has_task, what="the node has a task to count")
    (task,) = [task for task in await both.tasks() if task["kind"] == "count"]
    assert (task["place"], task["sku_id"]) == ("A-01-01", "TEA")
    await both.caught_up()
    assert (await both.view()).divergence.counts_open == 1

    # The shelf holds one less than the node's book says: the count corrects both books.
    await both.do("count", sku_id="TEA", bin_id="A-01-01", quantity=6)
    assert not [task for task in await both.tasks() if task["kind"] == "count"]
    await both.caught_up()
    assert (await both.view()).divergence.state == "counted"
    assert await books_agree(both)
    await both.integrity.walk_on(
        to_the_head=True
    )  # by the schedule: the last count has asked for a checkpoint
    await both.caught_up()
    assert ((await both.view()).diverged_seq, (await both.view()).divergence) == (0, None)
    told = await actions(both)
    assert [one for one in told if one in SAID] == list(SAID)


SAID = ("node.diverged", "node.count_wanted", "stock.repaired", "node.agrees_again")


async def test_stock_that_only_the_hub_believes_in_is_settled_without_a_count(both: Pair) -> None:
    """Nothing of it lies at the node, and the bin is none of its own: there is no place to count."""
    await shelve(both)
    ghost = {
        "node_id": NODE, "sku_id": "GHOST", "bin": "Z-99", "disposition": "sellable_accessible",
        "lot": "", "owner": "", "external": "", "quantity": 3,
    }  # fmt: skip
    await both.hub.run(lambda tx: tx.upsert(schema.stock, [ghost]))
    await compare(both)
    await both.reconciler.sweep()

    async def counted() -> bool:
        now = (await both.view()).divergence
        return now is not None and now.state == "counted"

    await until_async(counted, what="the node has told its book")
    assert await books_agree(both)
    assert not [task for task in await both.tasks() if task["kind"] == "count"]


async def test_a_node_that_is_out_of_touch_is_asked_when_it_is_back(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with pair(nats_server, tmp_path, "OAT", "TEA", online=False) as both:
        async with running(both.sync.run()):
            await shelve(both)
            await spoil(both, "OAT", -1)
            await compare(both)
        both.hub._clock = lambda clock=both.hub._clock: clock() + 3600  # an hour in which nobody heard of it
        await both.reconciler.sweep()
        waiting = (await both.view()).divergence
        assert waiting is not None
        assert (waiting.state, waiting.problem) == ("found", "")
        async with running(both.sync.run()):

            async def asked() -> bool:
                await both.reconciler.sweep()
                now = (await both.view()).divergence
                return now is not None and now.state == "counting"

            await until_async(asked, what="the node is asked at its next contact")


async def test_a_checkpoint_that_the_node_let_go_is_said_and_the_next_one_is_used(both: Pair) -> None:
    await shelve(both)
    await spoil(both, "TEA", 2)
    await compare(both)
    await both.store.write(lambda tx: tx.execute("DELETE FROM checkpoint"))
    await both.reconciler.sweep()
    view = await both.view()
    assert "keeps no checkpoint" in view.divergence.problem
    assert "waits: the node keeps no checkpoint" in stock_text(node_status(view, now_ms=0))
    await both.do("receive", sku_id="OAT", quantity=1, bin_id="DOCK")
    await both.integrity.compare_soon()
    await both.caught_up()
    await both.reconciler.sweep()
    assert (await both.view()).divergence.state == "counting"


async def test_a_difference_that_heals_by_itself_is_closed_without_a_count(both: Pair) -> None:
    await shelve(both)
    await spoil(both, "TEA", 2)
    await compare(both)
    await spoil(both, "TEA", -2)
    await both.reconciler.sweep()
    assert (await both.view()).divergence.state == "counted"
    await both.do("receive", sku_id="OAT", quantity=1, bin_id="DOCK")
    await compare(both)
    assert (await both.view()).divergence is None


async def test_of_many_skus_the_first_are_counted_and_the_rest_shows_at_the_next_checkpoint(
    both: Pair,
) -> None:
    await shelve(both)
    many = DIVERGENCE_SKUS_MAX + 20
    rows = [
        {
            "node_id": NODE, "sku_id": f"G-{number:04}", "bin": "Z-99", "disposition": "sellable_accessible",
            "lot": "", "owner": "", "external": "", "quantity": 1,
        }
        for number in range(many)
    ]  # fmt: skip
    await both.hub.run(lambda tx: tx.upsert(schema.stock, rows))
    for expected in (DIVERGENCE_SKUS_MAX, many - DIVERGENCE_SKUS_MAX):
        await compare(both)
        await both.reconciler.sweep()
        asked = (await both.view()).divergence
        assert asked is not None
        assert len(asked.sku_ids) == expected

        async def counted() -> bool:
            now = (await both.view()).divergence
            return now is not None and now.state == "counted"

        await until_async(counted, what="the node has told its book")
    assert await books_agree(both)
