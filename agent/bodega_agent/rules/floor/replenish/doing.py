"""What replenishing remembers between reserve and pick face."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Refilling(Doing):
    """`face`: the pick face that is refilled; `quantity` units of `lot` are in hand, taken at the session's bin.

    `serials` of what is in hand; `each`: base units of what was scanned last; `empty`: bins where too little lay.
    """

    face: str
    lot: str = ""
    quantity: int = 0
    serials: tuple[str, ...] = ()
    each: int = 1
    empty: tuple[str, ...] = ()
