"""When the orders are placed, repeated and cancelled. Pure.

The node that is cut off gets most of its orders beforehand, so that it has work without a network. The node
that is killed gets an order of several units at the right time, so that it can be killed between two of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bodega_agent.demo.plan import Cancel, OrderPlan, Repeat, Wave, kill_wave

CUSTOMERS_PER_CANCEL = 8
CANCELS_MIN = 4
REPEATS_EVERY = 5
KILL_UNITS = 4

# One turn after the other, until enough customers have changed their mind.
_CANCELS = (
    (Cancel.OFFLINE, Wave.BEFORE),
    (Cancel.OFFLINE, Wave.DURING),
    (Cancel.IN_PICK, Wave.DURING),
    (Cancel.AT_ONCE, Wave.AFTER),
    (Cancel.IN_PICK, Wave.AFTER),
)


def timetable(
    arranged: Sequence[OrderPlan], everyday: Sequence[OrderPlan], *, cut_site: int
) -> tuple[OrderPlan, ...]:
    """All orders in the order of placing. The arranged ones (they meet a short shelf) are never cancelled."""
    timed = sorted(
        _with_waves([*arranged, *everyday], cut_site), key=lambda order: list(Wave).index(order.wave)
    )
    kept = {order.key for order in arranged}
    kept.add(_make_killable(timed, kill_wave(cut_site)))
    _cancel_some(timed, kept, cut_site)
    return tuple(
        replace(order, reference=f"web-{number:04d}", repeat=_repeat(number))
        for number, order in enumerate(timed, start=1)
    )


def _with_waves(orders: Sequence[OrderPlan], cut_site: int) -> list[OrderPlan]:
    totals = Counter(order.site for order in orders)
    placed: Counter[int] = Counter()
    timed = []
    for order in orders:
        before = 0.65 if order.site == cut_site else 0.45
        share = placed[order.site] / totals[order.site]
        placed[order.site] += 1
        wave = Wave.BEFORE if share < before else Wave.DURING if share < 0.85 else Wave.AFTER
        timed.append(replace(order, wave=wave))
    return timed


def _make_killable(orders: list[OrderPlan], wave: Wave) -> str:
    """Let the last order of this wave at the node to be killed have several units; returns its key."""
    place = max(n for n, order in enumerate(orders) if order.site == 0 and order.wave is wave)
    order = orders[place]
    lines = ((order.lines[0][0], max(order.lines[0][1], KILL_UNITS)), *order.lines[1:])
    orders[place] = replace(order, lines=lines)
    return order.key


def _cancel_some(orders: list[OrderPlan], kept: set[str], cut_site: int) -> None:
    for turn in range(max(CANCELS_MIN, len(orders) // CUSTOMERS_PER_CANCEL)):
        cancel, wave = _CANCELS[turn % len(_CANCELS)]
        for place, order in enumerate(orders):
            fits = order.wave is wave and (order.site == cut_site) == (
                cancel is Cancel.OFFLINE or cut_site == 0
            )
            if fits and order.cancel is Cancel.NEVER and order.key not in kept:
                orders[place] = replace(order, cancel=cancel)
                break


def _repeat(number: int) -> Repeat:
    turn = number % REPEATS_EVERY
    return {1: Repeat.LATER, 3: Repeat.AT_ONCE}.get(turn, Repeat.NEVER)
