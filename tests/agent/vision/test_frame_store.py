"""Judged frames stay on the node, and never more of them than the budget."""

from __future__ import annotations

import os
import shutil
import stat

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from bodega_agent.vision.frames import FrameStore
from support.tray_frames import tray

DIGESTS = [f"{number:064x}" for number in range(20)]


@pytest.fixture
def jpeg_bytes(tmp_path) -> int:
    """What one of these frames takes; all frames here are the same."""
    store = FrameStore(tmp_path / "measure", 10_000_000)
    store.keep(DIGESTS[0], tray())
    return store.bytes_kept


def test_a_kept_frame_is_a_picture_under_its_digest(tmp_path):
    path = FrameStore(tmp_path, 10_000_000).keep(DIGESTS[3], tray())
    assert path == str(tmp_path / f"{DIGESTS[3]}.jpg")
    assert np.abs(cv2.imread(path).astype(int) - tray()).mean() < 10


def test_the_oldest_go_first_and_the_budget_holds_at_its_edge(tmp_path, jpeg_bytes):
    folder = tmp_path / "frames"
    store = FrameStore(folder, 3 * jpeg_bytes)
    for digest in DIGESTS[:3]:
        store.keep(digest, tray())
    assert store.bytes_kept == 3 * jpeg_bytes
    store.keep(DIGESTS[3], tray())
    assert _names(folder) == [f"{digest}.jpg" for digest in DIGESTS[1:4]]
    assert sum(path.stat().st_size for path in folder.iterdir()) == store.bytes_kept == 3 * jpeg_bytes


def test_the_same_frame_again_takes_no_more_room_and_counts_as_new(tmp_path, jpeg_bytes):
    folder = tmp_path / "frames"
    store = FrameStore(folder, 2 * jpeg_bytes)
    for number in (0, 1, 0, 2):
        store.keep(DIGESTS[number], tray())
    assert _names(folder) == [f"{DIGESTS[0]}.jpg", f"{DIGESTS[2]}.jpg"]


def test_a_new_worker_takes_stock_and_clears_what_was_cut_off(tmp_path, jpeg_bytes):
    folder = tmp_path / "frames"
    first = FrameStore(folder, 10 * jpeg_bytes)
    for age, digest in enumerate(DIGESTS[:4]):
        os.utime(first.keep(digest, tray()), (1_000_000 - age, 1_000_000 - age))
    (folder / f"{DIGESTS[9]}.part").write_bytes(b"half a frame")
    second = FrameStore(folder, 2 * jpeg_bytes)
    assert _names(folder) == [f"{digest}.jpg" for digest in DIGESTS[:2]]
    assert second.bytes_kept == 2 * jpeg_bytes


def test_a_frame_larger_than_the_budget_is_not_kept(tmp_path, jpeg_bytes):
    store = FrameStore(tmp_path / "frames", jpeg_bytes - 1)
    assert store.keep(DIGESTS[0], tray()) is None
    assert store.bytes_kept == 0


def test_a_disk_that_refuses_is_warned_of_once_and_told_once_when_it_is_back(tmp_path):
    folder = tmp_path / "frames"
    folder.write_bytes(b"a file where the folder should be")
    with capture_logs() as lines:
        store = FrameStore(folder, 1_000_000)
        assert store.keep(DIGESTS[0], tray()) is None
        assert store.keep(DIGESTS[1], tray()) is None
        folder.unlink()
        folder.mkdir()
        assert store.keep(DIGESTS[2], tray()) is not None
        assert store.keep(DIGESTS[3], tray()) is not None
    assert [line["event"] for line in lines] == ["frames_not_kept", "frames_kept_again"]


def test_no_frame_is_kept_that_would_take_the_disks_last_room(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with capture_logs() as lines:
        assert (
            FrameStore(tmp_path / "frames", 10_000_000, free_bytes_min=2 * free).keep(DIGESTS[0], tray())
            is None
        )
    assert _names(tmp_path / "frames") == []
    assert [(line["event"], line["error"]) for line in lines] == [
        ("frames_not_kept", "the disk is short of room")
    ]


def test_frames_that_the_disk_service_dropped_take_nothing_from_the_budget_of_the_next(tmp_path, jpeg_bytes):
    folder = tmp_path / "frames"
    store = FrameStore(folder, 2 * jpeg_bytes)
    for digest in DIGESTS[:2]:
        store.keep(digest, tray())
    (folder / f"{DIGESTS[0]}.jpg").unlink()
    for digest in DIGESTS[2:4]:
        assert store.keep(digest, tray()) is not None
    assert _names(folder) == [f"{digest}.jpg" for digest in DIGESTS[2:4]]


def test_only_the_agents_user_may_look_at_frames(tmp_path):
    FrameStore(tmp_path / "frames", 1_000)
    assert stat.S_IMODE((tmp_path / "frames").stat().st_mode) == 0o700


def _names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
