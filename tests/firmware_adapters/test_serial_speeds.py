"""An unknown serial speed is found by listening; nothing that was heard at a wrong one passes for a scan.

A pseudo-terminal has no speed, so what a wrong one does to the bytes is the UART model of the simulated scanner, and
what is judged here is the choice. What a real adapter adds (noise, its own clock) no pseudo-terminal shows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bodega_adapters.framing.baud import PLAIN_BYTES_MIN, SPEEDS, SURE_AFTER, SpeedFinder, looks_right
from bodega_adapters.framing.lines import LineFramer
from bodega_adapters.scanners.serial import SerialScanner
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.simulated.uart import garbled
from support.devices import Listener, eventually, listening

LABELS = st.from_regex(r"\](C1[0-9]{16,30}|E0[0-9]{13}|C0[A-Z0-9-]{4,20})", fullmatch=True).map(str.encode)
SPEED = st.sampled_from(SPEEDS)


def finder(**options) -> SpeedFinder:
    return SpeedFinder(LineFramer(**options), gap_ms=50)


@given(data=st.binary(max_size=40), speed=SPEED)
def test_at_its_own_speed_a_line_is_read_as_it_was_sent(data, speed):
    assert garbled(data, sent_at=speed, read_at=speed) == data


@given(labels=st.lists(LABELS, min_size=10, max_size=12), speed=SPEED)
def test_whatever_the_speed_it_is_found_within_a_round_and_every_label_from_then_on_is_a_scan(labels, speed):
    chooser = finder()
    heard = []
    for label in labels:
        heard += chooser.feed(garbled(label + b"\r\n", sent_at=speed, read_at=chooser.speed)) + chooser.gap()
    assert chooser.speed == speed
    assert heard[-len(labels) + len(SPEEDS) :] == labels[len(SPEEDS) :]


def test_of_digits_at_a_wrong_speed_hardly_one_in_a_thousand_looks_right_and_none_makes_it_sure():
    dice = random.Random(7)
    wrong = [(sent, read) for sent in SPEEDS for read in SPEEDS if sent != read]
    codes = ["".join(dice.choices("0123456789", k=13)).encode() for _ in range(40)]
    passed = [
        frame
        for sent, read in wrong
        for code in codes
        for frame in LineFramer().feed(garbled(code + b"\r\n", sent_at=sent, read_at=read))[:1]
        if looks_right(frame)
    ]
    assert len(passed) <= len(wrong) * len(codes) / 1000
    assert not any(frame.startswith(b"]") for frame in passed)


@pytest.mark.parametrize(
    ("frame", "right"),
    [
        (b"]E09506000134352", True),
        (b"]C1" + b"\x1d".join([b"10L1", b"21S1"]), True),
        (b"A-01", True),
        (b"A" * (PLAIN_BYTES_MIN - 1), False),
        (b"]C0", False),
        (b"A-01\xf8", False),
        (b"zJ{J{j", False),
        (b"\x00\x00\x00\x00\x00", False),
    ],
)
def test_what_looks_right(frame, right):
    assert looks_right(frame) is right


def test_an_identifier_makes_a_speed_sure_and_then_any_code_is_a_scan():
    chooser = finder()
    assert chooser.feed(b"]C1010950110153000\r") == [b"]C1010950110153000"]
    assert chooser.sure
    assert chooser.feed(b"caf\xe9\r") == [b"caf\xe9"]
    assert chooser.speed == SPEEDS[0]


def test_a_lucky_misreading_does_not_keep_a_wrong_speed():
    chooser = finder()
    for _ in range(SURE_AFTER - 1):
        assert chooser.feed(b"zJKzJj\r") + chooser.gap() == [b"zJKzJj"]
    assert not chooser.sure
    assert chooser.feed(b"\xf8\x00{\r") + chooser.gap() == []
    assert chooser.speed == SPEEDS[1]


def test_the_speed_changes_in_a_silence_and_never_within_a_burst():
    chooser = finder()
    chooser.feed(b"\xf8\x00\r")
    assert chooser.speed == SPEEDS[0]
    assert chooser.feed(b"A-01-02\r") == [], "the tail of a burst that began as garbage is no scan"
    assert chooser.gap() == []
    assert chooser.speed == SPEEDS[1]
    assert chooser.dropped_frames == 1


def test_silence_ends_scans_while_the_speed_is_unsure_where_it_ends_them_anyway():
    chooser = finder(terminators=b"")
    assert chooser.feed(b"]C0A-01") == []
    assert chooser.gap() == [b"]C0A-01"]
    assert chooser.sure


def test_after_a_replug_it_is_asked_again_beginning_with_what_worked():
    chooser = finder()
    chooser.feed(b"\xf8\xf8")
    chooser.gap()
    chooser.feed(b"]C0A-01\r")
    chooser.reset()
    assert not chooser.sure
    assert chooser.speed == SPEEDS[1]


@pytest.fixture
def device() -> Iterator[SimulatedScanner]:
    device = SimulatedScanner()
    yield device
    device.close()


async def scan_until_heard(device: SimulatedScanner, listener: Listener, scanner: SerialScanner) -> None:
    """A person scans the same label again and again, as one does."""
    while not listener.scans:
        before = scanner.baud
        device.scan("A-01-02", symbology="]C0")
        await eventually(lambda before=before: listener.scans or scanner.baud != before)


@pytest.mark.parametrize("speed", [9600, 115200, 1200])
async def test_the_driver_finds_the_speed_says_so_and_keeps_it(device, speed):
    device.baud = speed
    scanner = SerialScanner("bench", device.path, 0, gap_ms=20)
    with capture_logs() as logs:
        async with listening(scanner) as listener:
            await eventually(lambda: scanner.connected)
            await scan_until_heard(device, listener, scanner)
            device.scan("caf\u00e9 ~1", symbology=None)
            scans = await listener.wait_for(2)
    assert [scan.text for scan in scans] == ["A-01-02", "caf\u00e9 ~1"]
    assert scanner.baud == speed
    assert [entry["baud"] for entry in logs if entry["event"] == "scanner_speed_found"] == [speed]
    assert "device_lost" not in {entry["event"] for entry in logs}


async def test_a_speed_that_is_none_of_the_usual_is_told_after_each_round(device):
    device.baud = 300
    scanner = SerialScanner("bench", device.path, 0, gap_ms=10)
    with capture_logs() as logs:
        async with listening(scanner) as listener:
            await eventually(lambda: scanner.connected)
            for speed in SPEEDS:
                await eventually(lambda speed=speed: scanner.baud == speed)
                device.send(b"\xf8\xf8\r")
            await eventually(lambda: [e for e in logs if e["event"] == "scanner_speed_not_found"])
    assert listener.scans == []
