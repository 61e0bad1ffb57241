"""How files come from a shop and go to it: a watched folder, or whatever else carries files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole file that this instance alone works on; `name` as the shop called it. `body` holds personal data.

    `problem`: why it could not be read, if so.
    """

    name: str
    token: str
    body: bytes = field(repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file for the shop; the same name is the same file."""

    name: str
    body: bytes = field(repr=False)


class Exchange(Protocol):
    """One way for files; used by one task at a time. Every method may raise OSError, and may then be tried again.

    A file is taken only when it is whole, by one instance, and put away only after everything that follows from it is
    durable. One that was taken and not put away (a crash) comes again.
    """

    async def take(self) -> Arrived | None:
        """The next file, or None if there is none now."""
        ...

    async def keep_alive(self, arrived: Arrived) -> None:
        """Say that it is still being worked on, so that nobody takes it over."""
        ...

    async def put_away(self, arrived: Arrived, answers: Sequence[Outgoing], *, good: bool) -> None:
        """Send the answers, then put the file with the good ones, or with those of which nothing could be used."""
        ...

    async def send(self, file: Outgoing) -> None:
        """Give the shop a file, whole or not at all."""
        ...

    async def tidy(self, older_than_s: float) -> int:
        """Throw away files that were put away so long ago: they hold names and addresses. How many."""
        ...
