"""The customers of the network: they order at whichever hub answers, ask again until one does, and change their mind.

A `Wish` keeps what was asked and every answer. What was answered once must never be answered otherwise.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.tally import FINAL_STATES
from support.network.processes import Network
from support.waiting import until

ANSWER_S = 10.0
AGAIN_S = 0.05
# So many orders are under way at once.
OPEN_MAX = 24
# Where nothing has ended for so long, he asks.
LOOK_AGAIN_S = 5.0
CANCEL_CHANCE, TWICE_CHANCE = 0.06, 0.15
LINES, UNITS, PARTS_MAX = (1, 1, 2, 2), (1, 1, 2), (1, 3)
# The first request with this key is still worked on; or the database is not there now.
_AWAY = "unavailable"
_ASK_AGAIN = frozenset({"in-flight", _AWAY})

Json = dict[str, Any]


@dataclass
class Wish:
    """`answers` are (status, order id or "") of those that settle something; `cancelled`: the status of the cancel.

    `parts_max`: how many nodes may share it.
    """

    key: str
    lines: tuple[tuple[str, int], ...]
    near: int
    parts_max: int
    answers: list[tuple[int, str]] = field(default_factory=list)
    cancelled: int = 0

    @property
    def order_id(self) -> str:
        """The order that it became; "" if it was refused."""
        return next((order_id for _, order_id in self.answers if order_id), "")


class Customers:
    """Order one after the other, and hear from the floor what has left (`bodega_agent.demo.regrets.Moments`)."""

    def __init__(self, network: Network, products: Sequence[Product], seed: int) -> None:
        self._network, self._products = network, products
        self._dice = random.Random(seed)
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {network.storefront_token()}"},
            timeout=ANSWER_S,
            trust_env=False,
        )
        self._open: set[str] = set()
        self._over: set[str] = set()
        self._regretting: dict[str, Wish] = {}
        self._asked: list[asyncio.Task[None]] = []
        self._room = asyncio.Event()
        self.wishes: list[Wish] = []
        self.asked_again: Counter[str] = Counter()

    async def __aenter__(self) -> Customers:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for cancelling in self._asked:
            cancelling.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._http.aclose()

    async def load(self) -> None:
        """The catalogue."""
        rows = [product.as_json() for product in self._products]
        await self._until_answered("POST", "/v1/catalogue", {"skus": rows}, "catalogue")

    async def have_called(self, url: str) -> None:
        """Every event from the first on is called out to this address."""
        wanted = {"url": url, "after": ""}
        status, said = await self._until_answered("POST", "/v1/webhooks", wanted, "webhook")
        assert status == httpx.codes.CREATED, said

    async def may_buy(self, units: int) -> bool:
        """Whether so many of each product may be promised, as the first hub says."""
        for product in self._products:
            answer = await self._http.get(
                f"{self._network.http()}/v1/availability", params={"sku_id": product.sku_id}
            )
            rows = answer.raise_for_status().json()["availability"]
            if sum(row["available"] for row in rows) != units:
                return False
        return True

    async def order_more(self, count: int) -> None:
        """So many more orders, one after the other."""
        for _ in range(count):
            await self._order()

    async def turned_away(self) -> None:
        """Return once a hub has said from now on that it can not answer."""
        before = self.asked_again[_AWAY]
        await until(lambda: self.asked_again[_AWAY] > before, what="a customer is turned away")

    async def _order(self) -> None:
        """One more order, once fewer than OPEN_MAX are under way; answered."""
        while len(self._open) >= OPEN_MAX:
            self._room.clear()
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._room.wait()
            except TimeoutError:
                await self._see_what_has_ended()
        wish = self._wish()
        self.wishes.append(wish)
        for _ in range(2 if self._dice.random() < TWICE_CHANCE else 1):
            await self._place(wish)
        if wish.order_id:
            # It may have left before he who asked twice had his second answer.
            self._open |= {wish.order_id} - self._over
            if self._dice.random() < CANCEL_CHANCE:
                await self._regret(wish)

    def _wish(self) -> Wish:
        skus = [product.sku_id for product in self._dice.sample(self._products, self._dice.choice(LINES))]
        lines = tuple((sku_id, self._dice.choice(UNITS)) for sku_id in skus)
        near, parts_max = self._dice.randrange(len(self._network.posts)), self._dice.choice(PARTS_MAX)
        return Wish(f"wish-{len(self.wishes)}", lines, near, parts_max)

    async def _place(self, wish: Wish) -> None:
        status, body = await self._until_answered("POST", "/v1/orders", self._body(wish), wish.key)
        wish.answers.append((status, str(body.get("order_id", ""))))

    async def _regret(self, wish: Wish) -> None:
        """Half of them at once, half of them with a unit in the picker's hand."""
        if self._dice.random() < 0.5:
            await self._cancel(wish)
        else:
            self._regretting[wish.order_id] = wish

    async def _cancel(self, wish: Wish) -> None:
        path = f"/v1/orders/{wish.order_id}/cancel"
        wish.cancelled, _ = await self._until_answered("POST", path, None, f"cancel-{wish.key}")
        self._closed(wish.order_id)

    def unit_in_hand(self, order_id: str) -> None:
        """An associate has picked a unit of this order."""
        if (wish := self._regretting.pop(order_id, None)) is not None:
            self._asked.append(asyncio.create_task(self._cancel(wish)))

    def parcel_gone(self, order_id: str) -> None:
        """The carrier has a parcel of this order."""
        self._closed(order_id)

    def _closed(self, order_id: str) -> None:
        self._over.add(order_id)
        self._open.discard(order_id)
        self._room.set()

    async def _see_what_has_ended(self) -> None:
        """Orders that end without a parcel or a cancel; nothing while the hub that is asked is away."""
        with suppress(httpx.HTTPError, OSError):
            for order in await self.orders(self._dice.randrange(len(self._network.hubs))):
                if order["state"] in FINAL_STATES:
                    self._closed(order["order_id"])

    def _body(self, wish: Wish) -> Json:
        site = self._network.posts[wish.near].site
        return {
            "reference": wish.key,
            "lines": [{"sku_id": sku_id, "quantity": units} for sku_id, units in wish.lines],
            "parts_max": wish.parts_max,
            "recipient": {
                "name": "Marta Falcão",
                "address": ["Rua das Flores 8"],
                "postal_code": "1200-192",
                "country": "PT",
                "location": {"latitude": site.latitude, "longitude": site.longitude},
            },
        }

    async def _until_answered(self, method: str, path: str, body: Json | None, key: str) -> tuple[int, Json]:
        """Ask one hub and then the other, with the same key, until one has answered."""
        first = self._dice.randrange(len(self._network.hubs))
        while True:
            first += 1
            number = first % len(self._network.hubs)
            try:
                answer = await self._http.request(
                    method, self._network.http(number) + path, json=body, headers={"Idempotency-Key": key}
                )
            except (httpx.TransportError, OSError) as error:
                # Who has died has no address, or one where nobody listens.
                self.asked_again[type(error).__name__] += 1
            else:
                said: Json = answer.json()
                if said.get("code") not in _ASK_AGAIN:
                    return answer.status_code, said
                self.asked_again[said["code"]] += 1
            await asyncio.sleep(AGAIN_S)

    async def all_ended(self) -> bool:
        """Whether every order is over, as the first hub says; raises what went wrong when one was cancelled."""
        await asyncio.gather(*self._asked)
        return all(order["state"] in FINAL_STATES for order in await self.orders(0))

    async def orders(self, number: int) -> list[Json]:
        """All orders, as one instance lists them."""
        return await self._pages(number, "/v1/orders", "orders", "cursor")

    async def events(self, number: int) -> list[str]:
        """The ids of all events, in order, as one instance tells them."""
        return [str(event["id"]) for event in await self._pages(number, "/v1/events", "events", "after")]

    async def _pages(self, number: int, path: str, rows: str, parameter: str) -> list[Json]:
        """Every row that one instance lists."""
        found: list[Json] = []
        cursor = ""
        while True:
            answer = await self._http.get(
                self._network.http(number) + path, params={"limit": 200, parameter: cursor}
            )
            page = answer.raise_for_status().json()
            found += page[rows]
            cursor = page["next_cursor"]
            if not page.get("has_more", cursor):
                return found
