"""The hub's upkeep runs by itself: what is due is done in a round, what could not be done is not asked every second."""

from __future__ import annotations

import asyncio
from pathlib import Path

from structlog.testing import capture_logs

from bodega.core.deadline import BootTime
from bodega.errors import Unavailable
from bodega.limits import TEXT_CHARS_MAX, UPKEEP_AGAIN_S
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import OrderView
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.services.telling import TellingService
from bodega_controlplane.services.upkeep import UpkeepService
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, deliver
from support.moved_order import LISBON, PORTO, SKU, news, order_now, place, two_nodes


def two_that_lack(store: Store) -> tuple[OrderView, OrderView]:
    """Two orders at a node that has lost nearly all of its goods; another one could serve both."""
    lisbon, _porto = two_nodes(store)
    orders = place(store, 4), place(store, 4)
    lisbon.move("count_down", SKU, 9, source="A-01-01")
    deliver(store, *news(store, lisbon))
    return orders


async def test_an_order_that_nobody_can_serve_is_looked_at_again_after_a_while(
    sqlite_store: Store, tmp_path: Path
) -> None:
    store, now = sqlite_store, [0.0]
    lisbon, porto = two_nodes(store, porto=0)
    order = place(store, 4)
    lisbon.move("count_down", SKU, 8, source="A-01-01")
    deliver(store, *news(store, lisbon))
    hub = Hub(store, load_hub_key(tmp_path), POLICY, boot_clock=lambda: BootTime("boot-1", 1))
    upkeep = UpkeepService(hub, clock=lambda: now[0])
    await upkeep.round()
    porto.shelve(SKU, 9)
    deliver(store, *news(store, porto))
    now[0] = UPKEEP_AGAIN_S - 1
    await upkeep.round()
    assert order_now(store, order.order_id).node_id == LISBON
    now[0] = UPKEEP_AGAIN_S
    await upkeep.round()
    assert order_now(store, order.order_id).node_id == PORTO


async def test_what_can_not_be_done_for_one_order_does_not_stop_the_others(
    sqlite_store: Store, tmp_path: Path
) -> None:
    store = sqlite_store
    first, second = two_that_lack(store)
    effect_of_no_rule = {"effect": "x" * (TEXT_CHARS_MAX + 1)}
    damage = schema.conflict.update().where(schema.conflict.c.order_id == first.order_id)
    store.write(lambda tx: tx.connection.execute(damage.values(**effect_of_no_rule)))
    hub = Hub(store, load_hub_key(tmp_path), POLICY, boot_clock=lambda: BootTime("boot-1", 1))
    await UpkeepService(hub).round()
    at = {one.order_id: order_now(store, one.order_id).node_id for one in (first, second)}
    assert at == {first.order_id: LISBON, second.order_id: PORTO}


async def test_a_bug_that_one_order_meets_is_told_and_the_others_are_served(
    sqlite_store: Store, tmp_path: Path
) -> None:
    store = sqlite_store
    first, second = two_that_lack(store)
    of_first = schema.order_part.update().where(schema.order_part.c.order_id == first.order_id)
    store.write(lambda tx: tx.connection.execute(of_first.values(state="as nobody knows it")))
    hub = Hub(store, load_hub_key(tmp_path), POLICY, boot_clock=lambda: BootTime("boot-1", 1))
    with capture_logs() as said:
        await UpkeepService(hub).round()
    assert order_now(store, second.order_id).node_id == PORTO
    (bug,) = [line for line in said if line["log_level"] == "error"]
    assert (bug["event"], bug["exc_info"]) == ("upkeep_job_failed", True)


async def test_a_round_that_meets_a_bug_is_told_and_the_next_one_comes(
    sqlite_store: Store, tmp_path: Path
) -> None:
    hub = Hub(sqlite_store, load_hub_key(tmp_path), POLICY)
    two_nodes(sqlite_store)
    place(sqlite_store, 1)
    again = asyncio.Event()
    rounds = []

    def told() -> None:
        rounds.append(1)
        if len(rounds) > 1:
            return again.set()
        place(sqlite_store, 1, reference="R-2")
        raise KeyError("a bug")

    with capture_logs() as said:
        running = asyncio.create_task(TellingService(hub, told).run())
        async with asyncio.timeout(30):
            await again.wait()
    running.cancel()
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["events_not_numbered"]


async def test_a_database_that_is_away_does_not_end_it(sqlite_store: Store, tmp_path: Path) -> None:
    hub = Hub(sqlite_store, load_hub_key(tmp_path), POLICY)
    rounds = asyncio.Event()

    class Away(UpkeepService):
        failed = False

        async def round(self) -> None:
            if self.failed:
                rounds.set()
            self.failed = True
            raise Unavailable("the database does not answer")

    running = asyncio.create_task(Away(hub, every_s=0).run())
    async with asyncio.timeout(30):
        await rounds.wait()
    running.cancel()
    assert rounds.is_set()
