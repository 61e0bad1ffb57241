"""The document alone is enough for a first sale: every body in it has an example, and each example is taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from bodega.limits_events import STOCK_TOLD_EVERY_MS
from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.api.http.problems import Problem
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.telling.numbering import number
from support.faces import TOKENS, stocked_hub

SKU = "TEA-EARL-GREY"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """One node that has the tea of the examples."""
    with stocked_hub(tmp_path, **{SKU: 12}) as hub:
        yield hub


def examples() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path) -> the example of its body."""
    document = build_app(cast("Hub", None), TOKENS).openapi()
    schemas, found = document["components"]["schemas"], {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
                [found[method, path]] = schemas[name]["examples"]
    return found


async def test_a_first_sale_is_made_of_the_examples_alone(shop: httpx.AsyncClient) -> None:
    bodies = examples()
    order = await shop.post("/v1/orders", json=bodies["post", "/v1/orders"])
    assert order.status_code == 201
    hook = await shop.post("/v1/webhooks", json=bodies["post", "/v1/webhooks"])
    assert hook.status_code == 201
    event_id = (await shop.get("/v1/events?after=latest")).json()["next_cursor"]
    paths = {
        "{sku_id}": SKU,
        "{order_id}": order.json()["order_id"],
        "{webhook_id}": hook.json()["webhook_id"],
    }
    # Nothing has been sent that could come back, and nobody was told of that event.
    answers = {"/v1/orders/{order_id}/returns": 409}
    bodies["post", "/v1/webhooks/{webhook_id}/replay"] |= {"after": event_id}
    for (method, template), body in bodies.items():
        path = template
        for name, value in paths.items():
            path = path.replace(name, value)
        answer = await shop.request(method, path, json=body)
        expected = answers.get(template)
        assert answer.status_code == expected if expected else answer.is_success, (path, answer.text)


def test_the_example_of_a_refusal_is_one() -> None:
    document = build_app(cast("Hub", None), TOKENS).openapi()
    [example] = document["components"]["schemas"]["Problem"]["examples"]
    assert Problem.model_validate(example).model_dump() == example


async def test_every_field_of_an_event_is_in_the_document(hub: Hub, shop: httpx.AsyncClient) -> None:
    placed = await shop.post("/v1/orders", json=examples()["post", "/v1/orders"])
    await shop.post(f"/v1/orders/{placed.json()['order_id']}/cancel")
    while await hub.run(lambda tx: number(tx, hub.now_ms(), hub.policy)):
        hub._clock = lambda: time.time() + STOCK_TOLD_EVERY_MS
    document = build_app(hub, TOKENS).openapi()
    told = document["components"]["schemas"]["EventOut"]["properties"]
    paragraphs = told["data"]["description"].replace("\n  ", " ").splitlines()
    seen = set()
    for event in (await shop.get("/v1/events")).json()["events"]:
        assert f" {event['type']}," in told["type"]["description"]
        thing = event["type"].partition(".")[0]
        [paragraph] = [
            one for one in paragraphs if one.startswith("- ") and f"`{thing}`" in one.split(":")[0]
        ]
        fields = set(event["data"])
        for rows in event["data"].values():
            fields |= {name for row in rows for name in row} if isinstance(rows, list) else set()
        assert {name for name in fields if f"`{name}`" not in paragraph} == set()
        seen.add(thing)
    assert seen == {"order", "fulfillment", "stock"}
