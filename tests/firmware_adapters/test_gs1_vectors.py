"""GS1's own Syntax Engine judges ours: what it accepts and refuses in its tests, and why, we do too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bodega_adapters.framing.gs1 import (
    Fault,
    FaultKind,
    Message,
    Parsed,
    parse_digital_link,
    parse_element_string,
)
from bodega_adapters.framing.gs1.digital_link import carries_key
from bodega_adapters.framing.gs1.message import GS
from bodega_adapters.framing.gs1.specs import spec_of
from bodega_adapters.framing.gs1.symbols import read_symbol
from support.gs1_strings import Vector, bracketed, element_string, vectors

ENGINE = "engine_vectors.tsv"
# The engine's reasons, in our words; a reason that begins so.
KINDS: dict[str, FaultKind] = {
    "non_digit": FaultKind.CHARACTER,
    "invalid_cset64_padding": FaultKind.FORMAT,
    "invalid_cset": FaultKind.CHARACTER,
    "invalid_iban_character": FaultKind.CHARACTER,
    "incorrect_": FaultKind.CHECK_DIGIT,
    "too_short_for_check_pair": FaultKind.CHECK_DIGIT,
    "illegal_month": FaultKind.DATE,
    "illegal_day": FaultKind.DATE,
    "illegal_hour": FaultKind.TIME,
    "illegal_minute": FaultKind.TIME,
    "illegal_second": FaultKind.TIME,
    "not_": FaultKind.CODE_LIST,
    "illegal_iban_country": FaultKind.CODE_LIST,
    "invalid_import_idx": FaultKind.CODE_LIST,
    "invalid_winding": FaultKind.CODE_LIST,
    "invalid_biological": FaultKind.CODE_LIST,
    "invalid_media": FaultKind.CODE_LIST,
    "invalid_package": FaultKind.CODE_LIST,
    "iban_too_short": FaultKind.LENGTH,
    "invalid_ai_pairs": FaultKind.EXCLUDED,
    "instances_differ": FaultKind.REPEATED,
}


# All that we judge otherwise, and why.
TAKEN_THOUGH_REFUSED = {
    "]": "no AIM identifier: the engine demands one, a wedge scanner sends none, and then this is a plain code",
    "]X": "no AIM identifier, as above",
    "]E0123456789012": "UPC-A as its 12 digits: scanners that are set so do not put the 0 in front",
}


def kind_of(reason: str) -> FaultKind:
    return next((kind for start, kind in KINDS.items() if reason.startswith(start)), FaultKind.FORMAT)


def cases(*suites: str) -> list[Vector]:
    found = [vector for suite in suites for vector in vectors(ENGINE, suite)]
    assert found
    return found


def check_judgement(vector: Vector, parsed: Parsed | None) -> None:
    if vector.verdict == "accept":
        assert isinstance(parsed, Message), parsed
        if vector.expected:
            assert parsed.elements == elements_of(vector.expected)
    elif vector.verdict == "plain":
        assert parsed is None
    else:
        assert isinstance(parsed, Fault), parsed
        if vector.reason != "-":
            assert parsed.kind is kind_of(vector.reason), parsed
        assert parsed.problem
        assert parsed.hint


def elements_of(text: str) -> tuple[tuple[str, str], ...]:
    parsed = parse_element_string(text.replace("^", GS))
    assert isinstance(parsed, Message)
    return parsed.elements


@pytest.mark.parametrize("vector", cases("linters", "repeats", "excluded", "signed"), ids=lambda v: v.text)
def test_values_and_pairs_are_judged_as_by_gs1(vector: Vector) -> None:
    check_judgement(vector, parse_element_string(element_string(bracketed(vector.text))))


@pytest.mark.parametrize("vector", cases("messages"), ids=lambda v: v.text)
def test_messages_are_judged_as_by_gs1(vector: Vector) -> None:
    check_judgement(vector, parse_element_string(vector.text.replace("^", GS)))


@pytest.mark.parametrize("vector", cases("needs"), ids=lambda v: v.text)
def test_what_must_stand_together_is_what_gs1_says(vector: Vector) -> None:
    parsed = parse_element_string(element_string(bracketed(vector.text)))
    assert isinstance(parsed, Message)
    assert (parsed.unmet == ()) is (vector.verdict == "accept"), parsed.unmet


@pytest.mark.parametrize("vector", cases("links"), ids=lambda v: v.text)
def test_digital_links_are_judged_as_by_gs1(vector: Vector) -> None:
    check_judgement(vector, parse_digital_link(vector.text))


@pytest.mark.parametrize("vector", cases("qualifiers"), ids=lambda v: v.text)
def test_qualifiers_stand_behind_their_key_in_order(vector: Vector) -> None:
    values = {
        "01": "12312312312333",
        "414": "9520123456788",
        "417": "9520123456788",
        "8004": "9520614141234567",
    }
    values |= {"8006": "123456789012310102", "8010": "1234AB", "8017": "123456789012345675"}
    values |= {"8018": "123456789012345675", "7040": "1ABC", "8011": "12", "8019": "12"}
    path = "".join(f"/{ai}/{values.get(ai, 'A1')}" for ai in vector.text.split())
    check_judgement(vector, parse_digital_link(f"https://example.com{path}"))


@pytest.mark.parametrize("vector", cases("scans"), ids=lambda v: v.text)
def test_scans_are_judged_as_by_gs1(vector: Vector) -> None:
    parsed = read_symbol(vector.text, None)
    if vector.text in TAKEN_THOUGH_REFUSED:
        assert not isinstance(parsed, Fault), f"no exception any more: {TAKEN_THOUGH_REFUSED[vector.text]}"
    else:
        check_judgement(vector, parsed)


@pytest.mark.parametrize("ai", ["01", "253", "8003"])
def test_every_key_may_stand_alone_in_a_link(ai: str) -> None:
    spec = spec_of(ai)
    assert spec is not None
    assert spec.is_key
    assert carries_key(f"https://example.com/{ai}/1")


@pytest.mark.parametrize(
    "options",
    [
        "101101239",
        "101101239" + "21101239",
        "10110123" + "0123456" + "2110123" + "0123456",
        "3500606" + "4500606",
        "3500607" + "4500606" + "50123456" + "611234567" + "90000",
    ],
)
def test_a_coupon_may_carry_options_in_their_order(options: str) -> None:
    assert isinstance(parse_element_string(f"8110012345612345611110123{options}"), Message)


def test_no_vector_is_left_out() -> None:
    used: dict[str, Callable[..., None]] = {
        "linters": test_values_and_pairs_are_judged_as_by_gs1,
        "repeats": test_values_and_pairs_are_judged_as_by_gs1,
        "excluded": test_values_and_pairs_are_judged_as_by_gs1,
        "signed": test_values_and_pairs_are_judged_as_by_gs1,
        "messages": test_messages_are_judged_as_by_gs1,
        "needs": test_what_must_stand_together_is_what_gs1_says,
        "links": test_digital_links_are_judged_as_by_gs1,
        "qualifiers": test_qualifiers_stand_behind_their_key_in_order,
        "scans": test_scans_are_judged_as_by_gs1,
    }
    assert {vector.suite for vector in vectors(ENGINE)} == used.keys()
