"""The node's disk: what each class of data may take, what goes first, and what the node still dares to do.

The disk of an edge box fills up, and a ledger that can not write is worse than one that sells nothing. So the
node gives things up in an order: evidence that can be lost, then new promises, then its ballast; a physical
scan is recorded to the end. The journal is never given up. The ladder is a table; free bytes are judged as if
the ballast stood, so giving it up never looks like room, and each rung is left only with room to spare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bodega.core.tables import StateTable
from bodega.errors import InvalidInput
from bodega.limits import DISK_REGAINED_RATIO


class DataClass(StrEnum):
    """What the node keeps on its disk."""

    FRAMES = "frames"
    TELEMETRY = "telemetry"
    ARCHIVES = "archives"
    JOURNAL = "journal"


# First to last. The journal is not in it.
DROP_ORDER = (DataClass.FRAMES, DataClass.TELEMETRY, DataClass.ARCHIVES)

# Below the node's state folder; each holds its files flat.
FOLDERS: Mapping[DataClass, str] = {one: str(one) for one in DROP_ORDER}


class DiskRung(StrEnum):
    """What the node does with the room that it has. From top to bottom."""

    ROOMY = "roomy"
    DROPPING = "dropping"
    NO_NEW_PROMISES = "no_new_promises"
    PHYSICAL_ONLY = "physical_only"


class DiskEvent(StrEnum):
    """What is seen of the room; `out_of_room` is a write that the file system refused."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    OUT_OF_ROOM = "out_of_room"


LADDER = StateTable(
    name="disk",
    states=DiskRung,
    events=DiskEvent,
    start=DiskRung.ROOMY,
    steps={
        (DiskRung.ROOMY, DiskEvent.TIGHTER): DiskRung.DROPPING,
        (DiskRung.ROOMY, DiskEvent.OUT_OF_ROOM): DiskRung.PHYSICAL_ONLY,
        (DiskRung.DROPPING, DiskEvent.LOOSER): DiskRung.ROOMY,
        (DiskRung.DROPPING, DiskEvent.TIGHTER): DiskRung.NO_NEW_PROMISES,
        (DiskRung.DROPPING, DiskEvent.OUT_OF_ROOM): DiskRung.PHYSICAL_ONLY,
        (DiskRung.NO_NEW_PROMISES, DiskEvent.LOOSER): DiskRung.DROPPING,
        (DiskRung.NO_NEW_PROMISES, DiskEvent.TIGHTER): DiskRung.PHYSICAL_ONLY,
        (DiskRung.NO_NEW_PROMISES, DiskEvent.OUT_OF_ROOM): DiskRung.PHYSICAL_ONLY,
        (DiskRung.PHYSICAL_ONLY, DiskEvent.LOOSER): DiskRung.NO_NEW_PROMISES,
        (DiskRung.PHYSICAL_ONLY, DiskEvent.OUT_OF_ROOM): DiskRung.PHYSICAL_ONLY,
    },
    terminal=frozenset(),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a class that could be dropped. `at_ns`: when it was last written, wall clock."""

    data_class: DataClass
    name: str
    size_bytes: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets by class and the room below which each rung begins, in bytes; see `limits_of`."""

    budgets: Mapping[DataClass, int]
    ballast_bytes: int
    drop_below_bytes: int
    refuse_promises_below_bytes: int
    physical_only_below_bytes: int

    def room_needed(self, rung: DiskRung) -> int:
        """The free bytes that a rung needs; with less it goes a rung down."""
        return {
            DiskRung.ROOMY: self.drop_below_bytes,
            DiskRung.DROPPING: self.refuse_promises_below_bytes,
            DiskRung.NO_NEW_PROMISES: self.physical_only_below_bytes,
        }[rung]

    def room_to_return(self, rung: DiskRung) -> int:
        """The free bytes with which a rung is taken again: more than it needs, so that nothing flaps."""
        return int(self.room_needed(rung) * DISK_REGAINED_RATIO)


@dataclass(frozen=True, slots=True)
class Disk:
    """What was measured. `out_of_room`: a write failed for want of room, whatever `free_bytes` says."""

    free_bytes: int
    ballast_stands: bool
    out_of_room: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: the rung to stand on, the files to drop in this order, whether a ballast should stand."""

    rung: DiskRung
    drops: tuple[Kept, ...]
    ballast: bool
    reason: str


def plan(kept: Sequence[Kept], disk: Disk, limits: Limits, rung: DiskRung) -> Plan:
    """Judge the disk. Drops no more than the budgets and `drop_below_bytes` ask for, and never the journal.

    The room that the drops will make counts for the lower rungs: promises are refused when dropping did not
    help. Whether the node is roomy is judged without it, so a node that lives by dropping stays `dropping`.
    """
    spare = (0 if disk.out_of_room else disk.free_bytes) - (
        0 if disk.ballast_stands else limits.ballast_bytes
    )
    drops = _drops(kept, spare, limits)
    after = spare + sum(one.size_bytes for one in drops)
    rung = _settled(rung, spare, after, disk, limits)
    regained = after >= limits.room_to_return(DiskRung.NO_NEW_PROMISES)
    ballast = not disk.out_of_room and (rung is not DiskRung.PHYSICAL_ONLY or regained)
    if disk.out_of_room:
        reason = "the disk is full: a write was refused"
    elif rung is DiskRung.PHYSICAL_ONLY and ballast:
        reason = "there is room again, and the ballast is being put back"
    else:
        reason = _reason(rung, spare if rung is DiskRung.DROPPING else after, limits)
    return Plan(rung, drops, ballast, reason)


def _drops(kept: Sequence[Kept], spare: int, limits: Limits) -> tuple[Kept, ...]:
    """Oldest first: each class down to its budget, then in DROP_ORDER until there is room."""
    # An empty file frees nothing.
    waiting = {
        one: [file for file in kept if file.data_class is one and file.size_bytes] for one in DROP_ORDER
    }
    drops: list[Kept] = []
    for data_class, files in waiting.items():
        files.sort(key=lambda file: (file.at_ns, file.name), reverse=True)
        used = sum(file.size_bytes for file in files)
        while used > limits.budgets[data_class]:
            drops.append(files.pop())
            used -= drops[-1].size_bytes
    spare += sum(file.size_bytes for file in drops)
    for files in waiting.values():
        while files and spare < limits.drop_below_bytes:
            drops.append(files.pop())
            spare += drops[-1].size_bytes
    return tuple(drops)


def _settled(rung: DiskRung, spare: int, after: int, disk: Disk, limits: Limits) -> DiskRung:
    """Step the ladder until the rung fits the room."""
    if disk.out_of_room:
        return LADDER.step(rung, DiskEvent.OUT_OF_ROOM)
    while (event := _event(rung, spare, after, disk, limits)) is not None:
        rung = LADDER.step(rung, event)
    return rung


def _event(rung: DiskRung, spare: int, after: int, disk: Disk, limits: Limits) -> DiskEvent | None:
    def room(of: DiskRung) -> int:
        return spare if of is DiskRung.ROOMY else after

    if rung is not DiskRung.PHYSICAL_ONLY and room(rung) < limits.room_needed(rung):
        return DiskEvent.TIGHTER
    if rung is DiskRung.ROOMY or (rung is DiskRung.PHYSICAL_ONLY and not disk.ballast_stands):
        return None  # the last rung is left only when the ballast stands again
    above = LADDER.step(rung, DiskEvent.LOOSER)
    return DiskEvent.LOOSER if room(above) >= limits.room_to_return(above) else None


def _reason(rung: DiskRung, room: int, limits: Limits) -> str:
    if rung is DiskRung.ROOMY:
        return ""
    above = LADDER.step(rung, DiskEvent.LOOSER)
    needed = bytes_text(limits.room_to_return(above))
    return f"the disk has {bytes_text(max(0, room))} to spare, {above} needs {needed}"


@dataclass(frozen=True, slots=True)
class Amount:
    """A size as people write it: a number of bytes, or a part of the whole disk."""

    number: int
    unit: str

    def of(self, total_bytes: int) -> int:
        """In bytes, on a disk of this size."""
        return total_bytes * self.number // 100 if self.unit == "%" else self.number * _UNITS[self.unit]


_UNITS: Mapping[str, int] = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_AMOUNT = re.compile(r"([0-9]{1,12}) ?(B|KiB|MiB|GiB)|([0-9]{1,2}) ?%")


def amount(text: str) -> Amount:
    """Read "512 MiB" or "5%"; InvalidInput for anything else."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"must be a size like '512 MiB' or '5%', is '{text}'")
    return Amount(int(found[3]), "%") if found[3] else Amount(int(found[1]), found[2])


def bytes_text(size_bytes: int) -> str:
    """A size for people: "980 B", "3.1 MiB"."""
    size, units = float(size_bytes), list(_UNITS)
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.0f} B" if units[0] == "B" else f"{size:,.1f} {units[0]}"


def limits_of(
    budgets: Mapping[DataClass, Amount], ballast: Amount, rungs: Sequence[Amount], total_bytes: int
) -> Limits:
    """Amounts on a disk of this size. `rungs`: drop, refuse promises, physical only; each at most the one before."""
    drop, refuse, physical = (one.of(total_bytes) for one in rungs)
    refuse = min(drop, refuse)
    return Limits(
        budgets={one: size.of(total_bytes) for one, size in budgets.items()},
        ballast_bytes=ballast.of(total_bytes),
        drop_below_bytes=drop,
        refuse_promises_below_bytes=refuse,
        physical_only_below_bytes=min(refuse, physical),
    )
