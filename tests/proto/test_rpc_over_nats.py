"""What only gRPC over the broker has: subjects that say who calls, frames, repeats, lost links, the broker's bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import nats
import pytest
from grpc.aio import AioRpcError
from nats.aio.client import Client

from bodega.broker.rpc_asking import ask
from bodega.broker.rpc_channel import RpcChannel
from bodega.broker.rpc_server import RpcServer
from bodega.broker.rpc_wire import Listener, NatsWire
from bodega.errors import NotFound, PermissionRefused, Unavailable
from bodega.limits import RPC_CALLS_PER_CALLER_MAX, RPC_METADATA_BYTES_MAX
from bodega.v1 import rpc_pb2
from bodega_agent.demo.broker import node_permissions
from support.nats import NatsServer, nats_server, settle
from support.rpc import NODE, SERVICE, Probe, ProbeStub, add_to_server, over_nats
from support.waiting import until

__all__ = ["nats_server"]

SOON_S = 30.0
SUBJECT = f"rpc.hub.{NODE}.{SERVICE}"


@pytest.fixture
def probe() -> Probe:
    return Probe()


@asynccontextmanager
async def raw(broker: NatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(broker.url, allow_reconnect=False)
    yield client
    await client.close()


async def code_of(call: Any) -> grpc.StatusCode:
    with pytest.raises(AioRpcError) as caught:
        await call
    code: grpc.StatusCode = caught.value.code()
    return code


async def test_the_subject_says_who_calls_and_a_claim_is_dropped(
    nats_server: NatsServer, probe: Probe
) -> None:
    async with over_nats(nats_server, probe, (), 9) as channel:
        await ProbeStub(channel).Tell(b"", metadata=(("bodega-node", "porto-01"),))
    assert [value for key, value in probe.told if key == "bodega-node"] == [NODE]


async def test_a_broker_with_our_permissions_lets_nobody_call_for_another_or_hear_its_answers(
    tmp_path: Path,
) -> None:
    users = [{"user": "hub", "password": "x"}]
    users += [{"user": n, "password": "x", "permissions": node_permissions(n)} for n in (NODE, "porto-01")]
    broker = NatsServer(tmp_path / "nats", f"authorization {{ users: {json.dumps(users)} }}").start()
    probe, server = Probe(), RpcServer()
    add_to_server(probe, server)
    refused = asyncio.Event()

    async def on_error(_error: Exception) -> None:
        refused.set()

    hub = await nats.connect(broker.url, user="hub", password="x")
    porto = await nats.connect(
        broker.url, user="porto-01", password="x", inbox_prefix="_INBOX_porto-01", error_cb=on_error
    )
    await Listener(lambda: server, caller_at=2).listen(hub, "rpc.hub.*")
    # The hub calls the node too: the same listener at the other end, answering without a right to any inbox.
    await Listener(lambda: server, caller="hub").listen(porto, "rpc.node.porto-01")
    await settle(hub)
    wire = NatsWire(lambda: porto)
    assert await ProbeStub(RpcChannel(wire, "rpc.hub.porto-01")).Echo(b"as itself") == b"as itself"
    assert await ProbeStub(RpcChannel(NatsWire(lambda: hub), "rpc.node.porto-01")).Echo(b"down") == b"down"
    assert not refused.is_set()
    as_lisbon = ProbeStub(RpcChannel(wire, f"rpc.hub.{NODE}")).Echo(b"as another", timeout=1)
    assert await code_of(as_lisbon) is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(refused.wait(), SOON_S)
    assert probe.calls == 2
    refused.clear()
    await porto.subscribe(f"_INBOX_{NODE}.>")
    await asyncio.wait_for(refused.wait(), SOON_S)
    await porto.close()
    await hub.close()
    broker.stop()


async def test_a_repeated_message_runs_once(nats_server: NatsServer, probe: Probe) -> None:
    frame = rpc_pb2.RpcRequest(call_id="c1", remaining_ms=5000, body=b"x").SerializeToString()
    async with over_nats(nats_server, probe, (), 9), raw(nats_server) as client:
        first = await client.request(f"{SUBJECT}.Echo", frame, timeout=SOON_S)
        assert rpc_pb2.RpcResponse.FromString(first.data).body == b"x"
        with pytest.raises(TimeoutError):
            await client.request(f"{SUBJECT}.Echo", frame, timeout=0.3)
    assert probe.calls == 1


async def test_the_deadline_ends_a_call_whose_caller_has_vanished(
    nats_server: NatsServer, probe: Probe
) -> None:
    frame = rpc_pb2.RpcRequest(call_id="c1", remaining_ms=100, body=b"w").SerializeToString()
    async with over_nats(nats_server, probe, (), 9), raw(nats_server) as client:
        answer = await client.request(f"{SUBJECT}.Wait", frame, timeout=SOON_S)
        assert (
            rpc_pb2.RpcResponse.FromString(answer.data).status == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
        )
        assert await asyncio.wait_for(probe.ended.get(), SOON_S) == "cancelled"


async def test_nobody_cancels_the_call_of_another(nats_server: NatsServer, probe: Probe) -> None:
    frame = rpc_pb2.RpcRequest(call_id="c1", remaining_ms=9000, body=b"w").SerializeToString()
    cancel = rpc_pb2.RpcCancel(call_id="c1").SerializeToString()
    async with over_nats(nats_server, probe, (), 9), raw(nats_server) as client:
        answer = asyncio.ensure_future(client.request(f"{SUBJECT}.Wait", frame, timeout=SOON_S))
        await asyncio.wait_for(probe.started.get(), SOON_S)
        await client.publish("rpc.hub.porto-01.cancel", cancel)
        await client.publish(f"rpc.hub.{NODE}.cancel", b"\xff no frame")
        await settle(client)
        probe.release.set()
        assert rpc_pb2.RpcResponse.FromString((await answer).data).body == b"w"


@pytest.mark.parametrize(
    "frame", [b"\xff\xff\xff", b"", rpc_pb2.RpcRequest(call_id="x" * 65).SerializeToString()]
)
async def test_a_malformed_frame_is_answered_with_a_reason(
    nats_server: NatsServer, probe: Probe, frame: bytes
) -> None:
    async with over_nats(nats_server, probe, (), 9), raw(nats_server) as client:
        answer = rpc_pb2.RpcResponse.FromString(
            (await client.request(f"{SUBJECT}.Echo", frame, timeout=SOON_S)).data
        )
    assert answer.status == grpc.StatusCode.INTERNAL.value[0]
    assert "frame" in answer.message
    assert probe.calls == 0


async def test_an_answer_that_is_no_frame_is_internal(nats_server: NatsServer) -> None:
    async with raw(nats_server) as client:

        async def babble(message: Any) -> None:
            await message.respond(b"\xff\xff")

        await client.subscribe(f"{SUBJECT}.Echo", cb=babble)
        await settle(client)
        stub = ProbeStub(RpcChannel(NatsWire(lambda: client), f"rpc.hub.{NODE}"))
        assert await code_of(stub.Echo(b"x")) is grpc.StatusCode.INTERNAL


async def test_nobody_there_is_unavailable_at_once_and_in_our_words_too(nats_server: NatsServer) -> None:
    async with raw(nats_server) as client:
        stub = ProbeStub(RpcChannel(NatsWire(lambda: client), f"rpc.hub.{NODE}"))
        assert await code_of(stub.Echo(b"x")) is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(Unavailable) as caught:
            await ask(stub.Echo, b"x", timeout_s=SOON_S)
        assert "nobody answers" in caught.value.message


async def test_a_link_that_is_lost_ends_its_calls(nats_server: NatsServer, probe: Probe) -> None:
    async with over_nats(nats_server, probe, (), 9) as channel:
        waiting = ProbeStub(channel).Wait(b"w", timeout=60)
        watching = asyncio.ensure_future(waiting.code())
        await asyncio.wait_for(probe.started.get(), SOON_S)
        channel._wire.end_calls()  # what the link does when its connection has ended
        assert await asyncio.wait_for(watching, SOON_S) is grpc.StatusCode.UNAVAILABLE
        probe.release.set()


async def test_without_a_link_a_call_is_unavailable(probe: Probe) -> None:
    def live() -> Client:
        raise Unavailable("the broker is not connected")

    stub = ProbeStub(RpcChannel(NatsWire(live), f"rpc.hub.{NODE}"))
    assert await code_of(stub.Echo(b"x")) is grpc.StatusCode.UNAVAILABLE


async def test_the_brokers_own_bound_is_respected_and_said_in_both_directions(
    tmp_path: Path, probe: Probe
) -> None:
    broker = NatsServer(tmp_path / "nats", "max_payload: 20000").start()
    async with over_nats(broker, probe, (), 9) as channel:
        stub = ProbeStub(channel)
        for call in (stub.Echo(bytes(20_000)), stub.Grow(b"20000")):
            with pytest.raises(AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "the broker takes 20000" in (caught.value.details() or "")
        assert await stub.Echo(bytes(19_000)) == bytes(19_000)
    broker.stop()


async def test_metadata_is_bounded_and_must_be_metadata(nats_server: NatsServer, probe: Probe) -> None:
    async with over_nats(nats_server, probe, (), 9) as channel:
        stub = ProbeStub(channel)
        key = "k"
        most = (("k", "v" * (RPC_METADATA_BYTES_MAX - len(key))),)
        await stub.Tell(b"", metadata=most)
        more = ((key, most[0][1] + "v"),)
        assert await code_of(stub.Tell(b"", metadata=more)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        for bad in (("Upper", "x"), ("line", "a\nb"), ("grpc-timeout", "1S")):
            assert await code_of(stub.Tell(b"", metadata=(bad,))) is grpc.StatusCode.INTERNAL


async def test_one_caller_that_takes_all_it_may_leaves_room_for_the_others(
    nats_server: NatsServer, probe: Probe
) -> None:
    server = RpcServer()
    add_to_server(probe, server)
    async with raw(nats_server) as hub, raw(nats_server) as client:
        await Listener(lambda: server, caller_at=2).listen(hub, "rpc.hub.*")
        await settle(hub)
        wire = NatsWire(lambda: client)
        greedy, modest = (ProbeStub(RpcChannel(wire, f"rpc.hub.{name}")) for name in ("greedy", "modest"))
        codes = [asyncio.ensure_future(greedy.Wait(b"w").code()) for _ in range(RPC_CALLS_PER_CALLER_MAX)]
        for _ in codes:
            await asyncio.wait_for(probe.started.get(), SOON_S)
        assert await code_of(greedy.Echo(b"x")) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await modest.Echo(b"x") == b"x"
        probe.release.set()
        assert set(await asyncio.gather(*codes)) == {grpc.StatusCode.OK}


async def test_a_method_that_streams_is_refused_where_it_is_registered_and_where_it_is_called(
    probe: Probe,
) -> None:
    handlers = {"Stream": grpc.unary_stream_rpc_method_handler(probe.Echo)}
    with pytest.raises(ValueError, match="only unary"):
        RpcServer().add_registered_method_handlers(SERVICE, handlers)
    with pytest.raises(AioRpcError) as caught:
        ProbeStub(RpcChannel(NatsWire(Client), "rpc.hub.x")).Stream(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_without_an_interceptor_errors_are_translated_by_the_same_table(
    nats_server: NatsServer, probe: Probe
) -> None:
    async with over_nats(nats_server, probe, (), 9) as channel:
        stub = ProbeStub(channel)
        probe.error = NotFound("there is no artifact 'x'", hint="list them")
        with pytest.raises(NotFound) as missing:
            await ask(stub.Raise, b"", timeout_s=SOON_S)
        assert (missing.value.message, missing.value.hint) == ("there is no artifact 'x'", "list them")
        probe.error = PermissionRefused("no")
        with pytest.raises(PermissionRefused):
            await ask(stub.Raise, b"", timeout_s=SOON_S)
        probe.error = TimeoutError("a file's name")
        with pytest.raises(AioRpcError) as bug:
            await stub.Raise(b"")
        assert (bug.value.code(), "file" in (bug.value.details() or "")) == (grpc.StatusCode.INTERNAL, False)


async def test_several_hubs_share_the_calls_and_all_of_them_hear_a_cancel(nats_server: NatsServer) -> None:
    probes = [Probe(), Probe()]
    async with raw(nats_server) as one, raw(nats_server) as other, raw(nats_server) as client:
        for hub, probe in zip((one, other), probes, strict=True):
            server = RpcServer(calls_per_caller_max=100)
            add_to_server(probe, server)
            await Listener(lambda server=server: server, caller_at=2).listen(hub, "rpc.hub.*", queue="hub")
            await settle(hub)
        stub = ProbeStub(RpcChannel(NatsWire(lambda: client), f"rpc.hub.{NODE}"))
        await asyncio.gather(*(stub.Echo(b"x") for _ in range(60)))
        assert sum(probe.calls for probe in probes) == 60
        assert all(probe.calls for probe in probes)
        calls = [stub.Wait(b"w", timeout=SOON_S) for _ in range(12)]
        await until(lambda: sum(probe.started.qsize() for probe in probes) == len(calls))
        for call in calls:
            call.cancel()
        await until(lambda: sum(probe.ended.qsize() for probe in probes) == len(calls))
