"""One associate at one node: does what the hand-held says, with hands, eyes and a few mistakes.

They know nothing of Bodega but the screen and the list of tasks. They move real units (`Shelves`), so what
they count is the truth; they report an empty shelf only when it is empty, ask for a new label only when there
is none, and after the agent has died they look at its screen before they touch anything again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bodega_agent.demo.bench import Bench
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.crew_list import Person
from bodega_agent.demo.handheld import AgentGone, Handheld, ask
from bodega_agent.demo.picking import Picker
from bodega_agent.demo.places import QUALITY_BIN
from bodega_agent.demo.plan import (
    Barcode,
    Intake,
    badge_barcode,
    bin_barcode,
    control_barcode,
    item_barcode,
    sscc_barcode,
    typed,
)
from bodega_agent.demo.regrets import Moments

LOOK_S = 0.05
PARCELS_PER_HANDOVER = 3
# Work that waits for anybody; what is begun belongs to a device.
_WAITING, _BEGUN = {"assigned"}, {"picking", "picked", "packed"}
# What was picked for such an order is to be put back.
_GIVEN_UP = {"cancelled", "handed_back", "expired", "short"}

Json = dict[str, Any]


@dataclass(slots=True)
class Notes:
    """What an associate notices that ought not to be; each a sentence. All empty in a good run."""

    wrong_scans_taken: list[str] = field(default_factory=list)
    right_scans_refused: list[str] = field(default_factory=list)
    wrong_scans: int = 0
    wrong_items_shown: int = 0


class Associate:
    """Works until `go_home`. Give them goods to take in with `deliver`; orders they find on the screen."""

    def __init__(
        self,
        bench: Bench,
        handheld: Handheld,
        products: dict[str, Product],
        dice: random.Random,
        regrets: Moments,
        *,
        person: Person | None = None,
    ) -> None:
        self.bench = bench
        self.handheld = handheld
        self.notes = Notes()
        self.picker = Picker(bench, handheld, products, dice, self.notes, on_unit=regrets.unit_in_hand)
        self._person = person
        self._products = products
        self._lorry: list[Intake] = []
        self._going_home = False
        self._idle = asyncio.Event()
        self._regrets = regrets
        self._settle_doubt: Callable[[], Awaitable[None]] | None = None

    def deliver(self, intakes: list[Intake]) -> None:
        """A lorry arrives: to be received and put away before anything else."""
        self._lorry += intakes
        self._idle.clear()

    def go_home(self) -> None:
        """Finish what is open now, and then stop."""
        self._idle.clear()
        self._going_home = True

    async def settled(self) -> None:
        """Wait until there was nothing left to do at one look at least."""
        self._idle.clear()
        await self._idle.wait()

    async def work(self) -> None:
        """Until `go_home` and nothing is open."""
        try:
            await self.handheld.connect()
            while not (self._going_home and self._idle.is_set()):
                await self._look_and_work()
        finally:
            await self.handheld.close()

    async def _look_and_work(self) -> None:
        try:
            if await self._do_something():
                return
            self._idle.set()
            # The screen of an idle hand-held does not ring when an order comes in: people look.
            await asyncio.sleep(LOOK_S)
        except AgentGone:
            await self._until_the_agent_is_back()

    async def _until_the_agent_is_back(self) -> None:
        while True:
            await self.handheld.connect()
            with suppress(AgentGone):
                await self.picker.settle()
                if self._settle_doubt is not None:
                    await self._settle_doubt()
                    self._settle_doubt = None
                return

    async def _do_something(self) -> bool:
        """The most urgent thing; False if there is nothing to do."""
        tasks = await self._ask("tasks")
        if self._person is not None and (tasks or self._lorry):
            await self._sign_in(self._person)
            self._person = None
        if self._lorry:
            await self._take_in(self._lorry[0])
            self._lorry.pop(0)
            return True
        if await self._put_something_back(tasks) or await self._hand_something_over(tasks):
            return True
        if any(self._is_for_me(task) for task in tasks):
            await self.picker.fulfil()
            return True
        return False

    async def _sign_in(self, person: Person) -> None:
        if not person.pin:
            await self._scan(badge_barcode(person.badge))
            return
        await self._scan(typed(person.associate_id))
        await self._scan(typed(person.pin))

    def _is_for_me(self, task: Json) -> bool:
        state, mine = task.get("state"), task.get("device") == self.handheld.device
        return state in _WAITING or (state in _BEGUN and mine)

    async def _put_something_back(self, tasks: list[Json]) -> bool:
        """One person at a time for all units of a SKU: nobody can tell by looking which order one was picked for."""
        waiting = [task for task in tasks if task["kind"] == "put_back"]
        for task in waiting:
            goods = ("put_back", task["sku_id"])
            if self.bench.shelves.is_in_hand(task["sku_id"]):
                # Somebody may be about to lay it there, or does not know yet whether it lies there by the book.
                continue
            if self.bench.huddle.takes(goods):
                with self._having([goods]):
                    await self._put_back(task)
                return True
        return False

    async def _stages_with(self, sku_id: str) -> list[Json]:
        """What waits of a SKU on the stages of cancelled orders, as the node says now."""
        tasks = await self._ask("tasks")
        return [task for task in tasks if task["kind"] == "put_back" and task["sku_id"] == sku_id]

    async def _hand_something_over(self, tasks: list[Json]) -> bool:
        """Give finished parcels to the carrier, once there are a few of them or nothing else is to be done."""
        huddle = self.bench.huddle
        ready = [
            task for task in tasks if task.get("state") == "labelled" and not huddle.is_taken(task["sscc"])
        ]
        others = any(self._is_for_me(task) for task in tasks)
        if not ready or (others and len(ready) < PARCELS_PER_HANDOVER):
            return False
        mine = [parcel for parcel in ready if huddle.takes(parcel["sscc"])]
        with self._having([parcel["sscc"] for parcel in mine]):
            await self._hand_over(mine)
        return True

    @contextmanager
    def _having(self, things: Sequence[object]) -> Iterator[None]:
        """Things that were taken are left at the end; if the agent dies over a scan of one, once its fate is known."""
        try:
            yield
        finally:
            doubt, self._settle_doubt = self._settle_doubt, None
            if doubt is None:
                self._leave(things)
            else:
                self._settle_doubt = partial(self._settle, doubt, things)

    async def _settle(self, doubt: Callable[[], Awaitable[None]], things: Sequence[object]) -> None:
        await doubt()
        self._leave(things)

    def _leave(self, things: Sequence[object]) -> None:
        for thing in things:
            self.bench.huddle.leaves(thing)

    async def _take_in(self, intake: Intake) -> None:
        """Receive every case and item, then carry each to its bin."""
        sku_id, shelves = intake.product.sku_id, self.bench.shelves
        await self._start("CMD-RECEIVE")
        for barcode in intake.barcodes():
            if await self._scan(barcode):
                shelves.unload(sku_id, barcode.units)
        if intake.damaged:
            await self._set_apart(intake)
        await self._scan(control_barcode("CMD-DONE"))
        await self._start("CMD-PUTAWAY")
        for barcode in intake.barcodes():
            await self._scan(barcode)
            await self._say_which("sellable")
            await self._put_into(intake.bin_id, sku_id, barcode.units)
        if intake.damaged:
            await self._scan(item_barcode(intake.product))
            await self._say_which("damaged")
            await self._scan(typed(str(intake.damaged)))
            await self._put_into(QUALITY_BIN, sku_id, intake.damaged)
        await self._scan(control_barcode("CMD-DONE"))

    async def _set_apart(self, intake: Intake) -> None:
        """Broken units are received like all others, and then said to be broken."""
        await self._scan(item_barcode(intake.product))
        for answer in (str(intake.damaged), "damaged", str(intake.damaged)):
            await self._scan(typed(answer))
        self.bench.shelves.unload(intake.product.sku_id, intake.damaged)

    async def _say_which(self, sort: str) -> None:
        """Where goods of one SKU wait in two sorts, a person says which are in hand."""
        if self.handheld.screen.step == "putaway_which":
            await self._scan(typed(sort))

    async def _put_into(self, bin_id: str, sku_id: str, units: int) -> None:
        """Into the bin of the plan; if the node would rather have another one, there is a reason."""
        screen = await self.handheld.scan(bin_barcode(bin_id))
        if screen.step == "putaway_reason":
            screen = await self.handheld.scan(typed(screen.values[-1]))
        if screen.refused:
            self.notes.right_scans_refused.append(f"{bin_id} at {screen.step}: {screen.answer}")
        else:
            self.bench.shelves.put_away(sku_id, units, bin_id)

    async def _put_back(self, task: Json) -> None:
        """Goods of a cancelled order go back to the bin that they came from.

        Who had this SKU before may have put it away since the list was read; an order that is cancelled meanwhile may
        bring more of it, of which the book may take first; and as units of a SKU look alike, an earlier put-back may
        have been booked from one order and taken from the stage of another.
        """
        sku_id, quantity, shelves = task["sku_id"], task["quantity"], self.bench.shelves
        before = await self._stages_with(sku_id)
        if task not in before:
            return
        bin_id = shelves.came_from(task["fulfillment_order_id"], sku_id)
        await self._start("CMD-PUTAWAY")
        for _ in range(quantity):
            await self._scan(item_barcode(self._products[sku_id]))

        async def moved() -> None:
            now = await self._stages_with(sku_id)
            stages = dict.fromkeys(one["fulfillment_order_id"] for one in (*before, *now))
            others = [one for one in shelves.stages_with(sku_id) if one not in stages]
            given_up = [one for one in others if await self._is_given_up(one)]
            shelves.put_back([*stages, *given_up], sku_id, quantity, bin_id)

        async def settle() -> None:
            if task not in await self._ask("tasks"):
                await moved()

        self._settle_doubt = settle
        if await self._scan(bin_barcode(bin_id)):
            await moved()
        self._settle_doubt = None
        await self._scan(control_barcode("CMD-DONE"))

    async def _is_given_up(self, fulfillment_order_id: str) -> bool:
        """Whether what lies on its stage is nobody's any more."""
        (order,) = await self._ask("orders", fulfillment_order_id=fulfillment_order_id)
        return order["state"] in _GIVEN_UP

    async def _hand_over(self, parcels: list[Json]) -> None:
        """Give finished parcels to the carrier; one that was cancelled meanwhile is refused and stays."""
        await self._start("CMD-HANDOVER")
        for parcel in parcels:

            async def settle(parcel: Json = parcel) -> None:
                wanted = parcel["fulfillment_order_id"]
                if any(
                    order["state"] == "shipped"
                    for order in await self._ask("orders", fulfillment_order_id=wanted)
                ):
                    self._gone(parcel)

            self._settle_doubt = settle
            screen = await self.handheld.scan(sscc_barcode(parcel["sscc"]))
            self._settle_doubt = None
            if not screen.refused:
                self._gone(parcel)
        await self._scan(control_barcode("CMD-DONE"))

    def _gone(self, parcel: Json) -> None:
        self.bench.shelves.hand_over(parcel["fulfillment_order_id"])
        self._regrets.parcel_gone(parcel["order_id"])

    async def _start(self, word: str) -> None:
        """Begin a flow, leaving whatever the hand-held was in."""
        if self.handheld.screen.step != "idle":
            await self.handheld.scan(control_barcode("CMD-CANCEL"))
        await self._scan(control_barcode(word))

    async def _scan(self, barcode: Barcode) -> bool:
        """A scan that ought to be taken; a refusal is noted."""
        screen = await self.handheld.scan(barcode)
        if screen.refused:
            self.notes.right_scans_refused.append(f"{barcode.text} at {screen.step}: {screen.answer}")
        return not screen.refused

    async def _ask(self, op: str, **arguments: str) -> Any:
        return await ask(self.handheld.socket_path, op, **arguments)
