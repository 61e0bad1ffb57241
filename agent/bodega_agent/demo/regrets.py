"""Customers who change their mind, each at the moment that their plan names.

The moments come from the floor (a unit in the associate's hand, a parcel given to the carrier), so a cancel
meets an order in a known stage however fast the machine is.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from bodega_agent.demo.plan import Cancel, OrderPlan, Wave
from bodega_agent.demo.shop import Shop


class Moments(Protocol):
    """Who hears of what an associate does, because customers may regret it then."""

    def unit_in_hand(self, order_id: str) -> None:
        """An associate has picked a unit of this order."""

    def parcel_gone(self, order_id: str) -> None:
        """The carrier has the parcel of this order."""


class Regrets:
    """Hears of moments and cancels. `settle` waits for every answer and raises what went wrong."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._waiting: dict[tuple[str, Cancel], OrderPlan] = {}
        self._past: set[tuple[str, Cancel]] = set()
        self._asked: list[asyncio.Task[int]] = []

    def placed(self, order: OrderPlan, order_id: str) -> None:
        """An order was taken: cancel it now, or when its moment comes (which may be over already)."""
        # An order that waits for a node without network is cancelled before the node ever hears of it.
        at_once = order.cancel is Cancel.AT_ONCE or (order.cancel, order.wave) == (
            Cancel.OFFLINE,
            Wave.DURING,
        )
        moment = (order_id, order.cancel)
        if at_once or moment in self._past:
            self._cancel(order)
        elif order.cancel is not Cancel.NEVER:
            self._waiting[moment] = order

    def unit_in_hand(self, order_id: str) -> None:
        """An associate has picked a unit of this order."""
        self._moment((order_id, Cancel.IN_PICK))

    def parcel_gone(self, order_id: str) -> None:
        """The carrier has the parcel of this order."""
        self._moment((order_id, Cancel.OFFLINE))

    async def settle(self) -> None:
        """Wait for all answers."""
        await asyncio.gather(*self._asked)

    def _moment(self, moment: tuple[str, Cancel]) -> None:
        self._past.add(moment)
        order = self._waiting.pop(moment, None)
        if order is not None:
            self._cancel(order)

    def _cancel(self, order: OrderPlan) -> None:
        self._asked.append(asyncio.create_task(self._shop.cancel(order)))
