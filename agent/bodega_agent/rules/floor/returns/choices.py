"""How a returned unit may look, and what may become of it: two tables."""

from __future__ import annotations

from collections.abc import Mapping

from bodega.core.ledger import Disposition
from bodega_agent.rules.floor.words import Word

# Words of the floor -> the grades of `ReturnAdvanced.Line`.
GRADES: Mapping[Word, str] = {
    Word.NEW: "new",
    Word.OPENED: "opened",
    Word.USED: "used",
    Word.DAMAGED: "damaged",
    Word.WRONG_ITEM: "wrong_item",
}
WRONG_ITEM = GRADES[Word.WRONG_ITEM]

# What may become of a unit, by its grade; the first is suggested. What was used is never sold as new.
_MAY_BECOME: Mapping[str, tuple[Word, ...]] = {
    "new": (Word.SELLABLE, Word.REFURBISH, Word.DAMAGED, Word.SUPPLIER, Word.SCRAP),
    "opened": (Word.REFURBISH, Word.SELLABLE, Word.DAMAGED, Word.SUPPLIER, Word.SCRAP),
    "used": (Word.REFURBISH, Word.DAMAGED, Word.SUPPLIER, Word.SCRAP),
    "damaged": (Word.DAMAGED, Word.SUPPLIER, Word.SCRAP, Word.REFURBISH),
    "wrong_item": (Word.REFURBISH, Word.SELLABLE, Word.DAMAGED, Word.SUPPLIER, Word.SCRAP),
}

# What the ledger then says of it. Sellable goods are in progress until they are on a shelf; scrap leaves the book.
LEDGER: Mapping[str, Disposition] = {
    Word.SELLABLE: Disposition.IN_PROGRESS,
    Word.REFURBISH: Disposition.NOT_SELLABLE,
    Word.DAMAGED: Disposition.DAMAGED,
    Word.SUPPLIER: Disposition.NOT_SELLABLE,
}
# These stay where they are, on the dock: put-away takes the ones, the bin the others. The rest goes to a place.
STAYS = frozenset({Word.SELLABLE, Word.SCRAP})


def may_become(grade: str, unfit: str) -> tuple[Word, ...]:
    """What a person may decide, the suggestion first; scrap for goods that are `unfit`, which are never sold again."""
    choices = _MAY_BECOME[grade]
    if not unfit:
        return choices
    rest = [word for word in choices if word not in {Word.SELLABLE, Word.SCRAP}]
    return (Word.SCRAP, *rest)
