"""Who works at the nodes: one associate each."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass

from bodega.errors import Unavailable
from bodega_agent.demo.associate import Associate
from bodega_agent.demo.bench import SCANNER
from bodega_agent.demo.handheld import AgentGone, Handheld, ask
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

    async def where(self) -> str:
        """What everybody stands in front of, and how far their node is with the hub: for an error's text."""
        said = []
        for post in self.posts:
            handheld = post.associate.handheld
            with suppress(AgentGone, Unavailable):
                sync = await ask(post.node.socket, "sync")
                said.append(
                    f"{post.node.site.node_id}: up {sync['acked_seq']} of {sync['head_seq']} acknowledged, "
                    f"down {sync['down_seq']} of {sync['down_head_seq']}, {handheld.beeps} scans, "
                    f"the screen shows: {handheld.last_text}"
                )
        return "; ".join(said)

    def go_home(self) -> None:
        """Everybody stops when nothing is open."""
        for post in self.posts:
            post.associate.go_home()

    def steal(self) -> None:
        """At night, things go from shelves."""
        for post in self.posts:
            for theft in post.plan.thefts:
                post.node.bench.shelves.steal(theft.bin_id, theft.sku_id, theft.units)
