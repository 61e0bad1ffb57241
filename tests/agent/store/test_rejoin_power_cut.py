"""The power fails at each step of taking the place again: there is the old ledger, or the new one, never half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from bodega.core.ledger import Account, Disposition
from bodega.errors import Unavailable
from bodega_agent.store import rejoin
from bodega_agent.store.reader import Reader
from support.faulty_disk_files import traced_files
from support.faulty_disk_room import Room, faulty_room, moments
from support.faulty_disk_vfs import Trace
from support.long_run import by_length
from support.promising import SHELF, Clocks, shelve
from support.recovery_world import NODE, RecoveryWorld

SEEDS = by_length(1, 20)
# The last operations, where names change, are cut with more luck and with less.
LAST_OPERATIONS = 16
LUCKS = 12
CUTS_MIN = 40
TEA = Account("TEA", SHELF, Disposition.SELLABLE)


@dataclass(frozen=True)
class Before:
    """A restored node with a fork of its own, and the plan that it was given."""

    ledger: bytes
    plan: bytes
    head_seq: int


@pytest.fixture
async def before(tmp_path: Path) -> Before:
    (tmp_path / "world").mkdir()
    world = RecoveryWorld(tmp_path / "world")
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        copy = world.backup_node()
    world.restore_node(copy)
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 5))
        head = await store.head()
        await world.rejoin(store, restored=True)
    world.hub.close()
    plan = world.ledger.with_name(rejoin.PLAN).read_bytes()
    return Before(world.ledger.read_bytes(), plan, head.seq)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with faulty_room(tmp_path / "disk") as room:
        yield room


def _finish(folder: Path) -> rejoin.Rejoined | None:
    clocks = Clocks()
    return rejoin.finish(folder / "ledger.db", node_id=NODE, now_ms=clocks.now_ms, clock=clocks.clock)


def _problems(folder: Path, before: Before, *, epoch: int) -> list[str]:
    with closing(Reader(folder / "ledger.db")) as reader:
        report, head = reader.verify(), reader.head()
        rows = reader.rows("SELECT quantity FROM balance WHERE sku_id = 'TEA' AND bin = ?", SHELF)
    problems = [] if report["ok"] else [report["problem"]]
    if head.epoch != epoch:
        problems.append(f"epoch {head.epoch}, not {epoch}")
    if epoch == 1 and head.seq != before.head_seq:
        problems.append(f"the old ledger ends at {head.seq}, not {before.head_seq}")
    if [row["quantity"] for row in rows] != [15]:
        problems.append(f"{rows} of TEA on the shelf, not 15")
    return problems


def _ends_at(copies: Path, content: bytes | bytearray) -> int:
    """The head of the ledger in these bytes, 0 if they are none."""
    path = copies / "fork.db"
    path.write_bytes(content)
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as fork:
            return int(fork.execute("SELECT max(seq) FROM journal").fetchone()[0])
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError):
        return 0


def _cuts(trace: Trace, seed: int, start: dict[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(place, what is left): after each operation, and after the last ones with more luck and with less."""
    operations = sum(step[0] != "note" for step in trace.steps)
    for luck in range(LUCKS):
        for number, place, found, _, _ in moments(trace, seed * LUCKS + luck, {}, start):
            if luck == 0 or number > operations - LAST_OPERATIONS:
                yield f"{place}, luck {luck}", found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_power_cut_while_the_place_is_taken_leaves_one_whole_ledger(
    room: Room, before: Before, tmp_path: Path, seed: int
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    start = {"ledger.db": before.ledger, rejoin.PLAN: before.plan}
    mount = room.mount(start)
    with traced_files(room.folder, mount):
        made = _finish(room.folder)
    assert made is not None
    assert _problems(room.folder, before, epoch=2) == []

    wrong, cuts, kept = {}, 0, set()
    for place, found in _cuts(mount.trace, seed, start):
        cuts += 1
        again = room.mount(found)
        with traced_files(room.folder, again):
            kept.add(rejoin.PLAN in found)
            _finish(room.folder)
            problems = _problems(room.folder, before, epoch=2)
            left = sorted(path.name for path in room.folder.iterdir() if path.is_file())
            if not set(left) <= {"ledger.db", "ledger.db-wal", "ledger.db-shm"}:
                problems.append(f"left behind: {left}")
            forks = [
                again.disk.content(name) for name in again.disk.names() if name.startswith("archives/fork-")
            ]
            if not any(_ends_at(copies, fork) == before.head_seq for fork in forks):
                problems.append("the old line is not kept")
        if problems:
            wrong[place] = problems
    assert wrong == {}
    assert cuts >= CUTS_MIN
    assert kept == {True, False}, "the plan goes last"


def _fail(*_args: object, **_more: object) -> None:
    raise OSError("killed")


@pytest.mark.parametrize("step", ["_make_one_file", "_fill", "_swap", "put_in_place", "_forget"])
def test_a_kill_before_a_step_is_mended_by_the_next_start(
    tmp_path: Path, before: Before, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger.db").write_bytes(before.ledger)
    (tmp_path / rejoin.PLAN).write_bytes(before.plan)
    with monkeypatch.context() as broken:
        broken.setattr(rejoin, step, _fail)
        with pytest.raises(OSError, match="killed"):
            _finish(tmp_path)
    done = step == "_forget"
    assert _problems(tmp_path, before, epoch=2 if done else 1) == []
    assert (_finish(tmp_path) is None) == done
    assert _problems(tmp_path, before, epoch=2) == []
    assert not (tmp_path / rejoin.PLAN).exists()
    forks = list((tmp_path / "archives").glob("fork-*.db"))
    assert len(forks) == 1, "no second name of a file that is the ledger is left"


def test_while_another_process_reads_the_old_file_it_stays_and_the_plan_waits(
    tmp_path: Path, before: Before
) -> None:
    (tmp_path / "ledger.db").write_bytes(before.ledger)
    (tmp_path / rejoin.PLAN).write_bytes(before.plan)
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        reader.head()
        with pytest.raises(Unavailable):
            _finish(tmp_path)
        assert reader.head().epoch == 1
    assert _finish(tmp_path) is not None


def test_a_plan_that_is_damaged_or_anothers_is_dropped_and_the_ledger_stays(
    tmp_path: Path, before: Before
) -> None:
    (tmp_path / "ledger.db").write_bytes(before.ledger)
    plan = rejoin.Plan.FromString(before.plan)
    plan.snapshot = plan.snapshot[:-1] + bytes([plan.snapshot[-1] ^ 1])
    for bad in (plan.SerializeToString(), os.urandom(100), b""):
        (tmp_path / rejoin.PLAN).write_bytes(bad)
        assert _finish(tmp_path) is None
        assert not (tmp_path / rejoin.PLAN).exists()
    assert _problems(tmp_path, before, epoch=1) == []
