"""What a camera was asked to be set to, and what it says afterwards: a setting that did not take is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class CameraSetting:
    """One setting: `wanted` by configuration, and `got` when it was read back, in the device's own unit.

    `got` is None before the camera has been open.
    """

    name: str
    wanted: float
    got: float | None = None

    @property
    def took(self) -> bool:
        """Whether the device has what was wanted; it may round by a hundredth."""
        return self.got is not None and abs(self.got - self.wanted) <= abs(self.wanted) * _TOLERANCE


@runtime_checkable
class Settable(Protocol):
    """A camera that shows its `settings`. Not part of the port: a folder has none."""

    @property
    def settings(self) -> tuple[CameraSetting, ...]:
        """What configuration asked for, as read back at the last opening."""
        ...


def settings_of(camera: object) -> tuple[CameraSetting, ...]:
    """The settings that a camera shows, if it does."""
    return camera.settings if isinstance(camera, Settable) else ()


def refused(settings: Iterable[CameraSetting]) -> dict[str, str]:
    """Those that did not take, in words, by name."""
    return {each.name: f"wanted {each.wanted:g}, is {each.got:g}" for each in settings if _differs(each)}


def _differs(setting: CameraSetting) -> bool:
    return setting.got is not None and not setting.took
