"""What resuming remembers: whose work it has offered."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Offered(Doing):
    """The work of this device is on the prompt."""

    device: str
