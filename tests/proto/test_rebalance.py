"""Where rights should be, pure: a node that sells keeps and gets them, idle ones go home, and nothing thrashes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.rebalance import GRANT, RECALL, Move, RebalancePolicy, Use, plan, target_of

POLICY = RebalancePolicy()
ROUNDS_MAX = 60


def planned(use: Use) -> Move | None:
    moves = plan([use], POLICY)
    return moves[0] if moves else None


def of(have: int, **about: int | bool) -> Use:
    return Use("TEA", "lisbon-01", have, **about)  # type: ignore[arg-type]  # names of Use's fields


def test_a_node_that_sells_is_granted_as_much_again() -> None:
    move = planned(of(3, used=12, available=40))
    assert move is not None
    assert (move.kind, move.quantity, move.target) == (GRANT, 9, 12)
    assert move.why == "it used 12 by itself and has rights to 3"


def test_the_hub_gives_no_more_than_half_of_what_it_may_promise_there() -> None:
    move = planned(of(0, used=12, available=7))
    assert move is not None
    assert move.quantity == 3
    assert planned(of(0, used=12, available=1)) is None


def test_idle_rights_are_asked_home_half_at_a_time_down_to_what_a_node_keeps() -> None:
    asked = []
    have = 10
    while (move := planned(of(have))) is not None:
        assert move.kind == RECALL
        asked.append(move.quantity)
        have -= move.quantity
    assert (asked, have) == ([5, 2, 1, 1], POLICY.kept_units)


@pytest.mark.parametrize("have", [10, 12, 13, 14, 15])
def test_small_differences_stay_as_they_are(have: int) -> None:
    assert planned(of(have, used=12, available=40)) is None


def test_a_node_is_left_alone_while_a_move_is_under_way_or_its_grant_is_fresh() -> None:
    assert planned(of(0, used=50, available=99, busy=True)) is None
    assert planned(of(50, busy=True)) is None
    assert planned(of(50, granted_lately=True)) is None
    assert planned(of(0, used=50, available=99, granted_lately=True)) is not None, "it may still get more"


def test_promised_units_are_never_asked_for() -> None:
    assert planned(of(5, promised=5)) is None
    move = planned(of(6, promised=5))
    assert move is not None
    assert move.quantity == 1


def test_no_node_gets_beyond_the_ceiling_and_none_below_it_is_asked() -> None:
    assert target_of(of(0, used=5_000), POLICY) == POLICY.held_units
    assert planned(of(POLICY.held_units, used=5_000, available=9_999)) is None


def test_rights_that_nobody_uses_are_not_granted_to_anybody() -> None:
    assert planned(of(0, available=99)) is None


USES = st.builds(
    Use,
    st.sampled_from(["TEA", "SALT"]),
    st.sampled_from(["lisbon-01", "porto-01", "faro-01"]),
    st.integers(0, 200),
    promised=st.integers(0, 50),
    used=st.integers(0, 300),
    available=st.integers(0, 300),
    busy=st.booleans(),
    granted_lately=st.booleans(),
)


@given(uses=st.lists(USES, max_size=6), data=st.data())
def test_a_plan_is_possible_and_the_same_in_any_order(uses: list[Use], data: st.DataObject) -> None:
    moves = plan(uses, POLICY)
    assert moves == plan(data.draw(st.permutations(uses)), POLICY)
    left = sorted(uses)
    for move in moves:
        use = next(one for one in left if one[:2] == move[:2] and not one.busy and _fits(one, move))
        left.remove(use)


def _fits(use: Use, move: Move) -> bool:
    if move.kind == GRANT:
        return 0 < move.quantity <= use.available * POLICY.share_ratio and use.used > 0
    return 0 < move.quantity <= use.have - use.promised


@given(
    have=st.integers(0, 200), used=st.integers(0, 300), shelf=st.integers(0, 300), promised=st.integers(0, 20)
)
def test_with_steady_sales_it_comes_to_rest_and_stays_there(
    have: int, used: int, shelf: int, promised: int
) -> None:
    use = of(max(have, promised), promised=promised, used=used, available=shelf)
    for _round in range(ROUNDS_MAX):
        move = planned(use)
        if move is None:
            break
        change = move.quantity if move.kind == GRANT else -move.quantity
        use = use._replace(have=use.have + change, available=use.available - change)
    assert planned(use) is None, "it thrashes"
