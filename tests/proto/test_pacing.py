"""A hub that keeps up asks for nothing; one that does not is given time, within a bound, and never all at once."""

from __future__ import annotations

import pytest

from bodega.core.backoff import full_jitter_s
from bodega.core.pacing import come_back_after_ms, next_beat_s, spread_s
from bodega.limits import (
    BUSY_ENVELOPES_MAX,
    BUSY_HEARTBEATS_MAX,
    COME_BACK_AFTER_MS_MAX,
    HEARTBEAT_JITTER_RATIO,
    HEARTBEAT_S,
)


def test_a_hub_that_keeps_up_asks_for_nothing() -> None:
    assert come_back_after_ms(BUSY_HEARTBEATS_MAX, BUSY_ENVELOPES_MAX) == 0


@pytest.mark.parametrize("waiting", [(2 * BUSY_HEARTBEATS_MAX, 0), (0, 2 * BUSY_ENVELOPES_MAX)])
def test_twice_what_it_can_do_asks_for_twice_the_time(waiting: tuple[int, int]) -> None:
    assert come_back_after_ms(*waiting) == 2 * HEARTBEAT_S * 1000


def test_what_it_asks_for_and_what_a_node_grants_are_bounded() -> None:
    assert come_back_after_ms(10**9, 0) == COME_BACK_AFTER_MS_MAX
    assert spread_s(10**9) == COME_BACK_AFTER_MS_MAX / 1000


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
def test_heartbeats_spread_over_what_the_hub_asks_for(draw: float) -> None:
    usual = HEARTBEAT_S * (1 + HEARTBEAT_JITTER_RATIO * (2 * draw - 1))
    assert next_beat_s(0, draw) == pytest.approx(usual)
    assert next_beat_s(20, draw) == pytest.approx(usual + 20 * draw)


def test_first_tries_after_a_lost_connection_spread_too_and_late_ones_are_wide_already() -> None:
    assert full_jitter_s(0, 0.25, 30, 0.5, spread_s=20) == 10
    assert full_jitter_s(10, 0.25, 30, 0.5, spread_s=20) == 15
