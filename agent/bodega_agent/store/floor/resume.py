"""Taking over: whatever is kept by device in any flow goes to the device that goes on with it."""

from __future__ import annotations

from collections.abc import Callable

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.resume.effects import TakeOver
from bodega_agent.rules.floor.session import Session
from bodega_agent.store import counts, receipts, returns, transfer_orders, work
from bodega_agent.store.floor import sessions
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction

# (from device, to device): one of each flow that has rows by device. What is in the session comes along by itself.
HANDS_ON: tuple[Callable[[Transaction, str, str], None], ...] = (
    work.hand_on,
    receipts.hand_on,
    counts.hand_on,
    transfer_orders.hand_on,
    returns.hand_on,
)


def facts(_look: Look) -> Facts:
    """Nothing of its own: what is left is part of the crew."""
    return Facts()


def _take_over(tx: Transaction, context: Context, effect: TakeOver) -> None:
    for hand_on in HANDS_ON:
        hand_on(tx, effect.from_device, context.device)
    there = sessions.load(tx, effect.from_device)
    sessions.save(tx, Session(effect.from_device, actor=there.actor))


DOES: Doers = {TakeOver: _take_over}
