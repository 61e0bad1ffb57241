"""Two instances of the hub on one PostgreSQL and one broker: one dies under load, then the other; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fleet import Plan, running_fleet
from support.fleet_books import check_books, current
from support.fleet_load import Work, open_shop, under_load
from support.long_run import by_length
from support.nats import NatsServer

pytestmark = [pytest.mark.system, pytest.mark.postgres, pytest.mark.timeout(by_length(400, 3_600))]

ROUNDS = by_length(1, 20)


async def test_one_instance_dies_and_the_other_one_takes_over(
    tmp_path: Path, nats_server: NatsServer, postgres_url: str
) -> None:
    plan = Plan.on(nats_server.url, hubs=2, database=postgres_url)
    async with running_fleet(tmp_path, plan) as fleet:
        await open_shop(fleet)
        work = Work(fleet)
        async with under_load(work):
            for _ in range(ROUNDS):
                for hub in fleet.hubs:
                    await work.more(20)
                    orders = len(work.orders)
                    await hub.kill()
                    await work.more(40)
                    await current(fleet)
                    assert len(work.orders) > orders, "the other instance takes orders meanwhile"
                    await hub.start()
        await check_books(work)
