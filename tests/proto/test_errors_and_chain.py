"""One table for the three faces of an error; one chain for every journal."""

from __future__ import annotations

from http import HTTPStatus

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega import errors
from bodega.core.chain import GENESIS, extend, link
from bodega.core.conflicts.cancel_races_ship import cancel_races_ship
from bodega.core.tables import IllegalTransition
from bodega.errors import OUTCOMES, BodegaError, ExitCode, outcome_of

FAMILIES = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BodegaError)
]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_grpc_status_an_http_status_and_an_exit_code(family: type[BodegaError]) -> None:
    outcome = OUTCOMES[family]
    assert outcome.grpc in grpc.StatusCode.__members__
    assert outcome.http in set(HTTPStatus)
    assert outcome.exit in set(ExitCode)
    assert outcome.exit is not ExitCode.OK


def test_a_special_case_takes_the_row_of_its_family() -> None:
    assert outcome_of(IllegalTransition("x")) == OUTCOMES[errors.Refused]


def test_stable_codes_are_distinct() -> None:
    codes = [family.code for family in FAMILIES]
    assert len(set(codes)) == len(codes)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=20), st.data())
def test_a_change_anywhere_changes_every_hash_from_there_on(bodies: list[bytes], data: st.DataObject) -> None:
    hashes = extend(GENESIS, bodies)
    place = data.draw(st.integers(0, len(bodies) - 1))
    changed = [*bodies]
    changed[place] += b"!"
    other = extend(GENESIS, changed)
    assert other[:place] == hashes[:place]
    assert all(ours != theirs for ours, theirs in zip(hashes[place:], other[place:], strict=True))
    assert link(hashes[-1], b"next") not in hashes


def test_the_same_meeting_of_facts_is_the_same_conflict_in_any_order_of_delivery() -> None:
    def met(cancel: str, ship: str) -> str:
        return cancel_races_ship(
            node_id="n", order_id="o", cancel_event=cancel, ship_event=ship, seen_seq_at_ship=1, cancel_seq=2
        ).conflict_id

    assert met("hub/1/2", "n/1/9") == met("n/1/9", "hub/1/2")
    assert met("hub/1/2", "n/1/9") != met("hub/1/3", "n/1/9")
