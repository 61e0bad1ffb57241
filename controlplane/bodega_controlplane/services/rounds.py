"""What the hub looks after by itself, round after round: of several hubs on one database one does each round."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from bodega.limits import LOT_SWEEP_S, REBALANCE_S, ROUND_JITTER_RATIO
from bodega.limits_events import ERASE_ROUND_S, EVENTS_TRIM_S
from bodega.limits_hub import IDEMPOTENCY_TRIM_S
from bodega_controlplane.app import idempotency
from bodega_controlplane.app.goods import lots, rebalancing
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.privacy.erasing import erase_ended
from bodega_controlplane.app.telling import events
from bodega_controlplane.app.views import Caller
from bodega_controlplane.services.attempts import attempt
from bodega_controlplane.store import meta


class Round(NamedTuple):
    """What is done every so often, and its name in the database."""

    name: str
    every_s: float
    work: Callable[[Hub, Caller], Awaitable[object]]


async def _judge_lots(hub: Hub, caller: Caller) -> None:
    await hub.run(partial(lots.judge_all, now_ms=caller.now_ms))


async def _trim_events(hub: Hub, caller: Caller) -> None:
    await hub.run(partial(events.trim, caller=caller))


async def _erase_recipients(hub: Hub, caller: Caller) -> None:
    while await hub.run(partial(erase_ended, caller=caller, kept_days=hub.recipients_kept_days)):
        pass


ROUNDS = (
    Round("rebalanced_at_ms", REBALANCE_S, rebalancing.rebalance),
    Round("lots_judged_at_ms", LOT_SWEEP_S, _judge_lots),
    Round("events_trimmed_at_ms", EVENTS_TRIM_S, _trim_events),
    Round("recipients_erased_at_ms", ERASE_ROUND_S, _erase_recipients),
    Round("answers_forgotten_at_ms", IDEMPOTENCY_TRIM_S, idempotency.forget_old),
)


async def keep(hub: Hub) -> None:
    """Until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for one in ROUNDS:
            tasks.create_task(_repeat(hub, one), name=one.name)


async def _repeat(hub: Hub, one: Round) -> None:
    while True:
        jitter = random.uniform(1 - ROUND_JITTER_RATIO, 1 + ROUND_JITTER_RATIO)  # noqa: S311 - no secret
        await asyncio.sleep(one.every_s * jitter)
        await do(hub, one)


async def do(hub: Hub, one: Round) -> None:
    """One round, unless another hub has done it within half its time."""
    caller = hub.caller("hub", "hub")
    mine = partial(meta.claim, name=one.name, now_ms=caller.now_ms, every_ms=int(one.every_s * 500))
    with attempt("round_failed", round=one.name):
        if await hub.run(mine):
            await one.work(hub, caller)
