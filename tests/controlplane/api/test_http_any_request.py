"""Whatever is sent: no 5xx, and no answer that the OpenAPI document does not tell of.

Schemathesis makes requests from the document, good ones and bad ones; half of them are for things that are there.
`make test` asks each operation some dozen times, `make test-long` two thousand times; a failure prints a curl line and
the seed that makes it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.app.hub import Hub
from support.faces import SHOP, TOKENS, client_of, stocked_hub
from support.long_run import by_length
from support.sold import ship

# That what fits the schema is accepted can not be told from a schema: a SKU may be unknown, a GTIN's digit wrong.
LEFT_OUT = (positive_data_acceptance,)
EXAMPLES = by_length(30, 2_000)
OPERATIONS = sorted(
    (method.upper(), path)
    for path, methods in build_app(cast("Hub", None), TOKENS).openapi()["paths"].items()
    for method in methods
)


class Served(NamedTuple):
    """The served document, and what its hub holds, by the name of the path parameter."""

    schema: Any
    there: dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Of a hub that has something to sell, an order that has left, and a return of it."""
    with stocked_hub(tmp_path_factory.mktemp("hub"), TEA=100_000) as hub:
        app = build_app(hub, TOKENS)
        there = asyncio.run(_sold(hub, client_of(app)))
        yield Served(schemathesis.openapi.from_asgi("/openapi.json", app), there)


async def _sold(hub: Hub, shop: httpx.AsyncClient) -> dict[str, str]:
    sold = await ship(hub, shop, on_shelf=100_000)
    agreed = await shop.post(
        f"/v1/orders/{sold.order_id}/returns", json={"lines": [{"sku_id": "TEA", "quantity": 1}]}
    )
    return {
        "order_id": sold.order_id,
        "sscc": sold.sscc,
        "return_id": agreed.json()["return_id"],
        "sku_id": "TEA",
    }


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_meets_a_server_error_or_an_answer_that_is_not_documented(
    served: Served, method: str, path: str
) -> None:
    answered = set()

    @given(case=served.schema[path][method].as_strategy(), is_there=st.booleans())
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any, *, is_there: bool) -> None:
        if is_there:
            case.path_parameters.update(
                {name: known for name, known in served.there.items() if name in case.path_parameters}
            )
        response = case.call(headers=SHOP)
        answered.add(response.status_code)
        case.validate_response(response, excluded_checks=list(LEFT_OUT))

    ask()
    assert answered
    assert all(status < 500 for status in answered)


def test_the_checks_are_those_that_the_story_tells_of() -> None:
    assert {"not_a_server_error", "status_code_conformance", "response_schema_conformance"} <= {
        check.__name__ for check in CHECKS.get_all()
    }
