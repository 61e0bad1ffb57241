"""HID POS reports: the descriptor says where the code lies, codes longer than a report are joined, halves never are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.errors import PeerFault
from bodega.limits import HID_FIELDS_MAX, SCAN_BYTES_MAX, SCAN_PAUSE_MS_MAX
from bodega_adapters.framing.hid_descriptor import Field, input_fields
from bodega_adapters.framing.hid_pos import BYTE_COUNT, DECODED_DATA, HidPosFramer, layout_of
from bodega_adapters.simulated.hid_pos_scanner import (
    DATA_BYTES,
    DESCRIPTOR,
    PLAIN_DATA_BYTES,
    PLAIN_DESCRIPTOR,
    REPORT_ID,
    plain_reports,
    reports,
)
from support.long_run import by_length

CODE = st.binary(min_size=1, max_size=SCAN_BYTES_MAX).filter(lambda code: code.rstrip(b"\r\n") == code)
PLAIN_CODE = st.binary(min_size=1, max_size=255).filter(lambda code: code.rstrip(b"\r\n\0") == code)


def framer(descriptor: bytes = DESCRIPTOR) -> HidPosFramer:
    opened = HidPosFramer()
    assert opened.feed(descriptor) == []
    return opened


def fed(opened: HidPosFramer, *packets: bytes) -> list[bytes]:
    return [frame for packet in packets for frame in opened.feed(packet)]


@given(codes=st.lists(CODE, max_size=5))
@settings(max_examples=by_length(100, 5000))
def test_every_code_comes_out_whole_and_in_order(codes):
    packets = [packet for code in codes for packet in reports(code)]
    assert fed(framer(), *packets) == codes


@given(codes=st.lists(PLAIN_CODE, max_size=5))
@settings(max_examples=by_length(100, 5000))
def test_so_it_does_in_the_plain_layout(codes):
    packets = [packet for code in codes for packet in plain_reports(code)]
    assert fed(framer(PLAIN_DESCRIPTOR), *packets) == codes


@pytest.mark.parametrize(
    "size", [DATA_BYTES - 1, DATA_BYTES, DATA_BYTES + 1, 3 * DATA_BYTES, SCAN_BYTES_MAX - 3]
)
def test_the_identifier_is_in_front_once_however_many_reports_there_are(size):
    code = b"]C1" + b"7" * size
    packets = list(reports(code))
    assert len(packets) == -(-size // DATA_BYTES)
    assert fed(framer(), *packets) == [code]


def test_an_identifier_that_stands_in_the_data_too_is_not_doubled_and_one_that_is_none_is_left_out():
    packet = bytearray(next(reports(b"]C1")))
    packet[1:2], packet[5:11] = b"\x06", b"]C1123"
    assert fed(framer(), bytes(packet)) == [b"]C1123"]
    packet[2:5] = b"\x0b\x00\x00"
    packet[5:11] = b"123456"
    assert fed(framer(), bytes(packet)) == [b"123456"]


def test_the_recipes_gadget_whose_count_is_one_short_loses_no_character():
    told = b"\x02\x0d]C0HELLO-12345".ljust(64, b"\0")
    assert fed(framer(PLAIN_DESCRIPTOR), told) == [b"]C0HELLO-12345"]


def test_a_count_keeps_the_zeros_of_a_binary_code_in_the_plain_layout():
    assert fed(framer(PLAIN_DESCRIPTOR), *plain_reports(b"A\0B\0\0")) == [b"A\0B\0\0"]


def test_what_stands_behind_the_count_is_left_from_the_code_before():
    packet = bytearray(next(reports(b"]E09506000134352")))
    packet[1] = 8
    assert fed(framer(), bytes(packet)) == [b"]E095060001"]


def test_other_reports_of_the_device_are_no_scans():
    assert fed(framer(), b"\x04" + bytes(63), b"", *reports(b"A-01")) == [b"A-01"]


def test_a_report_that_is_cut_off_takes_its_code_with_it_and_not_the_next():
    opened = framer()
    first, second = reports(b"A" * (DATA_BYTES + 1))
    assert fed(opened, first, second[:4], second, *reports(b"A-01")) == [b"A-01"]
    assert fed(opened, second[:6] if second[1] > 1 else second[:3], *reports(b"A-02")) == [b"A-02"]
    assert opened.dropped_frames == 2


def test_a_code_above_the_bound_is_dropped_whole():
    opened = framer()
    assert fed(opened, *reports(b"x" * SCAN_BYTES_MAX)) == [b"x" * SCAN_BYTES_MAX]
    assert fed(opened, *reports(b"x" * (SCAN_BYTES_MAX + 1)), *reports(b"A-01")) == [b"A-01"]
    assert opened.dropped_frames == 1


def test_a_rest_that_does_not_come_is_waited_for_and_then_dropped():
    opened = framer()
    assert opened.patience_ms is None
    assert fed(opened, *reports(b"HALF", unfinished=True)) == []
    assert opened.patience_ms == SCAN_PAUSE_MS_MAX
    assert opened.gap() == []
    assert fed(opened, *reports(b"WHOLE")) == [b"WHOLE"]
    assert opened.dropped_frames == 1


def test_after_a_reset_the_descriptor_comes_again_and_half_a_code_is_forgotten():
    opened = framer()
    fed(opened, *reports(b"HALF", unfinished=True))
    opened.reset()
    assert fed(opened, PLAIN_DESCRIPTOR, *plain_reports(b"WHOLE")) == [b"WHOLE"]


def test_the_descriptor_says_where_things_are():
    layout = layout_of(DESCRIPTOR)
    assert layout.numbered
    assert layout.count == Field(REPORT_ID, BYTE_COUNT, 0, 8, 1)
    assert layout.data == Field(REPORT_ID, DECODED_DATA, 32, 8, DATA_BYTES)
    assert [each.at for each in layout.identifier] == [8, 16, 24]
    assert layout.continued is not None
    assert (layout.continued.at, layout.continued.size) == ((63 - 1) * 8, 1)
    assert layout_of(PLAIN_DESCRIPTOR).data.count == PLAIN_DATA_BYTES + 1


def test_reports_without_numbers_and_usages_with_their_page_in_them_are_read_too():
    unnumbered = bytes.fromhex("050109 06 a101 7508 9504 0b fe008c00 8102 c0".replace(" ", ""))
    assert fed(framer(unnumbered), b"\x03abc") == [b"abc"]


KEYBOARD = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810195067508150025650507190029658100c0"
)


@pytest.mark.parametrize("descriptor", [b"", KEYBOARD, b"\x06\x8c", DESCRIPTOR[:20], b"\xfe"])
def test_a_device_that_is_no_scanner_says_so(descriptor):
    with pytest.raises(PeerFault):
        HidPosFramer().feed(descriptor)


def test_a_descriptor_that_would_fill_the_memory_is_refused():
    many_usages = b"\x05\x8c" + b"\x19\x00\x2a\xff\x03" * 8
    with pytest.raises(PeerFault, match=str(HID_FIELDS_MAX)):
        input_fields(many_usages)


@given(descriptor=st.binary(max_size=300), packets=st.lists(st.binary(max_size=80), max_size=8))
@settings(max_examples=by_length(300, 50_000))
def test_any_bytes_are_survived(descriptor, packets):
    opened = HidPosFramer()
    try:
        opened.feed(descriptor)
    except PeerFault:
        return
    assert all(len(frame) <= SCAN_BYTES_MAX + 3 for frame in fed(opened, *packets))


@given(garbage=st.lists(st.binary(max_size=80), max_size=8), code=CODE)
@settings(max_examples=by_length(200, 50_000))
def test_after_garbage_and_a_silence_the_next_code_is_whole(garbage, code):
    opened = framer()
    fed(opened, *garbage)
    if opened.patience_ms is not None:
        opened.gap()
    assert fed(opened, *reports(code)) == [code]
