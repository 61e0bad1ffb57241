"""A storefront for the benchmarks: requests over HTTP/1.1 connections that stay open, at a pace or as fast as it goes.

A whole HTTP client costs as much time as the hub on the same two cores; this one writes bytes and reads a status.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

from benchmarks import hub_rows

CONNECTIONS = 16


class Line:
    """One connection: a request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def post(self, head: str, body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status, *fields = answer.decode("latin-1").split("\r\n")
        length = next(int(one[15:]) for one in fields if one.lower().startswith("content-length:"))
        return int(status.split()[1]), await self._reader.readexactly(length)


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    """A connection to this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


class Shop:
    """Orders of `lines` SKUs each, to somebody somewhere, every one with a key of its own.

    `ports`: of the instances of the hub, which its connections take in turn.
    """

    def __init__(self, ports: Sequence[int], token: str, lines: int = 3, seed: int = 1) -> None:
        self._ports, self._token = itertools.cycle(ports), token
        self._bodies = _bodies(lines, Random(seed))
        self._number = seed * 1_000_000

    async def as_fast_as_it_goes(self, orders: int) -> float:
        """Orders a second, CONNECTIONS at once."""
        left = iter(range(orders))
        began = asyncio.get_running_loop().time()

        async def work() -> None:
            async with line(next(self._ports)) as one:
                for _ in left:
                    await self._order(one)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
        return orders / (asyncio.get_running_loop().time() - began)

    async def paced(self, orders: int, per_s: float) -> list[float]:
        """Seconds from when each order was due to its answer, sorted: what waits in a queue counts."""
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as lines:
            free: asyncio.Queue[Line] = asyncio.Queue()
            for _ in range(CONNECTIONS):
                free.put_nowait(await lines.enter_async_context(line(next(self._ports))))

            async def one(due: float) -> float:
                taken = await free.get()
                await self._order(taken)
                free.put_nowait(taken)
                return loop.time() - due

            began, tasks = loop.time(), []
            for number in range(orders):
                due = began + number / per_s
                await asyncio.sleep(max(0.0, due - loop.time()))
                tasks.append(asyncio.create_task(one(due)))
            return sorted(await asyncio.gather(*tasks))

    async def _order(self, over: Line) -> None:
        self._number += 1
        head = (
            "POST /v1/orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self._token}\r\nIdempotency-Key: k-{self._number}\r\n"
        )
        status, answer = await over.post(head, next(self._bodies))
        if status != 201:
            raise RuntimeError(f"an order was answered with {status}: {answer.decode()[:500]}")


def _bodies(lines: int, draw: Random) -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        place = hub_rows.place(draw)
        skus = draw.sample(range(hub_rows.SKUS), lines)
        yield json.dumps(
            {
                "reference": f"B-{number}",
                "lines": [{"sku_id": hub_rows.sku_id(one), "quantity": 1} for one in skus],
                "recipient": {
                    "name": "A. Customer",
                    "address": ["Rua Um 1"],
                    "postal_code": "1200-001",
                    "country": "PT",
                    "location": {"latitude": place.latitude, "longitude": place.longitude},
                },
            }
        ).encode()
