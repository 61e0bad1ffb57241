"""What signing in and out asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bodega_agent.rules.floor.effects import Effect


class By(StrEnum):
    """How a person came, or why they went, as in ShiftAdvanced.by."""

    BADGE = "badge"
    PIN = "pin"
    OTHER_DEVICE = "other_device"
    SOMEBODY_ELSE = "somebody_else"
    WORD = ""


@dataclass(frozen=True, slots=True)
class SignIn(Effect):
    """ShiftAdvanced "signed_in" at the session's device."""

    logged_as: ClassVar[str] = "signed_in"

    associate_id: str
    by: By


@dataclass(frozen=True, slots=True)
class SignOut(Effect):
    """ShiftAdvanced "signed_out" at `at_device`; what the device was in the middle of stays, without a person."""

    logged_as: ClassVar[str] = "signed_out"

    associate_id: str
    at_device: str
    by: By
