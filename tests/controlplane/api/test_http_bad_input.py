"""Bad input of every kind: a clear 4xx that names every fault, nothing half done, nothing personal logged."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store import schema
from support.controlplane import rows_of
from support.faces import order_body

PRIVATE = ("Maria", "Segredo", "1200-001", "38.72", "shop-secret")
TABLES = (
    schema.orders,
    schema.fulfillment_line,
    schema.down_log,
    schema.audit,
    schema.idempotency,
    schema.sku,
)


def with_lines(*lines: dict[str, Any]) -> dict[str, Any]:
    return order_body() | {"lines": list(lines)}


UNKNOWN = {"sku_id": "GHOST", "quantity": 1}
ORDERS = {
    "unknown SKU": (with_lines(UNKNOWN), {"lines[0].sku_id"}),
    "zero and less": (order_body(("TEA", 0), ("TEA", -3)), {"lines[0].quantity", "lines[1].quantity"}),
    "no lines": (with_lines(), {"lines"}),
    "10,000 lines": (order_body(*[("TEA", 1)] * 10_000), {"lines"}),
    "HTML in names": (
        order_body(("TEA", 1), name="<script>alert(1)</script>", address=["<b>Rua</b>"]),
        {"recipient.name", "recipient.address[0]"},
    ),
    "no such place": (
        order_body(("TEA", 1), country="Portugal", location={"latitude": 91, "longitude": -181}),
        {"recipient.country", "recipient.location.latitude", "recipient.location.longitude"},
    ),
    "numbers that are none": (
        with_lines({"sku_id": "TEA", "quantity": "3"}, {"sku_id": "TEA", "quantity": 1.5}),
        {"lines[0].quantity", "lines[1].quantity"},
    ),
    "more than there can be": (order_body(("TEA", 2**63)), {"lines[0].quantity"}),
    "fields that nobody knows": (order_body(("TEA", 1)) | {"discount": 5}, {"discount"}),
    "control characters": (order_body(("TEA", 1), name="a\u0000b"), {"recipient.name"}),
}


@pytest.mark.parametrize(("body", "where"), ORDERS.values(), ids=ORDERS)
async def test_every_fault_of_an_order_is_named_and_nothing_is_done(
    hub: Hub, shop: httpx.AsyncClient, body: dict[str, Any], where: set[str]
) -> None:
    before = [rows_of(hub._store, table) for table in TABLES]
    with capture_logs() as lines:
        answer = await shop.post("/v1/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert {fault["where"] for fault in answer.json()["faults"]} == where
    assert [rows_of(hub._store, table) for table in TABLES] == before
    assert not [word for word in PRIVATE if word in json.dumps(lines, default=str)]


async def test_more_than_the_shelf_holds_and_a_repeated_sku_are_summed(
    hub: Hub, shop: httpx.AsyncClient
) -> None:
    """Ten may be promised; six and five of the same are eleven."""
    before = [rows_of(hub._store, table) for table in TABLES]
    answer = await shop.post("/v1/orders", json=order_body(("TEA", 6), ("TEA", 5)))
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient-stock")
    assert [rows_of(hub._store, table) for table in TABLES] == before
    assert (await shop.post("/v1/orders", json=order_body(("TEA", 6), ("TEA", 4)))).status_code == 201


@pytest.mark.parametrize(
    "path", ["/v1/orders", "/v1/catalogue", "/v1/catalogue/file", "/v1/orders/O-1/returns"]
)
async def test_a_body_of_ten_megabytes_is_refused_unread(shop: httpx.AsyncClient, path: str) -> None:
    answer = await shop.post(path, content=b"x" * 10_000_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_length_of_thousands_of_digits_is_refused_and_not_computed(shop: httpx.AsyncClient) -> None:
    answer = await shop.post("/v1/orders", content=b"{}", headers={"Content-Length": "9" * 5_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/orders/" + "x" * 65, 422),
        ("/v1/orders/%3Cb%3E", 422),
        ("/v1/orders/..%2f..%2fetc", 404),
        ("/v1/orders/O-1%00", 422),
        ("/v1/shipments/12", 422),
        ("/v1/orders?limit=0", 422),
        ("/v1/orders?limit=501", 422),
        ("/v1/orders?state=lost", 422),
        ("/v1/orders?cursor=%00", 422),
        ("/v1/orders?cursor=WyJhIiwgMV0", 422),
        ("/v1/orders?cursor=WzEsMiwzXQ", 422),
        ("/v1/orders?updated_since=yesterday", 422),
        ("/v1/orders?updated_since=9999-12-31T23:59:59Z", 200),
        ("/v1/returns?cursor=WzFd", 422),
        ("/v1/catalogue?cursor=WzFd", 422),
    ],
)
async def test_a_path_or_a_parameter_that_makes_no_sense_is_named(
    shop: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await shop.get(path)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["faults"]


@pytest.mark.parametrize("key", [[10**30, "O"], [1, "\0"], [1, "\ud800"], [True, "O"], {"a": 1}, None])
async def test_a_cursor_that_no_database_could_ask_for_is_refused(shop: httpx.AsyncClient, key: Any) -> None:
    """Tokens that we did not make, but that read like ours."""
    token = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    for path in ("/v1/orders", "/v1/shipments"):
        answer = await shop.get(path, params={"cursor": token})
        assert (answer.status_code, answer.json()["faults"][0]["where"]) == (422, "query.cursor")
