"""Picking, packing and labelling one order after the other, led by the screen.

A unit is taken in hand, laid on the tray, scanned; only the beep moves it from shelf to stage. If the agent
dies between trigger and beep, the unit stays in hand, and `settle` decides when the agent is back.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bodega.errors import Unavailable
from bodega.limits import VERDICT_S
from bodega_adapters.simulated.tray_picture import tray_picture
from bodega_agent.demo.bench import Bench
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.handheld import Handheld, Screen, ask
from bodega_agent.demo.plan import (
    Barcode,
    bin_barcode,
    control_barcode,
    item_barcode,
    sscc_barcode,
    typed,
)

WRONG_BIN_CHANCE = 0.05
WRONG_ITEM_CHANCE = 0.04
WRONG_ON_TRAY_CHANCE = 0.04
LABEL_LOOK_S = 0.02
SCALE_LOOK_S = 1.0
_FLOWS = frozenset({"pick", "pack"})
HAND_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class InHand:
    """A unit between trigger and beep."""

    fulfillment_order_id: str
    sku_id: str
    bin_id: str


class PickNotes(Protocol):
    """Where a picker writes down what ought not to be."""

    wrong_scans_taken: list[str]
    right_scans_refused: list[str]
    wrong_scans: int
    wrong_items_shown: int


class Picker:
    """The picking half of an associate.

    `on_unit` is told the order id at the beep of each unit. `in_mid_pick`, when set, is awaited once, between
    trigger and beep of a unit that is neither the first nor the last of its line; `before_pack` is called
    once, before a parcel is closed and its label printed.
    """

    def __init__(
        self,
        bench: Bench,
        handheld: Handheld,
        products: Mapping[str, Product],
        dice: random.Random,
        notes: PickNotes,
        on_unit: Callable[[str], None],
    ) -> None:
        self._bench, self._handheld, self._products = bench, handheld, products
        self._dice, self._notes = dice, notes
        self._order_of: dict[str, str] = {}
        self._bin_id = ""
        self._in_hand: InHand | None = None
        self._on_tray = ""
        self._shown_again: set[tuple[str, str]] = set()
        self._on_unit = on_unit
        self.in_mid_pick: Callable[[], Awaitable[None]] | None = None
        self.before_pack: Callable[[], None] | None = None

    async def settle(self) -> None:
        """The agent is back from the dead: does its count of what was picked have the unit in hand?"""
        if self._in_hand is None:
            return
        held = self._in_hand
        lines = [
            line
            for order in await self._order(held.fulfillment_order_id)
            for line in order["lines"]
            if line["sku_id"] == held.sku_id
        ]
        on_stage = self._bench.shelves.on_stage(held.fulfillment_order_id, held.sku_id)
        self._in_hand = None
        if sum(line["picked"] for line in lines) > on_stage:
            await self._moved(held)
        else:
            self._bench.shelves.put_down(held.bin_id, held.sku_id)

    async def fulfil(self) -> None:
        """CMD-PICK, and then whatever the screen asks for, until it is idle again."""
        screen = self._handheld.screen
        if screen.flow not in _FLOWS:
            if screen.step != "idle":
                await self._handheld.scan(control_barcode("CMD-CANCEL"))
            screen = await self._handheld.scan(control_barcode("CMD-PICK"))
        while screen.flow in _FLOWS:
            screen = await _STEPS.get(screen.step, Picker._follow)(self, screen)

    async def _follow(self, screen: Screen) -> Screen:
        """A step at which nothing is carried: the screen says all that is needed."""
        if not screen.kind:
            return await self._handheld.news(SCALE_LOOK_S)
        if screen.kind == "number":
            return await self._handheld.scan(typed(str(screen.quantity)))
        if screen.kind == "item":
            return await self._handheld.scan(item_barcode(self._products[screen.sku_id]))
        if not screen.values:
            raise Unavailable(f"{self._handheld.device} can not tell what to scan: {screen.text}")
        return await self._handheld.scan(typed(screen.values[0]))

    async def _leave(self, _screen: Screen) -> Screen:
        return await self._handheld.scan(control_barcode("CMD-CANCEL"))

    async def _say_why(self, screen: Screen) -> Screen:
        """Why a shelf gives nothing: there is nothing on it."""
        return await self._handheld.scan(typed("missing" if "missing" in screen.values else screen.values[0]))

    async def _look_for_more(self, screen: Screen) -> Screen:
        """Is the bin empty now? What others have taken and not scanned yet is not there either, so wait for them."""
        place = (self._bin_id, screen.sku_id)
        if self._bench.shelves.hands[place]:
            return await self._handheld.news(HAND_LOOK_S)
        self._bench.shelves.reported_empty.add(place)
        left = self._bench.shelves.on_shelf(*place)
        return await self._handheld.scan(typed(str(left) if left else "yes"))

    async def _go_to_bin(self, screen: Screen) -> Screen:
        if screen.kind == "control":
            # By the book no bin holds it, and this associate knows of none either.
            return await self._handheld.scan(control_barcode("CMD-SHORT"))
        bin_id = screen.values[0]
        if self._dice.random() < WRONG_BIN_CHANCE:
            others = sorted({other for other, _ in self._bench.shelves.bins} - {bin_id})
            await self._scan_wrong(bin_barcode(self._dice.choice(others)))
        self._bin_id = bin_id
        return await self._handheld.scan(bin_barcode(bin_id))

    async def _take_unit(self, screen: Screen) -> Screen:
        sku_id, order = screen.sku_id, screen.fulfillment_order_id
        if not self._bench.shelves.on_shelf(self._bin_id, sku_id):
            if self._bench.shelves.hands[self._bin_id, sku_id]:
                # Somebody beside this one has the last of it in hand, and may yet put it down.
                return await self._handheld.news(HAND_LOOK_S)
            self._bench.shelves.reported_empty.add((self._bin_id, sku_id))
            return await self._handheld.scan(control_barcode("CMD-SHORT"))
        if self._dice.random() < WRONG_ITEM_CHANCE:
            await self._scan_wrong(item_barcode(self._another(sku_id)))
        self._lay_on_tray(self._another(sku_id) if self._slips() else self._products[sku_id])
        return await self._scan_unit(screen, InHand(order, sku_id, self._bin_id))

    async def _scan_unit(self, screen: Screen, held: InHand) -> Screen:
        on_stage = self._bench.shelves.on_stage(held.fulfillment_order_id, held.sku_id)
        before = self._handheld.screen.scan_no
        self._bench.shelves.take(held.bin_id, held.sku_id)
        self._in_hand = held
        self._handheld.point(item_barcode(self._products[held.sku_id]))
        if self.in_mid_pick is not None and on_stage >= 1 and screen.quantity >= 2:
            strike, self.in_mid_pick = self.in_mid_pick, None
            await strike()
        answer = await self._handheld.beep(before)
        self._in_hand = None
        if answer.refused:
            self._bench.shelves.put_down(held.bin_id, held.sku_id)
            # If the order was cancelled meanwhile, the refusal is right.
            if not await self._is_cancelled(held.fulfillment_order_id):
                self._notes.right_scans_refused.append(f"{held.sku_id} in {held.bin_id}: {answer.answer}")
            return answer
        await self._moved(held)
        # The picture must lie still until the camera has said its word.
        return await self._handheld.news_since_beep(VERDICT_S) if self._bench.watched else answer

    async def _moved(self, held: InHand) -> None:
        order = held.fulfillment_order_id
        self._bench.shelves.pick(held.bin_id, held.sku_id, order)
        if order not in self._order_of:
            (row,) = await self._order(order)
            self._order_of[order] = row["order_id"]
        self._on_unit(self._order_of[order])

    async def _check(self, screen: Screen) -> Screen:
        """All is picked. If the camera doubts a line: show it again; if it still does, look and accept."""
        if not screen.kind:
            return await self._handheld.news(VERDICT_S)
        if screen.kind == "control":
            prank, self.before_pack = self.before_pack, None
            if prank is not None:
                prank()
            return await self._handheld.scan(control_barcode("CMD-PACK"))
        doubted = (screen.fulfillment_order_id, screen.sku_id)
        if doubted in self._shown_again:
            return await self._handheld.scan(control_barcode("CMD-ACCEPT"))
        self._shown_again.add(doubted)
        self._lay_on_tray(self._products[screen.sku_id])
        await self._handheld.scan(item_barcode(self._products[screen.sku_id]))
        return await self._handheld.news_since_beep(VERDICT_S)

    async def _stick_label(self, screen: Screen) -> Screen:
        # A printer does not ring: people look what is the matter with it, and a label that waited in it comes out.
        self._bench.look_after_printer()
        if self._bench.label_is_there(screen.sscc):
            return await self._handheld.scan(sscc_barcode(screen.sscc))
        if "CMD-REPRINT" in screen.values:
            return await self._handheld.scan(control_barcode("CMD-REPRINT"))
        return await self._handheld.news(LABEL_LOOK_S)

    async def _scan_wrong(self, barcode: Barcode) -> None:
        """A slip of the hand: the agent must say no, and ask for the same again."""
        step = self._handheld.screen.step
        screen = await self._handheld.scan(barcode)
        self._notes.wrong_scans += 1
        if not screen.refused:
            self._notes.wrong_scans_taken.append(f"{barcode.text} at {step}: {screen.answer}")

    async def _is_cancelled(self, fulfillment_order_id: str) -> bool:
        return any(order["state"] == "cancelled" for order in await self._order(fulfillment_order_id))

    async def _order(self, fulfillment_order_id: str) -> list[dict[str, Any]]:
        """The order as the node has it; none if it has no such order."""
        wanted = {"fulfillment_order_id": fulfillment_order_id}
        found: list[dict[str, Any]] = await ask(self._handheld.socket_path, "orders", **wanted)
        return found

    def _slips(self) -> bool:
        if self._dice.random() >= WRONG_ON_TRAY_CHANCE:
            return False
        self._notes.wrong_items_shown += 1
        return True

    def _another(self, sku_id: str) -> Product:
        return self._products[self._dice.choice([other for other in self._products if other != sku_id])]

    def _lay_on_tray(self, product: Product) -> None:
        if self._bench.watched and self._on_tray != product.sku_id:
            self._on_tray = product.sku_id
            self._bench.tray.show(tray_picture(product.ean13))


_STEPS: dict[str, Callable[[Picker, Screen], Awaitable[Screen]]] = {
    "pick_bin": Picker._go_to_bin,
    "pick_item": Picker._take_unit,
    "pick_check": Picker._check,
    "pick_short": Picker._say_why,
    "pick_zero": Picker._look_for_more,
    "take_over": Picker._leave,
    "pack": Picker._check,
    "label": Picker._stick_label,
}
