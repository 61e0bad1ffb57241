"""The two faces of a control plane on a real SQLite hub: an HTTP client without a socket, gRPC with one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from fastapi import FastAPI

from bodega_controlplane.api.grpc.server import build_server
from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.keys import Tokens, load_hub_key
from support.controlplane import POLICY, NodeByHand, deliver, open_test_store, settle

TOKENS = Tokens(storefront="shop-secret", operator="operator-secret")
SHOP = {"Authorization": "Bearer shop-secret"}
OPERATOR = (("authorization", "Bearer operator-secret"),)


@contextmanager
def stocked_hub(folder: Path, database: str = "sqlite", **on_shelf: int) -> Iterator[Hub]:
    """A hub with one node in Lisbon that has so many units of each SKU on its shelf."""
    store = open_test_store(database, folder)
    settle(store, *on_shelf)
    node = NodeByHand()
    for sku_id, quantity in on_shelf.items():
        node.shelve(sku_id, quantity)
    if node.journal:
        deliver(store, node.delivery())
    hub = Hub(store, load_hub_key(folder), POLICY)
    yield hub
    hub.close()


@asynccontextmanager
async def http_client(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """The storefront's API, with the storefront's token on every request, and a new key on every write without one."""
    async with client_of(build_app(hub, TOKENS)) as client:
        yield client


def client_of(app: FastAPI, token: str = TOKENS.storefront) -> httpx.AsyncClient:
    """A client of one channel."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://shop",
        headers={"Authorization": f"Bearer {token}"},
        event_hooks={"request": [_keyed]},
    )


async def _keyed(request: httpx.Request) -> None:
    if request.method != "GET" and "idempotency-key" not in request.headers:
        request.headers["Idempotency-Key"] = uuid.uuid4().hex


@asynccontextmanager
async def grpc_channel(hub: Hub) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a real server on a free port."""
    server = build_server(hub, TOKENS)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(grace=None)


def order_body(*lines: tuple[str, int], reference: str = "R-1", **recipient: Any) -> dict[str, Any]:
    """An order as a storefront posts it; `recipient` replaces single fields."""
    return {
        "reference": reference,
        "lines": [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in lines],
        "recipient": {
            "name": "Maria Secreta",
            "address": ["Rua do Segredo 7"],
            "postal_code": "1200-001",
            "country": "PT",
            "location": {"latitude": 38.7223, "longitude": -9.1393},
            **recipient,
        },
    }
