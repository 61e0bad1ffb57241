"""A request that changes something, at most once by its `request_id`: a repeat gets the first answer, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from bodega_controlplane.app import idempotency
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.transaction import Transaction

R = TypeVar("R", bound=Message)


class Identified(Protocol):
    """A message that its sender has given a name of its own."""

    request_id: str

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:  # noqa: N802 - protobuf's name
        """Its bytes."""
        ...


async def once(hub: Hub, request: Identified, answer: type[R], work: Callable[[Transaction, Caller], R]) -> R:
    """Run `work` for this request, unless that was done before; `answer` is the type of the response.

    Raises InvalidInput for a request id that is none, IdempotencyMismatch when the id came with another request,
    InFlight while the first one is being worked on, and what `work` raises.
    """
    faults = Faults()
    faults.identifier("request_id", request.request_id)
    faults.raise_if_any("the request")
    caller = hub.caller("operator", "operator")

    def stored(tx: Transaction) -> idempotency.StoredResponse:
        return idempotency.StoredResponse(0, work(tx, caller).SerializeToString())

    text = request.SerializeToString(deterministic=True)
    digest = idempotency.digest_of(type(request).__name__, request.request_id, text)
    response = await hub.run_once(caller, request.request_id, digest, stored)
    return answer.FromString(response.body)
