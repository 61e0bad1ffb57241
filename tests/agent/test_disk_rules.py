"""The disk's ladder and its plan: what goes first, what never goes, and no step that the room does not ask for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.tables import IllegalTransition
from bodega.errors import InvalidInput
from bodega_agent.rules.disk import (
    DROP_ORDER,
    FOLDERS,
    LADDER,
    Amount,
    DataClass,
    Disk,
    DiskEvent,
    DiskRung,
    Kept,
    Limits,
    amount,
    bytes_text,
    limits_of,
    plan,
)
from bodega_agent.store import archive

DOWN = list(DiskRung)
LIMITS = Limits(
    budgets={DataClass.FRAMES: 1000, DataClass.TELEMETRY: 500, DataClass.ARCHIVES: 2000},
    ballast_bytes=200,
    drop_below_bytes=1000,
    refuse_promises_below_bytes=400,
    physical_only_below_bytes=100,
)


def roomy(free: int) -> Disk:
    return Disk(free, ballast_stands=True)


def test_the_ladder_goes_one_rung_at_a_time_but_a_refused_write_goes_to_the_last() -> None:
    for state in DiskRung:
        assert LADDER.step(state, DiskEvent.OUT_OF_ROOM) is DiskRung.PHYSICAL_ONLY
    for upper, lower in pairwise(DOWN):
        assert LADDER.step(upper, DiskEvent.TIGHTER) is lower
        assert LADDER.step(lower, DiskEvent.LOOSER) is upper
    for end, event in ((DOWN[0], DiskEvent.LOOSER), (DOWN[-1], DiskEvent.TIGHTER)):
        with pytest.raises(IllegalTransition):
            LADDER.step(end, event)


@pytest.mark.parametrize(
    ("rung", "free", "then"),
    [
        (DiskRung.ROOMY, 1000, DiskRung.ROOMY),
        (DiskRung.ROOMY, 999, DiskRung.DROPPING),
        (DiskRung.ROOMY, 400, DiskRung.DROPPING),
        (DiskRung.ROOMY, 399, DiskRung.NO_NEW_PROMISES),
        (DiskRung.ROOMY, 100, DiskRung.NO_NEW_PROMISES),
        (DiskRung.ROOMY, 99, DiskRung.PHYSICAL_ONLY),
        (DiskRung.DROPPING, 399, DiskRung.NO_NEW_PROMISES),
        (DiskRung.DROPPING, 1249, DiskRung.DROPPING),
        (DiskRung.DROPPING, 1250, DiskRung.ROOMY),
        (DiskRung.NO_NEW_PROMISES, 99, DiskRung.PHYSICAL_ONLY),
        (DiskRung.NO_NEW_PROMISES, 499, DiskRung.NO_NEW_PROMISES),
        (DiskRung.NO_NEW_PROMISES, 500, DiskRung.DROPPING),
        (DiskRung.NO_NEW_PROMISES, 1250, DiskRung.ROOMY),
        (DiskRung.PHYSICAL_ONLY, 124, DiskRung.PHYSICAL_ONLY),
        (DiskRung.PHYSICAL_ONLY, 125, DiskRung.NO_NEW_PROMISES),
        (DiskRung.PHYSICAL_ONLY, 1249, DiskRung.DROPPING),
        (DiskRung.PHYSICAL_ONLY, 1250, DiskRung.ROOMY),
    ],
)
def test_a_rung_begins_below_its_threshold_and_ends_a_quarter_above_it(
    rung: DiskRung, free: int, then: DiskRung
) -> None:
    assert plan([], roomy(free), LIMITS, rung).rung is then


def test_a_disk_at_the_edge_of_a_rung_does_not_flap() -> None:
    rung, changes = DiskRung.ROOMY, 0
    for free in [399, 401] * 20:
        after = plan([], roomy(free), LIMITS, rung).rung
        changes += after is not rung
        rung = after
    assert (rung, changes) == (DiskRung.NO_NEW_PROMISES, 1)


def test_giving_up_the_ballast_never_looks_like_room() -> None:
    last = plan([], roomy(99), LIMITS, DiskRung.ROOMY)
    assert (last.rung, last.ballast) == (DiskRung.PHYSICAL_ONLY, False)
    given_up = Disk(99 + LIMITS.ballast_bytes, ballast_stands=False)
    assert plan([], given_up, LIMITS, last.rung) == last


def test_the_last_rung_is_left_only_when_the_ballast_stands_again() -> None:
    room_again = plan([], Disk(5000, ballast_stands=False), LIMITS, DiskRung.PHYSICAL_ONLY)
    assert (room_again.rung, room_again.ballast) == (DiskRung.PHYSICAL_ONLY, True)
    assert plan([], roomy(4800), LIMITS, DiskRung.PHYSICAL_ONLY).rung is DiskRung.ROOMY


def test_a_refused_write_is_believed_more_than_the_free_bytes() -> None:
    planned = plan(
        [file(DataClass.FRAMES, 1, 10)],
        Disk(10**9, ballast_stands=True, out_of_room=True),
        LIMITS,
        DiskRung.ROOMY,
    )
    assert (planned.rung, planned.ballast, len(planned.drops)) == (DiskRung.PHYSICAL_ONLY, False, 1)
    assert planned.reason == "the disk is full: a write was refused"


def test_what_is_over_its_budget_goes_even_when_there_is_room() -> None:
    kept = [file(DataClass.FRAMES, age, 400) for age in (3, 1, 2)] + [file(DataClass.TELEMETRY, 0, 500)]
    planned = plan(kept, roomy(10**9), LIMITS, DiskRung.ROOMY)
    assert [(one.data_class, one.at_ns) for one in planned.drops] == [(DataClass.FRAMES, 1)]
    assert planned.rung is DiskRung.ROOMY


def test_frames_go_before_telemetry_before_archives_and_the_oldest_of_each_first() -> None:
    kept = [file(one, age, 100) for one in reversed(DataClass) for age in (2, 1)]
    orders = [
        (DataClass.FRAMES, 1), (DataClass.FRAMES, 2), (DataClass.TELEMETRY, 1), (DataClass.TELEMETRY, 2),
        (DataClass.ARCHIVES, 1), (DataClass.ARCHIVES, 2),
    ]  # fmt: skip
    for count in range(len(orders) + 1):
        planned = plan(kept, roomy(1000 - 100 * count), LIMITS, DiskRung.ROOMY)
        assert [(one.data_class, one.at_ns) for one in planned.drops] == orders[:count]


def test_promises_are_refused_only_when_dropping_did_not_help() -> None:
    helped = plan([file(DataClass.FRAMES, 1, 900)], roomy(150), LIMITS, DiskRung.ROOMY)
    assert helped.rung is DiskRung.DROPPING
    not_enough = plan([file(DataClass.FRAMES, 1, 200)], roomy(150), LIMITS, DiskRung.ROOMY)
    assert not_enough.rung is DiskRung.NO_NEW_PROMISES
    assert not_enough.reason == "the disk has 350 B to spare, dropping needs 500 B"


def file(data_class: DataClass, at_ns: int, size_bytes: int) -> Kept:
    return Kept(data_class, f"{data_class}-{at_ns}", size_bytes, at_ns)


SIZES = st.integers(0, 1000)
FILES = st.lists(
    st.builds(Kept, st.sampled_from(DataClass), st.text("abc", max_size=3), SIZES, st.integers(0, 5)),
    max_size=12,
    unique_by=lambda one: (one.data_class, one.name),
)
DISKS = st.builds(Disk, st.integers(0, 4000), st.booleans(), st.sampled_from([False, False, True]))


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    physical, refuse, drop = sorted(draw(SIZES) for _ in range(3))
    budgets = {one: draw(st.integers(0, 2000)) for one in DROP_ORDER}
    return Limits(budgets, draw(SIZES), drop, refuse, physical)


def spare_of(disk: Disk, limits: Limits) -> int:
    free = 0 if disk.out_of_room else disk.free_bytes
    return free if disk.ballast_stands else free - limits.ballast_bytes


def size_of(files: list[Kept] | tuple[Kept, ...]) -> int:
    return sum(one.size_bytes for one in files)


@given(FILES, DISKS, some_limits(), st.sampled_from(DiskRung))
def test_every_drop_was_needed_in_its_turn_and_the_journal_never_goes(
    kept: list[Kept], disk: Disk, limits: Limits, rung: DiskRung
) -> None:
    drops = plan(kept, disk, limits, rung).drops
    assert DataClass.JOURNAL not in {one.data_class for one in drops}
    assert set(drops) <= set(kept)
    assert len(set(drops)) == len(drops)
    left = list(kept)
    for number, one in enumerate(drops):
        peers = [other for other in left if other.data_class is one.data_class and other.size_bytes]
        over = size_of(peers) - limits.budgets[one.data_class]
        short = limits.drop_below_bytes - spare_of(disk, limits) - size_of(drops[:number])
        assert over > 0 or short > 0, f"{one} went without need"
        assert one == min(peers, key=lambda other: (other.at_ns, other.name)), "an older one was left"
        if over <= 0:
            earlier = DROP_ORDER[: DROP_ORDER.index(one.data_class)]
            assert not any(other.data_class in earlier and other.size_bytes for other in left)
        left.remove(one)
    for data_class in DROP_ORDER:
        peers = [other for other in left if other.data_class is data_class]
        assert size_of(peers) <= limits.budgets[data_class]
    droppable = [one for one in left if one.data_class in DROP_ORDER]
    assert spare_of(disk, limits) + size_of(drops) >= limits.drop_below_bytes or not size_of(droppable)


@given(FILES, DISKS, some_limits(), st.sampled_from(DiskRung))
def test_the_rung_always_fits_the_room(kept: list[Kept], disk: Disk, limits: Limits, rung: DiskRung) -> None:
    planned = plan(kept, disk, limits, rung)
    spare = spare_of(disk, limits)
    after = spare + size_of(planned.drops)
    assert bool(planned.reason) is (planned.rung is not DiskRung.ROOMY)
    match planned.rung:
        case DiskRung.ROOMY:
            assert spare >= limits.drop_below_bytes
        case DiskRung.DROPPING:
            assert spare < limits.room_to_return(DiskRung.ROOMY)
            assert after >= limits.refuse_promises_below_bytes
        case DiskRung.NO_NEW_PROMISES:
            assert limits.physical_only_below_bytes <= after < limits.room_to_return(DiskRung.DROPPING)
        case DiskRung.PHYSICAL_ONLY:
            regained = after >= limits.room_to_return(DiskRung.NO_NEW_PROMISES)
            assert disk.out_of_room or not regained or (not disk.ballast_stands and rung is planned.rung)
            assert planned.ballast is (regained and not disk.out_of_room)


@given(FILES, DISKS, some_limits(), st.sampled_from(DiskRung))
def test_a_plan_that_was_carried_out_asks_for_nothing_more(
    kept: list[Kept], disk: Disk, limits: Limits, rung: DiskRung
) -> None:
    disk = Disk(disk.free_bytes, disk.ballast_stands)
    first = plan(kept, disk, limits, rung)
    left = [one for one in kept if one not in first.drops]
    disk = Disk(disk.free_bytes + size_of(first.drops), disk.ballast_stands)
    second = plan(left, disk, limits, first.rung)
    assert second.drops == ()
    assert plan(left, disk, limits, second.rung) == second


def test_archives_are_looked_for_where_the_ledger_puts_them() -> None:
    assert FOLDERS[DataClass.ARCHIVES] == archive.FOLDER


@pytest.mark.parametrize(
    ("text", "on_10_gib"),
    [("512 MiB", 512 * 1024**2), ("5%", 1024**3 // 2), ("0 B", 0), ("2GiB", 2 * 1024**3), (" 7 KiB ", 7168)],
)
def test_a_size_is_written_as_people_write_it(text: str, on_10_gib: int) -> None:
    assert amount(text).of(10 * 1024**3) == on_10_gib


@pytest.mark.parametrize(
    "text", ["", "512", "-1 MiB", "1.5 GiB", "100%", "5 MB", "five", "1" * 13 + " B", "٣ B"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="must be a size like '512 MiB'"):
        amount(text)


def test_a_lower_rung_never_begins_above_a_higher_one_whatever_the_size_of_the_disk() -> None:
    budgets = dict.fromkeys(DROP_ORDER, Amount(1, "%"))
    limits = limits_of(
        budgets, Amount(1, "MiB"), [Amount(5, "%"), Amount(64, "MiB"), Amount(32, "MiB")], 100 * 1024**2
    )
    assert limits.drop_below_bytes == 5 * 1024**2
    assert limits.refuse_promises_below_bytes == limits.physical_only_below_bytes == 5 * 1024**2
    assert limits.budgets[DataClass.FRAMES] == 1024**2


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 1024**4, "5,120.0 GiB")]
)
def test_a_size_is_shown_as_people_read_it(size: int, text: str) -> None:
    assert bytes_text(size) == text
