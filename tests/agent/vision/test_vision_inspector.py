"""A driver is not trusted either: what is no frame is said to be none, and nothing computes on it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bodega.limits import FRAME_PIXELS_MAX
from bodega_adapters.ports import Frame
from bodega_agent.vision.frames import FrameStore
from bodega_agent.vision.inspector import Inspector, Shot
from bodega_agent.vision.judge import Thresholds
from bodega_agent.vision.quality import QualityModel
from bodega_agent.vision.session import CPU
from support.tray_frames import tray, with_item
from support.vision_worker import request

DIGEST = "ab" * 32
PEN_ON_TRAY = with_item(tray(), "4006381333931")


@pytest.fixture
def inspector(tmp_path) -> Inspector:
    return Inspector(QualityModel((CPU,)), FrameStore(tmp_path / "frames", 1_000_000), Thresholds())


@pytest.mark.parametrize(
    ("pixels", "digest"),
    [
        (PEN_ON_TRAY[:, :, 0], DIGEST),
        (PEN_ON_TRAY.astype(np.float32), DIGEST),
        (np.zeros((480, 640, 4), np.uint8), DIGEST),
        (np.zeros((0, 640, 3), np.uint8), DIGEST),
        (np.zeros((1, FRAME_PIXELS_MAX + 1, 3), np.uint8), DIGEST),
        (PEN_ON_TRAY, "../../etc/passwd"),
        (PEN_ON_TRAY, ""),
    ],
)
def test_a_bad_frame_is_a_review_and_spoils_no_other_of_its_batch(inspector, tmp_path, pixels, digest):
    bad, good = inspector.inspect([_shot(pixels, digest), _shot(PEN_ON_TRAY, "cd" * 32)])
    assert (bad.outcome, bad.codes, bad.frame_digest, bad.frame_path) == ("review", ("bad_frame",), "", None)
    assert good.outcome == "pass"
    assert [path.name for path in (tmp_path / "frames").iterdir()] == [f"{'cd' * 32}.jpg"]


def test_a_frame_of_one_pixel_is_judged_and_not_broken_on(inspector):
    [verdict] = inspector.inspect([_shot(np.full((1, 1, 3), 120, np.uint8), DIGEST)])
    assert verdict.codes == ("blurred",)


def test_codes_in_a_frame_that_is_too_dark_are_no_evidence(inspector):
    dim = (PEN_ON_TRAY * 0.12).astype(np.uint8)
    [verdict] = inspector.inspect([_shot(dim, DIGEST)])
    assert (verdict.codes, verdict.seen) == (("too_dark",), ())


def _shot(pixels: np.ndarray, digest: str) -> Shot:
    return Shot(request("bench"), Frame(pixels, digest, 0, "test"), time.monotonic())
