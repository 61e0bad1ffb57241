"""Transfers, pure: what movements say of them, when one is over, and the row that a difference leaves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.conflicts.table import CASES
from bodega.core.conflicts.transfer_differs import transfer_differs
from bodega.core.ledger import Account, Disposition, Goods, Movement, Reference
from bodega.core.recipes import Book, Places, book, correct
from bodega.core.transfers import (
    Amounts,
    Kind,
    Said,
    Side,
    adds_up,
    in_transit,
    is_over,
    said_by,
    settling_node,
)

OAT, MILK = Kind("OAT"), Kind("MILK", "L1")
SHELF = Account("OAT", "A-01", Disposition.SELLABLE)
TEN_AND_EIGHT: Said = {("lisbon", OAT): Amounts(shipped=10), ("porto", OAT): Amounts(received=8)}
BOTH_DONE = (
    Side("lisbon", final=True, last_event="lisbon/1/41"),
    Side("porto", final=True, last_event="porto/1/9"),
)


def moved(command: str, units: int) -> Movement:
    reference = Reference(transfer_id="T-1", final=True)
    return book(
        command, [Goods("OAT", units)], Book({SHELF: 50}), Places("A-01", "A-01"), reference=reference
    ).movement


def test_each_movement_adds_to_what_its_node_says() -> None:
    assert said_by(moved("transfer_out", 4)) == {("T-1", OAT): Amounts(shipped=4)}
    assert said_by(moved("transfer_in", 4)) == {("T-1", OAT): Amounts(received=4)}
    assert said_by(moved("transfer_missing", 4)) == {("T-1", OAT): Amounts(written_off=4)}
    assert said_by(moved("transfer_surplus", 4)) == {("T-1", OAT): Amounts(written_off=-4)}
    assert said_by(moved("pick", 4)) == {}


def test_a_correction_takes_back_what_it_corrects_and_opens_its_side_again() -> None:
    for command in ("transfer_out", "transfer_in"):
        done = moved(command, 4)
        held = Book({Account("OAT", "A-01", Disposition.IN_PROGRESS): 4, SHELF: 46})
        undone = correct(done, "1/7", held, reason="typed wrong").movement
        (key,) = said_by(done)
        assert said_by(done)[key].plus(said_by(undone)[key]) == Amounts()
        assert (undone.reference.transfer_id, undone.reference.final) == ("T-1", False)


def test_a_receipt_may_come_before_its_shipment() -> None:
    early: Said = {("porto", OAT): Amounts(received=8)}
    assert in_transit(early) == {OAT: -8}
    assert not is_over(early, [Side("porto", final=True, last_event="porto/1/9")]), "nobody has sent yet"
    assert adds_up({**early, ("lisbon", OAT): Amounts(shipped=8)})


def test_it_is_over_when_everybody_who_takes_part_says_so() -> None:
    assert is_over(TEN_AND_EIGHT, BOTH_DONE)
    assert not is_over(TEN_AND_EIGHT, (BOTH_DONE[0], BOTH_DONE[1]._replace(final=False)))
    assert in_transit(TEN_AND_EIGHT) == {OAT: 2}
    assert in_transit(TEN_AND_EIGHT, but="porto") == {OAT: 10}


def test_the_node_that_received_settles_the_difference_else_the_one_that_sent() -> None:
    assert settling_node(TEN_AND_EIGHT) == "porto"
    assert settling_node({("lisbon", OAT): Amounts(shipped=3)}) == "lisbon"
    both = {("b", OAT): Amounts(received=2), ("a", OAT): Amounts(received=2)}
    assert settling_node(both) == "a", "of two alike, by name"


def test_the_row_names_both_nodes_and_what_is_missing() -> None:
    row = transfer_differs("T-1", TEN_AND_EIGHT, BOTH_DONE, "both final")
    assert row.rule == CASES[row.kind].rule == "transfer_differs@1"
    assert row.inputs == ("lisbon/1/41", "porto/1/9")
    assert row.knew == (
        "transfer T-1: lisbon sent 10 in all; porto received 8 in all; it is over: both final"
    )
    assert row.effect == "2 OAT missing is settled in the book of porto against adjustment:count"
    assert (row.node_id, row.sku_id, row.effects) == ("porto", "OAT", ("missing:OAT//2",))
    assert row.needs == ""


def test_more_than_was_sent_is_told_as_too_many() -> None:
    said: Said = {
        ("lisbon", OAT): Amounts(shipped=1),
        ("porto", OAT): Amounts(received=2),
        ("porto", MILK): Amounts(received=3),
    }
    row = transfer_differs("T-1", said, BOTH_DONE, "checked by phone")
    assert row.effect.startswith("3 MILK (lot L1) too many, 1 OAT too many are settled")
    assert row.sku_id == ""


@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["lisbon", "porto", "faro"]),
            st.sampled_from([OAT, MILK]),
            st.builds(Amounts, st.integers(0, 5), st.integers(0, 5)),
        ),
        min_size=1,
        max_size=8,
    ),
    data=st.data(),
)
def test_the_sums_and_the_row_are_the_same_in_whatever_order_the_journals_come(
    events: list[tuple[str, Kind, Amounts]], data: st.DataObject
) -> None:
    def fold(told: list[tuple[str, Kind, Amounts]]) -> Said:
        said: dict[tuple[str, Kind], Amounts] = {}
        for node_id, kind, more in told:
            said[node_id, kind] = said.get((node_id, kind), Amounts()).plus(more)
        return said

    sides = [
        Side(node_id, final=True, last_event=f"{node_id}/1/9") for node_id in ("faro", "lisbon", "porto")
    ]
    one = transfer_differs("T-1", fold(events), sides, "both final")
    shuffled, others = data.draw(st.permutations(events)), data.draw(st.permutations(sides))
    assert transfer_differs("T-1", fold(shuffled), others, "both final") == one
