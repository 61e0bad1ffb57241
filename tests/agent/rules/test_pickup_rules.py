"""Codes and places of pickups, as pure rules."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.floor_words import BinKind, Method, TemperatureClass
from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.pickup.code import code_sha256, is_code
from bodega_agent.rules.floor.pickup.facts import Pickup, Place
from bodega_agent.rules.floor.pickup.places import fitting, is_taken, suggested

orders = st.lists(st.sampled_from(["FO-1", "FO-2", "FO-3"]), max_size=2, unique=True).map(tuple)
places = st.lists(
    st.builds(
        Place,
        bin_id=st.sampled_from([f"P-{number}" for number in range(8)]),
        kind=st.sampled_from([BinKind.LOCKER, BinKind.PICKUP]),
        temperature=st.sampled_from(TemperatureClass),
        waiting=orders,
        left=orders,
    ),
    unique_by=lambda place: place.bin_id,
)
wanted = st.builds(
    Pickup,
    fulfillment_order_id=st.just("FO-1"),
    order_id=st.just("O-1"),
    state=st.just(FulfillmentState.LABELLED),
    method=st.sampled_from([Method.LOCKER, Method.PICKUP]),
    sscc=st.just("395260640000000019"),
    temperature=st.sampled_from(TemperatureClass),
)


def test_the_hash_is_the_one_that_the_protocol_names():
    assert code_sha256("FO-1", "4711") == hashlib.sha256(b"FO-1:4711").digest()


@given(code=st.text(min_size=1).filter(lambda text: text == text.strip()), other=st.text())
def test_a_code_is_right_for_its_own_order_alone(code, other):
    expected = code_sha256("FO-1", code)
    assert is_code("FO-1", f" {code}\n", expected)
    assert is_code("FO-1", other, expected) == (other.strip() == code)
    assert not is_code("FO-2", code, expected)


@given(pickup=wanted, known=places)
def test_the_place_suggested_is_one_that_fits_and_never_anothers_locker(pickup, known):
    where = suggested(pickup, known)
    fit = {place.bin_id: place for place in fitting(pickup, known)}
    if where:
        assert not is_taken(pickup, fit[where])
    else:
        assert all(is_taken(pickup, place) for place in fit.values())


@given(pickup=wanted, known=places)
def test_goods_go_to_a_warmer_or_colder_place_only_where_there_is_none_of_their_own(pickup, known):
    kinds = {BinKind.LOCKER: Method.LOCKER, BinKind.PICKUP: Method.PICKUP}
    own = [p for p in known if kinds[p.kind] == pickup.method and p.temperature == pickup.temperature]
    assert not own or list(fitting(pickup, known)) == own


def test_an_empty_place_comes_before_one_that_somebody_must_clear_first():
    left = Place("P-1", BinKind.LOCKER, left=("FO-9",))
    empty = Place("P-2", BinKind.LOCKER)
    pickup = Pickup("FO-1", "O-1", FulfillmentState.LABELLED, Method.LOCKER, "395260640000000019")
    assert suggested(pickup, (left, empty)) == "P-2"
    assert suggested(pickup, (left,)) == "P-1"
