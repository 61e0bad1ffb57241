"""Two more judges of GS1 codes, neither of GS1 itself: BWIPP's verdicts on random input, and the parser biip."""

from __future__ import annotations

import re
from random import Random

import pytest
from biip import ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_messages import GS1Message
from hypothesis import given
from hypothesis import strategies as st

from bodega_adapters.framing.gs1 import Fault, FaultKind, Message, parse_element_string
from bodega_adapters.framing.gs1.specs import AIS, spec_of
from support.gs1_strings import Vector, bracketed, element_string, vectors
from support.gs1_values import right_element

PAIRS = {"GS1exclusiveAIs", "GS1repeatedDifferingAIs", "GS1missingAIs"}
PAIR_KINDS = {FaultKind.EXCLUDED, FaultKind.REPEATED}
# All that BWIPP judges otherwise than GS1's engine, which we follow, and why.
OTHERWISE = {
    "(7041)AT": "its list of package types lacks AT",
    "(8010)198Z58564199770783": "it does not look whether a key begins with a company prefix",
    "(255)9929490107598(8030)": "it does not ask for the serial part of a signed key",
}


def test_bwipp_judges_the_same() -> None:
    judged = list(vectors("bwipp_vectors.tsv"))
    assert len(judged) > 1000
    differing = {vector.text for vector in judged if not agrees(vector)}
    assert {
        next(start for start in OTHERWISE if text.startswith(start)) for text in differing
    } == OTHERWISE.keys()
    assert len(differing) == len(OTHERWISE)


def agrees(vector: Vector) -> bool:
    parsed = parse_element_string(element_string(bracketed(vector.text)))
    if isinstance(parsed, Message):
        return vector.reason == "GS1missingAIs" if parsed.unmet else vector.verdict == "accept"
    return vector.verdict == "refuse" and (vector.reason in PAIRS) == (parsed.kind in PAIR_KINDS)


def test_biip_knows_the_same_ais() -> None:
    assert {ai for ai in AIS if biip_knows(ai)} == set(AIS)
    four_digits = {f"{number:0{digits}}" for digits in (2, 3, 4) for number in range(10**digits)}
    assert {ai for ai in four_digits - set(AIS) if biip_knows(ai)} == set()


def biip_knows(ai: str) -> bool:
    try:
        return GS1ApplicationIdentifier.extract(ai).ai == ai
    except ParseError:
        return False


@pytest.mark.parametrize("ai", AIS)
def test_biip_takes_our_right_values_of_each_ai(ai: str) -> None:
    spec, theirs = spec_of(ai), GS1ApplicationIdentifier.extract(ai)
    assert spec is not None
    assert theirs.separator_required is not spec.predefined_length
    for seed in range(10):
        element = right_element(ai, Random(seed))
        assert re.fullmatch(theirs.pattern, ai + element.value), element


@given(
    ais=st.lists(st.sampled_from(AIS), min_size=1, max_size=5, unique=True),
    random=st.randoms(use_true_random=False),
)
def test_biip_reads_the_same_elements(ais: list[str], random: Random) -> None:
    text = element_string([right_element(ai, random) for ai in ais])
    ours = parse_element_string(text)
    try:
        theirs = GS1Message.parse(text)
    except (ParseError, ValueError, ArithmeticError, LookupError):
        return
    if isinstance(ours, Fault):
        assert ours.kind in {FaultKind.EXCLUDED, FaultKind.FORMAT}
        return
    assert [(element.ai.ai, element.value) for element in theirs.element_strings] == list(ours.elements)
