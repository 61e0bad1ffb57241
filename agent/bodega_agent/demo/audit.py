"""Puts the evidence of a finished run together, from every witness, while everything still runs."""

from __future__ import annotations

import asyncio

from bodega_agent.demo import gather
from bodega_agent.demo.crew import Crew, Post
from bodega_agent.demo.evidence import Evidence, Site
from bodega_agent.demo.faults import Kill
from bodega_agent.demo.handheld import ask
from bodega_agent.demo.plan import Plan
from bodega_agent.demo.shop import Shop
from bodega_agent.demo.witness import read_streams
from bodega_agent.demo.world import World


async def collect(plan: Plan, world: World, shop: Shop, crew: Crew, kill: Kill) -> Evidence:
    """The evidence; `kill` knows what lay in the killed node's file just before."""
    sites = await asyncio.gather(*(_site(post, kill) for post in crew.posts))
    audit = await world.bodegactl("audit", "verify")
    return Evidence(
        plan=plan,
        sites=tuple(sites),
        centre=gather.centre_of(world.hub_database, [site.node_id for site in sites], audit),
        wire=gather.wire_of(*await read_streams(world.broker)),
        till=await gather.till_of(shop),
    )


async def _site(post: Post, kill: Kill) -> Site:
    verified = await ask(post.node.socket, "ledger.verify")
    was_killed = kill.post is post
    return Site(
        post.node.site.node_id,
        gather.floor_of(post.node.bench, [person.notes for person in post.associates]),
        gather.ledger_of(
            post.node.ledger, verified=bool(verified["ok"]), kept=kill.kept if was_killed else ()
        ),
        cuts=tuple(post.node.cable.cuts),
        deaths=(kill.outage,) if was_killed and kill.outage else (),
    )
