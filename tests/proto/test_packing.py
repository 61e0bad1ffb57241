"""Packed envelopes carry the same events, only to whom understands them, and cannot burst their reader."""

from __future__ import annotations

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from bodega import packing
from bodega.codec import envelope_from_bytes, envelope_to_bytes
from bodega.core.chain import GENESIS, extend
from bodega.core.sync import Envelope, Head, Verdict, judge
from bodega.errors import PeerFault
from bodega.limits import ENVELOPE_BYTES_MAX, ENVELOPE_EVENTS_MAX, EVENT_BYTES_MAX, PACKING_BYTES_MIN
from bodega.v1 import sync_pb2


def envelope(*events: bytes) -> Envelope:
    return Envelope("lisbon-01", 1, 1, GENESIS, events, extend(GENESIS, events)[-1])


def message(**fields: object) -> bytes:
    """An envelope with these fields as they are, good or bad."""
    return sync_pb2.Envelope(
        node_id="lisbon-01",
        epoch=1,
        first_seq=1,
        prev_hash=GENESIS,
        last_hash=GENESIS,
        **fields,  # type: ignore[arg-type]  # the fields are the test's choice
    ).SerializeToString()


def frame(*events: bytes) -> bytes:
    return zstd.compress(sync_pb2.Envelope(events=events).SerializeToString())


@given(st.lists(st.binary(max_size=300) | st.just(b"the same again " * 20), min_size=1, max_size=50))
def test_what_was_packed_is_what_comes_out_and_passes_the_chain(events: list[bytes]) -> None:
    sent = envelope(*events)
    received = envelope_from_bytes(envelope_to_bytes(sent, packing.UNDERSTOOD))
    assert received == sent
    assert judge(Head(), received).verdict is Verdict.APPLY


def test_a_peer_that_has_not_said_that_it_understands_gets_plain_events() -> None:
    sent = envelope(*[b"pick SKU-0001 of A-01-01 "] * ENVELOPE_EVENTS_MAX)
    plain = envelope_to_bytes(sent)
    assert sync_pb2.Envelope.FromString(plain).events == list(sent.events)
    # As it is for one that understands only what nobody has invented yet.
    assert envelope_to_bytes(sent, [99]) == plain
    assert len(envelope_to_bytes(sent, packing.UNDERSTOOD)) < len(plain) / 10


@pytest.mark.parametrize(
    "events", [(b"x" * (PACKING_BYTES_MIN - 3),), (bytes(range(256)),)], ids=["small", "dense"]
)
def test_what_would_not_get_smaller_is_not_packed(events: tuple[bytes, ...]) -> None:
    assert sync_pb2.Envelope.FromString(envelope_to_bytes(envelope(*events), packing.UNDERSTOOD)).events


def test_packing_begins_at_its_bound() -> None:
    # A tag and a length are two bytes each from 128 bytes on, one and one below.
    packed = sync_pb2.Envelope.FromString(
        envelope_to_bytes(envelope(b"x" * (PACKING_BYTES_MIN - 2)), packing.UNDERSTOOD)
    )
    assert packed.packing == sync_pb2.PACKING_ZSTD


def test_an_envelope_at_its_bound_is_unpacked() -> None:
    events = [bytes([number]) * EVENT_BYTES_MAX for number in range(ENVELOPE_BYTES_MAX // EVENT_BYTES_MAX)]
    full = envelope(*events)
    assert envelope_from_bytes(envelope_to_bytes(full, packing.UNDERSTOOD)) == full


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"packing": 99, "packed": frame(b"e")}, "packing 99 is not known"),
        ({"packed": frame(b"e")}, "packing 0 is not known"),
        ({"packing": 1, "packed": frame(b"e"), "events": [b"e"]}, "twice"),
        ({"packing": 1, "packed": b""}, "not one whole frame"),
        ({"packing": 1, "packed": b"no frame at all"}, "damaged"),
        ({"packing": 1, "packed": frame(b"e" * 500)[:-1]}, "not one whole frame"),
        ({"packing": 1, "packed": frame(b"e") + frame(b"f")}, "not one whole frame"),
        ({"packing": 1, "packed": zstd.compress(b"\xff\xff\xff")}, "damaged"),
    ],
)
def test_a_bad_packing_is_refused_with_a_reason(fields: dict[str, object], why: str) -> None:
    with pytest.raises(PeerFault, match=why):
        envelope_from_bytes(message(**fields))


def test_a_bomb_is_refused_after_no_more_than_an_envelope_of_it() -> None:
    bomb = zstd.compress(bytes(64 * 1024 * 1024))
    assert len(bomb) < ENVELOPE_BYTES_MAX
    with pytest.raises(PeerFault, match=r"more than|damaged"):
        envelope_from_bytes(message(packing=1, packed=bomb))


def test_a_frame_that_wants_a_large_window_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    greedy = zstd.ZstdCompressor(options=options)
    started = greedy.compress(b"x" * 1000) + greedy.flush()
    with pytest.raises(PeerFault, match="damaged"):
        envelope_from_bytes(message(packing=1, packed=started))
