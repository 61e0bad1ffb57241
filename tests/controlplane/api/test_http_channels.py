"""Several channels on one API: each by its own token, with its own orders, buffer and rate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from bodega.limits_hub import CHANNELS_FRESH_S
from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.selling import channels
from support.controlplane import OPERATOR
from support.faces import TOKENS, client_of, order_body


@dataclass
class Shops:
    """One app, any number of channels on it, and a clock that stands still unless told."""

    hub: Hub
    now_s: float = 1_000.0
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.app = build_app(self.hub, TOKENS, lambda: self.now_s)

    async def make(self, channel_id: str, kind: str = "marketplace", **more: int) -> httpx.AsyncClient:
        """A new channel's client."""
        _, token = await self.hub.run(
            lambda tx: channels.create_channel(tx, OPERATOR, channel_id, kind, **more)
        )
        return client_of(self.app, token)


@pytest.fixture
def shops(hub: Hub) -> Shops:
    return Shops(hub)


async def test_a_new_channel_may_ask_at_once_and_its_orders_are_its_own(shops: Shops) -> None:
    bazaar, storefront = await shops.make("bazaar"), client_of(shops.app)
    assert (await storefront.get("/v1/orders")).json()["orders"] == []
    placed = await bazaar.post("/v1/orders", json=order_body(("TEA", 1)))
    assert (placed.status_code, placed.json()["channel"]) == (201, "bazaar")
    order_id = placed.json()["order_id"]
    assert (await storefront.get("/v1/orders")).json()["orders"] == []
    assert [one["order_id"] for one in (await bazaar.get("/v1/orders")).json()["orders"]] == [order_id]
    absent = await storefront.get("/v1/orders/O-1")
    for answer in (
        await storefront.get(f"/v1/orders/{order_id}"),
        await storefront.post(f"/v1/orders/{order_id}/cancel"),
        await storefront.get(f"/v1/orders/{order_id}/shipments"),
        await storefront.get(f"/v1/orders/{order_id}/fulfillment-orders"),
        await storefront.get(f"/v1/orders/{order_id}/returns"),
        await storefront.post(f"/v1/orders/{order_id}/returns", json={}),
        await storefront.put(f"/v1/orders/{order_id}/recipient", json=order_body()["recipient"]),
    ):
        # Word for word what is said of an order that does not exist.
        assert answer.status_code == 404
        assert answer.text.replace(order_id, "O-1") == absent.text
    assert (await bazaar.get(f"/v1/orders/{order_id}")).json()["state"] == "confirmed"


async def test_keys_of_two_channels_are_not_each_others(shops: Shops) -> None:
    bazaar, storefront = await shops.make("bazaar"), client_of(shops.app)
    key = {"Idempotency-Key": "k1"}
    first = await bazaar.post("/v1/orders", json=order_body(("TEA", 1)), headers=key)
    second = await storefront.post("/v1/orders", json=order_body(("TEA", 2)), headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["order_id"] != second.json()["order_id"]


async def test_what_a_channel_may_promise_adds_up_with_its_buffer(shops: Shops) -> None:
    bazaar, storefront = await shops.make("bazaar", buffer_units=7), client_of(shops.app)
    for shop, buffer, available in ((bazaar, 7, 3), (storefront, 0, 10)):
        [row] = (await shop.get("/v1/availability?sku_id=TEA")).json()["availability"]
        assert (row["channel_buffer"], row["safety_stock"], row["available"]) == (buffer, 2, available)
        kept = ("node_rights", "reserved", "held_back", "safety_stock", "channel_buffer")
        assert row["sellable"] - sum(row[name] for name in kept) == row["available"]
    refused = await bazaar.post("/v1/orders", json=order_body(("TEA", 4)))
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient-stock")
    assert (await bazaar.post("/v1/orders", json=order_body(("TEA", 3)))).status_code == 201


async def test_a_revoked_channel_is_shut_out_within_the_bound(shops: Shops) -> None:
    bazaar = await shops.make("bazaar")
    assert (await bazaar.get("/v1/orders")).status_code == 200
    await shops.hub.run(lambda tx: channels.revoke_channel(tx, OPERATOR, "bazaar"))
    shops.now_s += CHANNELS_FRESH_S
    answer = await bazaar.get("/v1/orders")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_buffer_that_is_changed_counts_within_the_bound(shops: Shops) -> None:
    storefront = client_of(shops.app)
    await storefront.get("/v1/orders")
    await shops.hub.run(lambda tx: channels.change_channel(tx, OPERATOR, "storefront", buffer_units=10))
    shops.now_s += CHANNELS_FRESH_S
    refused = await storefront.post("/v1/orders", json=order_body(("TEA", 1)))
    assert refused.json()["code"] == "insufficient-stock"


async def test_strangers_at_once_make_one_read_at_a_time(shops: Shops) -> None:
    reads, most = 0, 0
    asked = shops.hub.read

    async def counting(fn):
        nonlocal reads, most
        reads += 1
        most = max(most, reads)
        try:
            return await asked(fn)
        finally:
            reads -= 1

    shops.hub.read = counting
    stranger = client_of(shops.app, "bdg_nobody")
    answers = await asyncio.gather(*(stranger.get("/v1/orders") for _ in range(20)))
    assert {one.status_code for one in answers} == {401}
    assert most == 1


async def test_a_channel_above_its_rate_is_told_when_to_come_back_and_others_are_not_held_up(
    shops: Shops,
) -> None:
    bazaar, storefront = await shops.make("bazaar", requests_per_s=2), client_of(shops.app)
    statuses = [(await bazaar.get("/v1/orders")).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    late = await bazaar.post("/v1/orders", json=order_body(("TEA", 1)))
    assert (late.status_code, late.json()["code"]) == (429, "too-many-requests")
    assert late.headers["content-type"] == "application/problem+json"
    assert int(late.headers["retry-after"]) == 1
    assert (await storefront.get("/v1/orders")).status_code == 200
    shops.now_s += int(late.headers["retry-after"])
    assert (await bazaar.get("/v1/orders")).status_code == 200
    assert (await storefront.get("/v1/orders")).json()["orders"] == [], "what was refused has done nothing"
