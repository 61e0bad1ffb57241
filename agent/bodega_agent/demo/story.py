"""The run itself, from the empty building to the last parcel: what happens, and in which order.

Nothing is timed by a clock: each chapter begins when the world is seen to be ready for it, with a bound on how
long that may take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from bodega.errors import Unavailable
from bodega_agent.demo import gather
from bodega_agent.demo.crew import Crew, Post
from bodega_agent.demo.faults import Kill, trouble_printer
from bodega_agent.demo.handheld import AgentGone, ask
from bodega_agent.demo.patience import until
from bodega_agent.demo.plan import OrderPlan, Plan, Wave
from bodega_agent.demo.progress import Progress
from bodega_agent.demo.regrets import Regrets
from bodega_agent.demo.shop import Shop
from bodega_agent.demo.tally import FINAL_STATES
from bodega_agent.demo.world import World

CUSTOMERS_AT_ONCE = 4
PATIENCE_S, PATIENCE_PER_ORDER_S = 60.0, 1.0


class Story:
    """One run over a started world, with a crew at work; `tell` is all of it."""

    def __init__(
        self, plan: Plan, world: World, shop: Shop, regrets: Regrets, crew: Crew, progress: Progress
    ) -> None:
        self._plan, self._world, self._shop, self._crew = plan, world, shop, crew
        self._regrets, self._progress = regrets, progress
        self._patience_s = PATIENCE_S + PATIENCE_PER_ORDER_S * len(plan.orders)
        self.kill = Kill(crew.posts[plan.killed_site])

    async def tell(self) -> None:
        """Everything, until nothing is left to do and both sides know all of each other."""
        await self._load_catalogue()
        await self._stock_up()
        await self._open_shop()
        await self._cut_and_kill()
        await self._after_the_heal()
        await self._until_quiet()

    async def _load_catalogue(self) -> None:
        products = self._plan.products
        self._progress.chapter(f"loading {len(products)} SKUs")
        await self._shop.load(products)
        await self._until(
            "the nodes to know the catalogue",
            lambda: all(gather.skus_known(post.node.ledger) == len(products) for post in self._crew.posts),
        )

    async def _stock_up(self) -> None:
        units = sum(intake.units for post in self._crew.posts for intake in post.plan.intakes)
        self._progress.chapter(f"receiving and putting away {units} units by scanning")
        for post in self._crew.posts:
            post.deliver(post.plan.intakes)
        await self._bounded("the stock to be put away", self._crew.settled())
        self._crew.steal()
        await self._until("the centre to know the stock", self._all_acknowledged)

    async def _open_shop(self) -> None:
        wave = self._plan.wave(Wave.BEFORE)
        self._progress.chapter(
            f"{len(wave) + len(self._plan.race)} customers order, {len(self._plan.beyond)} ask too much"
        )
        trouble_printer(self._crew.posts[0])
        await self._place([*self._plan.race, *wave, *self._plan.beyond])
        cut = self._crew.posts[self._plan.cut_site]
        mine = sum(1 for order in wave if order.site == self._plan.cut_site)
        await self._until("the node to have work for a while", lambda: self._has_orders(cut, mine))

    async def _cut_and_kill(self) -> None:
        plan = self._plan
        cut, killed = self._crew.posts[plan.cut_site], self._crew.posts[plan.killed_site]
        cut.node.cable.cut()
        self._progress.chapter(f"{cut.node.site.node_id} is cut off and goes on working")
        cut.deliver(cut.plan.late_intakes)
        kill_now = plan.kill_wave is Wave.DURING
        if kill_now:
            self.kill.arm()
        await self._place(plan.wave(Wave.DURING))
        if kill_now:
            await self._bounded("the kill in mid-pick", self._until_killed(killed))
        await self._bounded("the node without a network to finish its work", cut.settled())
        cut.node.cable.heal()
        self._progress.chapter(f"{cut.node.site.node_id} is connected again")

    async def _until_killed(self, killed: Post) -> None:
        await self.kill.done.wait()
        self._progress.chapter(f"{killed.node.site.node_id} was killed in mid-pick and started again")

    async def _after_the_heal(self) -> None:
        plan = self._plan
        if plan.kill_wave is Wave.AFTER:
            self.kill.arm()
        await self._place(plan.wave(Wave.AFTER))
        if plan.kill_wave is Wave.AFTER:
            await self._bounded(
                "the kill in mid-pick", self._until_killed(self._crew.posts[plan.killed_site])
            )

    async def _until_quiet(self) -> None:
        self._progress.chapter("finishing every order")
        await self._regrets.settle()
        await self._until("every order to end", self._all_final)
        await self._bounded("everything to be put back and handed over", self._crew.settled())
        self._progress.chapter("waiting until both sides know all of each other")
        await self._until("both sides to know all of each other", self._all_acknowledged)

    async def _place(self, orders: Iterable[OrderPlan]) -> None:
        """Customers come a few at a time; each cancels when their plan says so."""
        gate = asyncio.Semaphore(CUSTOMERS_AT_ONCE)

        async def one(order: OrderPlan) -> None:
            async with gate:
                receipt = await self._shop.place(order)
            self._regrets.placed(order, receipt.order_id)

        await asyncio.gather(*(one(order) for order in orders))

    async def _until(self, what: str, is_so: Callable[[], bool | Awaitable[bool]]) -> None:
        try:
            await until(what, is_so, seconds=self._patience_s)
        except Unavailable as error:
            raise Unavailable(f"{error.message}. {await self._crew.where()}", hint=error.hint) from error

    async def _bounded(self, what: str, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        try:
            await self._until(what, task.done)
            await task
        finally:
            task.cancel()

    async def _has_orders(self, post: Post, count: int) -> bool:
        orders = await ask(post.node.socket, "orders")
        return len(orders) >= count

    async def _all_final(self) -> bool:
        orders = await self._shop.orders()
        done = sum(1 for order in orders if order["state"] in FINAL_STATES)
        self._progress.orders(done, len(orders))
        return done == len(orders)

    async def _all_acknowledged(self) -> bool:
        """Whether each node's head is acknowledged and has applied all that the hub has for it."""
        heads = gather.down_heads(self._world.hub_database)
        try:
            answers = [await ask(post.node.socket, "sync") for post in self._crew.posts]
        except AgentGone:
            return False
        return all(
            answer["acked_seq"] == answer["head_seq"] == gather.acked_in(post.node.ledger)
            and answer["down_seq"] == heads[post.node.site.node_id]
            for post, answer in zip(self._crew.posts, answers, strict=True)
        )
