"""What people at one node say aloud to each other: "I have that one", so that nobody goes for the same thing."""

from __future__ import annotations


class Huddle:
    """Things are named by whatever tells them apart; a thing that somebody `takes` is theirs until they `leave` it."""

    def __init__(self) -> None:
        self._taken: set[object] = set()

    def takes(self, thing: object) -> bool:
        """Whether nobody else has it; then it is the caller's."""
        if thing in self._taken:
            return False
        self._taken.add(thing)
        return True

    def is_taken(self, thing: object) -> bool:
        """Whether somebody has it."""
        return thing in self._taken

    def leaves(self, thing: object) -> None:
        """Somebody else may have it."""
        self._taken.discard(thing)
