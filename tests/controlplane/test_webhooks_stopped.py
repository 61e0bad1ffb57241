"""A control plane that stops while it calls webhooks: the line is closed, and what was answered is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bodega.host.tasks import end
from bodega_controlplane.app.telling import delivering, webhooks
from bodega_controlplane.services.delivering import DeliveryService
from bodega_controlplane.store.engine import Store
from support.moved_order import two_nodes
from support.waiting import until
from support.webhook_world import World


class SlowToHangUp:
    """Lines of a busy machine: the first call is answered, the second hangs, and a line takes a moment to close."""

    def __init__(self) -> None:
        self.calls = 0
        self.hung_up = False

    @asynccontextmanager
    async def line_to(self, _url: str) -> AsyncIterator[SlowToHangUp]:
        try:
            yield self
        finally:
            await asyncio.sleep(0.5)
            self.hung_up = True

    async def post(self, _body: bytes, _headers: Mapping[str, str]) -> delivering.Said:
        self.calls += 1
        if self.calls > 1:
            await asyncio.Event().wait()
        return delivering.Said(204)


async def test_a_run_that_is_stopped_hangs_up_and_writes_down_what_was_answered(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """However slow that is: a stop is said again and again."""
    two_nodes(sqlite_store)
    world = World(sqlite_store, tmp_path)
    made = world.add("http://127.0.0.1:9/hooks", "order.placed")
    world.happen(2)
    lines = SlowToHangUp()
    running = asyncio.create_task(DeliveryService(world.hub, lines).run())
    await until(lambda: lines.calls == 2)
    await end([running])
    assert lines.hung_up
    written = world.store.read(lambda tx: webhooks.deliveries(tx, made.webhook_id))
    assert [row.status for row in written] == [204]
    assert world.store.read(lambda tx: delivering.any_due(tx, world.hub.now_ms())), "it was given back"
