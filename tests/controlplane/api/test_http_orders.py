"""Orders over HTTP: placed once whatever happens, read back, cancelled, refused with every fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bodega.limits import IDEMPOTENCY_KEY_CHARS_MAX, ORDER_LINES_MAX, PAGE_ROWS_MAX, QUANTITY_MAX
from support.faces import http_client, order_body, stocked_hub

# The shelf holds 12 TEA, of which 2 are safety stock: 10 may be promised.
TEA_TO_PROMISE = 10


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A storefront with one node that has 12 TEA and 5 MUG."""
    with stocked_hub(tmp_path, TEA=12, MUG=5) as hub:
        async with http_client(hub) as client:
            yield client


async def place(shop: httpx.AsyncClient, key: str, *lines: tuple[str, int], **more: str) -> httpx.Response:
    return await shop.post("/v1/orders", json=order_body(*lines, **more), headers={"Idempotency-Key": key})


def assert_problem(response: httpx.Response, status: int, code: str) -> list[dict[str, str]]:
    """It is a problem of this kind; returns its faults."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:bodega:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["x-correlation-id"]
    return problem["faults"]


async def available(shop: httpx.AsyncClient, sku_id: str) -> int:
    answer = await shop.get("/v1/availability", params={"sku_id": sku_id})
    return sum(row["available"] for row in answer.json()["availability"])


async def test_how_soon_an_order_was_promised_is_said_once_and_standard_unless_it_is(
    shop: httpx.AsyncClient,
) -> None:
    plain = order_body(("TEA", 1))
    urgent = plain | {"service_class": "same_day"}
    sent = {"Idempotency-Key": "k1"}
    first = await shop.post("/v1/orders", json=plain, headers=sent)
    assert first.json()["service_class"] == "standard"
    # A retry by a client that has learned to say it, or of one from before there was one, is the same order.
    said = await shop.post("/v1/orders", json=plain | {"service_class": "standard"}, headers=sent)
    assert (said.status_code, said.content) == (201, first.content)
    assert_problem(await shop.post("/v1/orders", json=urgent, headers=sent), 422, "idempotency-mismatch")
    quick = await shop.post("/v1/orders", json=urgent, headers={"Idempotency-Key": "k2"})
    assert quick.json()["service_class"] == "same_day"
    read = await shop.get(quick.headers["location"])
    assert read.json()["service_class"] == "same_day"
    wrong = plain | {"service_class": "yesterday"}
    faults = assert_problem(
        await shop.post("/v1/orders", json=wrong, headers={"Idempotency-Key": "k3"}), 422, "invalid-input"
    )
    assert [fault["where"] for fault in faults] == ["service_class"]


async def test_an_order_is_placed_and_can_be_read_back(shop: httpx.AsyncClient) -> None:
    placed = await place(shop, "k1", ("TEA", 2), ("MUG", 1), reference="W-1001")
    assert placed.status_code == 201
    order = placed.json()
    assert order["channel"] == "storefront"
    assert order["reference"] == "W-1001"
    assert order["state"] == "confirmed"
    assert order["node_id"] == "lisbon-01"
    line = {"line": 1, "sku_id": "TEA", "quantity": 2, "shipped": 0, "short": 0, "substitutes": []}
    line["kit_line"] = 0
    assert order["lines"][0] == line
    [part] = order["parts"]
    assert (part["part"], part["state"], part["node_id"]) == (1, "assigned", "lisbon-01")
    assert [one["quantity"] for one in part["lines"]] == [2, 1]
    assert (order["backorder"], order["not_before"]) == (False, None)
    assert order["parcels"] == []
    assert order["placed_at"].endswith("Z")
    assert placed.headers["location"] == f"/v1/orders/{order['order_id']}"
    again = await shop.get(placed.headers["location"])
    assert again.status_code == 200
    assert again.json() == order
    assert "Secret" not in again.text


async def test_the_same_key_with_the_same_body_gives_the_same_order_again(shop: httpx.AsyncClient) -> None:
    first = await place(shop, "k1", ("TEA", 2))
    second = await place(shop, "k1", ("TEA", 2))
    assert (second.status_code, second.content) == (201, first.content)
    assert first.headers["idempotency-replayed"] == "false"
    assert second.headers["idempotency-replayed"] == "true"
    assert await available(shop, "TEA") == TEA_TO_PROMISE - 2


async def test_the_order_of_keys_and_white_space_do_not_make_it_another_body(shop: httpx.AsyncClient) -> None:
    first = await place(shop, "k1", ("TEA", 2))
    turned = dict(reversed(order_body(("TEA", 2)).items()))
    second = await shop.post("/v1/orders", json=turned, headers={"Idempotency-Key": "k1"})
    assert second.content == first.content


async def test_the_same_key_with_another_body_is_refused(shop: httpx.AsyncClient) -> None:
    await place(shop, "k1", ("TEA", 2))
    assert_problem(await place(shop, "k1", ("TEA", 3)), 422, "idempotency-mismatch")
    assert await available(shop, "TEA") == TEA_TO_PROMISE - 2


async def test_the_same_key_sent_many_times_at_once_makes_one_order(shop: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(place(shop, "k1", ("TEA", 1)) for _ in range(20)))
    placed = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    assert len(placed) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert_problem(answer, 409, "in-flight")
    assert await available(shop, "TEA") == TEA_TO_PROMISE - 1


async def test_a_refused_order_may_be_tried_again_with_its_key(shop: httpx.AsyncClient) -> None:
    assert_problem(await place(shop, "k1", ("TEA", 0)), 422, "invalid-input")
    assert (await place(shop, "k1", ("TEA", 1))).status_code == 201


async def test_the_last_units_asked_for_by_many_go_to_as_many_as_there_are(shop: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(place(shop, f"k{number}", ("TEA", 1)) for number in range(30)))
    assert sorted(answer.status_code for answer in answers) == [201] * TEA_TO_PROMISE + [409] * 20
    assert await available(shop, "TEA") == 0


async def test_too_little_stock_refuses_the_whole_order_and_reserves_nothing(shop: httpx.AsyncClient) -> None:
    faults = assert_problem(await place(shop, "k1", ("MUG", 1), ("TEA", 11)), 409, "insufficient-stock")
    assert "TEA" in faults[0]["problem"]
    assert await available(shop, "TEA") == TEA_TO_PROMISE
    assert (await shop.get("/v1/orders")).json() == {"orders": [], "next_cursor": ""}


async def test_two_lines_of_one_sku_are_summed(shop: httpx.AsyncClient) -> None:
    assert_problem(await place(shop, "k1", ("TEA", 6), ("TEA", 6)), 409, "insufficient-stock")


async def test_every_unknown_sku_is_named_at_once(shop: httpx.AsyncClient) -> None:
    faults = assert_problem(
        await place(shop, "k1", ("NOPE", 1), ("TEA", 1), ("NADA", 1)), 422, "invalid-input"
    )
    assert [fault["where"] for fault in faults] == ["lines[0].sku_id", "lines[2].sku_id"]


async def test_every_bad_field_is_named_at_once_with_the_missing_key(shop: httpx.AsyncClient) -> None:
    body = order_body(("TEA", 0), ("TEA", -1), ("TEA", QUANTITY_MAX + 1), country="Portugal", location=None)
    body["lines"].append({"sku_id": "TEA", "quantity": "3"})
    body["note"] = "please hurry"
    shop.event_hooks = {}
    faults = assert_problem(await shop.post("/v1/orders", json=body), 422, "invalid-input")
    assert {fault["where"] for fault in faults} == {
        "header.Idempotency-Key",
        "lines[0].quantity",
        "lines[1].quantity",
        "lines[2].quantity",
        "lines[3].quantity",
        "recipient.country",
        "recipient.location",
        "note",
    }


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\x00b", "line\nbreak", ""])
async def test_names_that_are_no_plain_text_are_refused(shop: httpx.AsyncClient, name: str) -> None:
    body = order_body(("TEA", 1), name=name)
    answer = await shop.post("/v1/orders", json=body, headers={"Idempotency-Key": "k1"})
    assert [fault["where"] for fault in assert_problem(answer, 422, "invalid-input")] == ["recipient.name"]


async def test_names_in_any_script_are_taken(shop: httpx.AsyncClient) -> None:
    body = order_body(("TEA", 1), name="Åsa Ōno-D'Ávila 山田 & Søn")
    answer = await shop.post("/v1/orders", json=body, headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 201


async def test_lines_up_to_the_bound_and_not_one_more(shop: httpx.AsyncClient) -> None:
    at_bound = await place(shop, "k1", *[("TEA", 1)] * ORDER_LINES_MAX)
    assert_problem(at_bound, 409, "insufficient-stock")
    beyond = await place(shop, "k2", *[("TEA", 1)] * (ORDER_LINES_MAX + 1))
    assert [fault["where"] for fault in assert_problem(beyond, 422, "invalid-input")] == ["lines"]
    assert_problem(await place(shop, "k3", *[("TEA", 1)] * 10_000), 422, "invalid-input")


async def test_idempotency_keys_up_to_the_bound_and_not_one_more(shop: httpx.AsyncClient) -> None:
    assert (await place(shop, "k" * IDEMPOTENCY_KEY_CHARS_MAX, ("TEA", 1))).status_code == 201
    beyond = await place(shop, "k" * (IDEMPOTENCY_KEY_CHARS_MAX + 1), ("TEA", 1))
    assert [fault["where"] for fault in assert_problem(beyond, 422, "invalid-input")] == [
        "header.Idempotency-Key"
    ]


async def test_a_cancel_is_accepted_and_repeating_it_changes_nothing(shop: httpx.AsyncClient) -> None:
    order_id = (await place(shop, "k1", ("TEA", 1))).json()["order_id"]
    first = await shop.post(f"/v1/orders/{order_id}/cancel")
    assert (first.status_code, first.json()["state"]) == (202, "cancel_requested")
    again = await shop.post(f"/v1/orders/{order_id}/cancel")
    assert (again.status_code, again.json()["state"]) == (202, "cancel_requested")


async def test_an_unknown_order_is_not_found(shop: httpx.AsyncClient) -> None:
    assert_problem(await shop.get("/v1/orders/O-nope"), 404, "not-found")
    assert_problem(await shop.post("/v1/orders/O-nope/cancel"), 404, "not-found")


async def test_pages_follow_one_another_until_the_last(shop: httpx.AsyncClient) -> None:
    placed = [(await place(shop, f"k{number}", ("TEA", 1))).json()["order_id"] for number in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await shop.get("/v1/orders", params={"limit": 2, "cursor": cursor})).json()
        assert len(page["orders"]) <= 2
        seen += [order["order_id"] for order in page["orders"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert sorted(seen) == sorted(placed)
    assert len(seen) == len(placed)


async def test_orders_can_be_listed_by_state(shop: httpx.AsyncClient) -> None:
    order_id = (await place(shop, "k1", ("TEA", 1))).json()["order_id"]
    await place(shop, "k2", ("TEA", 1))
    await shop.post(f"/v1/orders/{order_id}/cancel")
    answer = await shop.get("/v1/orders", params={"state": "cancel_requested"})
    assert [order["order_id"] for order in answer.json()["orders"]] == [order_id]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "query.limit"),
        (f"limit={PAGE_ROWS_MAX + 1}", "query.limit"),
        ("limit=many", "query.limit"),
        ("state=lost", "query.state"),
        ("cursor=" + "x" * 501, "query.cursor"),
    ],
)
async def test_a_bad_page_request_is_refused(shop: httpx.AsyncClient, query: str, where: str) -> None:
    faults = assert_problem(await shop.get(f"/v1/orders?{query}"), 422, "invalid-input")
    assert [fault["where"] for fault in faults] == [where]


async def test_a_cursor_that_nobody_gave_out_is_refused(shop: httpx.AsyncClient) -> None:
    assert_problem(await shop.get("/v1/orders?cursor=nonsense"), 422, "invalid-input")
