"""What taking back remembers: which return. How far each unit of it is, the store knows."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class TakingBack(Doing):
    """The return that lies on the bench."""

    return_id: str
