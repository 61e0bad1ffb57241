"""One suite for both ways that gRPC travels here: HTTP/2, and request/reply over a real broker.

Whatever a stub's user or a servicer can see must be the same on both. What only the broker has stands in
tests/proto/test_rpc_over_nats.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc.aio import AioRpcError

from bodega.broker.rpc_errors import from_status
from bodega.errors import OUTCOMES, BodegaError, FieldFault
from bodega.limits import RPC_BODY_BYTES_MAX
from bodega_controlplane.api.grpc.interceptor import Guard
from support.nats import NatsServer, nats_server
from support.rpc import Probe, ProbeStub, over_http2, over_nats

__all__ = ["nats_server"]

CALLS_MAX = 3
SOON_S = 30.0


@dataclass
class Ends:
    """A stub and the servicer behind it."""

    stub: Any
    probe: Probe


@pytest.fixture(params=["http2", "nats"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    probe = Probe()
    if request.param == "http2":
        serving = over_http2(probe, (Guard(),), CALLS_MAX)
    else:
        broker: NatsServer = request.getfixturevalue("nats_server")
        serving = over_nats(broker, probe, (Guard(),), CALLS_MAX)
    async with serving as channel:
        yield Ends(ProbeStub(channel), probe)


async def failure(call: Any) -> AioRpcError:
    with pytest.raises(AioRpcError) as caught:
        await call
    return caught.value


async def test_a_request_comes_back_as_its_response(ends: Ends) -> None:
    call = ends.stub.Echo(b"\x00 any bytes")
    assert await call == b"\x00 any bytes"
    assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
async def test_every_status_code_arrives_with_its_words_and_metadata(
    ends: Ends, code: grpc.StatusCode
) -> None:
    call = ends.stub.Fail(f"{code.name}:what went wrong".encode())
    error = await failure(call)
    assert (error.code(), error.details()) == (code, "what went wrong")
    assert await call.code() is code
    trailing = dict((await call.trailing_metadata()) or ())
    assert trailing["bodega-code"] == "no-luck"
    assert trailing["pic-bin"] == b"\x00\xff"


@pytest.mark.parametrize("family", OUTCOMES)
async def test_an_error_of_ours_arrives_as_its_family_with_hint_and_faults(
    ends: Ends, family: type[BodegaError]
) -> None:
    ends.probe.error = family("what and where", hint="what next")
    ends.probe.error.faults = (FieldFault("lines[0].sku_id", "is not known"),)
    error = await failure(ends.stub.Raise(b""))
    back = from_status(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
    assert (type(back), back.message, back.hint) == (family, "what and where", "what next")
    assert back.faults == ends.probe.error.faults


async def test_a_bug_is_internal_and_keeps_its_words_to_itself(ends: Ends) -> None:
    ends.probe.error = ValueError("Rua do Segredo 7")
    error = await failure(ends.stub.Raise(b""))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "Segredo" not in f"{error.details()} {error.trailing_metadata()}"


async def test_metadata_goes_both_ways(ends: Ends) -> None:
    call = ends.stub.Tell(b"", metadata=(("word", "said"), ("pic-bin", b"\x00\xff")))
    await call
    told = dict(ends.probe.told)
    assert (told["word"], told["pic-bin"]) == ("said", b"\x00\xff")
    assert dict(await call.initial_metadata())["first"] == "one"
    trailing = dict(await call.trailing_metadata())
    assert (trailing["last"], trailing["pic-bin"]) == ("two", b"\x01\x02")


async def test_a_deadline_that_passes_ends_the_call_at_both_ends(ends: Ends) -> None:
    error = await failure(ends.stub.Wait(b"w", timeout=0.3))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await asyncio.wait_for(ends.probe.ended.get(), SOON_S) == "cancelled"
    assert ends.probe.remaining_s is not None
    assert 0 < ends.probe.remaining_s <= 0.31


async def test_a_cancel_reaches_the_method(ends: Ends) -> None:
    call = ends.stub.Wait(b"w", timeout=SOON_S)
    awaiting = asyncio.ensure_future(call.code())
    await asyncio.wait_for(ends.probe.started.get(), SOON_S)
    assert call.cancel()
    assert await asyncio.wait_for(ends.probe.ended.get(), SOON_S) == "cancelled"
    assert await awaiting is grpc.StatusCode.CANCELLED
    assert call.cancelled()
    assert call.done()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_cancelling_whoever_waits_cancels_the_call(ends: Ends) -> None:
    async def ask() -> None:
        await ends.stub.Wait(b"w", timeout=SOON_S)

    asking = asyncio.create_task(ask())
    await asyncio.wait_for(ends.probe.started.get(), SOON_S)
    asking.cancel()
    assert await asyncio.wait_for(ends.probe.ended.get(), SOON_S) == "cancelled"
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_request_of_the_bound_goes_and_one_byte_more_is_refused_with_both_numbers(ends: Ends) -> None:
    assert await ends.stub.Echo(bytes(RPC_BODY_BYTES_MAX)) == bytes(RPC_BODY_BYTES_MAX)
    error = await failure(ends.stub.Echo(bytes(RPC_BODY_BYTES_MAX + 1)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(RPC_BODY_BYTES_MAX + 1) in (error.details() or "")
    assert str(RPC_BODY_BYTES_MAX) in (error.details() or "")
    assert ends.probe.calls == 1


async def test_a_response_beyond_the_bound_is_refused_with_both_numbers(ends: Ends) -> None:
    assert len(await ends.stub.Grow(str(RPC_BODY_BYTES_MAX).encode())) == RPC_BODY_BYTES_MAX
    error = await failure(ends.stub.Grow(str(RPC_BODY_BYTES_MAX + 1).encode()))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(RPC_BODY_BYTES_MAX + 1) in (error.details() or "")


async def test_calls_run_beside_each_other_up_to_the_bound(ends: Ends) -> None:
    waiting = [asyncio.ensure_future(ends.stub.Wait(str(i).encode()).code()) for i in range(CALLS_MAX)]
    for _ in waiting:
        await asyncio.wait_for(ends.probe.started.get(), SOON_S)
    error = await failure(ends.stub.Echo(b"one too many"))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    ends.probe.release.set()
    assert await asyncio.gather(*waiting) == [grpc.StatusCode.OK] * CALLS_MAX
    assert await ends.stub.Echo(b"there is room again") == b"there is room again"


async def test_an_unknown_method_is_unimplemented(ends: Ends) -> None:
    error = await failure(ends.stub.Nothing(b""))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
