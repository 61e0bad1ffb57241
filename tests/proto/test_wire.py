"""The wire keeps what it does not understand, and the codec turns values into messages and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.codec import (
    UNKNOWN_FACT,
    ack_text,
    desired_state_text,
    envelope_from_bytes,
    envelope_to_bytes,
    fact_of,
    fulfillment_state_from_wire,
    fulfillment_state_to_wire,
    head_from_ack,
    head_to_ack,
    movement_from_wire,
    movement_to_wire,
    order_state_from_wire,
    order_state_to_wire,
    parse_node_event,
    sku_from_wire,
)
from bodega.core.ledger import Account, Entered, LotSeen, Movement, Posting, Reference
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.sync import Envelope, Head
from bodega.errors import PeerFault
from bodega.v1 import catalogue_pb2, journal_pb2

TEXT = st.text(max_size=20)
ACCOUNTS = st.builds(Account, TEXT, TEXT, TEXT, TEXT, TEXT, st.just("")) | st.builds(
    lambda sku, lot, owner: Account(sku, lot=lot, owner=owner, external="supplier"), TEXT, TEXT, TEXT
)
POSTINGS = st.builds(Posting, ACCOUNTS, st.integers(-(2**40), 2**40), st.lists(TEXT, max_size=3).map(tuple))
MOVEMENTS = st.builds(
    Movement,
    TEXT,
    TEXT,
    st.lists(POSTINGS, max_size=4).map(tuple),
    st.builds(Reference, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT),
    st.lists(st.builds(Entered, TEXT, st.integers(0, 2**31), TEXT, st.integers(0, 2**40)), max_size=2).map(
        tuple
    ),
    st.lists(st.builds(LotSeen, TEXT, TEXT, TEXT), max_size=2).map(tuple),
)


@given(MOVEMENTS)
def test_a_movement_survives_the_wire(movement: Movement) -> None:
    assert movement_from_wire(movement_to_wire(movement)) == movement


@given(
    st.builds(
        Envelope,
        TEXT,
        st.integers(1, 9),
        st.integers(1, 2**40),
        st.binary(max_size=32),
        st.lists(st.binary(max_size=50), max_size=5).map(tuple),
        st.binary(max_size=32),
    )
)
def test_an_envelope_survives_the_wire(envelope: Envelope) -> None:
    assert envelope_from_bytes(envelope_to_bytes(envelope)) == envelope


def test_a_fact_that_a_newer_writer_has_added_is_unknown_and_its_bytes_are_kept() -> None:
    newer = journal_pb2.NodeEvent(cmd_id="c").SerializeToString() + b"\xfa\x3f\x03abc"  # field 1023
    event = parse_node_event(newer)
    assert fact_of(event) == UNKNOWN_FACT
    assert event.SerializeToString() == newer


def test_bytes_that_are_no_message_are_the_peers_fault() -> None:
    with pytest.raises(PeerFault, match="not a NodeEvent"):
        parse_node_event(b"\xff\xff\xff")
    with pytest.raises(PeerFault, match="not a Envelope"):
        envelope_from_bytes(b"\x0a\xff")


@pytest.mark.parametrize("state", list(OrderState))
def test_every_order_state_has_a_number(state: OrderState) -> None:
    assert order_state_from_wire(order_state_to_wire(state)) is state


@pytest.mark.parametrize("state", list(FulfillmentState))
def test_every_fulfillment_state_has_a_number(state: FulfillmentState) -> None:
    assert fulfillment_state_from_wire(fulfillment_state_to_wire(state)) is state


def test_a_state_of_a_newer_peer_is_none() -> None:
    assert order_state_from_wire(99) is None
    assert fulfillment_state_from_wire(0) is None


def test_an_ack_speaks_of_one_head_and_its_text_of_every_part() -> None:
    head = Head(2, 7, b"h" * 32)
    ack = head_to_ack("lisbon-01", head)
    assert head_from_ack(ack) == head
    others = [head_to_ack("porto-01", head), head_to_ack("lisbon-01", Head(3, 7, b"h" * 32))]
    others += [
        head_to_ack("lisbon-01", Head(2, 8, b"h" * 32)),
        head_to_ack("lisbon-01", Head(2, 7, b"i" * 32)),
    ]
    assert ack_text(ack) not in [ack_text(other) for other in others]


@given(st.dictionaries(TEXT, TEXT, max_size=3), st.dictionaries(TEXT, TEXT, max_size=3))
def test_different_settings_never_share_the_text_that_is_signed(
    first: dict[str, str], second: dict[str, str]
) -> None:
    same = desired_state_text("n", 1, first.items()) == desired_state_text("n", 1, second.items())
    assert same == (first == second)


def test_a_sku_says_its_size_and_classes_and_what_an_older_hub_leaves_out_has_a_meaning():
    said = catalogue_pb2.Sku(
        sku_id="ICE",
        weight_g=1,
        volume_ml=2,
        length_mm=3,
        width_mm=4,
        height_mm=5,
        temperature_class="frozen",
        velocity_class="A",
        fragile=True,
    )
    sku = sku_from_wire(said)
    assert (sku.weight_g, sku.volume_ml, sku.length_mm, sku.width_mm, sku.height_mm) == (1, 2, 3, 4, 5)
    assert (sku.temperature_class, sku.velocity_class, sku.fragile) == ("frozen", "A", True)
    plain = sku_from_wire(catalogue_pb2.Sku(sku_id="OAT"))
    assert (plain.temperature_class, plain.velocity_class, plain.fragile) == ("ambient", "C", False)
