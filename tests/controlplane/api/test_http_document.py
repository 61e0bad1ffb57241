"""The OpenAPI document: valid 3.1, and complete down to the last refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bodega.limits import ORDER_LINES_MAX, QUANTITY_MAX
from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.app.hub import Hub
from support.faces import TOKENS

USUAL = {400, 401, 422, 429, 500, 503}
# What each operation may answer besides success and the usual; 405 and unknown paths are no operation's answers.
REFUSALS: dict[tuple[str, str], set[int]] = {
    ("post", "/v1/catalogue"): {409, 413},
    ("get", "/v1/catalogue"): set(),
    ("post", "/v1/catalogue/file"): {409, 413, 415},
    ("get", "/v1/catalogue/{sku_id}"): {304, 404},
    ("put", "/v1/catalogue/{sku_id}"): {201, 409, 412, 413},
    ("get", "/v1/availability"): set(),
    ("post", "/v1/orders"): {409, 413},
    ("get", "/v1/orders"): set(),
    ("get", "/v1/orders/{order_id}"): {304, 404},
    ("post", "/v1/orders/{order_id}/cancel"): {404, 409, 412, 413},
    ("put", "/v1/orders/{order_id}/recipient"): {404, 409, 412, 413},
    ("get", "/v1/orders/{order_id}/fulfillment-orders"): {404},
    ("get", "/v1/orders/{order_id}/shipments"): {404},
    ("get", "/v1/shipments"): set(),
    ("get", "/v1/shipments/{sscc}"): {404},
    ("post", "/v1/orders/{order_id}/returns"): {404, 409, 413},
    ("get", "/v1/orders/{order_id}/returns"): {404},
    ("get", "/v1/returns"): set(),
    ("get", "/v1/returns/{return_id}"): {304, 404},
    ("get", "/v1/events"): set(),
    ("post", "/v1/webhooks"): {409, 413},
    ("get", "/v1/webhooks"): set(),
    ("get", "/v1/webhooks/{webhook_id}"): {304, 404},
    ("put", "/v1/webhooks/{webhook_id}"): {404, 409, 412, 413},
    ("delete", "/v1/webhooks/{webhook_id}"): {404, 409, 412},
    ("post", "/v1/webhooks/{webhook_id}/secret"): {404, 409, 413},
    ("post", "/v1/webhooks/{webhook_id}/replay"): {404, 409, 413},
    ("get", "/v1/webhooks/{webhook_id}/deliveries"): {404},
}
OPEN = {("get", "/healthz"): {500, 503}}
SUCCESS = {
    ("post", "/v1/webhooks"): 201,
    ("delete", "/v1/webhooks/{webhook_id}"): 204,
    ("post", "/v1/webhooks/{webhook_id}/replay"): 202,
    ("post", "/v1/orders"): 201,
    ("post", "/v1/orders/{order_id}/cancel"): 202,
    ("post", "/v1/orders/{order_id}/returns"): 201,
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of an app; no hub is needed to describe it."""
    return build_app(cast("Hub", None), TOKENS).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method, path), operation


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_it_has_every_operation_with_every_response(document: dict[str, Any]) -> None:
    found = {
        key: {int(status) for status in operation["responses"]} for key, operation in operations(document)
    }
    # What has a body may be too slow to come.
    expected = {
        key: more | USUAL | ({408} if 413 in more else set()) for key, more in REFUSALS.items()
    } | OPEN
    assert found == {key: refusals | {SUCCESS.get(key, 200)} for key, refusals in expected.items()}


def test_every_refusal_is_problem_json(document: dict[str, Any]) -> None:
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = response["content"]
                assert content == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
    assert {"code", "hint", "faults", "detail"} <= document["components"]["schemas"]["Problem"][
        "properties"
    ].keys()
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_everything_under_v1_needs_the_bearer_token(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["channelToken"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for (_, path), operation in operations(document):
        guarded = {"channelToken": []} in operation.get("security", [])
        assert guarded == path.startswith("/v1/"), path


def test_every_write_needs_an_idempotency_key_and_no_read_does(document: dict[str, Any]) -> None:
    for (method, path), operation in operations(document):
        keys = [row for row in operation.get("parameters", []) if row["name"] == "Idempotency-Key"]
        if method == "get":
            assert keys == [], path
        else:
            [key] = keys
            assert (key["required"], key["schema"]["maxLength"]) == (True, 255), path


def test_bounds_are_those_of_the_limits(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["OrderIn"]["properties"]["lines"]["maxItems"] == ORDER_LINES_MAX
    assert schemas["OrderLineIn"]["properties"]["quantity"]["maximum"] == QUANTITY_MAX
    assert schemas["OrderIn"]["additionalProperties"] is False
