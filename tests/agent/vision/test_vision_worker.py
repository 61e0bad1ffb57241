"""A real worker process judges real pictures of a tray."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
import pytest_asyncio

from bodega.limits import VERDICT_S
from bodega_agent.vision.judge import Thresholds
from bodega_agent.vision.models import FRAME_QUALITY
from support import tray_frames, vision_worker
from support.tray_frames import tray, with_item
from support.vision_worker import PEN, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEN_ON_TRAY = with_item(tray(), "4006381333931")
SOAP_ON_TRAY = with_item(tray(), "5901234123457")
SCENES = {
    "pen": PEN_ON_TRAY,
    "soap": SOAP_ON_TRAY,
    "pen-and-soap": with_item(PEN_ON_TRAY, "5901234123457", at=(60, 260)),
    "empty": tray(),
    "dark": tray_frames.dark(PEN_ON_TRAY),
    "overexposed": tray_frames.overexposed(PEN_ON_TRAY),
    "blurred": tray_frames.blurred(PEN_ON_TRAY),
    "bin-label": with_item(tray(), "A-01-02", symbology="Code128"),
}
MIXED = ("pen", "soap", "dark", "blurred", "empty", "pen-and-soap", "bin-label", "overexposed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("vision")
    for name, frame in SCENES.items():
        tray_frames.save(frame, folder / name / "frame.png")
    (folder / "unreadable").mkdir()
    (folder / "unreadable" / "frame.png").write_bytes(b"\x89PNG half a picture")
    (folder / "no-picture").mkdir()
    os.mkfifo(folder / "hanging")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(folder):
    cameras = (*SCENES, "unreadable", "no-picture", "missing", "hanging")
    async with vision_worker.running(vision_worker.spec(folder, *cameras)) as client:
        yield client


@pytest.mark.parametrize(
    ("camera", "outcome", "code"),
    [
        ("pen", "pass", "expected_item"),
        ("soap", "fail", "other_item"),
        ("pen-and-soap", "review", "extra_item"),
        ("empty", "review", "no_code"),
        ("bin-label", "review", "no_gtin"),
        ("dark", "review", "too_dark"),
        ("overexposed", "review", "too_bright"),
        ("blurred", "review", "blurred"),
        ("unreadable", "review", "no_frame"),
        ("no-picture", "review", "no_frame"),
        ("missing", "review", "no_frame"),
        ("never-configured", "review", "no_frame"),
    ],
)
async def test_what_a_camera_shows_is_judged(client, camera, outcome, code):
    verdict = await client.inspect(request(camera))
    assert (verdict.outcome, verdict.codes) == (outcome, (code,))
    assert ": " in verdict.reasons[0]


async def test_a_verdict_is_a_decision_record(client, folder):
    asked = request("pen")
    verdict = await client.inspect(asked)
    assert verdict.request_id == asked.request_id
    assert verdict.frame_digest == hashlib.sha256((folder / "pen" / "frame.png").read_bytes()).hexdigest()
    assert verdict.frame_path == str(folder / "frames" / f"{verdict.frame_digest}.jpg")
    assert _bytes_of(verdict.frame_path) > 10_000
    assert verdict.model == client.model == f"frame_quality@{FRAME_QUALITY.sha256[:12]}"
    assert verdict.thresholds == Thresholds().as_numbers()
    assert verdict.scores.keys() == {"luminance_mean", "sharpness", "dark_share", "bright_share"}
    assert verdict.seen == (PEN,)
    assert 0 <= verdict.duration_ms <= VERDICT_S * 1000


async def test_the_provider_is_the_one_that_the_session_reports(client):
    assert client.provider == "CPUExecutionProvider"
    assert (await client.inspect(request("pen"))).provider == "CPUExecutionProvider"


async def test_a_case_of_the_sku_is_the_sku(client):
    assert (await client.inspect(request("pen", "14006381333938", PEN))).outcome == "pass"


async def test_eight_at_once_get_the_verdicts_of_one_by_one(client):
    alone = [_essence(await client.inspect(request(camera))) for camera in MIXED]
    together = await asyncio.gather(*(client.inspect(request(camera)) for camera in MIXED))
    assert [_essence(verdict) for verdict in together] == alone


async def test_many_at_once_on_one_camera_are_all_answered(client):
    verdicts = await asyncio.gather(*(client.inspect(request("pen")) for _ in range(32)))
    assert {verdict.outcome for verdict in verdicts} == {"pass"}


async def test_a_camera_that_hangs_holds_up_nobody_else(client, folder):
    hung = asyncio.create_task(client.inspect(request("hanging")))
    other = asyncio.create_task(client.inspect(request("pen")))
    done, _ = await asyncio.wait({hung, other}, return_when=asyncio.FIRST_COMPLETED)
    assert done == {other}
    assert other.result().outcome == "pass"
    verdict = await hung
    assert verdict.codes == ("no_frame",)
    assert "no frame within" in verdict.reasons[0]


async def test_a_camera_comes_back_by_itself(client, folder):
    picture = folder / "no-picture" / "frame.png"
    assert (await client.inspect(request("no-picture"))).codes == ("no_frame",)
    tray_frames.save(PEN_ON_TRAY, picture)
    assert (await client.inspect(request("no-picture"))).outcome == "pass"
    picture.unlink()


async def test_the_frames_on_disk_keep_to_their_budget(folder):
    budget = 250_000
    spec = vision_worker.spec(folder, *MIXED, frames_bytes_max=budget)
    async with vision_worker.running(spec) as client:
        for camera in MIXED:
            verdict = await client.inspect(request(camera))
            assert _bytes_of(verdict.frame_path) > 0
            assert sum(_bytes_of(path) for path in _kept(folder)) <= budget
    assert 0 < len(_kept(folder)) < len(MIXED)


def _essence(verdict) -> tuple:
    return verdict.outcome, verdict.reasons, verdict.frame_digest, verdict.scores, verdict.seen


def _kept(folder: Path) -> list[Path]:
    return list((folder / "frames").iterdir())


def _bytes_of(path) -> int:
    return Path(path).stat().st_size
