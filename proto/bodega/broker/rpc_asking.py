"""One call of a stub in our own words: whatever goes wrong is an error of `bodega.errors`, as over HTTP/2."""

from __future__ import annotations

from typing import Any

from grpc import StatusCode
from grpc.aio import AioRpcError

from bodega.broker.rpc_errors import CODE_KEY, from_status
from bodega.errors import Unavailable


async def ask(method: Any, request: Any, *, timeout_s: float) -> Any:
    """The response of a stub's method.

    Raises the error that the servicer raised; Unavailable when nobody answered, or too late.
    """
    try:
        return await method(request, timeout=timeout_s)
    except AioRpcError as error:
        trailers = tuple(error.trailing_metadata() or ())
        message = error.details() or error.code().name
        ours = any(key == CODE_KEY for key, _ in trailers)
        if not ours and error.code() in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED):
            raise Unavailable(message, hint="it may be repeated as soon as the link is back") from error
        raise from_status(error.code(), message, trailers) from error
