"""The people at the nodes: one associate each, with a scanner on a pseudo-terminal; goods come in for them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bodega_agent.demo.associate import Associate
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.gather import skus_known
from bodega_agent.demo.handheld import Handheld
from bodega_agent.demo.plan import Intake
from bodega_agent.demo.regrets import Moments
from support.network.processes import Network, Post
from support.waiting import until


class Crew:
    """`associates[n]` works at the network's `posts[n]`."""

    def __init__(self, network: Network, products: Sequence[Product], moments: Moments, seed: int) -> None:
        known = {product.sku_id: product for product in products}
        self.posts = network.posts
        self.associates = [
            self._associate(post, known, moments, random.Random(seed + number))
            for number, post in enumerate(network.posts)
        ]

    @staticmethod
    def _associate(
        post: Post, products: dict[str, Product], moments: Moments, dice: random.Random
    ) -> Associate:
        ((name, scanner),) = post.bench.scanners.items()
        handheld = Handheld(name, scanner, post.socket)
        return Associate(post.bench, handheld, products, dice, moments, person=post.site.people[0])

    async def take_in(self, products: Sequence[Product], units: int) -> None:
        """So many units of each product come to each node that knows them, a case of each, and are put away."""
        ledgers = [post.ledger for post in self.posts]
        await until(
            lambda: {skus_known(ledger) for ledger in ledgers} == {len(products)}, what="all is known"
        )
        for post, associate in zip(self.posts, self.associates, strict=True):
            bins = post.site.bins
            associate.deliver(
                [Intake(product, bins[number], (units,), 0) for number, product in enumerate(products)]
            )
        await self.settled()

    def steal(self, per_node: int, dice: random.Random) -> None:
        """From some shelves of each node, where nobody has found any empty yet, a unit goes, and no scan says so."""
        for post in self.posts:
            shelves = post.bench.shelves
            full = sorted(
                place
                for place, units in shelves.bins.items()
                if units and place not in shelves.reported_empty and not shelves.hands[place]
            )
            for bin_id, sku_id in dice.sample(full, min(per_node, len(full))):
                shelves.steal(bin_id, sku_id, 1)

    async def settled(self) -> None:
        """Return once everybody has looked and found nothing to do."""
        await asyncio.gather(*(associate.settled() for associate in self.associates))


@asynccontextmanager
async def at_work(crew: Crew) -> AsyncIterator[None]:
    """Everybody works inside, and goes home at the end; who can not go on ends it for all."""
    async with asyncio.TaskGroup() as tasks:
        for associate in crew.associates:
            tasks.create_task(associate.work())
        yield
        for associate in crew.associates:
            associate.go_home()
