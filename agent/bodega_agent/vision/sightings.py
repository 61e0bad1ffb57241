"""What the worker tells unasked, and what it is asked beside verdicts: codes in view, and pictures for people."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bodega.errors import PeerFault
from bodega.limits import FRAME_CODES_MAX, SCAN_BYTES_MAX, SNAPSHOT_BYTES_MAX, TEXT_CHARS_MAX
from bodega_agent.vision.fields import Fields

_BASE64_CHARS_MAX = SNAPSHOT_BYTES_MAX * 4 // 3 + 4


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look of a camera that scans: `codes` in view, each as a hand scanner would send it (its AIM identifier, then
    its bytes, at most `SCAN_BYTES_MAX`), or the `problem` that kept it from looking.
    """

    camera: str
    codes: tuple[bytes, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal sighting."""
        return {
            "camera": self.camera,
            "codes": [code.hex() for code in self.codes],
            "problem": self.problem[:TEXT_CHARS_MAX],
        }

    @classmethod
    def from_json(cls, data: object) -> Sighting:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "sighting")
        codes = fields.texts("codes", FRAME_CODES_MAX, 2 * SCAN_BYTES_MAX)
        try:
            decoded = tuple(bytes.fromhex(code) for code in codes)
        except ValueError as error:
            raise PeerFault(f"sighting: codes has one that is not hexadecimal: {error}") from error
        return cls(fields.text("camera"), decoded, fields.text("problem", TEXT_CHARS_MAX))


@dataclass(frozen=True, slots=True)
class CameraNews:
    """How a camera is, told when that changes: whether it is `present`, the `problem` if not, and of the settings that
    did not take what was wanted and what it has, in words.
    """

    camera: str
    present: bool
    problem: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to equal news."""
        return {
            "camera": self.camera,
            "present": self.present,
            "problem": self.problem[:TEXT_CHARS_MAX],
            "refused": dict(self.refused),
        }

    @classmethod
    def from_json(cls, data: object) -> CameraNews:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "camera news")
        refused = fields.table("refused")
        return cls(
            camera=fields.text("camera"),
            present=fields.choice("present", (True, False)),
            problem=fields.text("problem", TEXT_CHARS_MAX),
            refused={
                name: Fields(refused, "camera news refused").text(name, TEXT_CHARS_MAX) for name in refused
            },
        )


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """A picture for a person, of one camera, now. `request_id` is unique among those in flight."""

    request_id: str
    camera: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal request."""
        return {"request_id": self.request_id, "camera": self.camera}

    @classmethod
    def from_json(cls, data: object) -> SnapshotRequest:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "snapshot request")
        return cls(fields.text("request_id"), fields.text("camera"))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The picture: `jpeg`, at most `SNAPSHOT_BYTES_MAX`, of a frame of `width` x `height` pixels; or the `problem`.

    `source` and `digest` are the frame's; `settings` says of each setting of the camera what was wanted and what the
    device has.
    """

    request_id: str
    jpeg: bytes = b""
    width: int = 0
    height: int = 0
    digest: str = ""
    source: str = ""
    at_ms: int = 0
    settings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    problem: str = ""
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` reads them back to an equal snapshot."""
        return {
            "request_id": self.request_id,
            "jpeg": base64.b64encode(self.jpeg).decode(),
            "width": self.width,
            "height": self.height,
            "digest": self.digest,
            "source": self.source[:TEXT_CHARS_MAX],
            "at_ms": self.at_ms,
            "settings": {name: dict(values) for name, values in self.settings.items()},
            "problem": self.problem[:TEXT_CHARS_MAX],
            "hint": self.hint[:TEXT_CHARS_MAX],
        }

    @classmethod
    def from_json(cls, data: object) -> Snapshot:
        """Raises PeerFault naming the field that does not fit."""
        fields = Fields(data, "snapshot")
        try:
            jpeg = base64.b64decode(fields.text("jpeg", _BASE64_CHARS_MAX), validate=True)
        except binascii.Error as error:
            raise PeerFault(f"snapshot: jpeg is not base64: {error}") from error
        settings = fields.table("settings")
        return cls(
            request_id=fields.text("request_id"),
            jpeg=jpeg,
            width=fields.count("width"),
            height=fields.count("height"),
            digest=fields.text("digest"),
            source=fields.text("source", TEXT_CHARS_MAX),
            at_ms=fields.count("at_ms"),
            settings={name: Fields(settings, "snapshot settings").numbers(name) for name in settings},
            problem=fields.text("problem", TEXT_CHARS_MAX),
            hint=fields.text("hint", TEXT_CHARS_MAX),
        )
