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

# What each operation may answer besides success; 405 and unknown paths are no operation's answers.
REFUSALS = {
    ("post", "/v1/catalogue"): {400, 401, 413, 422, 500, 503},
    ("post", "/v1/orders"): {400, 401, 409, 413, 422, 500, 503},
    ("get", "/v1/orders"): {400, 401, 422, 500, 503},
    ("get", "/v1/orders/{order_id}"): {400, 401, 404, 422, 500, 503},
    ("post", "/v1/orders/{order_id}/cancel"): {400, 401, 404, 409, 413, 422, 500, 503},
    ("get", "/v1/availability"): {400, 401, 422, 500, 503},
    ("get", "/healthz"): {500, 503},
}
SUCCESS = {("post", "/v1/orders"): 201, ("post", "/v1/orders/{order_id}/cancel"): 202}


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
    assert found == {key: refusals | {SUCCESS.get(key, 200)} for key, refusals in REFUSALS.items()}


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
    scheme = document["components"]["securitySchemes"]["storefrontToken"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for (_, path), operation in operations(document):
        guarded = {"storefrontToken": []} in operation.get("security", [])
        assert guarded == path.startswith("/v1/"), path


def test_the_idempotency_key_is_a_required_header(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/v1/orders"]["post"]["parameters"]
    [key] = [row for row in parameters if row["in"] == "header"]
    assert (key["name"], key["required"], key["schema"]["maxLength"]) == ("Idempotency-Key", True, 255)


def test_bounds_are_those_of_the_limits(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["OrderIn"]["properties"]["lines"]["maxItems"] == ORDER_LINES_MAX
    assert schemas["OrderLineIn"]["properties"]["quantity"]["maximum"] == QUANTITY_MAX
    assert schemas["OrderIn"]["additionalProperties"] is False
