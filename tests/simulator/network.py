"""The network between the machines and the broker: each direction of each link loses, repeats and delays by itself.

A `Line` carries thunks, so that whatever is said over it is called at the other end, in virtual time. Within one
line things arrive in order unless the line is told to shuffle them, which is worse than TCP but no worse than what a
broker's redeliveries and core messages can do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

CALM_S = (0.001, 0.02)
# What would arrive at one moment arrives so far apart.
TOGETHER_S = 1e-6


@dataclass(slots=True)
class Line:
    """One direction. `is_cut` swallows everything, as does a link that is half open."""

    loop: asyncio.AbstractEventLoop
    luck: Random
    is_cut: bool = False
    lost_ratio: float = 0.0
    twice_ratio: float = 0.0
    shuffles: bool = False
    delay_s: tuple[float, float] = CALM_S
    _last_s: float = 0.0

    def carry(self, deliver: Callable[[], None], context: Any = None) -> None:
        """Call `deliver` at the other end some time later, perhaps twice, perhaps never."""
        if self.is_cut or self.luck.random() < self.lost_ratio:
            return
        for _ in range(2 if self.luck.random() < self.twice_ratio else 1):
            arrives_s = self.loop.time() + self.luck.uniform(*self.delay_s)
            if not self.shuffles:
                arrives_s = self._last_s = max(arrives_s, self._last_s + TOGETHER_S)
            self.loop.call_at(arrives_s, deliver, context=context)

    def calm(self) -> None:
        """Carry everything once, in order, and soon."""
        self.is_cut, self.lost_ratio, self.twice_ratio, self.shuffles = False, 0.0, 0.0, False
        self.delay_s = CALM_S


@dataclass(slots=True)
class Wire:
    """Both directions between one machine and the broker."""

    up: Line
    down: Line

    def calm(self) -> None:
        """No faults any more."""
        self.up.calm()
        self.down.calm()


@dataclass
class Network:
    """The wires by machine."""

    loop: asyncio.AbstractEventLoop
    seed: str
    wires: dict[str, Wire] = field(default_factory=dict)

    def wire(self, machine: str) -> Wire:
        """The wire of a machine, made when first asked for."""
        if machine not in self.wires:
            lines = [
                Line(self.loop, Random(f"{self.seed} {machine} {direction}")) for direction in ("up", "down")
            ]
            self.wires[machine] = Wire(*lines)
        return self.wires[machine]

    def heal(self) -> None:
        """No faults anywhere any more."""
        for wire in self.wires.values():
            wire.calm()
