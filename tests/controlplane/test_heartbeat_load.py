"""Many heartbeats at once share commits, each is answered, and a bad one costs only its own node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.core.sync import Head
from bodega.errors import Unavailable
from bodega.limits import BUSY_HEARTBEATS_MAX, HEARTBEATS_PER_COMMIT_MAX
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.fleet.heartbeat import Heartbeat
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.services.heartbeats import HeartbeatDesk
from support.controlplane import LISBON, OPERATOR, make_hub, node_draft

NODES = [f"node-{number:03}" for number in range(HEARTBEATS_PER_COMMIT_MAX * 2 + 10)]


class CountedHub:
    """The hub, with its commits counted; `broken` makes them fail."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.commits = 0
        self.broken: Exception | None = None
        self.now_ms = hub.now_ms

    async def run(self, fn: Callable[[Any], Any]) -> Any:
        self.commits += 1
        if self.broken:
            raise self.broken
        return await self._hub.run(fn)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[CountedHub]:
    made = make_hub("sqlite", tmp_path)
    for number, node_id in enumerate(NODES):
        made._store.write(
            lambda tx, node_id=node_id, number=number: nodes.register_node(
                tx, OPERATOR, node_draft(node_id, LISBON, number=number)
            )
        )
    yield CountedHub(made)
    made.close()


def beat(node_id: str, boot_nonce: str = "n") -> Heartbeat:
    health = HealthView("1", 0, 0, 0, (), "", 0, True, "roomy", "")  # noqa: FBT003 - a value, by its place
    return Heartbeat(node_id, 1, boot_nonce, 0, Head(), health)


async def test_a_fleet_that_beats_at_once_shares_commits_and_everybody_is_answered(hub: CountedHub) -> None:
    desk = HeartbeatDesk(hub)
    answers = await asyncio.gather(*(desk.ask(beat(node_id)) for node_id in NODES))
    assert [answer and (answer.down_seq, answer.fenced) for answer in answers] == [(1, "")] * len(NODES)
    assert hub.commits == -(-len(NODES) // HEARTBEATS_PER_COMMIT_MAX)
    assert desk.waiting == 0


async def test_a_heartbeat_that_cannot_be_kept_costs_only_its_own_answer(hub: CountedHub) -> None:
    desk = HeartbeatDesk(hub)
    bad = beat(NODES[1], boot_nonce=object())  # type: ignore[arg-type]  # what no database takes
    answers = await asyncio.gather(desk.ask(beat(NODES[0])), desk.ask(bad), desk.ask(beat(NODES[2])))
    assert [answer is not None for answer in answers] == [True, False, True]


async def test_while_the_database_is_away_nobody_is_answered_and_then_everybody(hub: CountedHub) -> None:
    desk = HeartbeatDesk(hub)
    hub.broken = Unavailable("away")
    assert await desk.ask(beat(NODES[0])) is None
    hub.broken = None
    assert await desk.ask(beat(NODES[0])) is not None


async def test_those_that_wait_are_counted_for_what_the_hub_asks_of_its_nodes(hub: CountedHub) -> None:
    desk = HeartbeatDesk(hub)
    asking = [asyncio.create_task(desk.ask(beat(node_id))) for node_id in NODES]
    await asyncio.sleep(0)
    assert desk.waiting > BUSY_HEARTBEATS_MAX
    await asyncio.gather(*asking)
