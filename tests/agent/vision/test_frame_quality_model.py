"""The quality model is what its card says: made by its generator, equal to numpy, pinned by its digest."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from structlog.testing import capture_logs

from bodega.errors import IntegrityBroken, NotFound
from bodega_agent.vision.judge import Thresholds, judge_quality
from bodega_agent.vision.models import FRAME_QUALITY
from bodega_agent.vision.quality import QualityModel
from bodega_agent.vision.session import CPU, ModelSession
from support import tray_frames

ITEM = tray_frames.with_item(tray_frames.tray(), "4006381333931")
SCENES = {
    "tray": tray_frames.tray(),
    "item": ITEM,
    "dark": tray_frames.dark(ITEM),
    "overexposed": tray_frames.overexposed(ITEM),
    "blurred": tray_frames.blurred(ITEM),
    "noise": np.random.default_rng(3).integers(0, 256, ITEM.shape, np.uint8),
}


@pytest.fixture(scope="module")
def model() -> QualityModel:
    return QualityModel((CPU,))


def test_the_committed_model_is_what_its_generator_makes():
    from bodega_agent.vision.models import build_frame_quality

    assert FRAME_QUALITY.path.read_bytes() == build_frame_quality.build()


def test_the_committed_model_has_its_pinned_digest():
    assert hashlib.sha256(FRAME_QUALITY.path.read_bytes()).hexdigest() == FRAME_QUALITY.sha256


@pytest.mark.parametrize("scene", SCENES)
def test_the_scores_equal_a_numpy_reference(model, scene):
    [scores] = model.scores([SCENES[scene]])
    assert scores == pytest.approx(_reference(SCENES[scene]), rel=2e-3, abs=2e-3)


def test_a_batch_gives_the_scores_of_one_by_one(model):
    frames = list(SCENES.values())
    assert model.scores(frames) == [model.scores([frame])[0] for frame in frames]


@pytest.mark.parametrize("shape", [(480, 640), (240, 320), (1080, 1920), (640, 480), (16, 4096), (1, 1)])
def test_frames_of_any_size_fit_into_one_batch(model, shape):
    grey = np.full((*shape, 3), 128, np.uint8)
    scores = model.scores([ITEM, grey])
    assert scores[1]["luminance_mean"] == pytest.approx(128, abs=0.01)
    assert scores[0] == model.scores([ITEM])[0]


@pytest.mark.parametrize(
    ("scene", "codes"),
    [
        ("tray", []),
        ("item", []),
        ("dark", ["too_dark"]),
        ("overexposed", ["too_bright"]),
        ("blurred", ["blurred"]),
    ],
)
def test_the_default_thresholds_tell_usable_frames_from_others(model, scene, codes):
    [scores] = model.scores([SCENES[scene]])
    assert [why.partition(":")[0] for why in judge_quality(scores, Thresholds())] == codes


def test_one_sharp_item_on_a_plain_ground_is_sharp(model):
    plain = np.full_like(ITEM, 120)
    [scores] = model.scores([tray_frames.with_item(plain, "4006381333931")])
    assert judge_quality(scores, Thresholds()) == ()


def test_the_provider_is_read_back(model):
    assert model.provider == "CPUExecutionProvider"
    assert model.name == f"frame_quality@{FRAME_QUALITY.sha256[:12]}"


def test_a_fall_back_to_another_provider_is_said_aloud():
    with capture_logs() as lines:
        session = _session(providers=("NoSuchExecutionProvider", CPU))
    assert session.provider == CPU
    assert [line["event"] for line in lines] == ["vision_provider_fallback"]
    assert lines[0]["running_on"] == CPU


def test_the_wanted_provider_needs_no_warning():
    with capture_logs() as lines:
        _session(providers=(CPU,))
    assert lines == []


def test_a_model_with_other_bytes_is_never_run(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(FRAME_QUALITY.path.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityBroken, match="sha256 is"):
        _session(path=path)


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"nothing\.onnx"):
        _session(path=tmp_path / "nothing.onnx")


def _session(path=FRAME_QUALITY.path, providers=(CPU,)) -> ModelSession:
    return ModelSession(path, sha256=FRAME_QUALITY.sha256, providers=providers)


def _reference(frame: np.ndarray) -> dict[str, float]:
    """The model card in numpy, in double precision."""
    luma = np.rint(frame.astype(np.float64) @ np.array([0.114, 0.587, 0.299]))
    padded = np.pad(luma, 1, mode="edge")
    edges = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * luma
    tiles = edges.reshape(6, 80, 8, 80).swapaxes(1, 2).reshape(48, -1)
    return {
        "luminance_mean": luma.mean(),
        "sharpness": tiles.var(axis=1).max(),
        "dark_share": (luma <= 8.0).mean(),
        "bright_share": (luma >= 247.0).mean(),
    }
