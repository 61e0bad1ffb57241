"""The physical ledger's rules: postings sum to zero, nothing in the node goes below zero, no scan is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.ledger import (
    Account,
    Disposition,
    Goods,
    Movement,
    Posting,
    Reference,
    check,
    fold,
    in_transit,
)
from bodega.core.recipes import RECIPES, Book, End, Places, book, correct
from bodega.errors import IntegrityBroken, InvalidInput, Refused
from bodega.limits import QUANTITY_MAX

BINS = ("DOCK", "A-01-01", "STAGE-FO-1", "PARCEL-1")
COMMANDS = st.tuples(
    st.sampled_from(sorted(RECIPES)),
    st.sampled_from(["SKU-1", "SKU-2"]),
    st.integers(1, 9),
    st.sampled_from(BINS),
    st.sampled_from(BINS),
)


@given(st.lists(COMMANDS, max_size=30))
def test_any_sequence_of_real_scans_is_recorded_and_no_place_ever_holds_less_than_nothing(
    commands: list[tuple[str, str, int, str, str]],
) -> None:
    movements: list[Movement] = []
    balances: dict[Account, int] = {}
    for command, sku_id, quantity, source, target in commands:
        booking = book(
            command,
            [Goods(sku_id, quantity)],
            Book(balances),
            Places(source, target),
            makes=[Goods("KIT-1", 1)],
            reference=Reference(transfer_id="T-1"),
        )
        movements.append(booking.movement)
        balances = fold(movements)
        found = sum(discrepancy.difference for discrepancy in booking.discrepancies)
        assert found >= 0
    assert sum(balances.values()) == 0, "what is in the node came from somewhere"
    assert all(quantity > 0 for account, quantity in balances.items() if account.is_physical)


@pytest.mark.parametrize("command", sorted(RECIPES))
def test_every_command_moves_what_its_row_says(command: str) -> None:
    recipe = RECIPES[command]
    movement = book(
        command,
        [Goods("SKU-1", 3)],
        Book({Account("SKU-1", bin="A-01-01", disposition=d): 3 for d in Disposition}),
        Places("A-01-01", "A-01-02", Disposition.DAMAGED, Disposition.RECALLED),
        makes=[Goods("SKU-2", 1)] if recipe.makes else (),
        reference=Reference(transfer_id="T-1"),
    ).movement
    leaving, entering, *made = movement.postings
    assert (leaving.quantity, entering.quantity) == (-3, 3)
    assert [posting.quantity for posting in made] == ([-1, 1] if recipe.makes else [])
    ends = (recipe.source, recipe.target, *(recipe.makes or ()))
    named = (Disposition.DAMAGED, Disposition.RECALLED) * (len(ends) // 2)
    for end, word, posting in zip(ends, named, movement.postings, strict=True):
        expected = {End.NAMED: word, End.TRANSIT: in_transit("T-1")}.get(end, end)
        assert expected in (posting.account.disposition, posting.account.external)


def test_two_takings_of_one_command_share_what_the_bin_holds() -> None:
    shelf = Account("SKU-1", bin="A-01-01", disposition=Disposition.SELLABLE)
    booking = book(
        "pick",
        [Goods("SKU-1", 3), Goods("SKU-1", 3)],
        Book({shelf: 4}),
        Places("A-01-01", "STAGE-FO-1"),
    )
    assert [discrepancy.difference for discrepancy in booking.discrepancies] == [2]


@pytest.mark.parametrize("quantity", [0, -1, QUANTITY_MAX + 1])
def test_a_quantity_out_of_range_names_the_field_and_moves_nothing(quantity: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        book("receive", [Goods("SKU-1", quantity)], Book({}), Places(target_bin="DOCK"))
    assert refusal.value.faults[0].where == "quantity"


def test_the_largest_quantity_is_taken() -> None:
    assert book(
        "receive", [Goods("SKU-1", QUANTITY_MAX)], Book({}), Places(target_bin="DOCK")
    ).movement.postings


def test_a_missing_bin_and_an_unknown_command_are_the_callers_mistake() -> None:
    with pytest.raises(InvalidInput, match="place in the node"):
        book("receive", [Goods("SKU-1", 1)], Book({}))
    with pytest.raises(InvalidInput, match="no ledger command"):
        book("teleport", [Goods("SKU-1", 1)], Book({}))


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (Posting(Account("SKU-1", external="supplier"), -1),),
        (Posting(Account("SKU-1", external="supplier"), 0),),
        (
            Posting(Account("SKU-1", lot="a", external="supplier"), -1),
            Posting(Account("SKU-1", bin="DOCK"), 1),
        ),
    ],
)
def test_postings_that_do_not_add_up_are_no_movement(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(IntegrityBroken):
        check(Movement("receive", "receiving", postings))


def test_a_history_that_takes_more_than_was_there_is_broken() -> None:
    taking = Movement(
        "ship",
        "shipping",
        (Posting(Account("SKU-1", bin="A-01-01"), -1), Posting(Account("SKU-1", external="carrier"), 1)),
    )
    with pytest.raises(IntegrityBroken, match="would go to -1"):
        fold([taking])


SHELF, OTHER_SHELF = (
    Account("SKU-1", bin=name, disposition=Disposition.SELLABLE) for name in ("A-01-01", "A-01-02")
)


def test_a_serial_that_the_book_holds_elsewhere_is_brought_to_where_it_was_scanned() -> None:
    booking = book(
        "pick",
        [Goods("SKU-1", 1, serials=("S-1",))],
        Book({SHELF: 3, OTHER_SHELF: 1}, {("SKU-1", "S-1"): OTHER_SHELF}),
        Places("A-01-01", "STAGE-FO-1"),
    )
    assert booking.movement.postings[:2] == (
        Posting(OTHER_SHELF, -1, ("S-1",)),
        Posting(SHELF, 1, ("S-1",)),
    )
    assert [(d.bin_id, d.difference) for d in booking.discrepancies] == [("A-01-02", -1), ("A-01-01", 1)]


def test_a_serial_that_carries_another_lot_than_the_book_says_leaves_the_one_and_is_found_as_the_other() -> (
    None
):
    elsewhere = OTHER_SHELF._replace(lot="L-1")
    booking = book(
        "pick",
        [Goods("SKU-1", 1, lot="L-2", serials=("S-1",))],
        Book({elsewhere: 1}, {("SKU-1", "S-1"): elsewhere}),
        Places("A-01-01", "STAGE-FO-1"),
    )
    after = fold([Movement("receive", "receiving", (Posting(elsewhere, 1),)), booking.movement])
    assert [a.bin for a, quantity in after.items() if a.is_physical and quantity] == ["STAGE-FO-1"]


def test_a_serial_that_is_in_the_node_can_not_be_received_again() -> None:
    with pytest.raises(Refused, match="'S-1'") as refusal:
        book(
            "receive",
            [Goods("SKU-1", 1, serials=("S-1",))],
            Book({SHELF: 1}, {("SKU-1", "S-1"): SHELF}),
            Places(target_bin="DOCK"),
        )
    assert refusal.value.code == "serial-twice"


@pytest.mark.parametrize("serials", [("S-1",), ("S-1", "S-1"), ("S-1", "S-2", "S-3")])
def test_each_unit_has_its_own_serial_or_none_has_one(serials: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        book("receive", [Goods("SKU-1", 2, serials=serials)], Book({}), Places(target_bin="DOCK"))
    assert [fault.where for fault in refusal.value.faults] == ["serials"]


def test_a_correction_names_what_it_undoes_and_finds_again_what_has_gone_since() -> None:
    movement = book("receive", [Goods("SKU-1", 3)], Book({}), Places(target_bin="DOCK")).movement
    dock = movement.postings[1].account
    booking = correct(movement, "1/7", Book({dock: 1}), reason="typed twice")
    assert booking.movement.reference.corrects == "1/7"
    assert [discrepancy.difference for discrepancy in booking.discrepancies] == [2]
    assert (
        fold(
            [movement, Movement("ship", "shipping", (Posting(dock, -2), Posting(SHELF, 2))), booking.movement]
        )[SHELF]
        == 2
    ), "only what the correction undoes is undone"


def test_a_correction_does_not_bring_a_unit_into_the_node_that_is_there_already() -> None:
    parcel = Account("SKU-1", bin="PARCEL-1", disposition=Disposition.CONTAINER_CLOSED)
    goods = Goods("SKU-1", 1, serials=("S-1",))
    held = Book({parcel: 1}, {("SKU-1", "S-1"): parcel})
    shipped = book("ship", [goods], held, Places("PARCEL-1")).movement
    come_back = Book({SHELF: 1}, {("SKU-1", "S-1"): SHELF})
    with pytest.raises(Refused) as refusal:
        correct(shipped, "1/2", come_back, reason="never left")
    assert refusal.value.code == "serial-twice"


def test_a_correction_asks_only_for_what_the_movement_has_left_somewhere() -> None:
    picked = book("pick", [Goods("SKU-1", 2)], Book({SHELF: 1}), Places("A-01-01", "STAGE-FO-1")).movement
    stage = Account("SKU-1", bin="STAGE-FO-1", disposition=Disposition.IN_PROGRESS)
    undone = correct(picked, "1/3", Book({stage: 2}), reason="wrong shelf")
    assert not undone.discrepancies, "the shelf gives back what was found on it, and needs nothing for that"
    assert fold([Movement("receive", "receiving", (Posting(SHELF, 1),)), picked, undone.movement]) == {
        SHELF: 1
    }


def test_what_has_moved_nothing_in_the_end_can_not_be_undone() -> None:
    stage = Account("SKU-1", bin="STAGE-FO-1", disposition=Disposition.IN_PROGRESS)
    goods = Goods("SKU-1", 1, serials=("S-1",))
    on_stage = Book({stage: 1}, {("SKU-1", "S-1"): stage})
    scanned_twice = book("pick", [goods], on_stage, Places("A-01-01", "STAGE-FO-1")).movement
    with pytest.raises(Refused, match="moved nothing"):
        correct(scanned_twice, "1/4", Book({}), reason="scanned twice")


def test_a_place_that_the_book_has_emptied_does_not_give_a_serial_away_twice() -> None:
    booking = book(
        "pick",
        [Goods("SKU-1", 1, serials=("S-1",))],
        Book({}, {("SKU-1", "S-1"): OTHER_SHELF}),
        Places("A-01-01", "STAGE-FO-1"),
    )
    assert [(d.bin_id, d.difference) for d in booking.discrepancies] == [("A-01-01", 1)]


@given(
    st.sampled_from([name for name, recipe in RECIPES.items() if recipe.makes is None]),
    st.integers(-1, 5),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_goods_that_are_there_are_booked_the_same_in_short_and_as_one_of_many(
    command: str, quantity: int, held: int, more: int
) -> None:
    """Two lines take the long way: the second, of other goods, only makes it so. More in the book changes nothing."""

    def booked(units: int, *others: Goods) -> object:
        at = {Account(sku_id, "A", d): units for sku_id in ("SKU-1", "SKU-2") for d in Disposition}
        places = Places("A", "B", Disposition.SELLABLE, Disposition.DAMAGED)
        try:
            goods = [Goods("SKU-1", quantity), *others]
            booking = book(command, goods, Book(at), places, reference=Reference(transfer_id="T"))
        except InvalidInput as error:
            return error.faults
        ours = [posting for posting in booking.movement.postings if posting.account.sku_id == "SKU-1"]
        return (
            booking.movement._replace(postings=tuple(ours)),
            [found for found in booking.discrepancies if found.sku_id == "SKU-1"],
        )

    assert booked(held) == booked(held, Goods("SKU-2", 1))
    if held >= quantity:
        assert booked(held) == booked(held + more)
