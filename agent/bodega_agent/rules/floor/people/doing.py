"""What signing in remembers between a name and its PIN."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing, Session


@dataclass(frozen=True, slots=True)
class SigningIn(Doing):
    """Somebody says to be this associate; `before` is where the device stands, and goes on."""

    associate_id: str
    name: str
    before: Session
