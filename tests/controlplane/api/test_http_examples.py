"""The document alone is enough for a first sale: every body in it has an example, and each example is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.api.http.problems import Problem
from bodega_controlplane.app.hub import Hub
from support.faces import TOKENS, http_client, stocked_hub

SKU = "TEA-EARL-GREY"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A storefront with one node that has the tea of the examples."""
    with stocked_hub(tmp_path, **{SKU: 12}) as hub:
        async with http_client(hub) as client:
            yield client


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
