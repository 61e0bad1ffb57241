"""MT-SICS lines, as the reference manual prints them: exact weights, every refusal, and no crash on garbage."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bodega.errors import PeerFault
from bodega.limits import SCALE_MILLIGRAMS_MAX
from bodega_adapters.framing.mt_sics import UNITS, Answer, parse, request


@pytest.mark.parametrize(
    ("line", "verdict", "milligrams"),
    [
        (b"S S      1.234 kg", "stable", 1_234_000),
        (b"S S     100.00 g\r", "stable", 100_000),
        (b"S D      10.00 g", "moving", 10_000),
        (b"S S      -0.02 g", "stable", -20),
        (b"S S          7 mg", "stable", 7),
        (b"S S          1 t", "stable", 1_000_000_000),
        (b"S S          1 lb", "stable", 453_592),
        (b"S S        100 lb", "stable", 45_359_237),
        (b"S S         16 oz", "stable", 453_592),
        (b"S S     0.0005 g", "stable", 0),  # half to even, once
        (b"S S     0.0015 g", "stable", 2),
        (b"S I", "busy", None),
        (b"S +", "over", None),
        (b"S -", "under", None),
        (b"ES", "refused", None),
        (b"ET", "refused", None),
        (b"EL", "refused", None),
    ],
)
def test_an_answer_to_a_question_for_the_weight(line, verdict, milligrams):
    for command in ("S", "SI"):
        answer = parse(line, command)
        assert answer is not None
        assert (answer.verdict, answer.milligrams) == (verdict, milligrams)


def test_zero_tare_and_begin_anew():
    assert parse(b"Z A", "Z") == Answer("done", detail="Z A")
    assert parse(b"T S     100.00 g", "T").milligrams == 100_000
    assert parse(b'I4 A "B021002593"', "@").verdict == "done"
    assert request("SI") == b"SI\r\n"


@pytest.mark.parametrize(
    "line", [b"", b"Z A", b'I4 A "1"', b"S", b"S X 1 g", b"SS 1 g", b"\xff\x00", b"T S 1 g"]
)
def test_a_line_that_answers_something_else_is_skipped(line):
    assert parse(line, "S") is None


@pytest.mark.parametrize(
    "line", [b"S S 12", b"S S twelve g", b"S S 1.5 pcs", b"S S 1e3 g", b"S S", b"S D 1,5 g"]
)
def test_a_weight_that_is_none_is_the_scales_fault(line):
    with pytest.raises(PeerFault):
        parse(line, "S")


def test_a_weight_beyond_all_scales_is_refused():
    assert parse(f"S S {SCALE_MILLIGRAMS_MAX} mg".encode(), "S").milligrams == SCALE_MILLIGRAMS_MAX
    with pytest.raises(PeerFault, match="more than"):
        parse(f"S S {SCALE_MILLIGRAMS_MAX + 1} mg".encode(), "S")


MILLIGRAMS_PER = {
    "mg": Fraction(1),
    "g": Fraction(1_000),
    "kg": Fraction(1_000_000),
    "t": Fraction(1_000_000_000),
    "lb": Fraction(45_359_237, 100),
    "oz": Fraction(45_359_237, 1_600),
}


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.sampled_from(UNITS))
def test_no_weight_loses_a_milligram_to_a_float(number, decimals, unit):
    exact = Fraction(number, 10**decimals) * MILLIGRAMS_PER[unit]
    assume(abs(exact) <= SCALE_MILLIGRAMS_MAX)
    digits = str(abs(number)).rjust(decimals + 1, "0")
    shown = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    answer = parse(f"S S {'-' if number < 0 else ''}{shown} {unit}".encode(), "S")
    assert answer.milligrams == round(exact)


@given(st.binary(max_size=80), st.sampled_from(["S", "SI", "Z", "T", "@"]))
def test_any_bytes_are_an_answer_or_none_or_the_scales_fault(line, command):
    try:
        answer = parse(line, command)
    except PeerFault:
        return
    assert answer is None or answer.verdict
