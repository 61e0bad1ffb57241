"""What counting must know; quick reconciling shares it.

`count`: the count that the session is about; at idle, the one that this device has left half done. `places`: where to
count next, the most urgent first, without the bin that the session is in. `scanned`: the place whose bin was scanned,
or at which CMD-ACCEPT begins. `held`: lines that wait for approval, the oldest first. `lots`: those that the book has
of the scanned SKU at the counted place.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.count.judge import EXACT, Tolerance
from bodega_agent.rules.floor.facts import Facts

Key = tuple[str, str]
"""(SKU, lot): what one line is about."""


@dataclass(frozen=True, slots=True)
class Line:
    """One SKU and lot in one round of a count, in base units.

    `book` is what the book holds there now, in all dispositions. `seen`: somebody has scanned it, or said how many.
    `looks`: undisturbed earlier rounds that were held against the book. `moved`: what moved there since the round
    began, in words, or empty; it is looked up where the round ends.
    """

    sku_id: str
    lot: str
    name: str
    book: int
    gtins: tuple[str, ...] = ()
    counted: int = 0
    seen: bool = False
    serials: tuple[str, ...] = ()
    serial_tracked: bool = False
    looks: int = 0
    moved: str = ""

    @property
    def key(self) -> Key:
        """What the line is about."""
        return self.sku_id, self.lot

    @property
    def difference(self) -> int:
        """Shelf minus book."""
        return self.counted - self.book

    @property
    def title(self) -> str:
        """Name and lot."""
        return f"{self.name} lot {self.lot}" if self.lot else self.name


@dataclass(frozen=True, slots=True)
class Count:
    """A count of one bin, in its present round. `whole`: of all that lies there, else only of its lines."""

    count_id: str
    bin_id: str
    cause: str
    round: int
    whole: bool
    lines: tuple[Line, ...] = ()

    def line(self, key: Key) -> Line | None:
        """The line of a SKU and lot."""
        return next((line for line in self.lines if line.key == key), None)


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to count. `busy` is the device that counts there now; `label`: a person can scan it."""

    bin_id: str
    cause: str
    busy: str = ""
    label: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """A line that was counted more than once and still differs much. `counted`: what each round has found, in order.

    `stale`: the book has learned of something there since, so nobody can tell any more what the count meant.
    """

    count_id: str
    bin_id: str
    sku_id: str
    lot: str
    name: str
    counted: tuple[int, ...]
    book: int
    counted_by: str
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacts(Facts):
    """See the module's text. `opens` is the count as it begins at `scanned`: new, or the next round of an open one."""

    count: Count | None = None
    places: tuple[Place, ...] = ()
    scanned: Place | None = None
    opens: Count | None = None
    held: tuple[Held, ...] = ()
    lots: tuple[str, ...] = ()
    recount: Tolerance = EXACT
    approve: Tolerance = EXACT
