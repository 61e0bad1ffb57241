"""Which movements could explain that shelf and book differ: they are told before anything is posted.

A person can walk to what is told. So the rule looks for one movement (or one place where the same goods wait) that, had
it been booked wrongly, would make exactly the difference; else for those that would make a part of it. The newest
come first. It proves nothing, and it posts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

EXPLANATIONS_MAX = 3


class Trace(NamedTuple):
    """A movement of one SKU and lot: what it has changed at each place, and who did it how long ago.

    `event` is its number in the journal; `changes` are (place, base units).
    """

    event: int
    command: str
    actor: str
    ago_s: int
    changes: tuple[tuple[str, int], ...]
    serves: str = ""


class Waiting(NamedTuple):
    """The same goods at another place: on the dock, or in a bin where shelf and book are known to differ.

    `units`: what lies at the dock by the book; of a bin, shelf less book.
    """

    place: str
    units: int
    is_dock: bool = False


class _Guess(NamedTuple):
    units: int
    event: int
    text: str


def explain(
    bin_id: str, difference: int, traces: Iterable[Trace], waiting: Sequence[Waiting] = ()
) -> tuple[str, ...]:
    """At most EXPLANATIONS_MAX sentences for `difference` (shelf less book) in a bin; none for no difference."""
    if not difference:
        return ()
    guesses = [guess for trace in traces for guess in _of_movement(bin_id, difference, trace)]
    guesses += [guess for there in waiting if (guess := _of_place(bin_id, difference, there)) is not None]
    exact = [guess for guess in guesses if guess.units == abs(difference)]
    parts = [guess for guess in guesses if 0 < guess.units < abs(difference)]
    chosen = sorted(exact or parts, key=lambda guess: -guess.event)[:EXPLANATIONS_MAX]
    return tuple(guess.text for guess in chosen)


def _of_movement(bin_id: str, difference: int, trace: Trace) -> list[_Guess]:
    told = f"#{trace.event} {trace.command} by {trace.actor} {_ago(trace.ago_s)}"
    told += f" for {trace.serves}" if trace.serves else ""
    guesses = []
    for place, change in trace.changes:
        doubt = _doubt(bin_id, place, difference, change)
        if doubt:
            guesses.append(_Guess(abs(change), trace.event, f"{told}: {abs(change)} {doubt}"))
    return guesses


def _doubt(bin_id: str, place: str, difference: int, change: int) -> str:
    """What may be wrong with a change of a place, if that would bring shelf and book together; else empty."""
    if place == bin_id:
        if difference < 0 < change:
            return "came in by the book, and may lie elsewhere"
        if difference > 0 > change:
            return "left by the book, and may have been taken elsewhere"
        return ""
    if difference < 0 and change < 0:
        return f"left {place} by the book, and may have been taken here"
    if difference > 0 and change > 0:
        return f"went to {place} by the book, and may have been put here"
    return ""


def _of_place(bin_id: str, difference: int, there: Waiting) -> _Guess | None:
    if there.place == bin_id:
        return None
    if there.is_dock:
        if difference < 0:
            return None
        text = f"{there.units} wait at {there.place} by the book, and may lie here already"
        return _Guess(there.units, 0, text)
    if (difference < 0) == (there.units < 0):
        return None
    side = "more" if there.units > 0 else "fewer"
    text = f"{there.place} was found with {abs(there.units)} {side} than its book"
    return _Guess(abs(there.units), 0, text)


def _ago(seconds: int) -> str:
    if seconds < 3600:
        return f"{max(0, seconds) // 60} min ago"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h ago"
    return f"{seconds // (24 * 3600)} days ago"
