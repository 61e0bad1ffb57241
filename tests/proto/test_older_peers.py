"""The wire of older versions is read as they meant it: bytes that they wrote, and older ones made by hand.

tests/data/wire/protocol_1.json holds, for each message, its bytes and what its writer saw in them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from bodega.codec import envelope_from_bytes, movement_from_wire
from bodega.core.ledger import check
from bodega.core.protocol import PROTOCOL, SERVED_BACK, skew_fault
from bodega.core.sync import Head, Verdict, judge
from bodega.v1 import journal_pb2, sync_pb2
from support.tree import ROOT

WIRE: dict[str, dict[str, Any]] = json.loads(
    (ROOT / Path("tests/data/wire/protocol_1.json")).read_text(encoding="utf-8")
)
KINDS = {
    one.__name__: one
    for one in (
        journal_pb2.NodeEvent,
        journal_pb2.HubEvent,
        sync_pb2.Ack,
        sync_pb2.Envelope,
        sync_pb2.HeartbeatRequest,
        sync_pb2.HeartbeatResponse,
        sync_pb2.WantRequest,
    )
}


@pytest.mark.parametrize("name", sorted(WIRE))
def test_what_an_older_version_wrote_is_read_as_it_meant_it_and_written_the_same(name: str) -> None:
    known = WIRE[name]
    message = KINDS[known["message"]].FromString(bytes.fromhex(known["hex"]))
    assert MessageToDict(message, preserving_proto_field_name=True) == known["reads"]
    assert message.SerializeToString(deterministic=True).hex() == known["hex"]


@pytest.mark.parametrize("name", ["envelope_up", "envelope_down"])
def test_an_older_writers_envelope_fits_the_chain(name: str) -> None:
    envelope = envelope_from_bytes(bytes.fromhex(WIRE[name]["hex"]))
    assert judge(Head(), envelope).verdict is Verdict.APPLY


@pytest.mark.parametrize("name", ["event_movement", "older_movement"])
def test_an_older_writers_movement_adds_up(name: str) -> None:
    event = journal_pb2.NodeEvent.FromString(bytes.fromhex(WIRE[name]["hex"]))
    movement = movement_from_wire(event.movement)
    check(movement)
    assert [posting.account.sku_id for posting in movement.postings] == ["TEA", "TEA"]


def test_the_two_versions_before_are_served_and_older_ones_are_told_to_upgrade() -> None:
    for stated in (8, 7, 6):
        assert skew_fault("node x", stated, ours=8) == ""
    assert skew_fault("node x", 5, ours=8) == (
        "node x speaks version 5 of the protocol, and the oldest that is served is 6: upgrade it"
    )
    assert SERVED_BACK == 2


def test_one_that_states_nothing_is_of_the_first_version_and_a_newer_one_decides_by_itself() -> None:
    assert skew_fault("the hub", 0, ours=3) == ""
    assert "version 1" in skew_fault("the hub", 0, ours=4)
    assert skew_fault("the hub", 99) == ""
    assert skew_fault("the hub", 0, ours=PROTOCOL) == ""
