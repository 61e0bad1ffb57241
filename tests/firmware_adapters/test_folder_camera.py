"""What is special about pictures in a folder: which is the newest, half-written files, bounds."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from bodega.errors import Unavailable
from bodega_adapters.cameras import folder
from bodega_adapters.cameras.folder import FolderCamera
from bodega_adapters.simulated.folder_camera import SimulatedTray
from support.devices import png


def camera_on(path: Path) -> FolderCamera:
    camera = FolderCamera("bench", str(path))
    camera.open()
    return camera


def test_the_newest_picture_counts_and_hidden_and_other_files_do_not(tmp_path):
    for age_s, name, width in (
        (30, "old.png", 3),
        (20, "new.png", 5),
        (10, ".half.png", 7),
        (0, "notes.txt", 9),
    ):
        (tmp_path / name).write_bytes(png(width=width))
        os.utime(tmp_path / name, (1_700_000_000 - age_s, 1_700_000_000 - age_s))
    frame = camera_on(tmp_path).read()
    assert frame.pixels.shape == (3, 5, 3)
    assert frame.source == str(tmp_path / "new.png")


def test_a_single_file_is_a_camera_too_and_its_digest_is_that_of_its_bytes(tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(png())
    assert camera_on(picture).read().digest == hashlib.sha256(png()).hexdigest()


def test_a_picture_that_vanishes_after_open_is_unavailable(tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(png())
    camera = camera_on(picture)
    picture.unlink()
    with pytest.raises(Unavailable, match="can not read"):
        camera.read()


def test_an_empty_file_is_not_a_picture(tmp_path):
    (tmp_path / "picture.png").touch()
    with pytest.raises(Unavailable, match="not a picture"):
        camera_on(tmp_path).read()


def test_pixels_up_to_the_bound_pass_and_one_row_more_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "FRAME_PIXELS_MAX", 12)
    (tmp_path / "a.png").write_bytes(png(width=4, height=3))
    camera = camera_on(tmp_path)
    assert camera.read().pixels.shape == (3, 4, 3)
    (tmp_path / "a.png").write_bytes(png(width=4, height=4))
    with pytest.raises(Unavailable, match="16 pixels"):
        camera.read()


def test_bytes_up_to_the_bound_pass_and_one_more_does_not(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(png())
    camera = camera_on(tmp_path)
    monkeypatch.setattr(folder, "FRAME_FILE_BYTES_MAX", len(png()))
    camera.read()
    monkeypatch.setattr(folder, "FRAME_FILE_BYTES_MAX", len(png()) - 1)
    with pytest.raises(Unavailable, match="bytes"):
        camera.read()


def test_the_tray_holds_one_picture_and_leaves_no_half_written_file(tmp_path):
    tray = SimulatedTray(tmp_path / "tray")
    tray.show(png(), name="one.png")
    tray.show(png(), name="two.jpg")
    assert [entry.name for entry in tray.folder.iterdir()] == ["two.jpg"]
    tray.clear()
    assert list(tray.folder.iterdir()) == []
