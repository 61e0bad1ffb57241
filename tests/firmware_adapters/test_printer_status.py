"""Host status: every flag lands where people look for it, and nonsense is the printer's fault."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import PeerFault
from bodega_adapters.framing.printer_status import (
    ERRORS,
    WARNINGS,
    parse_error_status,
    parse_host_status,
    with_flags,
)
from bodega_adapters.ports import PrinterStatus


def answer(
    comms: str = "030,0,0,1218,000,0,0,0,000,0,0,0", state: str = "000,0,0,0,1,2,6,0,00000000,1,000"
) -> bytes:
    return f"\x02{comms}\x03\r\n\x02{state}\x03\r\n\x021234,0\x03\r\n".encode()


def test_a_printer_without_flags_is_ready():
    assert parse_host_status(answer()) == PrinterStatus(
        ready=True, paper_out=False, head_open=False, paused=False, queued_labels=0, detail="ready"
    )


@pytest.mark.parametrize(
    ("comms", "detail"),
    [
        ("030,1,0,1218,000,0,0,0,000,0,0,0", "paper out"),
        ("030,0,1,1218,000,0,0,0,000,0,0,0", "paused"),
        ("030,0,0,1218,000,1,0,0,000,0,0,0", "receive buffer full"),
        ("030,0,0,1218,000,0,0,0,000,1,0,0", "memory corrupt"),
        ("030,0,0,1218,000,0,0,0,000,0,1,0", "too cold"),
        ("030,0,0,1218,000,0,0,0,000,0,0,1", "too hot"),
    ],
)
def test_each_flag_of_the_first_line_makes_it_not_ready(comms, detail):
    status = parse_host_status(answer(comms=comms))
    assert (status.ready, status.detail) == (False, detail)
    assert status.paper_out == (detail == "paper out")
    assert status.paused == (detail == "paused")


@pytest.mark.parametrize(
    ("state", "detail"),
    [("000,0,1,0,1,2,6,0,00000000,1,000", "head open"), ("000,0,0,1,1,2,6,0,00000000,1,000", "ribbon out")],
)
def test_each_flag_of_the_second_line_makes_it_not_ready(state, detail):
    status = parse_host_status(answer(state=state))
    assert (status.ready, status.detail, status.head_open) == (False, detail, detail == "head open")


def test_the_queue_counts_buffered_formats_the_batch_and_a_format_that_has_only_begun():
    status = parse_host_status(
        answer(comms="030,0,0,1218,002,0,0,1,000,0,0,0", state="000,0,0,0,1,2,6,0,00000003,1,000")
    )
    assert (status.ready, status.queued_labels) == (True, 6)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x02030\x03",
        answer()[:-8],
        answer() + answer(),
        answer(comms="030,x,0,1218,000,0,0,0,000,0,0,0"),
        answer(comms="030,0,0,1218,,0,0,0,000,0,0,0"),
        answer(state="000,0,0,0,1,2,6,0,000000001,1,000"),
    ],
)
def test_anything_else_is_the_printers_fault(reply):
    with pytest.raises(PeerFault) as caught:
        parse_host_status(reply)
    assert caught.value.hint


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([b"\x02", b"\x03", b",", b"0", b"99"])).map(b"".join)
)
def test_no_reply_crashes_the_parser(reply):
    queued = -1
    with suppress(PeerFault):
        queued = parse_host_status(reply).queued_labels
    assert queued >= -1, "an answer or a PeerFault, and nothing else"


def flags(errors: int, warnings: int = 0, *, raised: int | None = None) -> bytes:
    is_raised = int(errors > 0) if raised is None else raised
    return (
        "\x02\r\n  PRINTER STATUS\r\n"
        f"   ERRORS:         {is_raised} 00000000 {errors:08X}\r\n"
        f"   WARNINGS:       {int(warnings > 0)} 00000000 {warnings:08X}\r\n\x03"
    ).encode()


@pytest.mark.parametrize(("bit", "name"), ERRORS.items())
def test_each_error_flag_stops_the_printer_and_has_a_name(bit, name):
    found = parse_error_status(flags(bit))
    assert found.errors == (name,)
    status = with_flags(parse_host_status(answer()), found)
    assert (status.ready, status.detail) == (False, name)


@pytest.mark.parametrize(("bit", "name"), WARNINGS.items())
def test_a_warning_is_told_and_does_not_stop_the_printer(bit, name):
    status = with_flags(parse_host_status(answer()), parse_error_status(flags(0, bit)))
    assert (status.ready, status.warnings) == (True, (name,))


def test_an_error_that_the_list_does_not_know_stops_the_printer_all_the_same():
    found = parse_error_status(flags(0x4000_0000, raised=1))
    assert found.errors == ("error 0000000040000000",)


def test_what_both_answers_say_is_said_once():
    host = parse_host_status(answer(comms="030,1,0,1218,000,0,0,0,000,0,0,0"))
    status = with_flags(host, parse_error_status(flags(0b1001)))
    assert (status.detail, status.paper_out) == ("paper out, cutter fault", True)


@given(st.binary(max_size=80))
def test_any_other_answer_to_the_flags_is_the_printers_fault(reply):
    with pytest.raises(PeerFault, match="not an error status"):
        parse_error_status(b"\x02" + reply + b"\x03")
