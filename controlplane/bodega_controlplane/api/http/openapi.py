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
    401: "No token, or one that is no channel's",
    404: "There is no such thing, or it is another channel's",
    408: "The body has not come in time",
    409: "The present state forbids it: not enough stock, already final, or the same key is in flight",
    412: "The precondition does not hold: it has been changed since, or exists already",
    413: "The body is too large",
    415: "The body is of another media type",
    422: "Faults in the request, all of them named; or an Idempotency-Key that came with another body",
    429: "The channel sends too many requests; Retry-After says when to come back",
    500: "A fault of the control plane",
    503: "Something that the control plane needs is not there; Retry-After says when to try again",
}
_AGAIN = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _AGAIN,
    503: _AGAIN,
}

_TEXT = {"type": "string"}
_LOCATION = {"Location": {"description": "Where it is to be read.", "schema": _TEXT}}
_ETAG = {
    "ETag": {"description": "Tag of this representation, for If-Match and If-None-Match.", "schema": _TEXT}
}
_REPLAYED = {
    "Idempotency-Replayed": {
        "description": "Whether this is the stored answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    }
}
WRITTEN: dict[str, Any] = {"description": "As it is now", "headers": {**_ETAG, **_REPLAYED}}
CREATED: dict[str, Any] = {"description": "Made", "headers": {**_LOCATION, **_ETAG, **_REPLAYED}}
DONE: dict[str, Any] = {"description": "Done", "headers": _REPLAYED}
TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "As it is now", "headers": _ETAG},
    304: {"description": "As the client has it", "headers": _ETAG},
}


def refusals(*more: int, open_to_all: bool = False) -> dict[int | str, dict[str, Any]]:
    """`responses=` of an operation: what every one may answer, and `more`; what has a body (413) may be too slow."""
    usual = (500, 503) if open_to_all else (400, 401, 422, 429, 500, 503)
    more = (*more, 408) if 413 in more else more
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
