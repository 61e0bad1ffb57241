"""What a step may know of the world: read from the store in the transaction that runs the effects.

Each flow has facts of its own, a subclass in its room (`<flow>/facts.py`) that says which step needs what; the store
reads them (`store/floor/<flow>.py`). At idle, the flow whose control word was scanned reads; else `PickFacts`. Who is
there, `role` and `crew`, is read for all of them (`store/floor/people.py`): a flow passes it on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bodega_agent.rules.floor.session import Session

# Roles that decide something, as in `Associate.role`; any other one may do what needs no role.
LEAD = "lead"
TECHNICIAN = "technician"
# The role of nobody: people sign in at this node, and at this device none has.
UNSIGNED = "unsigned"


class VisionMode(StrEnum):
    """What a camera verdict does: nothing, warn, or hold the order until a person accepts."""

    OFF = "off"
    ADVISORY = "advisory"
    BLOCKING = "blocking"


@dataclass(frozen=True, slots=True)
class Person:
    """An associate of this node. `device` is where the person is signed in now, empty if nowhere."""

    associate_id: str
    name: str
    role: str
    has_pin: bool = False
    device: str = ""


class Why(StrEnum):
    """Why somebody else may go on with the work of a device."""

    YOURS = "yours"
    GONE = "gone"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Left:
    """Work in the middle of which another device stands: `session` is its, `by` the name of who did it, or empty."""

    session: Session
    why: Why
    by: str = ""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who is there. `name`: of who is signed in; `scanned`: whom this scan names, if it names anybody known.

    `left`: what may be resumed here, the own work first; read at idle and where it is offered.
    """

    name: str = ""
    scanned: Person | None = None
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What every flow may know. `role`: of who is signed in at this device; UNSIGNED; or "" where nobody signs in."""

    role: str = ""
    crew: Crew = Crew()

    def bare(self) -> Facts:
        """Only who is there, for a session that goes idle."""
        return Facts(role=self.role, crew=self.crew)
