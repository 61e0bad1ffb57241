"""Whether a stream of the broker is still the one that it was, without I/O.

A broker may lose the end of a stream that it had taken, empty it, or hold another one of the same name. Nobody tells
its users, so they compare what it says of the stream with what it said before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a broker says of a stream. `created`: when it was made, as text; compared for equality only.

    `first_seq` is `last_seq + 1` (or 0) while the stream holds nothing; `consumers` counts who reads it.
    """

    created: str
    first_seq: int
    last_seq: int
    consumers: int = 0


class Change(StrEnum):
    """What has become of a stream; everything but SAME means that messages may be gone."""

    SAME = "same"
    MADE_ANEW = "made_anew"
    ROLLED_BACK = "rolled_back"
    EMPTIED = "emptied"


def change(known: StreamState | None, now: StreamState) -> Change:
    """Compare a stream with what was known of it before it was asked; nothing known is no change.

    EMPTIED: all that was there is gone, or what came since, by a purge or because it was old. Gaps in the middle
    are found by the chain of each node's stream.
    """
    if known is None:
        return Change.SAME
    if now.created != known.created:
        return Change.MADE_ANEW
    if now.last_seq < known.last_seq:
        return Change.ROLLED_BACK
    held_some = 0 < known.first_seq <= known.last_seq
    first_unknown = known.last_seq + 1
    return Change.EMPTIED if now.first_seq > first_unknown - held_some else Change.SAME
