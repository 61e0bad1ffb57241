"""A disk that remembers what was synced, so that a test can cut its power.

What SQLite wrote since the last sync of a file stands in the page cache only. `after_power_cut` says what
a disk may hold then: of every unsynced write each 512-byte sector is kept, lost or torn on its own (so later
ones can survive earlier ones), and every unsynced truncation, creation and deletion is kept or lost too.
That is as bad as POSIX allows; only bytes outside a write never change (SQLITE_IOCAP_POWERSAFE_OVERWRITE,
which SQLite's own unix VFS assumes as well).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

SECTOR_BYTES = 512
TORN_RATIO = 0.1
KEPT_RATIOS = (0.0, 0.1, 0.5, 0.5, 0.5, 0.9, 1.0)

Change = tuple[int, bytes] | int
"""Bytes at an offset, or the size that a file was cut to."""


def _make(content: bytearray, change: Change) -> None:
    if isinstance(change, int):
        del content[change:]
        return
    offset, data = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        end = min(len(data), start + SECTOR_BYTES - (offset + start) % SECTOR_BYTES)
        yield offset + start, data[start:end]
        start = end


def _torn(offset: int, data: bytes, luck: Random) -> tuple[int, bytes]:
    at = luck.randrange(len(data) + 1)
    return (offset, data[:at]) if luck.random() < 0.5 else (offset + at, data[at:])


def _survive(content: bytearray, changes: list[Change], luck: Random, kept_ratio: float) -> None:
    """Apply what survives of unsynced changes."""
    for change in changes:
        if isinstance(change, int):
            if luck.random() < kept_ratio:
                _make(content, change)
            continue
        for sector in _sectors(*change):
            if luck.random() < kept_ratio:
                torn = kept_ratio < 1.0 and luck.random() < TORN_RATIO
                _make(content, _torn(*sector, luck) if torn else sector)


@dataclass(slots=True, eq=False)
class _File:
    """One file: as programs see it, as it is on the platters, and what lies between the two."""

    live: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)


def _folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def _apply(names: dict[str, _File], change: Mapping[str, _File | None]) -> None:
    """Names that come, change or (None) go, all at once."""
    for name, file in change.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


class Disk:
    """The files of one folder by name; "archives/x" lies in a folder in it. All that changes it are the methods
    from `make_folder` to `delete`.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        """Begin with these files, all of them durable."""
        self._files = {name: _File(bytearray(b), bytearray(b)) for name, b in (files or {}).items()}
        self._durable_names = dict(self._files)
        self._folders = {_folder_of(name) for name in self._files} | {""}
        self._durable_folders = set(self._folders)
        self._unsynced_names: list[dict[str, _File | None]] = []

    def names(self) -> list[str]:
        """The files that are there."""
        return list(self._files)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def content(self, name: str) -> bytearray:
        """The bytes of a file as programs see them now; not to be changed."""
        return self._files[name].live

    def make_folder(self, name: str) -> None:
        """A folder for files to lie in."""
        self._folders.add(name)

    def create(self, name: str) -> None:
        """An empty file under a new name."""
        self._name({name: _File()})

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Put bytes into the page cache."""
        self._change(name, (offset, data))

    def truncate(self, name: str, size: int) -> None:
        """Cut a file to `size` bytes."""
        self._change(name, size)

    def sync(self, name: str) -> None:
        """Make a file's content durable, though not its name (fsync)."""
        file = self._files[name]
        for change in file.unsynced:
            _make(file.durable, change)
        file.unsynced.clear()

    def rename(self, name: str, new_name: str) -> None:
        """Give a file another name, in place of what had it; both happen or none."""
        self._name({name: None, new_name: self._files[name]})

    def link(self, name: str, new_name: str) -> None:
        """Give a file a second name."""
        self._name({new_name: self._files[name]})

    def sync_folder(self, folder: str = "") -> None:
        """Make all names in a folder durable (fsync of the folder); those of the outer one are its folders, too."""
        still_unsynced = [c for c in self._unsynced_names if {_folder_of(name) for name in c} != {folder}]
        for change in self._unsynced_names:
            if change not in still_unsynced:
                _apply(self._durable_names, change)
        self._unsynced_names = still_unsynced
        if not folder:
            self._durable_folders |= self._folders

    def fail_sync(self, name: str, seed: int) -> None:
        """An fsync that fails: part was written, and what was not counts as clean from now on.

        The page cache still shows it, and no later fsync writes it again, as Linux does it (Rebello et al.,
        "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
        """
        file = self._files[name]
        _survive(file.durable, file.unsynced, Random(seed), 0.5)
        file.unsynced.clear()

    def delete(self, name: str) -> None:
        """Take a name away."""
        self._name({name: None})

    def after_power_cut(self, luck: Random) -> dict[str, bytes]:
        """What may be found after the power failed now."""
        kept_ratio = luck.choice(KEPT_RATIOS)
        names = dict(self._durable_names)
        for change in self._unsynced_names:
            if luck.random() < kept_ratio:
                _apply(names, change)
        found = {}
        for name, file in names.items():
            if _folder_of(name) not in self._durable_folders:
                continue
            content = bytearray(file.durable)
            _survive(content, file.unsynced, luck, kept_ratio)
            found[name] = bytes(content)
        return found

    def _name(self, change: dict[str, _File | None]) -> None:
        _apply(self._files, change)
        self._unsynced_names.append(change)

    def _change(self, name: str, change: Change) -> None:
        file = self._files[name]
        _make(file.live, change)
        file.unsynced.append(change)
