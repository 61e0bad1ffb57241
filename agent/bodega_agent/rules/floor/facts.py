"""What a step may know of the world: read from the store in the transaction that runs the effects.

Each flow has facts of its own, a subclass in its room (`<flow>/facts.py`) that says which step needs what; the store
reads them (`store/floor/<flow>.py`). At idle, the flow whose control word was scanned reads; else `PickFacts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VisionMode(StrEnum):
    """What a camera verdict does: nothing, warn, or hold the order until a person accepts."""

    OFF = "off"
    ADVISORY = "advisory"
    BLOCKING = "blocking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What every flow may know. `role`: of who is signed in at this device, empty where nobody has to sign in."""

    role: str = ""
