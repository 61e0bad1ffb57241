"""What a part follows from, and an order from its parts: over every pair, and in any order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.lifecycles import FULFILLMENT, FulfillmentState, OrderState
from bodega.core.parts import (
    AT_A_NODE,
    BY_NEWEST,
    ENDED,
    FINAL,
    NOBODYS,
    PartState,
    order_of,
    part_of,
)

F, P, S = FulfillmentState, PartState, OrderState

# What an order of one part is: going on, and once a cancel was asked for.
ALONE = {
    P.PREORDERED: (S.PREORDERED, S.CANCELLED),
    P.BACKORDERED: (S.BACKORDERED, S.CANCELLED),
    P.HANDED_BACK: (S.HANDED_BACK, S.CANCELLED),
    P.ASSIGNED: (S.CONFIRMED, S.CANCEL_REQUESTED),
    P.IN_FULFILLMENT: (S.IN_FULFILLMENT, S.CANCEL_REQUESTED),
    P.READY_FOR_PICKUP: (S.READY_FOR_PICKUP, S.CANCEL_REQUESTED),
    P.SHIPPED: (S.PARTIALLY_SHIPPED, S.PARTIALLY_SHIPPED),
    P.COLLECTED: (S.PARTIALLY_COLLECTED, S.PARTIALLY_COLLECTED),
    P.NOT_COLLECTED: (S.NOT_COLLECTED, S.CANCELLED),
    P.CANCELLED: (S.CANCELLED, S.CANCELLED),
    P.UNFULFILLABLE: (S.UNFULFILLABLE, S.UNFULFILLABLE),
}
PARTS = st.lists(st.sampled_from(P), min_size=1, max_size=5)


def test_every_state_of_an_assignment_is_one_of_a_part_and_ends_with_it() -> None:
    assert set(BY_NEWEST) == set(F)
    assert set(P) == NOBODYS | AT_A_NODE | ENDED
    for state, part in BY_NEWEST.items():
        assert (state in FULFILLMENT.terminal) == (part in ENDED or part is P.HANDED_BACK)


@pytest.mark.parametrize(("older", "newest"), list(itertools.product(F, F)))
def test_a_part_is_what_has_left_and_else_what_its_newest_assignment_is(older: F, newest: F) -> None:
    part = part_of(P.ASSIGNED, [older, newest])
    if F.SHIPPED in (older, newest):
        assert part is P.SHIPPED
    elif F.COLLECTED in (older, newest):
        assert part is P.COLLECTED
    else:
        assert part is BY_NEWEST[newest]


@pytest.mark.parametrize(
    ("said", "assignment"),
    list(itertools.product((P.PREORDERED, P.BACKORDERED, P.CANCELLED, P.UNFULFILLABLE), F)),
)
def test_the_hubs_own_word_on_a_part_holds_until_something_of_it_leaves(said: P, assignment: F) -> None:
    left = {F.SHIPPED: P.SHIPPED, F.COLLECTED: P.COLLECTED}
    assert part_of(said, [assignment]) is left.get(assignment, said)


@pytest.mark.parametrize("part", list(P))
def test_an_order_of_one_part_is_what_that_is(part: P) -> None:
    going_on, cancelled = ALONE[part]
    assert order_of([part], cancel_asked=False, in_full=False) is going_on
    assert order_of([part], cancel_asked=True, in_full=False) is cancelled


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(P, 2)))
def test_two_parts_end_together_begin_with_the_first_and_wait_for_the_last(one: P, other: P) -> None:
    state = order_of([one, other], cancel_asked=False, in_full=False)
    pair = {one, other}
    assert (state in FINAL) == (pair <= ENDED)
    if pair <= ENDED:
        assert state in {ALONE[one][0], ALONE[other][0]}
        assert (state in {S.PARTIALLY_SHIPPED, S.PARTIALLY_COLLECTED}) == bool(
            pair & {P.SHIPPED, P.COLLECTED}
        )
    elif P.READY_FOR_PICKUP in pair and pair - {P.READY_FOR_PICKUP} <= ENDED:
        assert state is S.READY_FOR_PICKUP
    elif pair & {P.IN_FULFILLMENT, P.READY_FOR_PICKUP, P.SHIPPED, P.COLLECTED}:
        assert state is S.IN_FULFILLMENT
    else:
        behind = [P.HANDED_BACK, P.BACKORDERED, P.PREORDERED, P.ASSIGNED]
        assert state is ALONE[next(part for part in behind if part in pair)][0]


@given(parts=PARTS, asked=st.booleans(), in_full=st.booleans())
def test_an_order_follows_from_its_parts_in_any_order_and_however_often_they_say_it(
    parts: list[P], asked: bool, in_full: bool
) -> None:
    state = order_of(parts, cancel_asked=asked, in_full=in_full)
    assert state is order_of([*reversed(parts), *parts], cancel_asked=asked, in_full=in_full)
    assert (state is S.CANCEL_REQUESTED) == (asked and bool(AT_A_NODE & set(parts)))
    if asked:
        assert state in FINAL | {S.CANCEL_REQUESTED}, "what nobody has needs nobody's answer"
    if state in {S.SHIPPED, S.COLLECTED}:
        assert in_full
