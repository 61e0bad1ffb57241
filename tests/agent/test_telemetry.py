"""What is good to know waits beside the journal: it is told once there is nothing that must be, and it may be lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bodega.core.sync import Verdict
from bodega.limits import TELEMETRY_FILE_BYTES_MAX, TELEMETRY_LOOK_S, TELEMETRY_SAMPLE_S
from bodega.v1 import telemetry_pb2
from bodega_agent.rules.telemetry import Condition, Finding, findings, sample
from bodega_agent.services.telemetry import TelemetryService
from bodega_agent.store.telemetry import TelemetryBox
from support.memory_link import MemoryLink
from support.synced_node import NODE, SyncedNode, bodies

WELL = Condition(frozenset(), "roomy", "CPU", connected=True, head_seq=5, acked_seq=5, disk_free_bytes=10)


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (None, WELL, []),
        (
            None,
            replace(WELL, devices_lost=frozenset({"b", "a"})),
            [("device_lost", "a"), ("device_lost", "b")],
        ),
        (WELL, replace(WELL, head_seq=9, disk_free_bytes=1), []),
        (WELL, replace(WELL, devices_lost=frozenset({"a"})), [("device_lost", "a")]),
        (replace(WELL, devices_lost=frozenset({"a"})), WELL, [("device_back", "a")]),
        (WELL, replace(WELL, disk_rung="dropping"), [("disk_rung", "")]),
        (WELL, replace(WELL, vision_provider="CUDA"), [("vision_provider", "")]),
        (WELL, replace(WELL, connected=False), [("link", "")]),
    ],
)
def test_only_what_changed_is_worth_a_row(
    before: Condition | None, now: Condition, found: list[tuple[str, str]]
) -> None:
    assert [(one.kind, one.subject) for one in findings(before, now)] == found


def test_a_sample_says_how_far_the_node_is() -> None:
    assert sample(WELL) == Finding("sample", "", "head 5, acknowledged 5, disk free 10 bytes")


def rows(*kinds: str) -> list[telemetry_pb2.TelemetryRow]:
    return [telemetry_pb2.TelemetryRow(kind=kind) for kind in kinds]


def kinds_in(box: TelemetryBox) -> list[str]:
    found = box.oldest()
    return [row.kind for row in found[1].rows] if found else []


def test_rows_wait_in_the_order_in_which_they_came_over_a_restart_too(tmp_path: Path) -> None:
    numbers = itertools.count(1)
    box = TelemetryBox(tmp_path, lambda: next(numbers))
    box.add(rows("one"))
    box.add(rows("two", "three"))
    again = TelemetryBox(tmp_path, lambda: 1)  # its clock was set back, and it still rises above nothing
    assert kinds_in(again) == ["one", "two", "three"]
    found = again.oldest()
    assert found is not None
    assert [row.row_no for row in found[1].rows] == sorted(row.row_no for row in found[1].rows)
    again.remove(found[0])
    assert again.oldest() is None


def test_files_stay_small_so_that_room_can_be_made_piece_by_piece(tmp_path: Path) -> None:
    box = TelemetryBox(tmp_path, lambda: 0)
    for _ in range(3 * TELEMETRY_FILE_BYTES_MAX // 1000):
        box.add([telemetry_pb2.TelemetryRow(kind="sample", detail="x" * 1000)])
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) >= 3
    assert max(sizes) < TELEMETRY_FILE_BYTES_MAX + 1100


def test_a_file_that_does_not_read_and_one_that_was_dropped_cost_nothing_else(tmp_path: Path) -> None:
    box = TelemetryBox(tmp_path, lambda: 5)
    box.add(rows("lost"))
    found = box.oldest()
    assert found is not None
    found[0].unlink()  # the disk service needed the room
    box.add(rows("kept"))
    (tmp_path / f"{0:020}.binpb").write_bytes(b"\xff\xff torn")
    assert kinds_in(box) == ["kept"]
    assert len(list(tmp_path.iterdir())) == 1


class Told:
    """A telemetry service beside a node's sync, under virtual time."""

    def __init__(self, folder: Path) -> None:
        self.node = SyncedNode()
        self.condition = WELL
        self.roomy = True
        numbers = itertools.count(1)
        self.box = TelemetryBox(folder, lambda: next(numbers))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        link = self.node.sync._link
        assert isinstance(link, MemoryLink)
        self.service = TelemetryService(
            NODE,
            self.box,
            link,
            look=self._look,
            may_speak=lambda: self.node.sync.at_rest,
            may_keep=lambda: self.roomy,
        )
        await self.node.start()
        self._task = asyncio.create_task(self.service.run())

    async def _look(self) -> Condition:
        return self.condition

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.node.stop()

    def told(self) -> list[str]:
        return [row.kind for row in self.node.book.telemetry]


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    """Not started: looptime runs in the test and not in its fixtures."""
    told = Told(tmp_path)
    yield told
    await told.stop()


@pytest.mark.looptime
async def test_telemetry_waits_for_as_long_as_the_hub_lacks_an_event(told: Told) -> None:
    told.node.broker.book = told.node.book
    told.node.journal.append(*bodies(3))
    await told.start()
    told.condition = replace(WELL, devices_lost=frozenset({"scanner-1"}))
    await asyncio.sleep(5 * TELEMETRY_LOOK_S)
    assert told.told() == []
    for body in told.node.broker.published:
        assert told.node.book.take_up(body) in (Verdict.APPLY, Verdict.ALREADY_HAVE)
    told.node.say(told.node.book.ack())
    await asyncio.sleep(2 * TELEMETRY_LOOK_S)
    assert told.told() == ["device_lost", "sample"] or told.told() == ["sample", "device_lost"]
    assert told.box.oldest() is None


@pytest.mark.looptime
async def test_figures_are_told_now_and_then_and_changes_when_they_happen(told: Told) -> None:
    told.node.broker.book = told.node.book
    await told.start()
    await asyncio.sleep(TELEMETRY_SAMPLE_S / 2)
    told.condition = replace(WELL, disk_rung="dropping")
    await asyncio.sleep(TELEMETRY_SAMPLE_S)
    assert told.told() == ["sample", "disk_rung", "sample"]


@pytest.mark.looptime
async def test_without_room_nothing_is_kept_and_without_a_hub_it_waits(told: Told) -> None:
    told.roomy = False
    await told.start()
    await asyncio.sleep(3 * TELEMETRY_LOOK_S)
    assert told.box.oldest() is None
    told.roomy = True
    told.condition = replace(WELL, disk_rung="dropping")
    await asyncio.sleep(3 * TELEMETRY_LOOK_S)
    assert kinds_in(told.box) == ["disk_rung"]
    told.node.broker.book = told.node.book
    await asyncio.sleep(3 * TELEMETRY_LOOK_S)
    assert told.told() == ["disk_rung"]
