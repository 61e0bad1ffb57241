"""What resuming asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class TakeOver(Effect):
    """All work of `from_device` is this device's from now on; what is there of it stands idle."""

    logged_as: ClassVar[str] = "work_taken_over"

    from_device: str
