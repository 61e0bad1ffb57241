"""Serial framing: the bytes decide, never the reads that carried them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.limits import SCAN_BYTES_MAX, SCAN_PAUSE_MS_MAX
from bodega_adapters.framing.lines import LineFramer

# A small alphabet, so that terminators, prefix and suffix come up often.
STREAMS = st.lists(st.sampled_from(list(b"AB\r\n\x02\x03")), max_size=80).map(bytes)
SHORT = {"frame_bytes_max": 6}
AFFIXES = {"prefix": b"\x02", "suffix": b"\x03"}


def pieces_of(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("options", [{}, SHORT, AFFIXES, {**AFFIXES, **SHORT}])
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 80), max_size=10))
def test_any_split_of_the_stream_gives_the_same_scans_and_counts(options, stream, cuts):
    whole, split = LineFramer(**options), LineFramer(**options)
    expected = whole.feed(stream)
    assert [frame for piece in pieces_of(stream, cuts) for frame in split.feed(piece)] == expected
    assert (split.dropped_bytes, split.dropped_frames) == (whole.dropped_bytes, whole.dropped_frames)


@given(
    scans=st.lists(st.binary(min_size=1, max_size=40).filter(lambda b: not {10, 13} & set(b)), max_size=10)
)
@pytest.mark.parametrize("terminator", [b"\r", b"\n", b"\r\n"])
def test_every_scan_comes_out_whole_and_in_order(terminator, scans):
    framer = LineFramer()
    assert framer.feed(b"".join(scan + terminator for scan in scans)) == scans
    assert framer.dropped_bytes == 0


@given(garbage=st.binary(max_size=2000).filter(lambda b: not {10, 13} & set(b)))
def test_the_scan_after_garbage_is_whole_and_every_dropped_byte_is_counted(garbage):
    framer = LineFramer()
    frames = framer.feed(garbage + b"\rA-01-02\r")
    assert frames[-1] == b"A-01-02"
    kept = sum(map(len, frames[:-1]))
    assert kept + framer.dropped_bytes == len(garbage)


def test_the_bound_lets_its_own_length_pass_and_one_more_byte_not():
    framer = LineFramer()
    assert framer.feed(b"x" * SCAN_BYTES_MAX + b"\r") == [b"x" * SCAN_BYTES_MAX]
    assert framer.feed(b"x" * (SCAN_BYTES_MAX + 1) + b"\r") == []
    assert (framer.dropped_frames, framer.dropped_bytes) == (1, SCAN_BYTES_MAX + 1)


def test_prefix_and_suffix_come_off_and_noise_before_the_prefix_is_dropped():
    framer = LineFramer(**AFFIXES)
    assert framer.feed(b"\xff\xfe\x02A-01\x03\r") == [b"A-01"]
    assert framer.dropped_bytes == 2


def test_a_scanner_back_on_factory_settings_still_scans():
    assert LineFramer(**AFFIXES).feed(b"A-01\r") == [b"A-01"]


def test_without_terminators_silence_ends_a_scan():
    framer = LineFramer(terminators=b"", gap_ms=20)
    assert framer.feed(b"A-01") == []
    assert framer.patience_ms == 20
    assert framer.gap() == [b"A-01"]
    assert framer.gap() == []
    assert not framer.pending


def test_with_terminators_a_long_silence_drops_noise_and_never_ends_a_scan():
    framer = LineFramer()
    assert framer.patience_ms is None
    assert framer.feed(b"\xfe\xff") == []
    assert framer.patience_ms == SCAN_PAUSE_MS_MAX
    assert framer.gap() == []
    assert framer.feed(b"A-01\r") == [b"A-01"]
    assert (framer.dropped_frames, framer.dropped_bytes) == (1, 2)


def test_a_scan_that_lost_a_part_is_dropped_up_to_its_end():
    framer = LineFramer()
    framer.feed(b"0950110")
    framer.spoil()
    assert framer.feed(b"53003\rA-01\r") == [b"A-01"]
    assert framer.dropped_frames == 1


def test_reset_forgets_half_a_scan_and_counts_it():
    framer = LineFramer()
    framer.feed(b"HALF")
    framer.reset()
    assert framer.feed(b"WHOLE\r") == [b"WHOLE"]
    assert (framer.dropped_frames, framer.dropped_bytes) == (1, 4)
