"""What holds for every write over HTTP: done once for each key, whatever is sent again."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import httpx
import pytest

from bodega.limits_hub import IDEMPOTENCY_KEPT_S
from bodega_controlplane.app import idempotency
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store import schema
from support.controlplane import OPERATOR, rows_of
from support.faces import order_body
from support.sold import sell, ship

CSV = "sku_id,name\nJAM,Jam\n"


class Write(NamedTuple):
    """A write that succeeds, and a body that makes it another request.

    In the path stands `LEFT` for an order that has left its node, `NEW` for one that nobody has begun.
    """

    method: str
    path: str
    body: Any
    other: Any
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it


WRITES = {
    "place an order": Write("POST", "/v1/orders", order_body(("TEA", 1)), order_body(("TEA", 2))),
    "upsert many SKUs": Write(
        "POST",
        "/v1/catalogue",
        {"skus": [{"sku_id": "JAM", "name": "Jam"}]},
        {"skus": [{"sku_id": "JAM", "name": "Jelly"}]},
    ),
    "put one SKU": Write("PUT", "/v1/catalogue/JAM", {"name": "Jam"}, {"name": "Jelly"}),
    "import a file": Write(
        "POST", "/v1/catalogue/file", CSV, CSV + "HAM,Ham\n", {"Content-Type": "text/csv"}
    ),
    "agree to a return": Write(
        "POST", "/v1/orders/LEFT/returns", {}, {"lines": [{"sku_id": "TEA", "quantity": 1}]}
    ),
    "change the address": Write(
        "PUT",
        "/v1/orders/NEW/recipient",
        order_body(name="Ana Escondida")["recipient"],
        order_body(name="Rita Escondida")["recipient"],
    ),
}
# It has no body, so there is no other one.
ALL = {**WRITES, "cancel": Write("POST", "/v1/orders/NEW/cancel", None, None)}


async def path_of(hub: Hub, shop: httpx.AsyncClient, write: Write) -> str:
    """The path of a write, of orders that are there."""
    path = write.path
    if "LEFT" in path:
        path = path.replace("LEFT", (await ship(hub, shop)).order_id)
    if "NEW" in path:
        path = path.replace("NEW", (await sell(hub, shop)).order_id)
    return path


async def sent(shop: httpx.AsyncClient, write: Write, path: str, body: Any, key: str) -> httpx.Response:
    headers = {"Idempotency-Key": key, **write.headers}
    if isinstance(body, str):
        return await shop.request(write.method, path, content=body, headers=headers)
    return await shop.request(write.method, path, json=body, headers=headers)


@pytest.mark.parametrize("write", ALL.values(), ids=ALL)
async def test_a_repeat_gets_the_first_answer_and_changes_nothing(
    hub: Hub, shop: httpx.AsyncClient, write: Write
) -> None:
    path = await path_of(hub, shop, write)
    first = await sent(shop, write, path, write.body, "k1")
    assert first.status_code in {200, 201, 202}, first.text
    before = rows_of(hub._store, schema.audit), rows_of(hub._store, schema.down_log)
    again = await sent(shop, write, path, write.body, "k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("location", "etag"):
        assert again.headers.get(name) == first.headers.get(name)
    replayed = [one.headers["idempotency-replayed"] for one in (first, again)]
    assert replayed == ["false", "true"]
    assert (rows_of(hub._store, schema.audit), rows_of(hub._store, schema.down_log)) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_the_same_key_with_another_body_is_refused(
    hub: Hub, shop: httpx.AsyncClient, write: Write
) -> None:
    path = await path_of(hub, shop, write)
    await sent(shop, write, path, write.body, "k1")
    other = await sent(shop, write, path, write.other, "k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")


@pytest.mark.parametrize("write", ALL.values(), ids=ALL)
async def test_without_a_key_nothing_is_done(hub: Hub, shop: httpx.AsyncClient, write: Write) -> None:
    path = await path_of(hub, shop, write)
    shop.event_hooks = {}
    before = rows_of(hub._store, schema.audit)
    content = {"content": write.body} if isinstance(write.body, str) else {"json": write.body}
    answer = await shop.request(write.method, path, headers=write.headers, **content)
    assert answer.status_code == 422
    assert [fault["where"] for fault in answer.json()["faults"]] == ["header.Idempotency-Key"]
    assert rows_of(hub._store, schema.audit) == before


@pytest.mark.parametrize("write", ALL.values(), ids=ALL)
async def test_sent_many_times_at_once_it_is_done_once(
    hub: Hub, shop: httpx.AsyncClient, write: Write
) -> None:
    path = await path_of(hub, shop, write)
    before = len(rows_of(hub._store, schema.audit))
    answers = await asyncio.gather(*(sent(shop, write, path, write.body, "k1") for _ in range(8)))
    good = {one.content for one in answers if one.status_code in {200, 201, 202}}
    assert len(good) == 1
    codes = {one.json()["code"] for one in answers if one.status_code >= 400}
    assert codes <= {"in-flight"}
    assert len(rows_of(hub._store, schema.audit)) == before + 1


async def test_a_refusal_is_not_kept_the_same_key_may_try_again(shop: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    body = order_body(("JAM", 1))
    assert (await shop.post("/v1/orders", json=body, headers=key)).status_code == 422
    await shop.post("/v1/catalogue", json={"skus": [{"sku_id": "JAM", "name": "Jam"}]})
    answer = await shop.post("/v1/orders", json=body, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient-stock")


async def test_an_answer_is_kept_for_a_week_and_not_for_ever(hub: Hub, shop: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    body = {"name": "Jam"}
    await shop.put("/v1/catalogue/JAM", json=body, headers=key)
    [kept] = rows_of(hub._store, schema.idempotency)
    for after_s, left in ((IDEMPOTENCY_KEPT_S, 1), (IDEMPOTENCY_KEPT_S + 1, 0)):
        at_ms = kept.at_ms + after_s * 1000
        caller = OPERATOR.__class__("hub", "hub", at_ms)
        await idempotency.forget_old(hub, caller)
        assert len(rows_of(hub._store, schema.idempotency)) == left
    again = await shop.put("/v1/catalogue/JAM", json=body, headers=key)
    assert again.headers["idempotency-replayed"] == "false"
