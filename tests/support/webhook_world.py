"""A hub with the services that number events and call webhooks, as one instance of the control plane has them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.telling import webhooks
from bodega_controlplane.app.telling.numbering import number
from bodega_controlplane.app.telling.views import WebhookDraft, WebhookView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.rules.reach import Reach
from bodega_controlplane.services.delivering import DeliveryService
from bodega_controlplane.services.posting import Poster
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY
from support.moved_order import place

HERE = Reach((ip_network("127.0.0.0/8"),))
JITTER = 0.2


class Clock:
    """The hub's clock, set ahead by hand where a retry is hours away."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead_s


class World:
    """One hub with its services, as one instance of the control plane has them."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.clock = Clock()
        self.store = store
        self.hub = Hub(store, load_hub_key(folder), POLICY, clock=self.clock)
        self.hub.reach = HERE
        self.vault = self.hub.key.vault
        self.shop = Caller("storefront", "storefront", 0)

    @property
    def caller(self) -> Caller:
        """The storefront, now."""
        return replace(self.shop, now_ms=self.hub.now_ms())

    def add(self, url: str, *types: str, **about: str) -> WebhookView:
        """An endpoint of the storefront's."""
        draft = WebhookDraft(url, types)
        return self.store.write(
            lambda tx: webhooks.create(tx, self.caller, draft, HERE, self.vault, **about)
        )[0]

    def now(self, webhook_id: str) -> WebhookView:
        """How it is."""
        return self.store.read(lambda tx: webhooks.get(tx, webhook_id))

    def happen(self, times: int = 1) -> None:
        """So many orders are placed, and told of."""
        for _ in range(times):
            place(self.store, 1)
        while self.store.write(lambda tx: number(tx, self.hub.now_ms(), POLICY))[0]:
            pass

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[DeliveryService]:
        """While endpoints are called."""
        service = DeliveryService(self.hub, Poster(self.hub.reach))
        running = asyncio.create_task(service.run())
        try:
            yield service
        finally:
            running.cancel()
            await asyncio.wait([running])
