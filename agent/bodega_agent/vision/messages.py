"""What the agent asks the vision worker, and what it gets back: values with a JSON face.

Both ends read with suspicion. The worker runs codecs on bytes from outside and may be broken in any way, so
every field of a message is checked for type and size before it becomes a value; a message that does not fit
is a `PeerFault`. A `Verdict` is a decision record: it says what was seen, by which model on which provider,
against which thresholds, and why, so that a person can check it later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from bodega.errors import PeerFault
from bodega.limits import (
    EXPECTED_GTINS_MAX,
    FRAME_CODES_MAX,
    TEXT_CHARS_MAX,
    VERDICT_REASONS_MAX,
)
from bodega_agent.vision.fields import NAMES_MAX, Fields

Outcome = Literal["pass", "fail", "review"]
Subject = Literal["pick", "return"]
_PATH_CHARS_MAX = 4096


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One camera: the name of its driver in the device registry, and that driver's options."""

    driver: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """All that a worker is told at its start.

    `frames_dir` keeps judged frames, at most `frames_bytes_max` bytes of them, and none that would leave the disk
    with less than `free_bytes_min`. `watched` are the cameras whose codes are told as they are seen. `providers` are
    onnxruntime execution providers in order of preference, for example
    `("CUDAExecutionProvider", "CPUExecutionProvider")`.
    """

    cameras: Mapping[str, CameraSpec]
    frames_dir: str
    frames_bytes_max: int
    free_bytes_min: int
    providers: tuple[str, ...]
    watched: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal spec."""
        cameras = {n: {"driver": c.driver, "options": dict(c.options)} for n, c in self.cameras.items()}
        return {
            "cameras": cameras,
            "frames_dir": self.frames_dir,
            "frames_bytes_max": self.frames_bytes_max,
            "free_bytes_min": self.free_bytes_min,
            "providers": list(self.providers),
            "watched": list(self.watched),
        }

    @classmethod
    def from_json(cls, data: object) -> WorkerSpec:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "spec")
        cameras = {
            name: CameraSpec(
                driver=(c := Fields(value, f"camera {name}")).text("driver"), options=c.table("options")
            )
            for name, value in fields.table("cameras").items()
        }
        return cls(
            cameras=cameras,
            frames_dir=fields.text("frames_dir", _PATH_CHARS_MAX),
            frames_bytes_max=fields.count("frames_bytes_max"),
            free_bytes_min=fields.count("free_bytes_min"),
            providers=fields.texts("providers", NAMES_MAX),
            watched=fields.texts("watched", NAMES_MAX),
        )


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """Look at one camera now and say whether the thing in hand is the thing expected.

    `request_id` is unique among the requests in flight. `expected_gtins` are all GTINs of the SKU, 14 digits
    each. `reference` (a fulfillment order line, for example) is only carried into logs.
    """

    request_id: str
    camera: str
    subject: Subject
    expected_gtins: tuple[str, ...]
    reference: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal request."""
        return asdict(self) | {"expected_gtins": list(self.expected_gtins)}

    @classmethod
    def from_json(cls, data: object) -> InspectRequest:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "inspect request")
        gtins = fields.texts("expected_gtins", EXPECTED_GTINS_MAX)
        if wrong := next((g for g in gtins if not (len(g) == 14 and g.isascii() and g.isdigit())), None):
            raise PeerFault(f"inspect request: expected_gtins has {wrong!r}, which is not 14 digits")
        return cls(
            request_id=fields.text("request_id"),
            camera=fields.text("camera"),
            subject=fields.choice("subject", get_args(Subject)),
            expected_gtins=gtins,
            reference=fields.text("reference"),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision record of one inspection.

    `reasons` are `code: sentence`, the most telling first. `frame_digest` is the camera port's SHA-256 of the
    frame ("" when no frame was judged); `frame_path` a JPEG of it on the node, None when it was not kept.
    `model` is `name@` and 12 digits of its digest, `provider` what onnxruntime reports that it runs on; both
    are "" in a verdict that no model was asked for. `seen` are the decoded codes: a GTIN of 14 digits where a
    symbol carries one, else `?` and the start of its text.
    """

    request_id: str
    outcome: Outcome
    reasons: tuple[str, ...]
    frame_digest: str = ""
    frame_path: str | None = None
    model: str = ""
    provider: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    duration_ms: int = 0

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes alone, for programs: `("other_item",)`."""
        return tuple(reason.partition(":")[0] for reason in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal verdict."""
        tables = {"thresholds": dict(self.thresholds), "scores": dict(self.scores)}
        return asdict(self) | tables | {"reasons": list(self.reasons), "seen": list(self.seen)}

    @classmethod
    def from_json(cls, data: object) -> Verdict:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "verdict")
        return cls(
            request_id=fields.text("request_id"),
            outcome=fields.choice("outcome", get_args(Outcome)),
            reasons=fields.texts("reasons", VERDICT_REASONS_MAX, TEXT_CHARS_MAX),
            frame_digest=fields.text("frame_digest"),
            frame_path=fields.text_or_none("frame_path", _PATH_CHARS_MAX),
            model=fields.text("model"),
            provider=fields.text("provider"),
            thresholds=fields.numbers("thresholds"),
            scores=fields.numbers("scores"),
            seen=fields.texts("seen", FRAME_CODES_MAX),
            duration_ms=fields.count("duration_ms"),
        )


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker's first message: the model is loaded and its bytes checked. Cameras open when first used."""

    model: str
    provider: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal message."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> Ready:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "ready")
        return cls(model=fields.text("model"), provider=fields.text("provider"))


def reason(code: str, sentence: str) -> str:
    """One reason of a verdict: a stable code for programs, a sentence for people."""
    return f"{code}: {sentence}"[:TEXT_CHARS_MAX]
