"""Rule count_races_movements@1, pure: what makes a count unsure, and the row that it leaves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.conflicts.count_races import BOOK_ONLY, Counted, Touch, count_races_movements, disturbing
from bodega.core.conflicts.table import CASES
from bodega.limits import CONFLICT_INPUTS_MAX

COUNTED = Counted("lisbon-01", "lisbon-01/1/50", "A-01", "OAT", "L1", 7, 40)
TOUCHES = st.lists(
    st.builds(
        Touch,
        st.integers(41, 49).map(lambda seq: f"lisbon-01/1/{seq}"),
        st.sampled_from(["pick", "put_away", "move", "correct", *BOOK_ONLY]),
        st.integers(-5, 5),
        st.sampled_from(["", "FO-1"]),
    ),
    max_size=8,
    unique_by=lambda touch: touch.event,
)


def test_what_moves_goods_makes_a_count_unsure_and_another_count_does_not() -> None:
    pick, count = Touch("n/1/41", "pick", -3), Touch("n/1/42", "count_up", 2)
    assert disturbing([count]) == ()
    assert disturbing([pick, count]) == (pick,)
    assert disturbing([Touch("n/1/43", "correct", 3)]), "a correction says that the book was wrong"


def test_the_row_says_what_the_book_held_at_the_basis_and_which_movements_raced() -> None:
    window = [Touch("lisbon-01/1/44", "pick", -3, "FO-1"), Touch("lisbon-01/1/46", "put_away", 6)]
    row = count_races_movements(COUNTED, window, book=13)
    assert row.rule == CASES[row.kind].rule == "count_races_movements@1"
    assert row.inputs == ("lisbon-01/1/50", "lisbon-01/1/44", "lisbon-01/1/46")
    assert row.knew == (
        "the count of OAT (lot L1) in A-01 began at event 40 and found 7; the book held 10 then and 13 now,"
        " after pick -3 for FO-1, put_away +6"
    )
    assert (row.node_id, row.sku_id, row.effects) == ("lisbon-01", "OAT", ("recount:A-01/OAT/L1",))
    assert "count OAT (lot L1) in A-01 again" in row.needs


def test_a_count_that_began_too_long_ago_says_so() -> None:
    row = count_races_movements(COUNTED, (), book=13)
    assert "too long ago to look at what moved since; the book holds 13 now" in row.knew
    assert row.inputs == ("lisbon-01/1/50",)


def test_a_long_window_names_no_more_movements_than_a_row_may() -> None:
    window = [Touch(f"lisbon-01/1/{seq}", "pick", -1) for seq in range(100, 100 + CONFLICT_INPUTS_MAX + 5)]
    row = count_races_movements(COUNTED, window, book=0)
    assert len(row.inputs) == CONFLICT_INPUTS_MAX + 1
    assert "and 22 more" in row.knew


@given(window=TOUCHES, data=st.data())
def test_the_row_is_the_same_in_whatever_order_the_movements_are_told(
    window: list[Touch], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(window))
    assert count_races_movements(COUNTED, window, 9) == count_races_movements(COUNTED, shuffled, 9)
