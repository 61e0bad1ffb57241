"""How one field of a command is read: a reader takes what JSON gave and returns the value, or says what is wrong.

Strict on purpose: a boolean is no number, "3" and 3.0 are no whole numbers, and no text may hold what a person
can not see. A fault says what is wrong, shows the value cut short, and so says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from bodega.core.expiry import is_date
from bodega.core.gtin import as_gtin14, fault_in, fault_in_sscc
from bodega.limits import (
    COMMAND_SERIALS_MAX,
    IDENTIFIER_CHARS_MAX,
    QUANTITY_MAX,
    TEXT_CHARS_MAX,
)

Value: TypeAlias = str | int | bool | tuple[str, ...]
Reader: TypeAlias = Callable[[object], Value]

SHOWN_CHARS_MAX = 40
_SMALL_NUMBER_BITS_MAX = 64
_SEQUENCE_DIGITS_MAX = 18


class Wrong(Exception):  # a reader's answer, always turned into a FieldFault
    """What is wrong with a value, as half a sentence after the field's name."""


def shown(value: object) -> str:
    """A value as a fault shows it: short, printable, and safe for numbers of any size."""
    if isinstance(value, int) and value.bit_length() > _SMALL_NUMBER_BITS_MAX:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, str):
        return ascii(value[:SHOWN_CHARS_MAX])
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    return "a list" if isinstance(value, list) else "an object"


def identifier(value: object) -> str:
    """1 to IDENTIFIER_CHARS_MAX visible ASCII characters without spaces, as everywhere in the network."""
    if not (isinstance(value, str) and 0 < len(value) <= IDENTIFIER_CHARS_MAX):
        raise Wrong(f"must be a text of 1 to {IDENTIFIER_CHARS_MAX} characters, is {shown(value)}")
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise Wrong(f"must be visible ASCII characters without spaces, is {shown(value)}")
    return value


def words(value: object) -> str:
    """1 to TEXT_CHARS_MAX printable characters that say something."""
    if not (isinstance(value, str) and len(value) <= TEXT_CHARS_MAX):
        raise Wrong(f"must be a text of at most {TEXT_CHARS_MAX} characters, is {shown(value)}")
    if not value.strip():
        raise Wrong("must not be empty: say it in a few words")
    if not value.isprintable():
        raise Wrong(f"must not hold control characters, is {shown(value)}")
    return value


def unit_name(value: object) -> str:
    """A unit's name as the catalogue spells it."""
    name = words(value)
    if len(name) > IDENTIFIER_CHARS_MAX:
        raise Wrong(f"must be at most {IDENTIFIER_CHARS_MAX} characters, is {shown(value)}")
    return name


def whole(low: int, high: int, *, zero: bool = True) -> Reader:
    """A whole number from low to high, both included; `zero=False` leaves zero out."""
    span = f"must be a whole number from {low} to {high}{'' if zero else ', not zero'}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"{span}, is {shown(value)}")
        if not low <= value <= high or not (value or zero):
            raise Wrong(f"{span}, is {shown(value)}")
        return value

    return read


def flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, is {shown(value)}")
    return value


def yes(value: object) -> bool:
    """true, and nothing else."""
    if value is not True:
        raise Wrong(f"must be true, is {shown(value)}")
    return True


def day(value: object) -> str:
    """A day as YYYY-MM-DD."""
    if not (isinstance(value, str) and is_date(value)):
        raise Wrong(f"must be a day as YYYY-MM-DD, is {shown(value)}")
    return value


def gtin(value: object) -> str:
    """A GTIN of 8, 12, 13 or 14 digits with a right check digit; returned with 14 digits."""
    if not isinstance(value, str):
        raise Wrong(f"must be a text of 8, 12, 13 or 14 digits, is {shown(value)}")
    problem = fault_in(value)
    if problem:
        raise Wrong(problem)
    return as_gtin14(value)


def sscc(value: object) -> str:
    """An SSCC: 18 digits with a right check digit."""
    if not isinstance(value, str):
        raise Wrong(f"must be a text of 18 digits, is {shown(value)}")
    problem = fault_in_sscc(value)
    if problem:
        raise Wrong(problem)
    return value


def serials(value: object) -> tuple[str, ...]:
    """A list of different serial numbers."""
    if not isinstance(value, list) or not 0 < len(value) <= COMMAND_SERIALS_MAX:
        size = f"{len(value)} items" if isinstance(value, list) else shown(value)
        raise Wrong(f"must be a list of 1 to {COMMAND_SERIALS_MAX} serial numbers, is {size}")
    read = tuple(identifier(item) for item in value)
    twice = next((serial for place, serial in enumerate(read) if serial in read[:place]), None)
    if twice is not None:
        raise Wrong(f"names '{twice}' twice: each unit has its own serial number")
    return read


def event_name(value: object) -> str:
    """An event as "<epoch>/<seq>", both 1 or more."""
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 2 or not all(
        part.isascii() and part.isdigit() and len(part) <= _SEQUENCE_DIGITS_MAX and int(part)
        for part in parts
    ):
        raise Wrong(f'must be an event as "<epoch>/<seq>", such as "1/42", is {shown(value)}')
    return "/".join(str(int(part)) for part in parts)


def one_of(choices: type[StrEnum] | tuple[str, ...]) -> Reader:
    """One of these words."""
    legal = tuple(str(choice) for choice in choices)

    def read(value: object) -> str:
        if not (isinstance(value, str) and value in legal):
            raise Wrong(f"must be one of {', '.join(legal)}, is {shown(value)}")
        return value

    return read


POSITIVE = whole(1, QUANTITY_MAX)
COUNT = whole(0, QUANTITY_MAX)
DIFFERENCE = whole(-QUANTITY_MAX, QUANTITY_MAX, zero=False)
SEQUENCE = whole(0, 10**_SEQUENCE_DIGITS_MAX - 1)
