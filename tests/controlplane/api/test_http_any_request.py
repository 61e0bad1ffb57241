"""Whatever is sent: no 5xx, and no answer that the OpenAPI document does not tell of.

Schemathesis makes requests from the document, good ones and bad ones. `make test` asks each operation a few dozen times,
`make test-long` a thousand times; a failure prints a curl line and the seed that makes it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.app.hub import Hub
from support.faces import SHOP, TOKENS, stocked_hub
from support.long_run import by_length

# That what fits the schema is accepted can not be told from a schema: a SKU may be unknown, a GTIN's digit wrong.
LEFT_OUT = (positive_data_acceptance,)
EXAMPLES = by_length(25, 1_000)
OPERATIONS = sorted(
    (method.upper(), path)
    for path, methods in build_app(cast("Hub", None), TOKENS).openapi()["paths"].items()
    for method in methods
)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The served document, of a hub that has something to sell."""
    with stocked_hub(tmp_path_factory.mktemp("hub"), TEA=100_000, MUG=50) as hub:
        yield schemathesis.openapi.from_asgi("/openapi.json", build_app(hub, TOKENS))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_meets_a_server_error_or_an_answer_that_is_not_documented(
    schema: Any, method: str, path: str
) -> None:
    answered = set()

    @given(case=schema[path][method].as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
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
