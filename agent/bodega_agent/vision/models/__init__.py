"""The models that ship with the agent: file, name and digest, pinned here and checked before use.

A model is used only when its bytes hash to the digest below, so a half-copied or swapped file is refused
instead of giving verdicts. README.md in this folder is the model card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model on disk. `sha256` is the hex digest that its bytes must have."""

    name: str
    path: Path
    sha256: str


FRAME_QUALITY = ModelFile(
    name="frame_quality",
    path=_FOLDER / "frame_quality.onnx",
    sha256="fc612086b74ebcaa62d3b085887105d26adbf2b079a2df4c51799bf1dcce38b0",
)
