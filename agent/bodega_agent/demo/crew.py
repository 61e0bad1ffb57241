"""Who works at the nodes: as many associates at each as the plan says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bodega.errors import Unavailable
from bodega_agent.demo.associate import Associate
from bodega_agent.demo.handheld import AgentGone, Handheld, ask
from bodega_agent.demo.plan import Intake, Plan, SitePlan
from bodega_agent.demo.regrets import Regrets
from bodega_agent.demo.world import Node, World


@dataclass(frozen=True, slots=True)
class Post:
    """One node with its associates and its part of the plan."""

    node: Node
    associates: tuple[Associate, ...]
    plan: SitePlan

    def deliver(self, intakes: Sequence[Intake]) -> None:
        """A lorry arrives: everybody takes their share in."""
        for number, associate in enumerate(self.associates):
            associate.deliver(list(intakes[number :: len(self.associates)]))

    async def settled(self) -> None:
        """Wait until everybody has looked and found nothing to do."""
        await asyncio.gather(*(associate.settled() for associate in self.associates))


class Crew:
    """All associates."""

    def __init__(self, plan: Plan, world: World, regrets: Regrets) -> None:
        products = {product.sku_id: product for product in plan.products}
        self.posts: list[Post] = []
        for number, (node, site_plan) in enumerate(zip(world.nodes, plan.sites, strict=True)):
            people = [
                Associate(
                    node.bench,
                    Handheld(name, scanner, node.socket),
                    products,
                    random.Random(plan.seed * 1_000 + number * len(node.bench.scanners) + place),  # noqa: S311 (a story, not a secret)
                    regrets,
                    person=node.site.people[place],
                )
                for place, (name, scanner) in enumerate(node.bench.scanners.items())
            ]
            self.posts.append(Post(node, tuple(people), site_plan))

    async def work(self) -> None:
        """Everybody works until `go_home`; an associate who can not go on ends it for all."""
        async with asyncio.TaskGroup() as tasks:
            for post in self.posts:
                for person in post.associates:
                    name = f"associate-{post.node.site.node_id}-{person.handheld.device}"
                    tasks.create_task(person.work(), name=name)

    async def settled(self) -> None:
        """Wait until everybody has looked and found nothing to do."""
        await asyncio.gather(*(post.settled() for post in self.posts))

    async def where(self) -> str:
        """What everybody stands in front of, and how far their node is with the hub: for an error's text."""
        said = []
        for post in self.posts:
            with suppress(AgentGone, Unavailable):
                sync = await ask(post.node.socket, "sync")
                said.append(
                    f"{post.node.site.node_id}: up {sync['acked_seq']} of {sync['head_seq']} acknowledged, "
                    f"down {sync['down_seq']} of {sync['down_head_seq']}"
                )
            for person in post.associates:
                handheld, wrong = person.handheld, person.notes.right_scans_refused
                shows = f"{handheld.device}: {handheld.beeps} scans, the screen shows: {handheld.last_text}"
                said.append(shows + (f" (refused: {wrong[0]})" if wrong else ""))
        return "; ".join(said)

    def go_home(self) -> None:
        """Everybody stops when nothing is open."""
        for post in self.posts:
            for person in post.associates:
                person.go_home()

    def steal(self) -> None:
        """At night, things go from shelves."""
        for post in self.posts:
            for theft in post.plan.thefts:
                post.node.bench.shelves.steal(theft.bin_id, theft.sku_id, theft.units)
