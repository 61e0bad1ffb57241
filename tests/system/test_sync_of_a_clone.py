"""A node copied with its disk and started twice: the hub says so, one of the two writes, and what either did stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store, open_store
from support.fleet import NODES, Fleet, Plan, running_fleet
from support.fleet_books import Books, current, of_hub, of_node
from support.fleet_load import PATIENCE_S, RECEIVE, ask, do_once, open_shop
from support.nats import NatsServer
from support.waiting import until_async

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ORIGINAL, CLONE = NODES[0], "clone"
COMMANDS = 20


async def test_a_clone_is_named_and_only_one_of_the_two_writes(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    async with running_fleet(tmp_path, Plan.on(nats_server.url)) as fleet:
        await open_shop(fleet)
        await current(fleet)
        await fleet.nodes[ORIGINAL].stop()
        clone = fleet.clone(ORIGINAL, CLONE)
        await asyncio.gather(fleet.nodes[ORIGINAL].start(), clone.start())
        for number in range(COMMANDS):
            for who in (ORIGINAL, CLONE):
                await do_once(fleet, who, {**RECEIVE, "cmd_id": f"{who}-{number}", "quantity": 1})
        store = open_store("sqlite", fleet.hub_dir())
        try:
            await until_async(
                lambda: _one_writes(fleet, store), PATIENCE_S, "one of the two writes", look_s=0.2
            )
            await until_async(lambda: _is_named(store), PATIENCE_S, "the hub names the clone", look_s=0.2)
        finally:
            store.close()
        for who in (ORIGINAL, CLONE):
            own = {f"{who}-{number}" for number in range(COMMANDS)}
            assert own <= {entry.cmd_id for entry in of_node(fleet, who).journal}, "what it did is not undone"


async def _one_writes(fleet: Fleet, store: Store) -> bool:
    """One is fenced, and the hub has every event of the other one and none besides."""
    fenced = [who for who in (ORIGINAL, CLONE) if (await ask(fleet, who, "sync"))["fenced"]]
    hub: Books = store.read(lambda tx: of_hub(tx, ORIGINAL))
    writers = [who for who in (ORIGINAL, CLONE) if of_node(fleet, who).journal == hub.journal]
    return len(fenced) == len(writers) == 1 and fenced != writers


async def _is_named(store: Store) -> bool:
    kinds = store.read(lambda tx: list(tx.connection.execute(sa.select(schema.conflict.c.kind)).scalars()))
    assert kinds in ([], ["cloned_node"])
    return bool(kinds)
