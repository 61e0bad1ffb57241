"""The physical ledger's rules: postings sum to zero, nothing in the node goes below zero, no scan is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.ledger import RECIPES, Account, Disposition, Goods, Movement, Posting, book, check, fold
from bodega.errors import IntegrityBroken, InvalidInput
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
        booking = book(command, [Goods(sku_id, quantity)], balances, source_bin=source, target_bin=target)
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
        {Account("SKU-1", bin="A-01-01", disposition=d): 3 for d in Disposition},
        source_bin="A-01-01",
        target_bin="A-01-02",
    ).movement
    leaving, entering = movement.postings
    assert (leaving.quantity, entering.quantity) == (-3, 3)
    for end, account in ((recipe.source, leaving.account), (recipe.target, entering.account)):
        assert end in (account.disposition, account.external)


def test_two_takings_of_one_command_share_what_the_bin_holds() -> None:
    shelf = Account("SKU-1", bin="A-01-01", disposition=Disposition.SELLABLE)
    booking = book(
        "pick",
        [Goods("SKU-1", 3), Goods("SKU-1", 3)],
        {shelf: 4},
        source_bin="A-01-01",
        target_bin="STAGE-FO-1",
    )
    assert [discrepancy.difference for discrepancy in booking.discrepancies] == [2]


@pytest.mark.parametrize("quantity", [0, -1, QUANTITY_MAX + 1])
def test_a_quantity_out_of_range_names_the_field_and_moves_nothing(quantity: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        book("receive", [Goods("SKU-1", quantity)], {}, target_bin="DOCK")
    assert refusal.value.faults[0].where == "quantity"


def test_the_largest_quantity_is_taken() -> None:
    assert book("receive", [Goods("SKU-1", QUANTITY_MAX)], {}, target_bin="DOCK").movement.postings


def test_a_missing_bin_and_an_unknown_command_are_the_callers_mistake() -> None:
    with pytest.raises(InvalidInput, match="place in the node"):
        book("receive", [Goods("SKU-1", 1)], {})
    with pytest.raises(InvalidInput, match="no ledger command"):
        book("teleport", [Goods("SKU-1", 1)], {})


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
