"""Who works at the nodes: one associate each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bodega.errors import Unavailable
from bodega_agent.demo.associate import Associate
from bodega_agent.demo.bench import SCANNER
from bodega_agent.demo.handheld import Handheld
from bodega_agent.demo.plan import Plan, SitePlan
from bodega_agent.demo.regrets import Regrets
from bodega_agent.demo.world import Node, World


@dataclass(frozen=True, slots=True)
class Post:
    """One node with its associate and its part of the plan."""

    node: Node
    associate: Associate
    plan: SitePlan


class Crew:
    """All associates."""

    def __init__(self, plan: Plan, world: World, regrets: Regrets) -> None:
        products = {product.sku_id: product for product in plan.products}
        self.posts: list[Post] = []
        for number, (node, site_plan) in enumerate(zip(world.nodes, plan.sites, strict=True)):
            handheld = Handheld(SCANNER, node.bench.scanner, node.socket)
            dice = random.Random(plan.seed * 1_000 + number)  # noqa: S311 (a story, not a secret)
            self.posts.append(Post(node, Associate(node.bench, handheld, products, dice, regrets), site_plan))

    async def work(self) -> None:
        """Everybody works until `go_home`; an associate who can not go on ends it for all."""
        async with asyncio.TaskGroup() as tasks:
            for post in self.posts:
                tasks.create_task(post.associate.work(), name=f"associate-{post.node.site.node_id}")

    async def settled(self) -> None:
        """Wait until everybody has looked and found nothing to do."""
        await asyncio.gather(*(post.associate.settled() for post in self.posts))

    @contextmanager
    def named_on_failure(self) -> Iterator[None]:
        """When waiting was in vain, the error tells what everybody stands in front of."""
        try:
            yield
        except Unavailable as error:
            screens = "; ".join(
                f"{post.node.site.node_id} after {post.associate.handheld.beeps} scans: "
                f"{post.associate.handheld.last_text}"
                for post in self.posts
            )
            raise Unavailable(f"{error.message}. On the screens: {screens}", hint=error.hint) from error

    def go_home(self) -> None:
        """Everybody stops when nothing is open."""
        for post in self.posts:
            post.associate.go_home()

    def steal(self) -> None:
        """At night, things go from shelves."""
        for post in self.posts:
            for theft in post.plan.thefts:
                post.node.bench.shelves.steal(theft.bin_id, theft.sku_id, theft.units)
