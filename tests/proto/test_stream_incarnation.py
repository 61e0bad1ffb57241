"""A stream that the broker made anew, emptied or rolled back is told from one that has only grown."""

from __future__ import annotations

import pytest

from bodega.core.incarnation import Change, StreamState, change

KNOWN = StreamState("monday", first_seq=11, last_seq=20)


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (KNOWN, Change.SAME),
        (StreamState("monday", 11, 21), Change.SAME),
        (StreamState("monday", 15, 30), Change.SAME),  # old messages have aged out
        (StreamState("monday", 20, 20), Change.SAME),
        (StreamState("monday", 11, 19), Change.ROLLED_BACK),
        (StreamState("monday", 21, 20), Change.EMPTIED),
        (StreamState("monday", 25, 30), Change.EMPTIED),  # and filled again
        (StreamState("tuesday", 11, 20), Change.MADE_ANEW),
        (StreamState("tuesday", 0, 0), Change.MADE_ANEW),
    ],
)
def test_what_became_of_a_stream(now: StreamState, what: Change) -> None:
    assert change(KNOWN, now) is what


def test_a_stream_that_nobody_knows_yet_has_lost_nothing() -> None:
    assert change(None, KNOWN) is Change.SAME


@pytest.mark.parametrize("empty", [StreamState("monday", 0, 0), StreamState("monday", 21, 20)])
def test_an_empty_stream_is_not_emptied_again(empty: StreamState) -> None:
    assert change(empty, empty) is Change.SAME
    assert change(empty, StreamState("monday", empty.last_seq + 1, empty.last_seq + 1)) is Change.SAME


def test_what_came_and_went_between_two_looks_is_missed_too() -> None:
    assert change(StreamState("monday", 0, 0), StreamState("monday", 6, 5)) is Change.EMPTIED
