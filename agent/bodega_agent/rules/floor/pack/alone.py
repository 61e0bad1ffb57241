"""What a node knows where it decides alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from bodega.core.routing.bundle import Bundle
from bodega.core.routing.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Alone:
    """What a node decides by where it decides alone: the hub's bundle, and the order with this one node.

    Personal data: never logged.
    """

    bundle: Bundle
    inputs: Inputs = field(repr=False)
