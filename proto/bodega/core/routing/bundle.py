"""A routing bundle: the rules by which orders find their nodes, as one immutable, versioned value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bundle:
    """`name` and `version` are how people and records call it."""

    name: str
    version: int

    @property
    def rule(self) -> str:
        """As decisions name it: "nearest-with-floor@1"."""
        return f"{self.name}@{self.version}"


# In force until an operator activates another one: the nearest node that can promise all of it.
DEFAULT = Bundle("nearest-with-floor", 1)
