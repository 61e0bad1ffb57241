"""Which order is picked first: the lorry that leaves first, then the promise, then age."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bodega.limits_floor import PICKUP_READY_MS
from bodega_agent.rules.floor.pick.release import Collections, next_collection_ms, urgency_of

LISBON = ZoneInfo("Europe/Lisbon")
EVERY_DAY_AT_FIVE = Collections(17 * 60)
DAY_MS = 24 * 3600 * 1000


def at(text, zone=LISBON):
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def local(ms):
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(LISBON).isoformat()


def urgency(placed, collections=EVERY_DAY_AT_FIVE, **more):
    return urgency_of(placed_at_ms=at(placed), collections=collections, zone=LISBON, **more)


def test_a_parcel_is_due_at_the_first_collection_after_it_was_placed():
    assert local(urgency("2026-11-20T10:00").due_ms) == "2026-11-20T17:00:00+00:00"
    assert local(urgency("2026-11-20T17:00").due_ms) == "2026-11-21T17:00:00+00:00"


def test_a_carrier_that_does_not_come_at_weekends_collects_on_monday():
    working_days = Collections(17 * 60, frozenset({1, 2, 3, 4, 5}))
    assert local(urgency("2026-11-20T18:00", working_days).due_ms) == "2026-11-23T17:00:00+00:00"


def test_the_clock_on_the_wall_counts_on_days_when_it_is_changed():
    # Lisbon: on 2026-10-25 the clock goes back at 2:00, on 2026-03-29 it goes forward at 1:00.
    assert local(urgency("2026-10-24T18:00").due_ms) == "2026-10-25T17:00:00+00:00"
    assert urgency("2026-10-24T18:00").due_ms - at("2026-10-24T17:00") == DAY_MS + 3_600_000
    assert urgency("2026-03-28T18:00").due_ms - at("2026-03-28T17:00") == DAY_MS - 3_600_000


def test_the_lorry_comes_before_the_promise_and_the_promise_before_age():
    soon = urgency("2026-11-20T12:00", Collections(13 * 60), service_class="standard")
    same_day = urgency("2026-11-20T12:00", service_class="same_day")
    next_day = urgency("2026-11-20T09:00", service_class="next_day")
    old = urgency("2026-11-20T08:00", service_class="standard")
    young = urgency("2026-11-20T09:00")
    assert sorted([young, old, next_day, same_day, soon]) == [soon, same_day, next_day, old, young]


def test_an_order_that_has_missed_its_lorry_does_not_get_another_day():
    late, today = urgency("2026-11-19T16:00"), urgency("2026-11-20T08:00", service_class="same_day")
    assert late < today


def test_what_the_hub_says_counts_and_a_customer_who_comes_waits_two_hours():
    assert urgency("2026-11-20T10:00", ship_by_ms=at("2026-11-20T11:00")).due_ms == at("2026-11-20T11:00")
    placed = at("2026-11-20T16:00")
    assert urgency("2026-11-20T16:00", method="pickup").due_ms == placed + PICKUP_READY_MS


def test_a_carrier_that_nobody_knows_makes_an_order_due_by_midnight_and_never_last_for_ever():
    assert local(urgency("2026-11-20T10:00", None).due_ms) == "2026-11-21T00:00:00+00:00"


@given(
    after_ms=st.integers(0, 4_000_000_000_000),
    minute=st.integers(0, 1439),
    weekdays=st.frozensets(st.integers(1, 7)),
    zone=st.sampled_from(
        ["UTC", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
    ),
)
def test_a_collection_is_later_within_eight_days_and_on_its_weekday(after_ms, minute, weekdays, zone):
    found = next_collection_ms(after_ms, Collections(minute, weekdays), ZoneInfo(zone))
    assert after_ms < found <= after_ms + 8 * DAY_MS + 3_600_000
    day = datetime.fromtimestamp(found / 1000, UTC).astimezone(ZoneInfo(zone))
    assert not weekdays or day.isoweekday() in weekdays
