"""Work for a fleet that runs on while its processes die: commands at each node, orders at the hub.

Every command and every order keeps its id until it is answered, as a client must; so each has happened exactly once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bodega.errors import InvalidInput, NotFound, Unavailable
from bodega.limits import CONTROL_REQUEST_BYTES_MAX
from bodega_agent.cli.client import result_of
from support.controlplane import LISBON, PORTO
from support.faces import order_body
from support.fleet import NODES, SKU, Fleet
from support.waiting import until, until_async

# The one generous bound of these tests, for a machine that has much else to do.
PATIENCE_S = 90.0
ANSWER_S = 5.0
AGAIN_S = 0.05
PACE_S = 0.01
ORDER_PACE_S = 0.1
ASKED_TWICE_EVERY = 5
OPENING_UNITS = 5_000
SHELF = "A-01-01"
RECEIVE = {"command": "receive", "sku_id": SKU}
PUT_AWAY = {"command": "put_away", "sku_id": SKU, "to_bin_id": SHELF}
# The first request with this key is still worked on; or the database is not there now.
_ASK_AGAIN = frozenset({"in-flight", "unavailable"})


@dataclass
class Work:
    """What was done and answered: command ids by node, each of one unit received; order keys with their order."""

    fleet: Fleet
    commands: dict[str, list[str]] = field(default_factory=lambda: {node_id: [] for node_id in NODES})
    orders: dict[str, str] = field(default_factory=dict)
    stopping: bool = False

    @property
    def done(self) -> int:
        """Commands answered so far."""
        return sum(map(len, self.commands.values()))

    async def more(self, commands: int) -> None:
        """Return once so many more commands have been answered."""
        wanted = self.done + commands
        await until(lambda: self.done >= wanted, PATIENCE_S, f"{commands} more commands")

    async def work_at(self, node_id: str) -> None:
        """Receive one unit after the other."""
        while not self.stopping:
            cmd_id = f"{node_id}-{len(self.commands[node_id])}"
            # A client that is not sure asks again.
            for _ in range(2 if len(self.commands[node_id]) % ASKED_TWICE_EVERY == 0 else 1):
                await do_once(self.fleet, node_id, {**RECEIVE, "cmd_id": cmd_id, "quantity": 1})
            self.commands[node_id].append(cmd_id)
            await asyncio.sleep(PACE_S)

    async def shop(self) -> None:
        """Order one unit after the other, near each node and at each instance of the hub in turn."""
        async with _client(self.fleet) as client:
            while not self.stopping:
                key = f"order-{len(self.orders)}"
                self.orders[key] = await self._order(client, key)
                await asyncio.sleep(ORDER_PACE_S)

    async def _order(self, client: httpx.AsyncClient, key: str) -> str:
        """The id of the order, however often it must be asked; a refusal is the test's error."""
        near = (LISBON, PORTO)[len(self.orders) % 2]
        where = {"latitude": near.latitude, "longitude": near.longitude}
        body = order_body((SKU, 1), reference=key, location=where)
        for attempt in itertools.count(len(self.orders)):
            with contextlib.suppress(httpx.TransportError, OSError):
                answer = await client.post(
                    f"{self.fleet.http(attempt % len(self.fleet.hubs))}/v1/orders",
                    json=body,
                    headers={"Idempotency-Key": key},
                )
                if answer.status_code == httpx.codes.CREATED:
                    return str(answer.json()["order_id"])
                assert answer.json()["code"] in _ASK_AGAIN, answer.text
            await asyncio.sleep(AGAIN_S)
        raise AssertionError("it counts for ever")


async def do_once(fleet: Fleet, node_id: str, command: dict[str, Any]) -> None:
    """Do a ledger command at a node, however often it must be asked; a refusal is the caller's."""
    while True:
        try:
            await ask(fleet, node_id, "ledger.command", command=command)
        except (OSError, EOFError, Unavailable):
            await asyncio.sleep(AGAIN_S)
        else:
            return


async def ask(fleet: Fleet, node_id: str, op: str, **arguments: Any) -> Any:
    """One question to a node's control socket; raises OSError, EOFError, TimeoutError, or what the node says."""
    path = fleet.state_dir(node_id) / "control.sock"
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_unix_connection(path, limit=CONTROL_REQUEST_BYTES_MAX)
        try:
            writer.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
            return result_of(await reader.readuntil(b"\n"))
        finally:
            writer.transport.abort()


async def is_linked(fleet: Fleet, node_id: str) -> bool:
    """Whether a node thinks that it has the broker."""
    return bool((await ask(fleet, node_id, "sync"))["connected"])


async def hub_is_linked(fleet: Fleet) -> bool:
    """Whether the first hub thinks that it has the broker."""
    async with _client(fleet) as client:
        return bool((await client.get(f"{fleet.http()}/healthz")).json()["broker_connected"])


async def open_shop(fleet: Fleet) -> None:
    """Put opening stock on the shelves of both nodes, once they know the product, and wait until it may be sold."""
    for node_id in NODES:
        await until_async(lambda: _stock(fleet, node_id), PATIENCE_S, f"{node_id} knows the product")  # noqa: B023 - awaited here
    async with _client(fleet) as client:

        async def may_sell() -> bool:
            answer = await client.get(f"{fleet.http()}/v1/availability", params={"sku_id": SKU})
            return {row["node_id"] for row in answer.json()["availability"] if row["available"]} == set(NODES)

        await until_async(may_sell, PATIENCE_S, "the hub may sell the opening stock", look_s=AGAIN_S)


async def _stock(fleet: Fleet, node_id: str) -> bool:
    try:
        for command in (RECEIVE, PUT_AWAY):
            cmd_id = f"{node_id}-opening-{command['command']}"
            await do_once(fleet, node_id, {**command, "cmd_id": cmd_id, "quantity": OPENING_UNITS})
    except (InvalidInput, NotFound):
        return False
    return True


def _client(fleet: Fleet) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {fleet.storefront_token()}"}
    return httpx.AsyncClient(headers=headers, timeout=ANSWER_S, trust_env=False)


@asynccontextmanager
async def under_load(work: Work) -> AsyncIterator[None]:
    """Work goes on inside; at the end the last command of each node and the last order have been answered."""
    work.stopping = False
    async with asyncio.timeout(None) as patience, asyncio.TaskGroup() as tasks:
        for node_id in NODES:
            tasks.create_task(work.work_at(node_id))
        tasks.create_task(work.shop())
        yield
        work.stopping = True
        patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_S)
