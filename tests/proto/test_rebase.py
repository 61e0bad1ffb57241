"""A movement on another book: what people moved has moved, nothing falls below zero, no unit is in two places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.ledger import FOUND, Account, Disposition, Goods, Movement, Posting, check, fold
from bodega.core.rebase import book_again
from bodega.core.recipes import Book, Places, book, correct

SHELF, OTHER = Account("TEA", "A-1", Disposition.SELLABLE), Account("TEA", "B-1", Disposition.SELLABLE)
EMPTY = Book({})
PICK = Places("A-1", "STAGE-1")


def _after(held: dict[Account, int], movement: Movement) -> dict[Account, int]:
    opening = [
        Movement("opening", "", tuple(_opening(account, quantity)))
        for account, quantity in held.items()
        if quantity
    ]
    return fold([*opening, movement])


def _opening(account: Account, quantity: int) -> list[Posting]:
    return [
        Posting(account._replace(bin="", disposition="", external="supplier"), -quantity),
        Posting(account, quantity),
    ]


@given(there=st.integers(0, 20), here=st.integers(0, 20), units=st.integers(1, 20))
def test_units_that_left_have_left_and_what_the_book_misses_is_found(
    there: int, here: int, units: int
) -> None:
    made = book("pick", [Goods("TEA", units)], Book({SHELF: there}), PICK).movement
    again = book_again(made, Book({SHELF: here}))
    assert again is not None
    check(again.movement)
    after = _after({SHELF: here}, again.movement)
    assert after.get(SHELF, 0) == max(0, here - units)
    assert after[Account("TEA", "STAGE-1", Disposition.IN_PROGRESS)] == units
    missing = max(0, units - here)
    assert after.get(Account("TEA", external=FOUND), 0) == -missing
    assert [one.difference for one in again.discrepancies] == ([missing] if missing else [])


@given(units=st.integers(1, 20), held=st.integers(0, 40))
def test_on_the_same_book_it_is_the_same_movement(units: int, held: int) -> None:
    made = book("pick", [Goods("TEA", units)], Book({SHELF: held}), PICK)
    again = book_again(made.movement, Book({SHELF: held}))
    assert again is not None
    assert sorted(again.movement.postings) == sorted(made.movement.postings)
    assert again.discrepancies == made.discrepancies


def test_a_serial_that_the_book_has_elsewhere_is_taken_from_there_and_is_in_one_place() -> None:
    unit = Goods("TEA", 1, serials=("S1",))
    taken = book("pick", [unit], Book({SHELF: 1}, {("TEA", "S1"): SHELF}), PICK).movement
    again = book_again(taken, Book({OTHER: 1}, {("TEA", "S1"): OTHER}))
    assert again is not None
    check(again.movement)
    assert _after({OTHER: 1}, again.movement).get(OTHER, 0) == 0

    received = book("receive", [unit], EMPTY, Places(target_bin="DOCK")).movement
    again = book_again(received, Book({OTHER: 1}, {("TEA", "S1"): OTHER}))
    assert again is not None
    check(again.movement)
    after = _after({OTHER: 1}, again.movement)
    assert (after.get(OTHER, 0), after[Account("TEA", "DOCK", Disposition.IN_PROGRESS)]) == (0, 1)
    assert [(one.bin_id, one.difference) for one in again.discrepancies] == [("B-1", -1)]


def test_what_a_person_found_stays_found_and_a_correction_is_made_again() -> None:
    found = book("adjust_up", [Goods("TEA", 3)], EMPTY, Places(target_bin="A-1")).movement
    again = book_again(found, EMPTY)
    assert again is not None
    assert again.movement.postings == found.postings
    undone = correct(found, "1/1", Book({SHELF: 3}), reason="typing").movement
    again = book_again(undone, Book({SHELF: 3}))
    assert again is not None
    assert _after({SHELF: 3}, again.movement).get(SHELF, 0) == 0


def test_what_moved_nothing_in_the_end_is_not_recorded() -> None:
    made = book("move", [Goods("TEA", 2)], Book({SHELF: 2}), Places("A-1", "A-1")).movement
    assert book_again(made, Book({SHELF: 2})) is None
