"""Two hubs, PostgreSQL, three brokers and four nodes: each part is killed in turn while orders are worked.

Customers order at either hub and ask again until they are answered; people pick, pack, label and hand over at real
agents. There is less on the shelves than is asked for. At the end hands, printers, every file, the database and both
APIs are held against each other: nothing is lost, nothing happened twice, nothing was sold that was not there.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from bodega_agent.demo.catalogue import Product, catalogue
from support.long_run import by_length
from support.network.crew import Crew, at_work
from support.network.customers import Customers
from support.network.harm import parts_of
from support.network.processes import Network, running_network
from support.network.rules import breaches
from support.network.witnesses import Kept, collect
from support.postgres import PostgresServer
from support.waiting import until_async

pytestmark = [pytest.mark.system, pytest.mark.postgres, pytest.mark.timeout(by_length(600, 3_600))]

ROUNDS = by_length(1, 5)
ORDERS = ROUNDS * by_length(120, 300)
PRODUCTS = 8
# About a tenth less than is asked for.
UNITS_PER_SHELF = ORDERS * 56 // 1000
PATIENCE_S = 120.0
LOOK_S = 0.2


async def test_each_part_is_killed_in_turn_while_orders_are_worked(
    tmp_path: Path, own_postgres: PostgresServer
) -> None:
    seed = random.randrange(2**32)
    products = catalogue(PRODUCTS)
    async with (
        running_network(tmp_path, own_postgres) as network,
        Customers(network, products, seed) as customers,
    ):
        crew = Crew(network, products, customers, seed)
        kept: Kept = {}
        parts = parts_of(network, kept) * ROUNDS
        each = ORDERS // (2 * len(parts) + 1)
        await customers.load()
        async with at_work(crew):
            await crew.take_in(products, UNITS_PER_SHELF)
            units = UNITS_PER_SHELF * len(network.posts)
            await until_async(
                lambda: customers.may_buy(units), PATIENCE_S, "stock is for sale", look_s=LOOK_S
            )
            for part in parts:
                await customers.order_more(each)
                await part.kill()
                ordering = asyncio.create_task(customers.order_more(each))
                await (customers.turned_away() if part.is_alone else ordering)
                await part.start()
                await ordering
            await customers.order_more(ORDERS - len(customers.wishes))
            await until_async(customers.all_ended, PATIENCE_S, "every order ends", look_s=LOOK_S)
            await crew.settled()
            await check(network, crew, customers, products, kept)
    taken = sum(bool(wish.order_id) for wish in customers.wishes)
    assert ORDERS // 2 < taken < ORDERS == len(customers.wishes), "more is asked for than there is"
    assert set(kept) == {post.node_id for post in network.posts}, "each agent was killed"


async def check(
    network: Network, crew: Crew, customers: Customers, products: tuple[Product, ...], kept: Kept
) -> None:
    """Return once every book agrees with every other, and both APIs with them; AssertionError with what does not."""
    found: list[str] = []

    async def all_is_well() -> bool:
        found[:] = []
        for hub in range(len(network.hubs)):
            evidence = await collect(network, crew, customers, products, kept, hub)
            found.extend(breaches(evidence, customers.wishes))
        return not found

    try:
        await until_async(all_is_well, PATIENCE_S, "all books agree", look_s=LOOK_S)
    except TimeoutError as error:
        raise AssertionError("\n".join(found)) from error
