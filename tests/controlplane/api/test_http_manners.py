"""What every request over HTTP may rely on: who may ask, how much, and what it learns when it goes wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import httpx
import pytest
from structlog.testing import capture_logs

from bodega.errors import Unavailable
from bodega.limits import CATALOGUE_ROWS_MAX, REQUEST_BYTES_MAX
from bodega_controlplane.app.hub import Hub
from support.controlplane import gtin_of
from support.faces import order_body


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return str(response.json()["code"])


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer wrong", "Basic shop-secret", "shop-secret", "Bearer operator-secret", "Bearer é"],
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/O-1", "/v1/availability?sku_id=TEA", "/v1/nope"])
async def test_without_the_storefronts_token_nothing_is_told(
    shop: httpx.AsyncClient, header: str, path: str
) -> None:
    answer = await shop.get(path, headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "secret" not in answer.text


async def test_the_token_is_asked_for_before_the_body_is_looked_at(shop: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer wrong", "Content-Type": "application/json"}
    answer = await shop.post("/v1/orders", content=b"{" * (REQUEST_BYTES_MAX + 1), headers=headers)
    assert answer.status_code == 401


async def test_health_and_the_document_need_no_token(shop: httpx.AsyncClient) -> None:
    del shop.headers["authorization"]
    health = await shop.get("/healthz")
    assert (health.status_code, health.json()["status"], health.json()["broker_connected"]) == (
        200,
        "ok",
        False,
    )
    assert (await shop.get("/openapi.json")).status_code == 200


async def test_a_body_up_to_the_bound_is_read_and_one_byte_more_is_not(shop: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    at_bound = await shop.post("/v1/catalogue", content=b" " * REQUEST_BYTES_MAX, headers=headers)
    assert at_bound.status_code == 422
    beyond = await shop.post("/v1/catalogue", content=b" " * (REQUEST_BYTES_MAX + 1), headers=headers)
    assert (beyond.status_code, code_of(beyond)) == (413, "body-too-large")


async def test_a_body_that_hides_its_length_is_bounded_too(shop: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(REQUEST_BYTES_MAX // 65_536 + 1):
            yield b" " * 65_536

    answer = await shop.post("/v1/catalogue", content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (413, "body-too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"skus": NaN}',
        b"[" * 100_000,
        b"[1" + b"0" * 5_000,
    ],
)
async def test_what_is_no_json_object_is_a_clear_refusal(shop: httpx.AsyncClient, body: bytes) -> None:
    answer = await shop.post("/v1/catalogue", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert code_of(answer) in {"unreadable-request", "invalid-input"}


async def test_lone_surrogates_are_refused_and_not_a_crash(shop: httpx.AsyncClient) -> None:
    body = json.dumps({"skus": [{"sku_id": "\ud800", "name": "x", "\ud800": 1}]}).encode()
    answer = await shop.post("/v1/catalogue", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (422, "invalid-input")


async def test_unknown_paths_and_methods_are_problems_too(shop: httpx.AsyncClient) -> None:
    nowhere = await shop.get("/v1/nope")
    assert (nowhere.status_code, code_of(nowhere)) == (404, "not-found")
    wrong = await shop.delete("/v1/orders")
    assert (wrong.status_code, code_of(wrong)) == (405, "method-not-allowed")
    assert "POST" in wrong.headers["allow"] or "GET" in wrong.headers["allow"]


async def test_the_callers_correlation_id_comes_back_and_is_in_the_log(shop: httpx.AsyncClient) -> None:
    with capture_logs(processors=[_with_ids]) as lines:
        answer = await shop.get("/v1/orders", headers={"X-Correlation-Id": "web-42"})
    assert answer.headers["x-correlation-id"] == "web-42"
    [line] = [line for line in lines if line["event"] == "http_request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/orders", 200)
    assert line["correlation_id"] == "web-42"
    assert line["ms"] >= 0


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a;b", '"}{"'])
async def test_a_correlation_id_that_is_no_plain_word_is_replaced(
    shop: httpx.AsyncClient, given: str
) -> None:
    answer = await shop.get("/healthz", headers={"X-Correlation-Id": given})
    assert answer.headers["x-correlation-id"] not in {given, ""}


async def test_nothing_personal_and_no_secret_is_logged(shop: httpx.AsyncClient) -> None:
    with capture_logs(processors=[_with_ids]) as lines:
        for key, quantity in (("key-1", 1), ("key-2", 0), ("key-3", 99)):
            await shop.post(
                "/v1/orders", json=order_body(("TEA", quantity)), headers={"Idempotency-Key": key}
            )
        await shop.get("/v1/orders/Maria%20Secreta")
    text = json.dumps(lines, default=str)
    assert len([line for line in lines if line["event"] == "http_request"]) == 4
    for private in ("Maria", "Segredo", "1200-001", "38.72", "shop-secret"):
        assert private not in text


async def test_a_bug_is_a_500_that_tells_nothing_but_where_to_ask(
    hub: Hub, shop: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_fn: Any) -> NoReturn:
        raise ZeroDivisionError("Maria Secreta lives here")

    monkeypatch.setattr(hub, "run", broken)
    with capture_logs(processors=[_with_ids]) as lines:
        answer = await shop.post("/v1/catalogue", json={"skus": [{"sku_id": "A", "name": "a"}]})
    assert (answer.status_code, code_of(answer)) == (500, "internal")
    assert answer.headers["x-correlation-id"] in answer.json()["hint"]
    assert "Zero" not in answer.text
    [bug] = [line for line in lines if line["event"] == "request_bug"]
    assert bug["kind"] == "ZeroDivisionError"
    assert any("broken" in place for place in bug["places"])
    assert "Maria" not in json.dumps(lines, default=str)


async def test_what_may_get_better_says_when_to_try_again(
    hub: Hub, shop: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_fn: Any) -> NoReturn:
        raise Unavailable("the database is busy", hint="try again", retry_after_s=1.5)

    monkeypatch.setattr(hub, "read", busy)
    answer = await shop.get("/healthz")
    assert (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, "unavailable", "2")


async def test_the_catalogue_is_taken_whole_or_not_at_all(shop: httpx.AsyncClient) -> None:
    good = {"sku_id": "MUG", "name": "Mug", "gtins": [gtin_of(7)]}
    assert (await shop.post("/v1/catalogue", json={"skus": [good]})).json() == {"changed": 1}
    assert (await shop.post("/v1/catalogue", json={"skus": [good]})).json() == {"changed": 0}
    bad = [
        {"sku_id": "NEW", "name": "New"},
        {"sku_id": "CUP", "name": "Cup", "gtins": [gtin_of(8)[:-1] + "x"]},
        {"sku_id": "LID", "name": "<b>Lid</b>", "weight_g": -1},
    ]
    refused = await shop.post("/v1/catalogue", json={"skus": bad})
    assert refused.status_code == 422
    assert {fault["where"] for fault in refused.json()["faults"]} == {
        "skus[1].gtins[0]",
        "skus[2].name",
        "skus[2].weight_g",
    }
    wrong_digit = [
        {"sku_id": "CUP", "name": "Cup", "gtins": ["5601234567891"]},
        {"sku_id": "NEW", "name": "New"},
    ]
    refused = await shop.post("/v1/catalogue", json={"skus": wrong_digit})
    assert [fault["where"] for fault in refused.json()["faults"]] == ["skus[0].gtins[0]"]
    assert (await shop.post("/v1/catalogue", json={"skus": [{"sku_id": "NEW", "name": "New"}]})).json() == {
        "changed": 1
    }


async def test_catalogue_rows_up_to_the_bound_and_not_one_more(shop: httpx.AsyncClient) -> None:
    rows = [{"sku_id": f"S{number}", "name": "x"} for number in range(CATALOGUE_ROWS_MAX + 1)]
    refused = await shop.post("/v1/catalogue", json={"skus": rows})
    assert [fault["where"] for fault in refused.json()["faults"]] == ["skus"]
    assert (await shop.post("/v1/catalogue", json={"skus": rows[1:]})).json() == {
        "changed": CATALOGUE_ROWS_MAX
    }


async def test_availability_has_the_breakdown_that_adds_up(shop: httpx.AsyncClient) -> None:
    await shop.post("/v1/orders", json=order_body(("TEA", 3)), headers={"Idempotency-Key": "k"})
    answer = await shop.get("/v1/availability?sku_id=TEA&sku_id=NOPE")
    nothing = dict.fromkeys(("sellable", "node_rights", "reserved", "held_back", "channel_buffer"), 0)
    nope = {"sku_id": "NOPE", **nothing, "safety_stock": 2, "not_covered": 2, "available": 0}
    tea = {"sku_id": "TEA", **nothing, "sellable": 12, "reserved": 3, "safety_stock": 2, "not_covered": 0}
    tea["available"] = 7
    assert answer.json()["availability"] == [
        {**nope, "node_id": "lisbon-01"},
        {**tea, "node_id": "lisbon-01"},
    ]
    assert answer.json()["skus"] == [nope, tea]
    kept = ("node_rights", "reserved", "held_back", "safety_stock", "channel_buffer")
    for row in answer.json()["availability"]:
        assert row["available"] == row["sellable"] - sum(row[name] for name in kept) + row["not_covered"]


def _with_ids(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    import structlog

    return structlog.contextvars.merge_contextvars(_logger, _method, event)
