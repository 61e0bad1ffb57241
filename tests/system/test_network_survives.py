"""Two hubs, PostgreSQL, three brokers and four nodes: each part is killed in turn while orders are worked.

Customers order at either hub, some of them in parts, and ask again until they are answered; people pick, pack, label
and hand over at real agents. There is less on the shelves than is asked for, and in the middle of it units are stolen
and other rules of routing are put in force. At the end hands, printers, every file, the database, both APIs and an
endpoint of webhooks are held against each other: nothing is lost, nothing happened twice, nothing was sold that was
not there, and every decision comes out again as it was.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from pathlib import Path

import pytest

from bodega.core.ledger import COUNT
from bodega_agent.demo.catalogue import Product, catalogue
from bodega_agent.store.reader import Reader
from support.hooks import Receiver, receiver
from support.long_run import by_length
from support.network.crew import Crew, at_work
from support.network.customers import Customers
from support.network.harm import parts_of
from support.network.processes import Network, Post, running_network
from support.network.rules import breaches, told_once_each_in_order
from support.network.witnesses import Kept, collect
from support.postgres import PostgresServer
from support.routing import document
from support.waiting import until_async

pytestmark = [pytest.mark.system, pytest.mark.postgres, pytest.mark.timeout(by_length(600, 3_600))]

ROUNDS = by_length(1, 5)
ORDERS = ROUNDS * by_length(120, 300)
PRODUCTS = 8
# About a tenth less than is asked for.
UNITS_PER_SHELF = ORDERS * 56 // 1000
PATIENCE_S = 120.0
LOOK_S = 0.2


TURNED = document(
    "least-busy",
    1,
    scores=[{"name": "busy", "value": "double(node.open_orders)"}],
    ties=["node.distance_km"],
    stages=[
        {"name": "whole"},
        {"name": "split", "shares_max": 3, "split_cost": 20_000, "when": "order.shares_max > 1"},
    ],
)
STOLEN_PER_NODE = 2


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
        with receiver() as endpoint:
            await customers.load()
            await customers.have_called(endpoint.url)
            async with at_work(crew):
                await stock_up(network, crew, customers, products)
                for number, part in enumerate(parts):
                    if number == len(parts) // 2:
                        crew.steal(STOLEN_PER_NODE, random.Random(seed))
                        await turn_the_rules(network, tmp_path)
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
            await check_what_was_told(customers, endpoint, sum(part.calls_out for part in parts))
            await check_decisions(network)
    taken = sum(bool(wish.order_id) for wish in customers.wishes)
    assert ORDERS // 2 < taken < ORDERS == len(customers.wishes), "more is asked for than there is"
    assert set(kept) == {post.node_id for post in network.posts}, "each agent was killed"
    assert any(post.bench.shelves.taken for post in network.posts), "there was something to steal"
    # On a short day nobody may come for what is missing.
    assert sum(map(has_missed_goods, network.posts)) >= by_length(0, 1), "and somebody has found out"


def has_missed_goods(post: Post) -> bool:
    """Whether the node's book has written goods off that nobody has found on their shelf."""
    with closing(Reader(post.ledger)) as ledger:
        return bool(ledger.rows("SELECT 1 AS missed FROM balance WHERE external = ? AND quantity > 0", COUNT))


@pytest.mark.parametrize(
    ("called", "deaths", "said"),
    [
        ("abcd", 0, []),
        ("abcbcd", 1, []),
        ("abcbcd", 0, ["1 times events were called out again, after 0 deaths"]),
        ("aabcd", 0, ["1 times events were called out again, after 0 deaths"]),
        ("abdc", 2, ["d was called out, and c was not before"]),
        ("abc", 2, ["d was never called out"]),
        ("abcdx", 2, ["x was called out, and anything like it was not before"]),
    ],
)
def test_the_judge_of_webhooks_finds_what_is_missing_doubled_or_out_of_order(
    called: str, deaths: int, said: list[str]
) -> None:
    assert told_once_each_in_order(called, "abcd", deaths) == said


async def stock_up(network: Network, crew: Crew, customers: Customers, products: tuple[Product, ...]) -> None:
    """Goods come in everywhere, and all of them are for sale."""
    await crew.take_in(products, UNITS_PER_SHELF)
    units = UNITS_PER_SHELF * len(network.posts)
    await until_async(lambda: customers.may_buy(units), PATIENCE_S, "stock is for sale", look_s=LOOK_S)


async def turn_the_rules(network: Network, folder: Path) -> None:
    """At the second hub another bundle is put in force: who has least to do is chosen, and no more who is nearest."""
    path = folder / "least-busy.json"
    path.write_bytes(TURNED)
    await network.bodegactl("routing", "activate", str(path), "--reason", "a trial", number=1)


async def check_what_was_told(customers: Customers, endpoint: Receiver, deaths: int) -> None:
    """Return once the endpoint was told of every event; AssertionError with what is missing or out of order."""
    found: list[str] = []

    async def all_is_told() -> bool:
        called = [call.event_id for call in endpoint.calls]
        found[:] = told_once_each_in_order(called, await customers.events(0), deaths)
        return not found

    try:
        await until_async(all_is_told, PATIENCE_S, "every event is called out", look_s=1.0)
    except TimeoutError as error:
        raise AssertionError("\n".join(found[:20])) from error
    assert await customers.events(0) == await customers.events(1), "both instances tell the same"


async def check_decisions(network: Network) -> None:
    """Each was made by the rules of its time and comes out again bit for bit, and all nodes have the newest rules."""
    replays = (await network.bodegactl("routing", "replay"))["replays"]
    assert {one["outcome"] for one in replays} == {"same"}
    listed = await network.bodegactl("routing", "ls")
    (made,) = listed["activations"]
    assert {(one["activation"], one["digest"]) for one in listed["nodes"]} == {(1, made["digest"])}
    simulated = await network.bodegactl("routing", "simulate", "least-busy@1")
    assert simulated["before"]["decisions"] == len(replays)
    assert 0 < len(simulated["changes"]) < len(replays), (
        "some were made by the rules before, and some by these"
    )


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
