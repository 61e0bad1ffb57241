"""A shop at the real HTTP face of one hub or of several on one database, and nodes played by hand behind it.

A story is told from outside: what the shop asks and is answered, what each node is told and says. Only the hub's
upkeep, which a clock drives, is asked for by name (`a_moment_later`).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from bodega.codec import parse_hub_event
from bodega.v1 import orders_pb2
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import upkeep
from bodega_controlplane.app.views import GeoPoint
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, NodeByHand, deliver, open_test_store, rows_of, settle
from support.faces import http_client, order_body
from support.moved_order import HUB, NODES, NOW, SKU, Hand, news

Json = dict[str, Any]


@dataclass
class Town:
    """`store` is the database that all `hubs` share; `shops[n]` asks `hubs[n]`; `nodes` by id."""

    store: Store
    hubs: list[Hub]
    shops: list[httpx.AsyncClient]
    nodes: dict[str, NodeByHand]
    _keys: itertools.count[int] = field(default_factory=itertools.count)

    async def ask(
        self, method: str, path: str, body: Json | None = None, *, key: str = "", at: int = 0
    ) -> httpx.Response:
        """One request at instance `at`; a write without a `key` gets one of its own."""
        sent = {"Idempotency-Key": key or f"story-{next(self._keys)}"} if method != "GET" else {}
        return await self.shops[at].request(method, path, json=body, headers=sent)

    async def place(self, *lines: tuple[str, int], key: str = "", at: int = 0, **more: Any) -> httpx.Response:
        """An order from Lisbon; `more` are further fields of it."""
        return await self.ask("POST", "/v1/orders", order_body(*lines) | more, key=key, at=at)

    async def placed(self, *lines: tuple[str, int], **more: Any) -> Json:
        """The order, which must be taken."""
        answer = await self.place(*lines, **more)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return dict(answer.json())

    async def cancel(self, order_id: str) -> httpx.Response:
        """The customer changes their mind."""
        return await self.ask("POST", f"/v1/orders/{order_id}/cancel")

    async def moves_to(self, order_id: str, place: GeoPoint, street: str) -> httpx.Response:
        """The customer says where it is to go instead."""
        where = {"latitude": place.latitude, "longitude": place.longitude}
        body = order_body(address=[street], location=where)["recipient"]
        return await self.ask("PUT", f"/v1/orders/{order_id}/recipient", body)

    async def order(self, order_id: str) -> Json:
        """The order as the shop sees it now."""
        return dict((await self.ask("GET", f"/v1/orders/{order_id}")).raise_for_status().json())

    async def orders(self) -> list[Json]:
        """All orders, as the shop sees them."""
        return list((await self.ask("GET", "/v1/orders?limit=200")).raise_for_status().json()["orders"])

    async def available(self, sku_id: str = SKU) -> dict[str, int]:
        """Units that may be promised, by node."""
        answer = await self.ask("GET", f"/v1/availability?sku_id={sku_id}")
        return {row["node_id"]: row["available"] for row in answer.raise_for_status().json()["availability"]}

    def told(self, node_id: str, order_id: str) -> list[str]:
        """What a node was told of an order, as the names of facts."""
        return [fact for _, fact in self._told(node_id, order_id)]

    def told_at(self, node_id: str, order_id: str, fact: str) -> list[int]:
        """Where in its stream a node was told that of an order."""
        return [seq for seq, name in self._told(node_id, order_id) if name == fact]

    def _told(self, node_id: str, order_id: str) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for row in rows_of(self.store, schema.down_log):
            event = parse_hub_event(row.body)
            fact = event.WhichOneof("fact") or ""
            if row.node_id == node_id and getattr(getattr(event, fact), "order_id", "") == order_id:
                found.append((row.seq, fact))
        return found

    def work(self, node_id: str, order_id: str) -> orders_pb2.FulfillmentOrder:
        """The newest work that a node was given for an order."""
        given = [
            event.fulfillment_order
            for row in rows_of(self.store, schema.down_log)
            if row.node_id == node_id
            for event in [parse_hub_event(row.body)]
            if event.fulfillment_order.order_id == order_id
        ]
        assert given, f"{node_id} was given no work for {order_id}"
        return given[-1]

    def hand(self, node_id: str, order_id: str) -> Hand:
        """The node's hands on that work, which is of one line."""
        work = self.work(node_id, order_id)
        units = sum(line.quantity for line in work.lines)
        hand = Hand(self.nodes[node_id], work.fulfillment_order_id, order_id, units)
        hand.token = work.fencing_token
        return hand

    def hear(self) -> None:
        """The hub reads what the nodes have recorded since."""
        for node in self.nodes.values():
            if fresh := news(self.store, node):
                deliver(self.store, *fresh)

    def a_moment_later(self, *, down: Collection[str] = ()) -> None:
        """A round of the hub's upkeep; it has not heard of the nodes that are `down` for too long."""
        caller = replace(HUB, now_ms=self.hubs[0].now_ms())
        for job in self.store.read(lambda tx: upkeep.due(tx, caller, POLICY, NOW, set(down))):
            self.store.write(job.run)


@asynccontextmanager
async def open_town(database: str, folder: Path, *, hubs: int = 1, **units: int) -> AsyncIterator[Town]:
    """Nodes by name (`lisbon_01=10`) with so many TEA on the shelf, known to the hub."""
    store = open_test_store(database, folder)
    settle(store, SKU, node_ids=NODES)
    nodes = {node_id: NodeByHand(node_id) for node_id in NODES}
    for name, quantity in units.items():
        nodes[name.replace("_", "-")].shelve(SKU, quantity)
    async with AsyncExitStack() as closing:
        closing.callback(store.close)
        key = load_hub_key(folder)
        running = [Hub(open_test_store(database, folder), key, POLICY) for _ in range(hubs)]
        for hub in running:
            closing.callback(hub.close)
        shops = [await closing.enter_async_context(http_client(hub)) for hub in running]
        town = Town(store, running, shops, nodes)
        town.hear()
        yield town
