"""How an order is to be served, over HTTP: what a channel may say of it, and what no answer ever tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.faces import http_client, order_body, stocked_hub

CODE = "7731"
PICKUP = {"node_id": "lisbon-01", "code": CODE, "hold_s": 3600}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A storefront with one node that has 12 TEA and 5 MUG."""
    with stocked_hub(tmp_path, TEA=12, MUG=5) as hub:
        async with http_client(hub) as client:
            yield client


async def placed(shop: httpx.AsyncClient, key: str = "k1", **more: Any) -> httpx.Response:
    body = order_body(("TEA", 1)) | more
    return await shop.post("/v1/orders", json=body, headers={"Idempotency-Key": key})


async def test_an_order_may_say_by_when_it_leaves_whether_in_parts_and_what_serves_as_well(
    shop: httpx.AsyncClient,
) -> None:
    line = {"sku_id": "TEA", "quantity": 1, "substitutes": ["MUG"]}
    answer = await placed(shop, ship_by="2026-11-23T18:00:00+00:00", ship_complete=True, lines=[line])
    assert answer.status_code == 201
    order = (await shop.get(answer.headers["location"])).json()
    assert (order["ship_by"], order["ship_complete"], order["method"]) == (
        "2026-11-23T18:00:00Z",
        True,
        "parcel",
    )
    assert order["lines"][0]["substitutes"] == ["MUG"]


async def test_the_code_of_a_pickup_is_in_no_answer_and_counts_for_the_same_order(
    shop: httpx.AsyncClient,
) -> None:
    answer = await placed(shop, method="pickup", pickup=PICKUP)
    assert (answer.status_code, answer.json()["method"]) == (201, "pickup")
    assert CODE not in answer.text
    assert CODE not in (await shop.get(answer.headers["location"])).text
    assert CODE not in (await shop.get("/v1/orders")).text
    again = await placed(shop, method="pickup", pickup=PICKUP)
    assert again.content == answer.content
    other = await placed(shop, method="pickup", pickup=PICKUP | {"code": "1377"})
    assert other.json()["code"] == "idempotency-mismatch"


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"method": "pickup"}, "pickup"),
        ({"pickup": PICKUP}, "pickup"),
        ({"method": "pickup", "pickup": PICKUP | {"node_id": "moon"}}, "pickup.node_id"),
        ({"method": "pickup", "pickup": PICKUP | {"code": "12"}}, "pickup.code"),
        ({"method": "pickup", "pickup": PICKUP | {"hold_s": -1}}, "pickup.hold_s"),
        ({"method": "drone"}, "method"),
        ({"ship_by": "2026-11-23T18:00:00"}, "ship_by"),
        ({"ship_by": 1_800_000_000}, "ship_by"),
        (
            {"lines": [{"sku_id": "TEA", "quantity": 1, "substitutes": ["TEA"]}]},
            "lines[0].substitutes[0]",
        ),
        (
            {"lines": [{"sku_id": "TEA", "quantity": 1, "substitutes": ["GHOST"]}]},
            "lines[0].substitutes[0]",
        ),
    ],
)
async def test_what_makes_no_sense_is_named(
    shop: httpx.AsyncClient, said: dict[str, Any], where: str
) -> None:
    answer = await placed(shop, **said)
    assert answer.status_code == 422
    assert [fault["where"] for fault in answer.json()["faults"]] == [where]
