"""Deadlines: on the clock of one boot, never early, whatever happens to the boot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.deadline import BootTime, begun_anew, deadline, is_due, refuse_early
from bodega.errors import Refused

MS = st.integers(0, 10**12)


@given(MS, MS, MS)
def test_a_deadline_is_due_when_its_time_has_run_on_its_own_boot_and_never_before(
    start: int, after: int, passed: int
) -> None:
    end = deadline(after, BootTime("boot-1", start))
    assert is_due(end, BootTime("boot-1", start + passed)) == (after > 0 and passed >= after)
    assert not is_due(end, BootTime("boot-2", start + passed))


@given(MS, st.integers(1, 10**12), MS, MS)
def test_after_a_reboot_it_runs_anew_in_full(start: int, after: int, rebooted: int, passed: int) -> None:
    end = deadline(after, BootTime("boot-1", start))
    anew = begun_anew(end, BootTime("boot-2", rebooted))
    assert is_due(anew, BootTime("boot-2", rebooted + passed)) == (passed >= after)
    assert begun_anew(anew, BootTime("boot-2", rebooted + passed)) == anew


def test_one_that_is_not_due_says_how_long_it_has_and_what_to_do_instead() -> None:
    now = BootTime("boot-1", 1_000)
    refuse_early(deadline(500, BootTime("boot-1", 500)), now, "it", "wait")
    with pytest.raises(Refused, match="it has 300 ms left") as refused:
        refuse_early(deadline(300, now), now, "it", "release it")
    assert (refused.value.code, refused.value.hint) == ("not-due", "release it")
    with pytest.raises(Refused, match="never expires"):
        refuse_early(deadline(0, now), now, "it", "release it")
