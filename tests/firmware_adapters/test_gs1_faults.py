"""A wrong code says which AI, at which character, what is wrong, and what the person can do."""

from __future__ import annotations

import pytest

from bodega.limits import GS1_PAIRINGS_KEPT_MAX
from bodega_adapters.framing.gs1 import BadCode, Fault, FaultKind, Message, decode, parse_element_string
from bodega_adapters.framing.gs1.message import GS, HINTS
from bodega_adapters.framing.gs1.pairings import pairing_of
from bodega_adapters.framing.gs1.specs import AIS, spec_of

GTIN = "09501101530003"


@pytest.mark.parametrize(
    ("text", "kind", "ai", "position", "problem"),
    [
        ("0109501101530004", FaultKind.CHECK_DIGIT, "01", 15, "should be 3"),
        (f"01{GTIN}17281301", FaultKind.DATE, "17", 20, "no month 13"),
        (f"01{GTIN}17281300", FaultKind.DATE, "17", 20, "no month 13"),
        (f"01{GTIN}17280230", FaultKind.DATE, "17", 22, "no day 30 in month 02"),
        (f"01{GTIN}17270229", FaultKind.DATE, "17", 22, "no day 29"),
        (f"01{GTIN}70032801312460", FaultKind.TIME, "7003", 26, "no hour 24"),
        (f"01{GTIN}70032801312360", FaultKind.TIME, "7003", 28, "no minute 60"),
        (f"01{GTIN}8008280131235960", FaultKind.TIME, "8008", 30, "no second 60"),
        (f"01{GTIN}10{'A' * 20}21S-9", FaultKind.LENGTH, "10", 38, "too long, it must have 1 to 20"),
        (f"01{GTIN}10{GS}21S-9", FaultKind.LENGTH, "10", 18, "missing"),
        (f"01{GTIN}10A B", FaultKind.CHARACTER, "10", 19, "' ' is outside of the character set"),
        (f"01{GTIN[:13]}", FaultKind.LENGTH, "01", 15, "too short, it must have 14"),
        (f"01{GTIN}8", FaultKind.UNKNOWN_AI, "", 16, "ends within an AI"),
        (f"01{GTIN}800", FaultKind.UNKNOWN_AI, "", 16, "ends within an AI"),
        (f"01{GTIN}-8", FaultKind.UNKNOWN_AI, "", 16, "an AI must begin here"),
        (f"01{GTIN}89X", FaultKind.UNKNOWN_AI, "89", 16, "no AI that begins with 89"),
        (f"01{GTIN}3999123", FaultKind.UNKNOWN_AI, "3999", 16, "no AI (3999)"),
        (f"01{GTIN}{GS}{GS}10A", FaultKind.UNKNOWN_AI, "", 17, "between two separators"),
        (f"01{GTIN}4219999ABC", FaultKind.CODE_LIST, "421", 19, "999 is no country"),
        (f"01{GTIN}37{GS}", FaultKind.LENGTH, "37", 18, "missing"),
        (f"01{GTIN}10A{GS}374", FaultKind.EXCLUDED, "37", 20, "(01) and AI (37) exclude"),
        (f"{GS}01{GTIN}10A{GS}10B", FaultKind.REPEATED, "10", 21, "twice, with A and with B"),
        (f"01{GTIN}8030ABC", None, "", 0, ""),
        (f"2539501101530003{GS}8030ABC", FaultKind.FORMAT, "253", 0, "serial part"),
        ("", FaultKind.EMPTY, "", 0, "empty"),
        (GS, FaultKind.EMPTY, "", 0, "empty"),
    ],
)
def test_a_fault_names_ai_place_and_problem(
    text: str, kind: FaultKind | None, ai: str, position: int, problem: str
) -> None:
    parsed = parse_element_string(text)
    if not problem:
        assert isinstance(parsed, Message)
        return
    assert isinstance(parsed, Fault), parsed
    assert (parsed.kind, parsed.ai, parsed.position) == (kind, ai, position)
    assert problem in parsed.problem
    assert parsed.hint == HINTS[parsed.kind]


def test_every_kind_has_something_to_do_for_the_person() -> None:
    assert HINTS.keys() == set(FaultKind)
    assert all(len(hint) > 20 for hint in HINTS.values())


def test_a_lost_separator_points_at_the_scanner() -> None:
    bad = decode(f"01{GTIN}10{'A' * 18}21S-9", "]C1")
    assert isinstance(bad, BadCode)
    assert bad.problem.startswith("AI (10), character 39: ")
    assert "send FNC1 as GS" in bad.hint


def test_what_one_barcode_leaves_to_another_does_not_make_it_bad() -> None:
    parsed = parse_element_string("10L-1")
    assert isinstance(parsed, Message)
    assert [need.ai for need in parsed.unmet] == ["10"]
    assert parsed.get("10") == "L-1"
    assert parsed.get("21") is None


def test_every_row_of_the_table_is_read() -> None:
    for ai in AIS:
        spec = spec_of(ai)
        assert spec is not None
        assert spec.title
        assert 0 < spec.chars_min <= spec.chars_max <= 90
        # Where the length is predefined, it is one length: nothing else would end the value.
        assert not spec.predefined_length or spec.chars_min == spec.chars_max
        named = {part for need in spec.needs for group in need for part in group.split("+")}
        for pattern in (*named, *spec.excludes, *(name for way in spec.qualifiers for name in way)):
            assert any(
                len(other) == len(pattern) and other.startswith(pattern.rstrip("n")) for other in AIS
            ), pattern
    assert spec_of("89") is None
    assert spec_of("") is None


def test_judgements_are_kept_up_to_a_bound() -> None:
    pairing_of.cache_clear()
    for first in AIS[:40]:
        for second in AIS[:40]:
            pairing_of((first, second))
    assert pairing_of.cache_info().currsize == GS1_PAIRINGS_KEPT_MAX
