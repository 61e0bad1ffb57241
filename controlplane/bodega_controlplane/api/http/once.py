"""A write at most once by its Idempotency-Key: a repeat gets the first answer, byte for byte, with its headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

from bodega_controlplane.api.http.etag import etag_of
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import StoredResponse, digest_of
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.transaction import Transaction

REPLAYED = "Idempotency-Replayed"


def answer(status: int, shown: BaseModel, *, location: str = "", tagged: bool = False) -> StoredResponse:
    """What a write answers, and its repeats: the representation, where it is to be read, and its ETag."""
    headers = ({"Location": location} if location else {}) | ({"ETag": etag_of(shown)} if tagged else {})
    return StoredResponse(status, shown.model_dump_json().encode(), headers=headers)


def digest_for(request: Request, body: Mapping[str, Any]) -> bytes:
    """What makes two requests with one key the same: method, path, and the body whatever its spelling."""
    return digest_of(request.method, request.scope["path"], json.dumps(body, sort_keys=True).encode())


async def once(
    hub: Hub, caller: Caller, key: str, digest: bytes, work: Callable[[Transaction], StoredResponse]
) -> Response:
    """Run `work` unless this channel's key has been answered before.

    Raises IdempotencyMismatch when the key came with another request, InFlight while the first one is being worked
    on, and what `work` raises: a refusal is not kept, the same key may try again.
    """
    return replayable(await hub.run_once(caller, key, digest, work))


def replayable(stored: StoredResponse) -> Response:
    """A stored answer on its way, with whether it is a repeat."""
    headers = {**stored.headers, REPLAYED: "true" if stored.replayed else "false"}
    return Response(stored.body, stored.status, headers, "application/json")
