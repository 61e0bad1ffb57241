"""A replay reads the same postings as everybody else, from the same bytes, and remembers only so much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega import skimming
from bodega.codec import movement_from_wire, movement_to_wire, parse_node_event
from bodega.core.ledger import Account, Movement, Posting, check_postings
from bodega.errors import IntegrityBroken, PeerFault
from bodega.skimming import postings_of_event
from bodega.v1 import journal_pb2, stock_pb2

_names = st.text("ABC-1ä", max_size=4)
_nothing = st.just("")
_accounts = st.one_of(
    st.builds(Account, _names, st.just("A-01"), st.just("sellable_accessible"), _names, _names, _nothing),
    st.builds(Account, _names, _nothing, _nothing, _names, _names, st.sampled_from(["supplier", "carrier"])),
)
_postings = st.builds(
    Posting,
    _accounts,
    st.integers(-(2**62), 2**62),
    st.lists(_names.filter(bool), max_size=2).map(tuple),
)
_movements = st.lists(_postings, min_size=1, max_size=4).map(
    lambda postings: Movement("move", "storing", tuple(postings))
)


def _event(movement: Movement) -> bytes:
    return journal_pb2.NodeEvent(
        cmd_id="c", at_ms=1, actor="ana", movement=movement_to_wire(movement)
    ).SerializeToString()


@given(st.lists(_movements, max_size=5))
def test_a_replay_sees_the_postings_that_were_recorded(movements: list[Movement]) -> None:
    known: dict[bytes, Account] = {}
    for movement in movements:
        body = _event(movement)
        assert tuple(postings_of_event(body, known)) == movement.postings
        assert movement_from_wire(parse_node_event(body).movement) == movement


def test_an_event_that_moves_nothing_has_no_postings_and_a_movement_must_have_some() -> None:
    other = journal_pb2.NodeEvent(task_opened=journal_pb2.TaskOpened(task_id="t")).SerializeToString()
    assert list(postings_of_event(other, {})) == []
    with pytest.raises(IntegrityBroken, match="no postings"):
        postings_of_event(
            journal_pb2.NodeEvent(movement=stock_pb2.Movement(command="move")).SerializeToString(), {}
        )


@pytest.mark.parametrize("bad", [b"\xff\xff\xff", b"\x82\x01\x06\x1a\x04\x0a\x02\xff\xff"])
def test_bytes_that_are_no_event_or_no_account_are_the_peers_fault(bad: bytes) -> None:
    with pytest.raises(PeerFault):
        postings_of_event(bad, {})


def test_accounts_are_remembered_up_to_the_bound_and_then_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skimming, "ACCOUNTS_REMEMBERED_MAX", 2)
    known: dict[bytes, Account] = {}
    for number in range(5):
        account = Account(f"SKU-{number}", external="supplier")
        body = _event(Movement("receive", "receiving", (Posting(account, 1),)))
        assert postings_of_event(body, known)[0][0] == account
        assert len(known) <= 2


SHELF, OUT = (
    Account("SKU", "A-01", "sellable_accessible", "L1", "brand"),
    Account("SKU", "", "", "L1", "brand", "carrier"),
)


@pytest.mark.parametrize(
    "postings",
    [
        (Posting(SHELF, -1), Posting(OUT, 2)),
        (Posting(SHELF, 0), Posting(OUT, 0)),
        (Posting(SHELF, -1), Posting(OUT._replace(lot="L2"), 1)),
        (Posting(SHELF, -1), Posting(OUT._replace(owner="other"), 1)),
        (Posting(SHELF, -1), Posting(OUT._replace(sku_id="OTHER"), 1)),
        (Posting(SHELF, -1, ("S1",)), Posting(OUT, 1)),
        (Posting(SHELF, -1, ("S1",)), Posting(OUT, 1, ("S2",))),
        (Posting(SHELF, -1),),
        (),
    ],
)
def test_a_pair_that_looks_right_at_a_glance_is_still_looked_at(postings: tuple[Posting, ...]) -> None:
    check_postings((Posting(SHELF, -1), Posting(OUT, 1)))
    check_postings((Posting(SHELF, -1, ("S1",)), Posting(OUT, 1, ("S1",))))
    with pytest.raises(IntegrityBroken):
        check_postings(postings)
