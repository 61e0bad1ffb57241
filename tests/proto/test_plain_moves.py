"""An event that is read fast says what the same event says when it is read in full, or is not read fast."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import ledger_rows as rows
from bodega.codec import movement_from_wire, movement_to_wire, parse_node_event
from bodega.core.ledger import (
    CARRIER,
    DOCK,
    SUPPLIER,
    Account,
    Disposition,
    LotSeen,
    Movement,
    Posting,
    Reference,
    check,
)
from bodega.skimming import plain_move
from bodega.v1 import journal_pb2

SOURCE = Account("MILK", external=SUPPLIER)
TARGET = Account("MILK", bin=DOCK, disposition=Disposition.IN_PROGRESS)
RECEIVED = Movement("receive", "receiving", (Posting(SOURCE, -3), Posting(TARGET, 3)), Reference())


# Few names, so that what must agree often does.
_names = st.sampled_from(["", "A", "B"])
_accounts = st.builds(Account, _names, st.just("A-01"), st.just("in_progress"), _names, _names) | st.builds(
    Account, _names, external=st.just(SUPPLIER), lot=_names, owner=_names
)
_postings = st.builds(Posting, _accounts, st.integers(-2, 2), st.sampled_from([(), (), ("S1",)]))
movements = st.builds(
    Movement,
    st.just("receive"),
    st.just("receiving"),
    st.lists(_postings, min_size=1, max_size=3).map(tuple),
    st.builds(Reference, _names, _names, _names, _names, _names, _names),
    st.just(()),
    st.just(()),
)


def event_of(movement: Movement) -> bytes:
    message = movement_to_wire(movement)
    return journal_pb2.NodeEvent(cmd_id="c-1", at_ms=17, movement=message).SerializeToString()


def test_a_plain_move_is_read() -> None:
    assert plain_move(event_of(RECEIVED), {}) == ("c-1", 17, "receive", SOURCE, TARGET, 3, "")


def test_the_whole_of_a_day_is_plain() -> None:
    known: dict[bytes, Account] = {}
    for row in islice(rows.day(rows.cmd_ids()), 2 * rows.COMMANDS_A_BLOCK):
        body = row.event[4]
        assert isinstance(body, bytes)
        plain, full = plain_move(body, known), parse_node_event(body)
        assert plain is not None
        assert (plain.cmd_id, plain.at_ms, plain.command) == (full.cmd_id, full.at_ms, full.movement.command)
        read = (Posting(plain.source, -plain.quantity), Posting(plain.target, plain.quantity))
        assert read == movement_from_wire(full.movement).postings


@pytest.mark.parametrize(
    "said",
    [
        RECEIVED._replace(reference=Reference(reason="found")),
        RECEIVED._replace(reference=Reference(corrects="1/7")),
        RECEIVED._replace(reference=Reference(transfer_id="T-1")),
        RECEIVED._replace(reference=Reference(reservation_id="R-1")),
        RECEIVED._replace(lots=(LotSeen("MILK", "L1", "2027-01-31"),)),
        RECEIVED._replace(postings=(Posting(SOURCE, -1, ("S1",)), Posting(TARGET, 1, ("S1",)))),
        RECEIVED._replace(postings=(*RECEIVED.postings, Posting(SOURCE, -1), Posting(TARGET, 1))),
        RECEIVED._replace(postings=(Posting(SOURCE, -3), Posting(TARGET, 4))),
        RECEIVED._replace(postings=(Posting(SOURCE, 0), Posting(TARGET, 0))),
        RECEIVED._replace(postings=(Posting(SOURCE, -3), Posting(TARGET._replace(sku_id="BREAD"), 3))),
        RECEIVED._replace(postings=(Posting(SOURCE, -3), Posting(TARGET._replace(lot="L1"), 3))),
        RECEIVED._replace(postings=(Posting(SOURCE, -3), Posting(TARGET._replace(owner="brand"), 3))),
    ],
)
def test_what_says_more_or_does_not_add_up_is_read_in_full(said: Movement) -> None:
    assert plain_move(event_of(said), {}) is None


@pytest.mark.parametrize("body", [b"", b"no event", journal_pb2.NodeEvent(cmd_id="c").SerializeToString()])
def test_what_is_no_movement_is_read_in_full(body: bytes) -> None:
    assert plain_move(body, {}) is None


@given(movements)
def test_whatever_is_read_fast_adds_up_and_is_the_same(movement: Movement) -> None:
    plain = plain_move(event_of(movement), {})
    if plain is None:
        return
    read = (Posting(plain.source, -plain.quantity), Posting(plain.target, plain.quantity))
    check(movement)
    assert movement.postings == read
    assert movement.reference == replace(
        Reference(),
        fulfillment_order_id=movement.reference.fulfillment_order_id,
        sscc=movement.reference.sscc,
    )
    assert not movement.lots


def test_an_account_is_read_once() -> None:
    known: dict[bytes, Account] = {}
    first, again = plain_move(event_of(RECEIVED), known), plain_move(event_of(RECEIVED), known)
    assert first is not None
    assert again is not None
    assert again.source is first.source
    assert Account("MILK", external=CARRIER) not in known.values()
