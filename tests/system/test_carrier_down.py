"""A carrier is down, and up again: the node prints what routing chose, and the second carrier keeps the promise.

One control plane, one broker and one node as processes, with a card of two carriers. An operator says what is down
with `bodegactl`; a person picks, packs, labels and hands over at the node; labels are read as the printer got them.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from bodega.v1.catalogue_pb2 import NodeProfile
from bodega_agent.demo.associate import Associate
from bodega_agent.demo.bench import SCANNER
from bodega_agent.demo.catalogue import Product, catalogue
from bodega_agent.demo.gather import skus_known
from bodega_agent.demo.handheld import Handheld, ask
from bodega_agent.demo.places import Site, sites
from bodega_agent.demo.plan import Intake
from bodega_agent.demo.world import Node, World
from bodega_agent.store.reader import Reader
from bodega_controlplane.carriers.card_document import card_values
from support.faces import order_body
from support.rate_cards import card
from support.waiting import until, until_async

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

PATIENCE_S = 60.0
LOOK_S = 0.1
CHEAP, NEXT_DAY, SECOND = ("southpost", "ECO"), ("northpost", "EXPRESS"), ("northpost", "PARCEL")
Json = dict[str, Any]


class BareSite(Site):
    """A place that has the carriers of the network's card, and none of its own."""

    __slots__ = ()

    def profile(self) -> Json:
        return super().profile() | {"carrier_services": [], "tracking_ranges": []}


class NoRegrets:
    """Customers who never cancel."""

    def unit_in_hand(self, order_id: str) -> None:
        """Nothing to do."""

    def parcel_gone(self, order_id: str) -> None:
        """Nothing to do."""


@dataclass
class Shop:
    """The world, its one node, and a client of its storefront API."""

    world: World
    product: Product
    http: httpx.AsyncClient

    @property
    def node(self) -> Node:
        """Where all orders go."""
        return self.world.nodes[0]

    async def place(self, key: str, service_class: str = "standard") -> str:
        """An order of one unit; its id."""
        body = order_body((self.product.sku_id, 1), reference=key) | {"service_class": service_class}
        answer = await self.http.post("/v1/orders", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["order_id"])

    async def routed(self, order_id: str) -> str:
        """The service that routing chose when it was placed, and that its node was given."""
        (why,) = (await self.world.bodegactl("routing", "explain", order_id))["decisions"]
        (share,) = why["shares"]
        assert share["node_id"] == self.node.site.node_id
        await self.at_the_node(order_id)
        with closing(Reader(self.node.ledger)) as ledger:
            (row,) = ledger.rows("SELECT carrier_service FROM fulfillment_order WHERE order_id = ?", order_id)
        assert row["carrier_service"] == share["service"]
        return str(share["service"])

    async def at_the_node(self, order_id: str) -> Json:
        """The work of an order, as the node shows it to its people, once it is there."""
        found: list[Json] = []

        async def there() -> bool:
            rows = await ask(self.node.socket, "orders")
            found[:] = [row for row in rows if row["order_id"] == order_id]
            return bool(found)

        await until_async(there, PATIENCE_S, "the node has the order", look_s=LOOK_S)
        return found[0]

    async def work_until_gone(self, *order_ids: str) -> None:
        """Somebody comes, does all that there is to do at the node, and goes when these have left."""
        associate = self._associate()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(associate.work())
            await until_async(lambda: self._have_left(order_ids), PATIENCE_S, "they leave", look_s=LOOK_S)
            associate.go_home()
        assert associate.notes.right_scans_refused == []

    async def take_in(self, units: int) -> None:
        """Goods come in and are for sale."""
        associate = self._associate()
        associate.deliver([Intake(self.product, self.node.site.bins[0], (units,), 0)])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(associate.work())
            await until_async(self._is_for_sale, PATIENCE_S, "goods are for sale", look_s=LOOK_S)
            associate.go_home()

    def _associate(self) -> Associate:
        bench = self.node.bench
        handheld = Handheld(SCANNER, bench.scanners[SCANNER], self.node.socket)
        known = {one.sku_id: one for one in catalogue(2)}
        person = self.node.site.people[0]
        return Associate(bench, handheld, known, random.Random(7), NoRegrets(), person=person)

    async def _is_for_sale(self) -> bool:
        answer = await self.http.get("/v1/availability", params={"sku_id": self.product.sku_id})
        return any(row["available"] for row in answer.raise_for_status().json()["availability"])

    async def _have_left(self, order_ids: Sequence[str]) -> bool:
        works = await ask(self.node.socket, "orders")
        return {row["order_id"] for row in works if row["state"] == "shipped"} >= set(order_ids)

    async def printed(self, order_id: str) -> str:
        """The label of the order's parcel, as the printer got it; there is one."""
        sscc = (await self.at_the_node(order_id))["sscc"]
        (label,) = [one for one in self.node.bench.printer.labels if one.sscc == sscc]
        return label.zpl.decode()

    async def sent_with(self, order_id: str) -> tuple[str, str]:
        """Carrier and service of the order's parcel as the storefront is told, once it is."""
        found: list[Json] = []

        async def told() -> bool:
            answer = await self.http.get(f"/v1/orders/{order_id}/shipments")
            found[:] = answer.raise_for_status().json()["shipments"]
            return [one["state"] for one in found] == ["shipped"]

        await until_async(told, PATIENCE_S, "the storefront is told of the parcel", look_s=LOOK_S)
        return found[0]["carrier"], found[0]["service"]

    async def went_with(self, order_id: str, sent: tuple[str, str]) -> None:
        """The label names this service, no other, and the storefront is told of it."""
        label = await self.printed(order_id)
        others = {CHEAP, NEXT_DAY, SECOND} - {sent}
        assert sent[1] in label
        assert not [service for _, service in others if service in label]
        assert await self.sent_with(order_id) == sent

    async def node_sends_with(self, *services: str) -> None:
        """Return once the node knows that it can send with these, and with no others."""

        def knows() -> bool:
            with closing(Reader(self.node.ledger)) as ledger:
                profile = ledger.meta("profile", b"")
            card = NodeProfile.FromString(profile).carrier_services
            return {one.service for one in card if not one.suspended} == set(services)

        await until(knows, PATIENCE_S, f"{services} are known at the node")


@asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    """All of it runs, one product is on the shelf, and the card is in force."""
    (site,) = sites(1)
    bare = BareSite(**{name: getattr(site, name) for name in Site.__dataclass_fields__})
    with TemporaryDirectory(prefix="b-") as runtime:
        world = World(folder, Path(runtime), [bare], vision=False)
        try:
            await world.start()
            winter = folder / "winter.json"
            winter.write_text(json.dumps(card_values(card())), encoding="utf-8")
            await world.bodegactl("rates", "import", str(winter))
            headers = {"Authorization": f"Bearer {world.storefront_token.read_text().strip()}"}
            async with httpx.AsyncClient(
                base_url=world.endpoints["http"], headers=headers, trust_env=False
            ) as http:
                shop = Shop(world, catalogue(2)[0], http)
                rows = [product.as_json() for product in catalogue(2)]
                answer = await http.post(
                    "/v1/catalogue", json={"skus": rows}, headers={"Idempotency-Key": "catalogue"}
                )
                answer.raise_for_status()
                await until(lambda: skus_known(shop.node.ledger) == 2, PATIENCE_S, "the catalogue is there")
                await shop.take_in(24)
                yield shop
        finally:
            await world.stop()
    assert world.unclean_stops == []


async def test_the_second_carrier_takes_over_at_the_centre_and_at_a_node_that_packs_offline(
    tmp_path: Path,
) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.node_sends_with("ECO", "PARCEL", "EXPRESS")
        # What the hub chose (the cheapest that keeps the promise) is what the node has, prints and ships.
        whenever, tomorrow = await shop.place("whenever"), await shop.place("tomorrow", "next_day")
        assert [await shop.routed(one) for one in (whenever, tomorrow)] == ["ECO", "EXPRESS"]
        await shop.work_until_gone(whenever, tomorrow)
        await shop.went_with(whenever, CHEAP)
        await shop.went_with(tomorrow, NEXT_DAY)

        # One order has been given to a carrier that goes down before it is packed, and one comes after.
        before = await shop.place("before")
        assert await shop.routed(before) == "ECO"
        await shop.world.bodegactl("carriers", "down", "southpost", "--reason", "strike")
        after = await shop.place("after")
        assert await shop.routed(after) == "PARCEL"
        await shop.node_sends_with("PARCEL", "EXPRESS")
        await shop.at_the_node(after)
        shop.node.cable.cut()
        await shop.work_until_gone(before, after)
        shop.node.cable.heal()
        await shop.went_with(before, SECOND)
        await shop.went_with(after, SECOND)

        await shop.world.bodegactl("carriers", "up", "southpost")
        again = await shop.place("again")
        assert await shop.routed(again) == "ECO"
        await shop.node_sends_with("ECO", "PARCEL", "EXPRESS")
        await shop.work_until_gone(again)
        await shop.went_with(again, CHEAP)
