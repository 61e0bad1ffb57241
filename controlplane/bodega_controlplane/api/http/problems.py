"""Errors as problem+json (RFC 9457): one shape for every refusal, with every field fault at once.

`type` is a URN made of the stable code, so that clients compare `code` or `type` and never prose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel, Field
from starlette.responses import Response

from bodega.errors import BodegaError, Unauthenticated, Unavailable, outcome_of
from bodega.limits import FAULT_ROWS_MAX
from bodega_controlplane.api.http.models.words import like

MEDIA_TYPE = "application/problem+json"

# Where HTTP is finer than our families of errors, by code (RFC 9110, RFC 6585).
_FINER = {
    "body-too-slow": 408,
    "precondition-failed": 412,
    "body-too-large": 413,
    "unsupported-media-type": 415,
    "too-many-requests": 429,
}


# What the app layer calls a parameter, and what it is called here.
_NAMED_HERE = {
    "page_token": "query.cursor",
    "page_size": "query.limit",
    "ship_by_ms": "ship_by",
    "not_before_ms": "not_before",
    "pickup.hold_ms": "pickup.hold_s",
}


class FaultOut(BaseModel):
    """One thing wrong in the request."""

    where: str = Field(description='Dotted path, such as "lines[3].quantity" or "header.Idempotency-Key".')
    problem: str
    line: int | None = Field(default=None, description="Line of the file that was sent, counted from 1.")


class Problem(BaseModel):
    """Problem details, RFC 9457, with the stable code, what to do next, and every bad field."""

    model_config = like(
        {
            "type": "urn:bodega:problem:invalid-input",
            "title": "Invalid input",
            "status": 422,
            "detail": "the request has 1 fault",
            "code": "invalid-input",
            "hint": "mend each fault and send it again",
            "faults": [
                {"where": "lines[0].quantity", "problem": "must be at least 1, is 0", "line": None},
            ],
        }
    )

    type: str = Field(description="URN of the kind of problem.")
    title: str
    status: int
    detail: str = Field(description="What went wrong and where.")
    code: str = Field(description='Stable word for programs, such as "insufficient-stock".')
    hint: str = Field(description="What to do next; may be empty.")
    faults: list[FaultOut]


def problem(error: BodegaError, *, status: int = 0, headers: Mapping[str, str] | None = None) -> Response:
    """The response for an error; `status` only for what the router says itself (404, 405, 400)."""
    number = status or _FINER.get(error.code) or outcome_of(error).http
    body = Problem(
        type=f"urn:bodega:problem:{error.code}",
        title=error.code.replace("-", " ").capitalize(),
        status=number,
        detail=error.message,
        code=error.code,
        hint=error.hint,
        faults=[
            FaultOut(where=_NAMED_HERE.get(fault.where, fault.where), problem=fault.problem, line=fault.line)
            for fault in error.faults[:FAULT_ROWS_MAX]
        ],
    )
    # ASCII JSON: what a client sent may hold lone surrogates, which UTF-8 cannot carry back.
    content = body.model_dump_json(ensure_ascii=True)
    return Response(content, number, {**_headers(error), **(headers or {})}, MEDIA_TYPE)


def _headers(error: BodegaError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="bodega"'}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    return {}
