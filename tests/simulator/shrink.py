"""Makes a plan that breaks shorter while it still breaks in the same way (delta debugging: Zeller, 2002)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simulator.plan import Plan

TRIES_MAX = 400


def keeping(plan: Plan, numbers: frozenset[int]) -> Plan:
    """The plan with only these steps."""
    return replace(plan, steps=tuple(step for step in plan.steps if step.number in numbers))


def shrink(plan: Plan, breaks: Callable[[Plan], bool]) -> Plan:
    """A plan of fewest steps that was found to break; every single one of them is needed, if tries sufficed."""
    tries = 0
    parts = 2
    while len(plan.steps) > 1 and tries < TRIES_MAX:
        size = max(1, len(plan.steps) // parts)
        for begin in range(0, len(plan.steps), size):
            fewer = replace(plan, steps=plan.steps[:begin] + plan.steps[begin + size :])
            tries += 1
            if breaks(fewer):
                plan, parts = fewer, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(plan.steps), parts * 2)
    return plan
