"""Where things are found over HTTP, and bodies that do not come as they should."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
from starlette.types import Message, Scope

from bodega_controlplane.api.http import middleware
from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.api.http.models.words import PATTERNS
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store import schema
from support.controlplane import rows_of
from support.faces import TOKENS


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nobody_is_sent_elsewhere_with_a_token(shop: httpx.AsyncClient, method: str) -> None:
    """A redirect would name this machine's own scheme, which behind a proxy is http."""
    answer = await shop.request(method, "/v1/orders/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/orders", "GET, HEAD, POST"),
        ("/v1/webhooks/W-1", "DELETE, GET, HEAD, PUT"),
        ("/v1/catalogue/TEA", "GET, HEAD, PUT"),
        ("/healthz", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_there_is_told_all_that_are(
    shop: httpx.AsyncClient, path: str, methods: str
) -> None:
    """RFC 9110, 15.5.6."""
    answer = await shop.patch(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)
    assert methods in answer.json()["detail"]


async def test_head_is_get_without_the_body(shop: httpx.AsyncClient) -> None:
    """RFC 9110, 9.3.2; some load balancers ask so."""
    for path in ("/healthz", "/v1/catalogue/TEA", "/v1/catalogue/NONE"):
        whole, head = await shop.get(path), await shop.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        for name in ("content-length", "content-type", "etag"):
            assert head.headers.get(name) == whole.headers.get(name)
    assert (await shop.head("/v1/orders", headers={"Authorization": "Bearer wrong"})).status_code == 401


@pytest.mark.parametrize("sku_id", ["TEA/100g", "TEA#1", "100%", "a?b=c", "file", "A+B"])
async def test_a_sku_is_found_where_it_was_said_to_be(shop: httpx.AsyncClient, sku_id: str) -> None:
    made = await shop.put(f"/v1/catalogue/{quote(sku_id, safe='')}", json={"name": "Tea"})
    assert made.status_code == 201
    read = await shop.get(made.headers["location"])
    assert (read.status_code, read.json()["sku_id"]) == (200, sku_id)


FILE = b"sku_id,name,weight_g\nJAM,Jam,250\nMUG,Mug,1200\n"


class Wire:
    """A request as the server gives it to the app: pieces of a body, and then what comes after them."""

    def __init__(self, pieces: Iterator[Message]) -> None:
        self._pieces = pieces
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        piece = next(self._pieces, None)
        if piece is None:
            await asyncio.Event().wait()
        return cast("Message", piece)

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def a_file_for(path: str) -> Scope:
    headers = {
        "authorization": f"Bearer {TOKENS.storefront}",
        "content-type": "text/csv",
        "idempotency-key": "file-1",
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


async def test_a_file_that_breaks_off_changes_nothing(hub: Hub) -> None:
    """Its beginning reads like a whole file: the last row weighs 12 grams instead of 1200."""
    half: list[Message] = [
        {"type": "http.request", "body": FILE[: FILE.index(b"00\n")], "more_body": True},
        {"type": "http.disconnect"},
    ]
    wire = Wire(iter(half))
    before = rows_of(hub._store, schema.sku), rows_of(hub._store, schema.idempotency)
    await build_app(hub, TOKENS)(a_file_for("/v1/catalogue/file"), wire.receive, wire.send)
    assert wire.sent == []
    assert (rows_of(hub._store, schema.sku), rows_of(hub._store, schema.idempotency)) == before


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "REQUEST_BODY_S_MAX", 0.05)
    begun: list[Message] = [{"type": "http.request", "body": FILE[:10], "more_body": True}]
    wire = Wire(iter(begun))
    await build_app(hub, TOKENS)(a_file_for("/v1/catalogue/file"), wire.receive, wire.send)
    start, body = wire.sent
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert b"body-too-slow" in body["body"]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a country": ({"country": "Portugal"}, "must be the two capital letters of a country"),
    "no lines of an address": ({"address": []}, "must not be empty"),
    "a number as text": ({"location": {"latitude": "1", "longitude": 0}}, "must be a number, is '1'"),
    "beyond a bound": ({"location": {"latitude": 91, "longitude": 0}}, "must be at most 90, is 91"),
    "nothing": ({"name": ""}, "must not be empty"),
    "a list as text": ({"name": ["a"]}, "must be a text"),
}


@pytest.mark.parametrize(("said", "sentence"), FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_told_in_words_for_people(
    shop: httpx.AsyncClient, said: dict[str, Any], sentence: str
) -> None:
    whole = {
        "name": "Ana",
        "address": ["Rua 1"],
        "postal_code": "1100",
        "country": "PT",
        "location": {"latitude": 38.7, "longitude": -9.1},
    }
    answer = await shop.put("/v1/orders/O-1/recipient", json=whole | said)
    [fault] = answer.json()["faults"]
    assert fault["problem"].startswith(sentence)


def test_every_pattern_of_the_document_has_words_of_its_own() -> None:
    def patterns(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            for inner in node.values():
                yield from patterns(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from patterns(inner)

    document = build_app(cast("Hub", None), TOKENS).openapi()
    assert set(patterns(document)) <= PATTERNS.keys()


async def test_types_of_events_and_cursors_are_named_as_they_were_asked_for(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/v1/events", params={"type": ["order.placed", "order.sold"]})
    assert [fault["where"] for fault in answer.json()["faults"]] == ["query.type[1]"]
    answer = await shop.get("/v1/orders", params={"cursor": "abc"})
    assert "token" not in answer.text
    answer = await shop.get("/v1/webhooks/W-1")
    assert "GET /v1/webhooks" in answer.json()["hint"]
