"""Short answers that a person types or scans from a sheet: reasons, grades, dispositions, yes and no.

One vocabulary, so that a word means the same everywhere; a step says in its prompt which of them it takes.
"""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """Every word that the floor knows. No word is a control word without its CMD-."""

    YES = "yes"
    NO = "no"
    # Why something is not as it should be.
    DAMAGED = "damaged"
    MISSING = "missing"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    UNREADABLE = "unreadable"
    NO_ROOM = "no-room"
    WRONG_PLACE = "wrong-place"
    WRONG_ITEM = "wrong-item"
    REFUSED = "refused"
    TORN = "torn"
    OTHER = "other"
    # How a returned unit looks.
    NEW = "new"
    OPENED = "opened"
    USED = "used"
    # What becomes of it.
    SELLABLE = "sellable"
    REFURBISH = "refurbish"
    SCRAP = "scrap"
    SUPPLIER = "supplier"


WORDS: dict[str, Word] = {word.value: word for word in Word}
