"""A device is gone after three misses, or when it hangs up; people hear of it once, and once when it is back."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from bodega.limits import DEVICE_BACKOFF_BASE_S, DEVICE_BACKOFF_MAX_S, DEVICE_MISSES_BEFORE_GONE
from bodega_adapters.presence import Presence


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def told(logs: list) -> list[str]:
    return [line["event"] for line in logs]


def test_it_takes_three_misses_to_be_gone_and_one_answer_to_be_back():
    presence = Presence("printer", "p1", clock=Clock())
    with capture_logs() as logs:
        for miss in range(1, DEVICE_MISSES_BEFORE_GONE + 3):
            presence.missed("refused")
            assert presence.lost == (miss >= DEVICE_MISSES_BEFORE_GONE)
        presence.answered()
        presence.answered()
    assert told(logs) == ["device_lost", "device_back"]
    assert presence.connected
    assert not presence.lost


def test_one_that_hangs_up_while_it_is_open_is_lost_at_once():
    presence = Presence("scanner", "s1", clock=Clock())
    presence.answered()
    with capture_logs() as logs:
        presence.missed("end of file")
    assert told(logs) == ["device_lost"]
    assert not presence.connected


def test_one_that_is_open_and_silent_is_gone_after_three_misses():
    presence = Presence("scale", "w1", clock=Clock())
    presence.answered()
    for miss in range(1, DEVICE_MISSES_BEFORE_GONE + 1):
        assert presence.connected
        presence.missed("no answer", silent=True)
        assert presence.misses == miss
    assert presence.lost
    assert not presence.connected


def test_the_waits_grow_to_their_bound_and_a_loose_plug_does_not_reset_them():
    clock = Clock()
    presence = Presence("scale", "w1", clock=clock)
    waits = [presence.missed("no") for _ in range(12)]
    assert waits[0] <= DEVICE_BACKOFF_BASE_S
    assert DEVICE_BACKOFF_MAX_S / 2 <= waits[-1] <= DEVICE_BACKOFF_MAX_S
    presence.answered()
    clock.now_s += DEVICE_BACKOFF_MAX_S
    assert presence.missed("loose plug") >= DEVICE_BACKOFF_MAX_S / 2
    presence.answered()
    clock.now_s += DEVICE_BACKOFF_MAX_S + 0.1
    assert presence.missed("unplugged") <= DEVICE_BACKOFF_BASE_S


def test_a_plug_in_is_tried_soon():
    presence = Presence("scale", "w1", clock=Clock())
    for _ in range(12):
        presence.missed("no")
    presence.plugged()
    assert presence.missed("no") <= DEVICE_BACKOFF_BASE_S


async def test_a_plug_in_ends_the_rest_at_once_also_one_that_came_just_before_it():
    presence, closed = Presence("scale", "w1"), asyncio.Event()
    resting = asyncio.create_task(presence.rest(closed, 3600))
    await asyncio.sleep(0)
    presence.plugged()
    async with asyncio.timeout(30):
        await resting
        presence.plugged()
        await presence.rest(closed, 3600)
    assert presence.missed("no") <= DEVICE_BACKOFF_BASE_S


async def test_a_driver_that_is_closed_does_not_rest_on():
    presence, closed = Presence("scale", "w1"), asyncio.Event()
    resting = asyncio.create_task(presence.rest(closed, 3600))
    await asyncio.sleep(0)
    closed.set()
    async with asyncio.timeout(30):
        await resting
    assert closed.is_set()


async def test_a_plug_in_of_long_ago_does_not_spoil_the_next_backoff():
    presence, closed = Presence("scale", "w1"), asyncio.Event()
    presence.plugged()
    presence.answered()
    resting = asyncio.create_task(presence.rest(closed, 3600))
    done, _ = await asyncio.wait({resting}, timeout=0.05)
    assert not done
    closed.set()
    await resting
