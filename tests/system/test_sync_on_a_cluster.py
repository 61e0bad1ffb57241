"""Streams on three brokers: their leader dies, each broker is restarted, and work goes on; nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.fleet import Plan, running_fleet
from support.fleet_books import check_books, current
from support.fleet_load import Work, open_shop, under_load
from support.long_run import by_length
from support.nats_cluster import SERVERS, running_cluster

pytestmark = [pytest.mark.system, pytest.mark.timeout(by_length(400, 3_600))]

STREAMS = ("UP", "DOWN")
LEADERS_KILLED = by_length(STREAMS[:1], STREAMS * 10)


async def test_leaders_are_killed_and_then_each_broker_is_restarted(tmp_path: Path) -> None:
    async with (
        running_cluster(tmp_path / "nats") as cluster,
        running_fleet(tmp_path, Plan.on(cluster.url, replicas=SERVERS)) as fleet,
    ):
        await open_shop(fleet)
        work = Work(fleet)
        async with under_load(work):
            for name in LEADERS_KILLED:
                await cluster.whole(name)
                leader = await cluster.leader_of(name)
                await asyncio.to_thread(leader.kill)
                await work.more(20)
                await current(fleet)
                await asyncio.to_thread(leader.start)
            for server in cluster.servers.values():
                for name in STREAMS:
                    await cluster.whole(name)
                await asyncio.to_thread(server.restart)
                await work.more(20)
            await current(fleet)
        await check_books(work)
