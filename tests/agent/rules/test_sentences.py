"""Every command of the ledger is told as one plain sentence, with what its scan had to find first."""

from __future__ import annotations

import pytest

from bodega.core.ledger import (
    DOCK,
    Account,
    Disposition,
    Entered,
    Goods,
    LotSeen,
    Movement,
    Posting,
    Reference,
)
from bodega.core.recipes import RECIPES, Book, Places, book, correct
from bodega_agent.rules.sentences import MOVEMENTS, sentence

SHELF = Account("OAT", "A-01", Disposition.SELLABLE)
EMPTY = Book({})


TWO_OATS = Goods("OAT", 2)
FROM_A_TO_B = Places("A-01", "B-01")


def _told(command, goods=TWO_OATS, held=EMPTY, places=FROM_A_TO_B, **more) -> str:
    return sentence(book(command, [goods], held, places, **more).movement)


def _book_of(command: str) -> Movement:
    """The command with everything that any recipe may ask for, from a book that holds the goods everywhere."""
    dispositions = [disposition.value for disposition in Disposition]
    held = Book({Account("OAT", "A-01", disposition): 9 for disposition in dispositions})
    reference = Reference(fulfillment_order_id="FO-1", transfer_id="T-1", reservation_id="R-1")
    places = Places("A-01", "B-01", Disposition.SELLABLE, Disposition.DAMAGED)
    makes = [Goods("KIT", 1)]
    return book(command, [Goods("OAT", 2)], held, places, makes=makes, reference=reference).movement


@pytest.mark.parametrize("command", RECIPES)
def test_every_command_of_the_one_table_has_a_sentence_with_its_goods(command: str) -> None:
    told = sentence(_book_of(command))
    assert command in MOVEMENTS
    assert "2 OAT" in told
    assert "{" not in told
    assert "+2" not in told, "told by its postings, as an unknown command would be"


def test_a_command_of_a_newer_version_is_told_by_its_postings() -> None:
    movement = Movement("teleport", "storing", (Posting(SHELF, -2), Posting(SHELF._replace(bin="B-01"), 2)))
    assert sentence(movement) == "teleport: -2 OAT A-01 and +2 OAT B-01"


def test_a_movement_says_where_from_where_to_and_for_whom() -> None:
    held = Book({SHELF: 5})
    reference = Reference(fulfillment_order_id="FO-1")
    places = Places("A-01", "STAGE-FO-1")
    assert (
        _told("pick", held=held, places=places, reference=reference)
        == "picked 2 OAT from A-01 to STAGE-FO-1 for FO-1"
    )
    assert _told("receive", places=Places("", DOCK)) == "received 2 OAT from the supplier at the dock"


def test_what_the_scan_had_to_find_first_is_said() -> None:
    assert _told("pick", held=Book({SHELF: 1})) == (
        "picked 2 OAT from A-01 to B-01; 1 OAT more was in A-01 than the book said"
    )


def test_a_serial_that_the_book_had_elsewhere_is_said() -> None:
    elsewhere = SHELF._replace(bin="C-07")
    held = Book({SHELF: 0, elsewhere: 1}, {("OAT", "S1"): elsewhere})
    told = _told("pick", goods=Goods("OAT", 1, serials=("S1",)), held=held)
    assert told == "picked 1 OAT (serial S1) from A-01 to B-01; the book had 1 OAT (serial S1) in C-07"


def test_a_serial_of_another_lot_leaves_as_the_one_and_is_found_as_the_other() -> None:
    held = Book({SHELF._replace(lot="OLD"): 1}, {("OAT", "S1"): SHELF._replace(lot="OLD")})
    told = _told("pick", goods=Goods("OAT", 1, lot="NEW", serials=("S1",)), held=held)
    assert told.startswith(
        "picked 1 OAT (lot NEW, serial S1) from A-01 to B-01; 1 OAT (lot OLD, serial S1) was not"
    )


def test_many_serials_are_counted_and_not_all_named() -> None:
    serials = tuple(f"S{number}" for number in range(9))
    told = _told("receive", goods=Goods("OAT", 9, serials=serials), places=Places("", DOCK))
    assert "(serial S0, S1, S2 and 6 more)" in told


def test_a_kit_says_what_it_was_made_from() -> None:
    held = Book({SHELF: 2, Account("RYE", "A-01", Disposition.SELLABLE): 1})
    goods = [Goods("OAT", 2), Goods("RYE", 1)]
    movement = book("kit", goods, held, Places("A-01", "A-01"), makes=[Goods("BOX", 1)]).movement
    assert sentence(movement) == "put 1 BOX together from 2 OAT and 1 RYE, in A-01"


def test_a_correction_names_the_event_that_it_corrects() -> None:
    held = Book({Account("OAT", DOCK, Disposition.IN_PROGRESS): 2})
    movement = book("put_away", [Goods("OAT", 2)], held, Places(DOCK, "A-01")).movement
    undone = correct(movement, "1/7", Book({SHELF: 2}), reason="wrong bin").movement
    assert sentence(undone) == "undid event 1/7: 2 OAT from A-01 to the dock (wrong bin)"


def test_what_was_entered_and_what_was_learned_of_a_lot_is_kept_in_the_sentence() -> None:
    movement = Movement(
        "receive",
        "receiving",
        book("receive", [Goods("OAT", 24, lot="L1")], EMPTY, Places("", DOCK)).movement.postings,
        entered=(Entered("OAT", 2, "case", 3),),
        lots=(LotSeen("OAT", "L1", "2027-03-31"),),
    )
    assert sentence(movement) == (
        "received 24 OAT (lot L1) from the supplier at the dock, entered as 2 case, lot L1 expires 2027-03-31"
    )
