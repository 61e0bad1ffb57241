"""Corrections as EPCIS error declarations: the wrong event again, with its id, and what came in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.ledger import Account, Disposition, Goods, Movement, Reference
from bodega.core.recipes import Book, Places, book, correct
from bodega_agent.rules.epcis import events, with_corrections
from support.epcis_movements import NAMES, recorded, told_as_document

PLENTY = Book({Account("SKU-1", "DOCK", Disposition.IN_PROGRESS): 100})
DECLARED_AT = "2026-09-21T14:13:22.123Z"


def received(quantity, **reference):
    return book(
        "receive", [Goods("SKU-1", quantity)], Book({}), Places("", "DOCK"), reference=Reference(**reference)
    ).movement


def undone(movement, seq):
    return correct(movement, f"1/{seq}", PLENTY, reason="typo").movement


def tell(*chain):
    return told_as_document(with_corrections(chain, NAMES))


FIRST = recorded(received(10), 1)
UNDONE = recorded(undone(FIRST.movement, 1), 2)


def test_an_undone_event_is_repeated_as_it_was_and_declared_not_to_have_happened():
    (wrong,) = tell(UNDONE, FIRST)
    declaration = wrong.pop("errorDeclaration")
    assert [wrong] == events(FIRST, NAMES)
    assert declaration == {"declarationTime": DECLARED_AT, "reason": "did_not_occur"}


def test_every_event_of_an_undone_movement_is_declared():
    places = Places("DOCK", "DOCK", Disposition.IN_PROGRESS, Disposition.IN_PROGRESS)
    movement = book("re_identify", [Goods("SKU-1", 2)], PLENTY, places, makes=[Goods("SKU-2", 2)]).movement
    wrong = tell(recorded(undone(movement, 1), 2), recorded(movement, 1))
    assert [event["action"] for event in wrong] == ["DELETE", "ADD"]
    assert all("errorDeclaration" in event for event in wrong)


def test_what_a_correction_had_to_find_again_is_no_event():
    shipped = Book({})
    movement = correct(FIRST.movement, "1/1", shipped, reason="typo").movement
    assert len(movement.postings) > len(FIRST.movement.postings)
    assert len(tell(recorded(movement, 2), FIRST)) == 1


def test_a_correction_that_is_corrected_lets_the_event_happen_after_all_under_a_new_id():
    again = recorded(undone(UNDONE.movement, 2), 3)
    (event,) = tell(again, UNDONE, FIRST)
    (first,) = events(FIRST, NAMES)
    assert "errorDeclaration" not in event
    assert event["eventID"] != first["eventID"]
    assert event["quantityList"] == first["quantityList"]
    last = recorded(undone(again.movement, 3), 4)
    (wrong,) = tell(last, again, UNDONE, FIRST)
    assert wrong["eventID"] == event["eventID"], "the one that is in force is declared wrong, not the first"


def test_a_command_that_names_an_event_tells_it_anew_with_right_data():
    better = recorded(received(8, corrects="1/1"), 2)
    wrong, right = tell(better, FIRST)
    assert wrong["eventID"] == events(FIRST, NAMES)[0]["eventID"]
    assert wrong["errorDeclaration"] == {
        "declarationTime": DECLARED_AT,
        "reason": "incorrect_data",
        "correctiveEventIDs": [right["eventID"]],
    }
    assert right["quantityList"][0]["quantity"] == 8


def test_what_stands_in_for_a_wrong_event_can_be_undone_itself():
    better = recorded(received(8, corrects="1/1"), 2)
    (wrong,) = tell(recorded(undone(better.movement, 2), 3), better, FIRST)
    assert wrong["quantityList"][0]["quantity"] == 8
    assert wrong["errorDeclaration"]["reason"] == "did_not_occur"


@pytest.mark.parametrize("chain", [(UNDONE,), (replace(UNDONE, seq=3), UNDONE)])
def test_a_correction_whose_first_event_is_gone_tells_nothing(chain):
    assert tell(*chain) == []


def test_a_replacement_is_told_even_if_what_it_replaces_is_gone():
    (right,) = tell(recorded(received(8, corrects="1/1"), 2))
    assert "errorDeclaration" not in right


def test_a_correction_of_something_that_moved_nothing_declares_nothing():
    nothing = recorded(Movement("x", "", ()), 1)
    assert tell(recorded(received(1, corrects="1/1"), 2), nothing) == tell(recorded(received(1), 2))
