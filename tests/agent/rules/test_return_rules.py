"""What may become of a returned unit, and what is owed for it, as pure rules."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_agent.rules.floor.returns.choices import GRADES, LEDGER, STAYS, WRONG_ITEM, may_become
from bodega_agent.rules.floor.returns.closing import exceptions, refunds
from bodega_agent.rules.floor.returns.facts import OPEN, Due, Return, ReturnLine
from bodega_agent.rules.floor.words import Word

skus = st.sampled_from(["OAT", "RYE", "TEA"])
kinds = st.builds(
    lambda sku, units, grade: (sku, units, grade),
    skus,
    st.integers(1, 5),
    st.sampled_from(list(GRADES.values())),
)
dues = st.lists(st.builds(Due, skus, st.just("a thing"), st.integers(1, 6)), unique_by=lambda due: due.sku_id)


def closing(
    came: list[tuple[str, int, str]], owed: list[Due], *, known: bool = True, announced: bool = False
) -> Return:
    """A return with these lines: (SKU, units, grade)."""
    lines = tuple(
        ReturnLine(number, sku, sku.title(), units, grade=grade, disposition="damaged", bin_id="R-01")
        for number, (sku, units, grade) in enumerate(came, start=1)
    )
    return Return(
        "RT-1",
        "O-1",
        state=OPEN,
        lines=lines,
        owed=tuple(owed),
        is_owed_known=known,
        announced=tuple(owed) if announced else (),
    )


@given(came=st.lists(kinds, max_size=8), owed=dues)
def test_never_more_is_refunded_than_is_owed_and_never_less_than_came_of_it(came, owed):
    done = closing(came, owed)
    units = Counter()
    for number, quantity in refunds(done):
        line = done.line(number)
        assert 0 < quantity <= line.quantity
        assert line.grade != WRONG_ITEM
        units[line.sku_id] += quantity
    right = Counter()
    for sku, quantity, grade in came:
        right[sku] += quantity if grade != WRONG_ITEM else 0
    debts = {due.sku_id: due.quantity for due in owed}
    assert +units == +Counter({sku: min(right[sku], debts.get(sku, 0)) for sku in right})


@given(came=st.lists(kinds, max_size=8))
def test_of_a_blind_return_all_that_is_no_wrong_item_is_named_for_the_hub_to_decide(came):
    done = closing(came, [], known=False)
    assert sum(units for _, units in refunds(done)) == sum(n for _, n, grade in came if grade != WRONG_ITEM)
    assert "return_over" not in {noted.kind for noted in exceptions(done)}


@given(came=st.lists(kinds, min_size=1, max_size=8), owed=dues)
def test_every_unit_that_is_not_refunded_has_an_exception_that_says_why(came, owed):
    done = closing(came, owed)
    unpaid = sum(line.quantity for line in done.lines) - sum(units for _, units in refunds(done))
    noted = Counter()
    for exception in exceptions(done):
        noted[exception.kind] += exception.quantity
    assert noted["return_over"] + noted["wrong_item_returned"] == unpaid


def test_what_was_announced_and_did_not_come_is_missing():
    done = closing([("OAT", 1, "new")], [Due("OAT", "Oat", 3), Due("RYE", "Rye", 1)], announced=True)
    missing = [(noted.sku_id, noted.quantity) for noted in exceptions(done) if noted.kind == "return_missing"]
    assert missing == [("OAT", 2), ("RYE", 1)]


@pytest.mark.parametrize("grade", list(GRADES.values()))
def test_what_is_unfit_is_never_sold_again_and_scrap_is_suggested(grade):
    assert Word.SELLABLE not in may_become(grade, "it has expired")
    assert may_become(grade, "it has expired")[0] is Word.SCRAP
    assert set(may_become(grade, "it has expired")) == set(may_become(grade, "")) - {Word.SELLABLE}


def test_only_what_looks_new_is_suggested_for_the_shelf_and_nothing_used_or_damaged_may_go_there():
    assert {grade for grade in GRADES.values() if may_become(grade, "")[0] is Word.SELLABLE} == {"new"}
    assert {grade for grade in GRADES.values() if Word.SELLABLE not in may_become(grade, "")} == {
        "used",
        "damaged",
    }


def test_everything_that_may_become_has_its_place_in_the_ledger_or_leaves_it():
    words = {word for grade in GRADES.values() for word in may_become(grade, "")}
    assert words == set(LEDGER) | {Word.SCRAP}
    assert Word.SCRAP in STAYS
