"""Judges a batch of frames: quality by the model, codes by the decoder, the record with its reasons.

The checks run in order and the first that settles the matter ends the inspection: codes out of a frame that
is too dark or blurred are not evidence, whatever they say. An error that is not foreseen here ends the
worker; the agent then says `review` and starts a fresh one, which also heals a driver or an accelerator in
a bad state.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bodega.limits import FRAME_PIXELS_MAX
from bodega_adapters.ports import Frame
from bodega_agent.vision.codes import CodeReader
from bodega_agent.vision.frames import FrameStore
from bodega_agent.vision.judge import Judgement, Thresholds, judge_codes, judge_quality
from bodega_agent.vision.messages import InspectRequest, Verdict, reason
from bodega_agent.vision.quality import QualityModel

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Shot:
    """A request with the frame taken for it. `started_s` is `time.monotonic` when the request arrived."""

    request: InspectRequest
    frame: Frame
    started_s: float


class Inspector:
    """The model, the decoder and the frame store behind one call. For one thread."""

    def __init__(self, model: QualityModel, store: FrameStore, thresholds: Thresholds) -> None:
        self._model = model
        self._store = store
        self._thresholds = thresholds
        self._reader = CodeReader()

    def inspect(self, shots: Sequence[Shot]) -> list[Verdict]:
        """One verdict a shot, in their order; the model runs once for all of them."""
        usable = [shot for shot in shots if _fault_of(shot.frame) is None]
        scores = self._model.scores([shot.frame.pixels for shot in usable]) if usable else []
        scored = dict(zip(map(id, usable), scores, strict=True))
        return [self._verdict(shot, scored.get(id(shot), {})) for shot in shots]

    def _verdict(self, shot: Shot, scores: dict[str, float]) -> Verdict:
        (outcome, reasons), seen = self._judge(shot, scores)
        return Verdict(
            request_id=shot.request.request_id,
            outcome=outcome,
            reasons=reasons,
            frame_digest=shot.frame.digest if scores else "",
            frame_path=self._store.keep(shot.frame.digest, shot.frame.pixels) if scores else None,
            model=self._model.name,
            provider=self._model.provider,
            thresholds=self._thresholds.as_numbers(),
            scores=scores,
            seen=seen,
            duration_ms=elapsed_ms(shot.started_s),
        )

    def _judge(self, shot: Shot, scores: dict[str, float]) -> tuple[Judgement, tuple[str, ...]]:
        """Outcome and reasons, and the codes seen."""
        if fault := _fault_of(shot.frame):
            return ("review", (reason("bad_frame", fault),)), ()
        if reasons := judge_quality(scores, self._thresholds):
            return ("review", reasons), ()
        seen = self._reader.codes_in(shot.frame.pixels)
        return judge_codes(shot.request.expected_gtins, seen), seen


def elapsed_ms(started_s: float) -> int:
    """Whole milliseconds since a reading of `time.monotonic`."""
    return round((time.monotonic() - started_s) * 1000)


def _fault_of(frame: Frame) -> str | None:
    """What a driver got wrong about a frame, before anything computes on it."""
    shape = frame.pixels.shape
    if len(shape) != 3 or shape[2] != 3 or frame.pixels.dtype != "uint8":
        return (
            f"The camera gave pixels of shape {shape} and type {frame.pixels.dtype}, not rows of 8-bit BGR."
        )
    if not 0 < shape[0] * shape[1] <= FRAME_PIXELS_MAX:
        return (
            f"The camera gave {shape[1]} x {shape[0]} pixels; at most {FRAME_PIXELS_MAX} in all are judged."
        )
    if not _DIGEST.fullmatch(frame.digest):
        return "The camera gave a frame without a SHA-256 digest."
    return None
