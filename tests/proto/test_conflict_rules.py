"""The rules of conflicts by themselves: pure, versioned, the same in any order, and each one said in the table."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.conflicts import cancel_races_ship, physical_shortfall, two_nodes_claim
from bodega.core.conflicts.physical_shortfall import Promised, missing
from bodega.core.conflicts.row import conflict_id
from bodega.core.conflicts.table import CASES
from bodega.core.conflicts.two_nodes_claim import Shipment, duplicate_shipment
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.promise import Reservation, ServiceClass, Standing

F, ORDER = FulfillmentState, OrderState


@pytest.mark.parametrize("kind", CASES)
def test_every_case_names_its_rule_with_a_version_and_says_what_it_does(kind: str) -> None:
    name, _, version = CASES[kind].rule.partition("@")
    assert name
    assert version.isdecimal()
    assert CASES[kind].sentence.endswith(".")


@pytest.mark.parametrize(
    "kind",
    [cancel_races_ship.KIND, physical_shortfall.KIND, two_nodes_claim.KIND, two_nodes_claim.DUPLICATE],
)
def test_what_a_rule_makes_is_a_case_of_the_table(kind: str) -> None:
    assert kind in CASES


def test_the_id_is_of_the_facts_and_not_of_their_order() -> None:
    assert conflict_id("k", ("a/1/1", "b/1/2")) == conflict_id("k", ("b/1/2", "a/1/1"))
    assert conflict_id("k", ("a/1/1",)) != conflict_id("other", ("a/1/1",))


PROMISES = st.lists(
    st.builds(
        Promised,
        order_id=st.integers(0, 99).map("O-{}".format),
        service_class=st.sampled_from(ServiceClass),
        promised_at_ms=st.integers(0, 3),
        units=st.integers(1, 9),
    ),
    unique_by=lambda one: one.order_id,
    max_size=8,
)


@given(promises=PROMISES, sellable=st.integers(0, 40), local=st.integers(0, 10), data=st.data())
def test_who_lacks_what_adds_up_whatever_order_promises_are_read_in(
    promises: list[Promised], sellable: int, local: int, data: st.DataObject
) -> None:
    lacking = missing(sellable, local, promises)
    assert missing(sellable, local, data.draw(st.permutations(promises))) == lacking
    wanted = sum(one.units for one in promises)
    assert sum(lacking.values()) == max(0, wanted - max(0, sellable - local))
    # Nobody who comes later is served before everybody who comes first.
    ranked = sorted(promises, key=lambda one: one.rank)
    served = [one.units - lacking.get(one.order_id, 0) for one in ranked]
    first_short = next((place for place, one in enumerate(ranked) if one.order_id in lacking), len(ranked))
    assert all(units == 0 for units in served[first_short + 1 :])


def test_class_comes_before_time_and_time_before_the_id() -> None:
    late_urgent = Promised("O-9", ServiceClass.SAME_DAY, 9, 1)
    early = Promised("O-2", ServiceClass.STANDARD, 1, 1)
    tied = Promised("O-1", ServiceClass.STANDARD, 2, 1)
    same_time = Promised("O-3", ServiceClass.STANDARD, 2, 1)
    everybody = [same_time, tied, early, late_urgent]
    kept = [
        sorted({one.order_id for one in everybody} - missing(units, 0, everybody).keys())
        for units in range(5)
    ]
    assert kept == [[], ["O-9"], ["O-2", "O-9"], ["O-1", "O-2", "O-9"], ["O-1", "O-2", "O-3", "O-9"]]


def test_the_order_that_is_being_picked_takes_what_is_left() -> None:
    urgent = Promised("O-1", ServiceClass.SAME_DAY, 1, 3)
    in_hand = Promised("O-2", ServiceClass.STANDARD, 2, 3)
    assert missing(2, 0, [urgent, in_hand], in_hand="O-2") == {"O-2": 1, "O-1": 3}


def test_two_parcels_are_told_by_token_and_not_by_arrival() -> None:
    one = Shipment("F-1", "lisbon-01", 1, "1" * 18, "lisbon-01/1/9")
    two = Shipment("F-2", "porto-01", 2, "2" * 18, "porto-01/1/4")
    rows = {duplicate_shipment("O-1", *pair) for pair in itertools.permutations((one, two))}
    assert len(rows) == 1
    assert rows.pop().inputs == ("lisbon-01/1/9", "porto-01/1/4")


def test_units_that_are_not_there_end_that_much_of_a_promise() -> None:
    promise = Reservation(5).post(1)
    assert (promise.lose(2).pending, promise.lose(2).voided, promise.lose(2).state) == (2, 2, "pending")
    assert (promise.lose(9).pending, promise.lose(9).state) == (0, "posted")
    assert Reservation(2).lose(2).state == "voided"


def test_what_a_person_keeps_back_is_not_available() -> None:
    assert Standing(10, node_rights=1, reserved=2, safety_stock=2, held_back=4).available == 1
    assert Standing(10, held_back=11).available == 0
    assert Standing(10, reserved=10, held_back=10).shortfall == 0
