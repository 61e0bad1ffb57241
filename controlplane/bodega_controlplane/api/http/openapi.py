"""The OpenAPI 3.1 document: every response of every operation, refusals included.

FastAPI would document errors as application/json; ours are application/problem+json, so the schema of
`Problem` is put into the document here and referred to from each refusal.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bodega_controlplane.api.http.problems import MEDIA_TYPE, Problem

_SCHEMAS = "#/components/schemas/"
_CORRELATION = {"description": "The request's X-Correlation-Id, or a new one.", "schema": {"type": "string"}}
_WHY = {
    400: "The request cannot be read",
    401: "No token, or a wrong one",
    404: "There is no such order",
    409: "The present state forbids it: not enough stock, already final, or the same key is in flight",
    413: "The body is too large",
    422: "Faults in the request, all of them named; or an Idempotency-Key that came with another body",
    500: "A fault of the control plane",
    503: "Something that the control plane needs is not there; Retry-After says when to try again",
}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}

CREATED_HEADERS: dict[str, Any] = {
    "description": "The order, confirmed",
    "headers": {
        "Location": {"description": "Path of the order.", "schema": {"type": "string"}},
        "Idempotency-Replayed": {
            "description": "Whether this is the stored answer to an earlier request with the same key.",
            "schema": {"type": "string", "enum": ["true", "false"]},
        },
    },
}


def refusals(*more: int, open_to_all: bool = False) -> dict[int | str, dict[str, Any]]:
    """`responses=` of an operation: what every one may answer, and `more`."""
    usual = (500, 503) if open_to_all else (400, 401, 422, 500, 503)
    return {
        status: {
            "description": _WHY[status],
            "headers": _HEADERS.get(status, {}),
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
        }
        for status in sorted((*usual, *more))
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    text = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    problem = Problem.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
    parts = problem.pop("$defs")
    text["components"]["schemas"] |= {"Problem": problem, **parts}
    for path in text["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                response.setdefault("headers", {})["X-Correlation-Id"] = _CORRELATION
    return text
