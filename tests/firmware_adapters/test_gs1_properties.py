"""What must hold for every GS1 code: what is written is read again, in any order, and no text crashes the reader."""

from __future__ import annotations

from random import Random
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bodega_adapters.framing.gs1 import (
    BadCode,
    Element,
    Fault,
    FaultKind,
    Message,
    decode,
    parse_digital_link,
    parse_element_string,
    read_symbol,
    value_of,
)
from bodega_adapters.framing.gs1.message import GS
from bodega_adapters.framing.gs1.specs import AIS, spec_of
from support.gs1_strings import element_string
from support.gs1_values import right_element

CLASHES = {FaultKind.EXCLUDED, FaultKind.FORMAT}
RANDOMS = st.randoms(use_true_random=False)
SYMBOLOGIES = st.sampled_from(
    [None, "]C0", "]C1", "]E0", "]E3", "]E4", "]I1", "]J1", "]Q1", "]Q3", "]d2", "]e0", "]zz"]
)
NEARLY_GS1 = st.lists(
    st.sampled_from([*AIS, GS, "|]e0", "https://a/", "/", "?", "&", "=", "%", "%41", "09501101530003", "]C1"])
    | st.text("0123456789A-%+", max_size=6),
    max_size=12,
).map("".join)


@given(ai=st.sampled_from(AIS), random=RANDOMS)
def test_a_right_value_of_every_ai_is_read_again_and_says_something(ai: str, random: Random) -> None:
    element = right_element(ai, random)
    parsed = parse_element_string(element_string([element]))
    assert isinstance(parsed, Message), parsed
    assert parsed.elements == (element,)
    assert value_of(element, year=2026) is not None


@given(
    ais=st.lists(st.sampled_from(AIS), min_size=1, max_size=8, unique=True), random=RANDOMS, data=st.data()
)
def test_elements_are_read_again_in_any_order(ais: list[str], random: Random, data: st.DataObject) -> None:
    elements = [right_element(ai, random) for ai in ais]
    shuffled = data.draw(st.permutations(elements))
    first, second = (parse_element_string(element_string(order)) for order in (elements, shuffled))
    if isinstance(first, Fault):
        # AIs that must not stand together must not in any order.
        assert isinstance(second, Fault)
        assert {first.kind, second.kind} <= CLASHES
        return
    assert isinstance(second, Message)
    assert first.elements == tuple(elements)
    assert second.elements == tuple(shuffled)
    assert set(first.unmet) == set(second.unmet)


@given(ais=st.lists(st.sampled_from(AIS), min_size=1, max_size=4, unique=True), random=RANDOMS)
def test_separators_that_nobody_needs_change_nothing(ais: list[str], random: Random) -> None:
    elements = [right_element(ai, random) for ai in ais]
    everywhere = GS + GS.join(ai + value for ai, value in elements) + GS
    plain, separated = parse_element_string(element_string(elements)), parse_element_string(everywhere)
    if isinstance(plain, Message):
        assert separated == plain
    else:
        assert isinstance(separated, Fault)
        assert separated.kind is plain.kind


@given(
    ai=st.sampled_from([ai for ai in AIS if (spec := spec_of(ai)) is not None and spec.is_attribute]),
    random=RANDOMS,
)
def test_a_digital_link_says_the_same_as_the_element_string(ai: str, random: Random) -> None:
    elements = (
        (right_element("00", random), right_element(ai, random))
        if ai != "00"
        else (right_element(ai, random),)
    )
    path = f"https://example.com/some/where/00/{elements[0].value}"
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in elements[1:])
    linked = parse_digital_link(f"{path}?utm=1&{query}#top")
    written = parse_element_string(element_string(elements))
    if isinstance(written, Message):
        assert linked == written
    else:
        assert isinstance(linked, Fault)
        assert linked.kind is written.kind


@given(text=st.text() | NEARLY_GS1, symbology=SYMBOLOGIES)
def test_no_text_crashes_the_reader(text: str, symbology: str | None) -> None:
    parsed = read_symbol(text, symbology)
    decoded = decode(text, symbology)
    if isinstance(parsed, Message):
        for element in parsed.elements:
            assert value_of(element, year=2026) is not None
        assert parsed.elements
    elif isinstance(parsed, Fault):
        assert 0 <= parsed.position <= len(text)
        assert parsed.hint
        assert isinstance(decoded, BadCode) or text.strip().startswith("CMD-")


@given(
    ais=st.lists(st.sampled_from(AIS), min_size=1, max_size=4, unique=True),
    random=RANDOMS,
    place=st.integers(0, 10_000),
    character=st.characters(),
)
def test_one_wrong_character_never_crashes_and_is_found_where_it_is(
    ais: list[str], random: Random, place: int, character: str
) -> None:
    text = element_string([right_element(ai, random) for ai in ais])
    damaged = text[: place % len(text)] + character + text[place % len(text) + 1 :]
    parsed = parse_element_string(damaged)
    if isinstance(parsed, Fault) and parsed.kind is FaultKind.CHARACTER and not character.isascii():
        assert parsed.position == place % len(text)
    assert isinstance(parsed, Message | Fault)


@given(random=RANDOMS, damage=st.integers(1, 9), place=st.integers(2, 15))
def test_one_misread_digit_of_a_gtin_never_passes(random: Random, damage: int, place: int) -> None:
    text = element_string([right_element("01", random), Element("10", "L-1")])
    misread = text[:place] + str((int(text[place]) + damage) % 10) + text[place + 1 :]
    parsed = parse_element_string(misread)
    assert isinstance(parsed, Fault)
    assert (parsed.kind, parsed.ai) == (FaultKind.CHECK_DIGIT, "01")
