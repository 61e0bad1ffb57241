"""Orders that wait, that are split, that go elsewhere: what a channel may ask of them over HTTP, and what it sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store import schema
from support.controlplane import rows_of
from support.faces import order_body, stocked_hub
from support.moved_order import Hand
from support.sold import sell

ELSEWHERE: dict[str, Any] = order_body(name="Ana Escondida", address=["Rua Nova 9"])["recipient"]


@pytest.fixture
def hub(database: str, tmp_path: Path) -> Iterator[Hub]:
    with stocked_hub(tmp_path, database, TEA=12) as hub:
        yield hub


async def test_what_can_not_be_promised_waits_if_the_order_says_so(shop: httpx.AsyncClient) -> None:
    """Ten may be promised."""
    body = order_body(("TEA", 11))
    assert (await shop.post("/v1/orders", json=body)).json()["code"] == "insufficient-stock"
    waiting = await shop.post("/v1/orders", json=body | {"backorder": True})
    assert waiting.status_code == 201, waiting.text
    order = waiting.json()
    assert order["backorder"]
    assert "backordered" in {part["state"] for part in order["parts"]}
    assert sum(line["quantity"] for part in order["parts"] for line in part["lines"]) == 11


async def test_a_courier_may_bring_it_and_needs_no_pickup(shop: httpx.AsyncClient) -> None:
    placed = await shop.post("/v1/orders", json=order_body(("TEA", 1)) | {"method": "courier"})
    assert (placed.status_code, placed.json()["method"]) == (201, "courier")
    fetched = order_body(("TEA", 1)) | {
        "method": "courier",
        "pickup": {"node_id": "lisbon-01", "code": "1234"},
    }
    refused = await shop.post("/v1/orders", json=fetched)
    assert [fault["where"] for fault in refused.json()["faults"]] == ["pickup"]


async def test_a_pre_order_waits_for_its_day(shop: httpx.AsyncClient) -> None:
    body = order_body(("TEA", 1)) | {"not_before": "2999-01-01T00:00:00Z"}
    placed = await shop.post("/v1/orders", json=body)
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["not_before"], order["node_id"]) == ("2999-01-01T00:00:00Z", "")
    assert [part["state"] for part in order["parts"]] == ["preordered"]
    assert (await shop.get(f"/v1/orders/{order['order_id']}/fulfillment-orders")).json() == {
        "fulfillment_orders": []
    }


async def test_an_order_goes_elsewhere_until_somebody_picks_it(hub: Hub, shop: httpx.AsyncClient) -> None:
    sold = await sell(hub, shop)
    path = f"/v1/orders/{sold.order_id}"
    seen = (await shop.get(path)).headers["etag"]
    with capture_logs() as lines:
        changed = await shop.put(f"{path}/recipient", json=ELSEWHERE, headers={"If-Match": seen})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] != seen
    [kept] = rows_of(hub._store, schema.orders)
    assert "Ana Escondida" in kept.recipient
    for text in (changed.text, json.dumps(lines, default=str), repr(rows_of(hub._store, schema.audit))):
        assert "Escondida" not in text
    late = await shop.put(f"{path}/recipient", json=order_body()["recipient"], headers={"If-Match": seen})
    assert late.json()["code"] == "precondition-failed"
    works = (await shop.get(f"{path}/fulfillment-orders")).json()["fulfillment_orders"]
    assert [work["in_force"] for work in works] == [False, True]

    newest = works[-1]["fulfillment_order_id"]
    Hand(sold.node, newest, sold.order_id, token=2).pick()
    sold.tell()
    refused = await shop.put(f"{path}/recipient", json=order_body()["recipient"])
    assert (refused.status_code, refused.json()["code"]) == (409, "work-begun")


async def test_every_fault_of_an_address_is_named(hub: Hub, shop: httpx.AsyncClient) -> None:
    sold = await sell(hub, shop)
    bad = ELSEWHERE | {"name": "<b>Ana</b>", "country": "pt", "address": []}
    answer = await shop.put(f"/v1/orders/{sold.order_id}/recipient", json=bad)
    assert answer.status_code == 422
    assert {fault["where"] for fault in answer.json()["faults"]} == {"name", "country", "address"}
