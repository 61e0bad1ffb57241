"""Who works at the demo's nodes: eight people at each, with a badge; the second has left it at home and knows a PIN.

Badges are GSRNs under the demonstration prefix, as AI 8018 in GS1-128.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from bodega.core.pins import pin_hash
from bodega.limits_floor import PIN_SALT_BYTES
from bodega_adapters.framing.check_digit import gs1_check_digit
from bodega_agent.demo.catalogue import COMPANY_PREFIX

_NAMES = "Ana Ribeiro, Rui Matos, Inês Duarte, Tiago Lopes, Marta Pires, João Neves, Sara Cruz, Hugo Reis"
_ITEM_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Person:
    """`badge` is what its barcode says after the AI; `pin` is empty for who has the badge with them."""

    associate_id: str
    name: str
    role: str
    badge: str
    pin: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row of the node's profile."""
        row = {"associate_id": self.associate_id, "name": self.name, "role": self.role, "badge": self.badge}
        if self.pin:
            salt = self.associate_id.encode().ljust(PIN_SALT_BYTES, b".")[:PIN_SALT_BYTES]
            row |= {"pin_salt": salt.hex(), "pin_hash": _hash(self.pin, salt).hex()}
        return row


@cache
def _hash(pin: str, salt: bytes) -> bytes:
    return pin_hash(pin, salt)


def people(first_number: int) -> tuple[Person, ...]:
    """A node's people, the first of them its lead; numbers of badges from `first_number` on."""
    return tuple(
        Person(
            name.split()[0].lower().replace("ê", "e").replace("ã", "a"),
            name,
            "lead" if place == 0 else "associate",
            badge=_gsrn(first_number + place),
            pin="2580" if place == 1 else "",
        )
        for place, name in enumerate(_NAMES.split(", "))
    )


def _gsrn(number: int) -> str:
    payload = f"{COMPANY_PREFIX}{number:0{_ITEM_DIGITS}d}"
    return f"{payload}{gs1_check_digit(payload)}"
