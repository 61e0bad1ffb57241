"""A routing bundle is put in force at one of two hubs: the other one and every node decide by it within seconds."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import grpc
import httpx
import pytest

from bodega.limits_hub import ROUTING_REACHES_ALL_S
from bodega.v1 import routing_pb2 as pb
from bodega.v1.routing_pb2_grpc import RoutingServiceStub
from bodega_agent.store.reader import Reader
from support.faces import order_body
from support.fleet import NODES, SKU, Fleet, Plan, running_fleet
from support.fleet_load import PATIENCE_S, open_shop
from support.long_run import by_length
from support.nats import NatsServer
from support.routing import document
from support.waiting import until, until_async

pytestmark = [pytest.mark.system, pytest.mark.postgres, pytest.mark.timeout(by_length(400, 3_600))]


class Operator:
    """Calls one instance, with the operator's token."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self._token = (fleet.hub_dir() / "operator.token").read_text().strip()
        self._channel = grpc.aio.insecure_channel(fleet.grpc(number))
        self.stub = RoutingServiceStub(self._channel)
        self.metadata = (("authorization", f"Bearer {self._token}"),)

    async def activate(self, version: int) -> pb.RoutingActivation:
        request = pb.ActivateRoutingRequest(
            request_id=f"a-{version}", document=document("nearest", version), reason="a trial"
        )
        answer = await self.stub.ActivateRouting(request, metadata=self.metadata)
        activation: pb.RoutingActivation = answer.activation
        return activation

    async def listed(self) -> pb.ListRoutingResponse:
        answer: pb.ListRoutingResponse = await self.stub.ListRouting(
            pb.ListRoutingRequest(), metadata=self.metadata
        )
        return answer

    async def rule_of(self, order_id: str) -> str:
        request = pb.ExplainRoutingRequest(order_id=order_id)
        answer = await self.stub.ExplainRouting(request, metadata=self.metadata)
        return str(answer.decisions[0].rule)

    async def close(self) -> None:
        await self._channel.close()


async def place(fleet: Fleet, number: int, key: str) -> str:
    """An order at one instance; its id."""
    headers = {"Authorization": f"Bearer {fleet.storefront_token()}", "Idempotency-Key": key}
    async with httpx.AsyncClient(base_url=fleet.http(number), headers=headers) as client:
        answer = await client.post("/v1/orders", json=order_body((SKU, 1), reference=key))
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["order_id"])


def kept_at_all(fleet: Fleet) -> set[int]:
    """The activations that the nodes decide by, from their files."""
    found = set()
    for node_id in NODES:
        with closing(Reader(fleet.state_dir(node_id) / "ledger.db")) as ledger:
            found.add(int(ledger.meta("routing_activation", 0)))
    return found


async def test_an_activation_at_one_instance_reaches_the_other_and_all_nodes(
    tmp_path: Path, nats_server: NatsServer, postgres_url: str
) -> None:
    plan = Plan.on(nats_server.url, hubs=2, database=postgres_url)
    async with running_fleet(tmp_path, plan) as fleet:
        await open_shop(fleet)
        first = Operator(fleet, 0)
        try:
            assert await first.rule_of(await place(fleet, 1, "before")) != "nearest@2"
            made = await first.activate(2)
            started = time.monotonic()

            async def other_instance_decides_by_it() -> bool:
                order_id = await place(fleet, 1, f"after-{time.monotonic_ns()}")
                return await first.rule_of(order_id) == "nearest@2"

            await until(
                lambda: kept_at_all(fleet) == {made.activation}, ROUTING_REACHES_ALL_S, "every node has it"
            )
            left_s = ROUTING_REACHES_ALL_S - (time.monotonic() - started)
            await until_async(other_instance_decides_by_it, left_s, "the other instance has it", look_s=0.1)

            async def all_have_said_so() -> bool:
                told = (await first.listed()).nodes
                return [one.node_id for one in told if one.digest == made.digest] == sorted(NODES)

            await until_async(all_have_said_so, PATIENCE_S, "every node has said what it decides by")
            # Who was away hears of it when it comes back.
            await fleet.nodes[NODES[0]].stop()
            again = await first.activate(3)
            await fleet.nodes[NODES[0]].start()
            await until(lambda: kept_at_all(fleet) == {again.activation}, PATIENCE_S, "also who was away")
        finally:
            await first.close()
