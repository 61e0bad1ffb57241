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
    IDENTIFIER_CHARS_MAX,
    TEXT_CHARS_MAX,
    VERDICT_REASONS_MAX,
)

Outcome = Literal["pass", "fail", "review"]
Subject = Literal["pick"]
_NAMES_MAX = 64
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
    with less than `free_bytes_min`. `providers` are onnxruntime execution providers in order of preference, for
    example `("CUDAExecutionProvider", "CPUExecutionProvider")`.
    """

    cameras: Mapping[str, CameraSpec]
    frames_dir: str
    frames_bytes_max: int
    free_bytes_min: int
    providers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal spec."""
        cameras = {n: {"driver": c.driver, "options": dict(c.options)} for n, c in self.cameras.items()}
        return {
            "cameras": cameras,
            "frames_dir": self.frames_dir,
            "frames_bytes_max": self.frames_bytes_max,
            "free_bytes_min": self.free_bytes_min,
            "providers": list(self.providers),
        }

    @classmethod
    def from_json(cls, data: object) -> WorkerSpec:
        """Raises PeerFault naming the field that does not fit."""
        fields = _Fields(data, "spec")
        cameras = {
            name: CameraSpec(
                driver=(c := _Fields(value, f"camera {name}")).text("driver"), options=c.table("options")
            )
            for name, value in fields.table("cameras").items()
        }
        return cls(
            cameras=cameras,
            frames_dir=fields.text("frames_dir", _PATH_CHARS_MAX),
            frames_bytes_max=fields.count("frames_bytes_max"),
            free_bytes_min=fields.count("free_bytes_min"),
            providers=fields.texts("providers", _NAMES_MAX),
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
        fields = _Fields(data, "inspect request")
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
        fields = _Fields(data, "verdict")
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
        fields = _Fields(data, "ready")
        return cls(model=fields.text("model"), provider=fields.text("provider"))


def reason(code: str, sentence: str) -> str:
    """One reason of a verdict: a stable code for programs, a sentence for people."""
    return f"{code}: {sentence}"[:TEXT_CHARS_MAX]


class _Fields:
    """Reads the fields of one JSON object and refuses what does not fit, by name."""

    __slots__ = ("_data", "_what")

    def __init__(self, data: object, what: str) -> None:
        if not isinstance(data, dict):
            raise PeerFault(f"{what}: expected a JSON object, got {type(data).__name__}")
        self._data = data
        self._what = what

    def text(self, name: str, chars_max: int = IDENTIFIER_CHARS_MAX) -> str:
        return self._text(self._data.get(name), name, chars_max)

    def text_or_none(self, name: str, chars_max: int) -> str | None:
        return None if self._data.get(name) is None else self.text(name, chars_max)

    def texts(self, name: str, items_max: int, chars_max: int = IDENTIFIER_CHARS_MAX) -> tuple[str, ...]:
        value = self._data.get(name)
        if not isinstance(value, list) or len(value) > items_max:
            raise self._fault(name, f"a list of at most {items_max}", value)
        return tuple(self._text(item, name, chars_max) for item in value)

    def choice(self, name: str, allowed: tuple[Any, ...]) -> Any:
        value = self._data.get(name)
        if value not in allowed:
            raise self._fault(name, f"one of {', '.join(allowed)}", value)
        return value

    def count(self, name: str) -> int:
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._fault(name, "a whole number, not negative", value)
        return value

    def table(self, name: str) -> dict[str, Any]:
        value = self._data.get(name)
        if not isinstance(value, dict) or len(value) > _NAMES_MAX:
            raise self._fault(name, f"an object of at most {_NAMES_MAX} entries", value)
        return value

    def numbers(self, name: str) -> dict[str, float]:
        table = self.table(name)
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in table.values()):
            raise self._fault(name, "an object of numbers", table)
        return table

    def _text(self, value: object, name: str, chars_max: int) -> str:
        if not isinstance(value, str) or len(value) > chars_max:
            raise self._fault(name, f"text of at most {chars_max} characters", value)
        return value

    def _fault(self, name: str, expected: str, value: object) -> PeerFault:
        return PeerFault(f"{self._what}: {name} must be {expected}, got {value!r:.80}")
