"""The disk service on real folders: what it deletes, what it never touches, and what it tells whom."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega.errors import Refused, Unavailable
from bodega_agent.rules.disk import DataClass, DiskRung, Limits
from bodega_agent.services.ballast import Ballast
from bodega_agent.services.disk import DiskService
from bodega_agent.services.schedule import Schedule
from bodega_agent.store.gate import Gate
from support.node_under_test import opened_store
from support.waiting import until

BALLAST_BYTES = 64 * 1024
LIMITS = Limits(
    budgets={DataClass.FRAMES: 1000, DataClass.TELEMETRY: 1000, DataClass.ARCHIVES: 1000},
    ballast_bytes=BALLAST_BYTES,
    drop_below_bytes=10_000,
    refuse_promises_below_bytes=4_000,
    physical_only_below_bytes=1_000,
)
ROOM = 1_000_000


class Meter:
    """A file system whose free bytes a test sets, as they would be with the ballast in place."""

    def __init__(self, folder: Path, spare: int = ROOM) -> None:
        self.folder = folder
        self.spare = spare

    def __call__(self, _folder: Path) -> int:
        if self.spare < 0:
            raise OSError(errno.EIO, "Input/output error")
        return self.spare + (0 if (self.folder / "ballast").exists() else BALLAST_BYTES)


class Kit:
    """A service over `folder`, its gate and its meter."""

    def __init__(self, folder: Path, allocate: Callable[[int, int, int], None] = os.posix_fallocate) -> None:
        self.folder = folder
        self.gate = Gate()
        self.meter = Meter(folder)
        ballast = Ballast(folder / "ballast", BALLAST_BYTES, allocate=allocate)
        self.service = DiskService(folder, LIMITS, self.gate, ballast=ballast, free=self.meter)

    def settle(self, spare: int = ROOM) -> DiskRung:
        """Where the node stands with so much to spare."""
        self.meter.spare = spare
        self.service.settle()
        return self.service.rung

    def write(self, name: str, size: int, *, age: int = 0) -> Path:
        """A file in the state folder, `age` seconds older than the epoch's second million."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
        return path


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    (tmp_path / "state").mkdir()
    return Kit(tmp_path / "state")


def test_what_is_over_its_budget_goes_oldest_first(kit: Kit) -> None:
    paths = [kit.write(f"frames/{age}.jpg", 400, age=age) for age in (1, 3, 2)]
    archive = kit.write("archives/1.arc", 900, age=9)
    assert kit.settle() is DiskRung.ROOMY
    assert [path.exists() for path in paths] == [True, False, True]
    assert archive.exists()
    status = kit.service.status()
    assert (status["used_bytes"]["frames"], status["used_bytes"]["archives"]) == (800, 900)


def test_the_journal_and_all_that_is_no_plain_file_of_a_class_stay_however_full_the_disk_is(
    kit: Kit, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(bytes(500))
    stay = [
        *(kit.write(f"ledger.db{suffix}", 5_000) for suffix in ("", "-wal", "-shm")),
        kit.write("tray/picture.jpg", 500),
        kit.write("frames/half.part", 500),
        kit.write("frames/below/deep.jpg", 500),
        outside / "precious",
    ]
    (kit.folder / "frames" / "link.jpg").symlink_to(outside / "precious")
    (kit.folder / "telemetry").symlink_to(outside)
    gone = kit.write("frames/1.jpg", 500)
    assert kit.settle(0) is DiskRung.PHYSICAL_ONLY
    assert not kit.service.make_room()
    assert not gone.exists()
    assert [path for path in stay if not path.exists()] == []
    assert (kit.folder / "frames" / "link.jpg").is_symlink()
    assert kit.service.status()["used_bytes"]["journal"] == 15_000


def test_down_the_ladder_and_up_again_with_the_gate_and_the_ballast(kit: Kit) -> None:
    seen = []
    for spare in (ROOM, 5_000, 3_000, 500, 1_200, 1_250, 5_000, 12_500):
        rung = kit.settle(spare)
        closed = (bool(kit.gate.closed_because), kit.gate.scans_only)
        seen.append((spare, str(rung), *closed, (kit.folder / "ballast").exists()))
    assert seen == [
        (ROOM, "roomy", False, False, True),
        (5_000, "dropping", False, False, True),
        (3_000, "no_new_promises", True, False, True),
        (500, "physical_only", True, True, False),
        (1_200, "physical_only", True, True, False),
        (1_250, "no_new_promises", True, False, True),
        (5_000, "dropping", False, False, True),
        (12_500, "roomy", False, False, True),
    ]


def test_each_change_of_the_rung_is_told_once(kit: Kit) -> None:
    with capture_logs() as lines:
        for spare in (ROOM, 3_000, 3_000, 3_100, ROOM, ROOM):
            kit.settle(spare)
    told = [(line["log_level"], line["was"], line["rung"]) for line in lines]
    assert told == [("warning", "roomy", "no_new_promises"), ("info", "no_new_promises", "roomy")]


def test_a_closed_gate_says_why_and_what_to_do(kit: Kit) -> None:
    kit.settle(500)
    with pytest.raises(Refused, match="no new promises: the disk has 500 B to spare") as refusal:
        kit.gate.check_promise()
    assert refusal.value.code == "disk-full"
    assert "make room" in refusal.value.hint
    with pytest.raises(Unavailable, match="only physical scans"):
        kit.gate.check_hub_events()
    kit.settle(ROOM)
    kit.gate.check_promise()
    kit.gate.check_hub_events()


def test_a_commit_that_finds_the_disk_full_gets_the_ballasts_room_at_once(kit: Kit) -> None:
    kit.settle()
    kit.write("frames/1.jpg", 500)
    assert kit.gate.make_room()
    assert sorted(path.name for path in kit.folder.iterdir()) == ["frames"]
    assert list((kit.folder / "frames").iterdir()) == []
    assert kit.gate.closed_because == "the disk is full: a write was refused"
    assert not kit.gate.make_room(), "there is nothing left to give"


def test_the_ballast_really_takes_its_room(kit: Kit) -> None:
    kit.settle()
    found = (kit.folder / "ballast").stat()
    assert found.st_size == BALLAST_BYTES <= found.st_blocks * 512
    assert found.st_mode & 0o777 == 0o600


@pytest.mark.parametrize("refusal", [errno.EOPNOTSUPP, 0], ids=["no fallocate", "one that only pretends"])
def test_without_fallocate_the_ballast_is_written_byte_by_byte(tmp_path: Path, refusal: int) -> None:
    def allocate(fd: int, _offset: int, length: int) -> None:
        if refusal:
            raise OSError(refusal, os.strerror(refusal))
        os.ftruncate(fd, length)

    kit = Kit(tmp_path, allocate)
    assert kit.settle() is DiskRung.ROOMY
    found = (tmp_path / "ballast").stat()
    assert found.st_size == BALLAST_BYTES <= found.st_blocks * 512


def test_a_ballast_of_another_size_or_hollow_is_made_again(kit: Kit) -> None:
    for make in (lambda path: path.write_bytes(b"short"), lambda path: os.truncate(path, BALLAST_BYTES)):
        kit.settle()
        (kit.folder / "ballast").write_bytes(b"")
        make(kit.folder / "ballast")
        kit.settle()
        found = (kit.folder / "ballast").stat()
        assert found.st_size == BALLAST_BYTES <= found.st_blocks * 512
        assert kit.service.status()["ballast_bytes"] == BALLAST_BYTES


@pytest.mark.parametrize(
    ("fault", "rung"),
    [
        (errno.ENOSPC, DiskRung.PHYSICAL_ONLY),
        (errno.EDQUOT, DiskRung.PHYSICAL_ONLY),
        (errno.EIO, DiskRung.ROOMY),
    ],
)
def test_a_ballast_that_can_not_be_made_is_told_once_and_want_of_room_is_believed(
    tmp_path: Path, fault: int, rung: DiskRung
) -> None:
    broken = True

    def allocate(fd: int, offset: int, length: int) -> None:
        if broken:
            raise OSError(fault, os.strerror(fault))
        os.posix_fallocate(fd, offset, length)

    kit = Kit(tmp_path, allocate)
    with capture_logs() as lines:
        assert [kit.settle(), kit.settle()] == [rung, rung]
    assert [line["event"] for line in lines].count("ballast_not_made") == 1
    assert kit.service.status()["ballast_trouble"] == os.strerror(fault)
    assert not (tmp_path / "ballast").exists()
    broken = False
    assert kit.settle() is DiskRung.ROOMY
    assert kit.service.status()["ballast_trouble"] == ""


def test_a_ballast_of_no_size_is_no_ballast(tmp_path: Path) -> None:
    limits = Limits(LIMITS.budgets, 0, 10_000, 4_000, 1_000)
    service = DiskService(tmp_path, limits, Gate(), free=lambda _folder: ROOM)
    service.settle()
    assert service.rung is DiskRung.ROOMY
    assert not (tmp_path / "ballast").exists()


def test_a_disk_that_does_not_answer_is_told_once_and_changes_nothing(kit: Kit) -> None:
    kit.settle(3_000)
    with capture_logs() as lines:
        assert {kit.settle(-1), kit.settle(-1)} == {DiskRung.NO_NEW_PROMISES}
        kit.settle(3_000)
        kit.settle(-1)
    assert [line["event"] for line in lines] == ["disk_not_measured"] * 2


async def test_the_schedule_sweeps(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        async def walk_on(self) -> None:
            """Nothing to find."""

        async def by_schedule(self) -> None:
            """Nothing to archive."""

    monkeypatch.setattr("bodega_agent.services.schedule.DISK_SWEEP_S", 0.01)
    with opened_store(kit.folder) as store:
        schedule = Schedule(store, Idle(), Idle(), kit.service)
        schedule.start()
        over = [kit.write(f"frames/{age}.jpg", 600, age=age) for age in (1, 2)]
        await until(lambda: not over[1].exists(), what="the frame over the budget is dropped")
        schedule.stop()
    assert over[0].exists()


async def test_archives_that_were_dropped_are_noted_in_the_ledger_and_again_if_that_failed(kit: Kit) -> None:
    heard: list[Collection[str]] = []

    async def fail_once(names: Collection[str]) -> None:
        heard.append(names)
        if len(heard) == 1:
            raise Unavailable("the ledger could not be written")

    kit.write("archives/old.arc", 900, age=2)
    kit.write("archives/new.arc", 900, age=1)
    kit.service.on_archives_dropped = fail_once
    with pytest.raises(Unavailable):
        await kit.service.sweep()
    await kit.service.sweep()
    await kit.service.sweep()
    assert heard == [{"old.arc"}, {"old.arc"}]


async def test_a_dropped_archive_is_marked_so_that_nobody_misses_its_file(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        for number, name in enumerate(("old.arc", "new.arc"), start=1):
            row = (number, number, b"", b"", name, b"", 1)
            await store.write(
                lambda tx, row=row: tx.execute(
                    "INSERT INTO archive(first_seq, last_seq, prev_hash, last_hash, file, sha256, size_bytes)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
            )
        await store.archives_dropped(["old.arc"])
        rows = await store.write(
            lambda tx: list(tx.execute("SELECT file, dropped FROM archive ORDER BY file"))
        )
    assert rows == [("new.arc", 0), ("old.arc", 1)]
