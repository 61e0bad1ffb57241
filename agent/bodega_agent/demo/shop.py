"""The customers: orders, repeated requests and cancels through the public HTTP API, as a shop sends them."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.errors import Unavailable
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.places import Site
from bodega_agent.demo.plan import OrderPlan, Repeat

CREATED, ACCEPTED, CONFLICT = 201, 202, 409
IN_FLIGHT = "in-flight"
ANSWER_S = 15.0
IN_FLIGHT_PAUSE_S = 0.02
PAGE_ROWS = 200
NEARBY_DEGREES = 0.03

_NAMES = ["Inês Carvalho", "João Sequeira", "Marta Falcão", "Rui Antunes", "Beatriz Nóbrega", "Tomás Vilar"]
_STREETS = ["Rua das Flores", "Travessa do Carmo", "Largo da Estação", "Avenida da Liberdade"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said to one POST of an order. `order_id` and `code` are "" where they do not apply."""

    status: int
    order_id: str = ""
    code: str = ""
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """One wish and every answer to it, in the order of asking; `cancel_status` is 0 if none was asked for."""

    order: OrderPlan
    answers: tuple[Answer, ...]
    cancel_status: int = 0

    @property
    def order_id(self) -> str:
        """The order that it became; "" if it was refused."""
        return next((answer.order_id for answer in self.answers if answer.order_id), "")


class Shop:
    """A client of the storefront API. `sites` says where the customers live."""

    def __init__(self, url: str, token_file: Path, sites: Sequence[Site]) -> None:
        import httpx  # noqa: PLC0415 (the demo alone talks HTTP; the daemon must not pay for it)

        self._sites = sites
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token_file.read_text().strip()}"},
            timeout=ANSWER_S,
            trust_env=False,
        )
        self.receipts: dict[str, Receipt] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def load(self, products: Iterable[Product]) -> int:
        """Load the catalogue; the number of SKUs that changed."""
        rows = [product.as_json() for product in products]
        key = {"Idempotency-Key": uuid.uuid4().hex}
        answer = await self._http.post("/v1/catalogue", headers=key, json={"skus": rows})
        _expect(answer.status_code, 200, "POST /v1/catalogue", answer.text)
        return int(answer.json()["changed"])

    async def place(self, order: OrderPlan) -> Receipt:
        """Place an order, as often as its plan says."""
        if order.repeat is Repeat.AT_ONCE:
            answers = await asyncio.gather(self._post_until_answered(order), self._post_until_answered(order))
            said = [answer for each in answers for answer in each]
        else:
            said = await self._post_until_answered(order)
            if order.repeat is Repeat.LATER:
                said += await self._post_until_answered(order)
        receipt = Receipt(order, tuple(said))
        self.receipts[order.key] = receipt
        return receipt

    async def _post_until_answered(self, order: OrderPlan) -> list[Answer]:
        """A shop that is told "in flight" asks again with the same key, as the API's hint says."""
        answers = [await self._post(order)]
        while answers[-1].code == IN_FLIGHT:
            await asyncio.sleep(IN_FLIGHT_PAUSE_S)
            answers.append(await self._post(order))
        return answers

    async def _post(self, order: OrderPlan) -> Answer:
        answer = await self._http.post(
            "/v1/orders", headers={"Idempotency-Key": order.key}, json=self._body(order)
        )
        body = answer.json()
        return Answer(
            answer.status_code,
            body.get("order_id", ""),
            body.get("code", ""),
            answer.headers.get("Idempotency-Replayed") == "true",
        )

    def _body(self, order: OrderPlan) -> Json:
        # The same order is the same body, down to the customer's door.
        dice = random.Random(order.key)  # noqa: S311 (a story, not a secret)
        site = self._sites[order.site]
        return {
            "reference": order.reference,
            "lines": [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in order.lines],
            "recipient": {
                "name": dice.choice(_NAMES),
                "address": [f"{dice.choice(_STREETS)} {dice.randint(1, 180)}"],
                "postal_code": f"{dice.randint(1000, 8999)}-{dice.randint(100, 999)}",
                "country": "PT",
                "location": {
                    "latitude": site.latitude + dice.uniform(-NEARBY_DEGREES, NEARBY_DEGREES),
                    "longitude": site.longitude + dice.uniform(-NEARBY_DEGREES, NEARBY_DEGREES),
                },
            },
        }

    async def cancel(self, order: OrderPlan) -> int:
        """Change one's mind; the HTTP status (202 asked, 409 already final)."""
        receipt = self.receipts[order.key]
        key = {"Idempotency-Key": f"cancel-{receipt.order_id}"}
        answer = await self._http.post(f"/v1/orders/{receipt.order_id}/cancel", headers=key)
        self.receipts[order.key] = Receipt(order, receipt.answers, answer.status_code)
        return int(answer.status_code)

    async def orders(self) -> list[Json]:
        """All orders as the API tells them."""
        found: list[Json] = []
        cursor = ""
        while True:
            answer = await self._http.get("/v1/orders", params={"limit": PAGE_ROWS, "cursor": cursor})
            _expect(answer.status_code, 200, "GET /v1/orders", answer.text)
            page = answer.json()
            found += page["orders"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    async def available(self, sku_id: str) -> dict[str, int]:
        """Units that may be promised, by node."""
        answer = await self._http.get("/v1/availability", params={"sku_id": sku_id})
        _expect(answer.status_code, 200, "GET /v1/availability", answer.text)
        return {row["node_id"]: row["available"] for row in answer.json()["availability"]}


def _expect(status: int, wanted: int, what: str, text: str) -> None:
    if status != wanted:
        raise Unavailable(f"{what} answered {status}: {text[:300]}", hint="read the control plane's log")
