"""Element strings: AIs and values in a row, parted by FNC1 (arrives as GS) where a value has no predefined length.

What every good scan walks is the loop of `parse_element_string`: one pattern and a few checks an element. Only when
something does not fit, `_why` goes over that element again and finds out what.

Rules (GS1 General Specifications 7.8): one FNC1 in the first position is taken off; one behind a value of predefined
length, and one at the end, are superfluous and let pass. An AI may come twice with one value, not with two.
"""

from __future__ import annotations

import re

from bodega.core.gtin import all_digits
from bodega_adapters.framing.gs1.message import GS, Element, Fault, FaultKind, Message, Parsed, fault
from bodega_adapters.framing.gs1.pairings import Clash, judge
from bodega_adapters.framing.gs1.specs import (
    AI_CHARS,
    CHARACTER_SET_NAMES,
    CHARACTER_SETS,
    SPECS,
    Spec,
    spec_of,
)

# What `Element(ai, value)` comes to, at half the cost.
_make_element = tuple.__new__


def parse_element_string(text: str) -> Parsed:
    """Read a whole element string; `Fault.position` counts in `text` as given."""
    elements: list[Element] = []
    position, end = int(text.startswith(GS)), len(text)
    while position < end:
        try:
            start = position + AI_CHARS[text[position : position + 2]]
            spec = SPECS[text[position:start]]
        except KeyError:
            return _unknown_ai(text, position)
        found = spec.pattern.match(text, start)
        if found is None:
            return _why(spec, text, start)
        value = found[1]
        if spec.checks and (wrong := _check_content(spec, value, start)) is not None:
            return wrong
        elements.append(_make_element(Element, (spec.ai, value)))
        position = found.end()
    if not elements:
        return fault(FaultKind.EMPTY, "", 0, "the GS1 code is empty")
    judged = judge(elements)
    if isinstance(judged, Clash):
        return fault(
            judged.kind, elements[judged.place].ai, _position_of(text, elements, judged.place), judged.problem
        )
    return Message(tuple(elements), judged)


def parse_value(ai: str, value: str, position: int) -> Fault | None:
    """Judge one value that stands alone, as in a Digital Link; `position` is where it begins."""
    spec = spec_of(ai)
    if spec is None:
        return fault(FaultKind.UNKNOWN_AI, ai, position, f"GS1 has no AI ({ai})")
    if GS in value:
        return fault(
            FaultKind.CHARACTER, ai, position + value.index(GS), "a separator (GS) must not stand in a value"
        )
    if spec.pattern.fullmatch(value) is None:
        return _why(spec, " " * position + value, position)
    return _check_content(spec, value, position)


def _check_content(spec: Spec, value: str, position: int) -> Fault | None:
    """What the checks of the AI find in a value of the right length and characters."""
    for first, last, check in spec.checks:
        component = value[first:last]
        if component and (wrong := check(component)) is not None:
            return fault(wrong.kind, spec.ai, position + first + wrong.offset, wrong.problem)
    return None


def _unknown_ai(text: str, position: int) -> Fault:
    start = text[position : position + 2]
    shown = text[position : position + AI_CHARS.get(start, 2)]
    if text[position] == GS:
        return fault(
            FaultKind.UNKNOWN_AI, "", position, "malformed: nothing stands between two separators (GS)"
        )
    if not all_digits(shown):
        return fault(FaultKind.UNKNOWN_AI, "", position, f"malformed: an AI must begin here, not {shown!r}")
    if len(shown) < AI_CHARS.get(start, 2):
        return fault(FaultKind.UNKNOWN_AI, "", position, "malformed: the code ends within an AI")
    which = f"AI ({shown})" if start in AI_CHARS else f"AI that begins with {shown}"
    return fault(FaultKind.UNKNOWN_AI, shown, position, f"malformed: GS1 has no {which}")


def _why(spec: Spec, text: str, start: int) -> Fault:
    """What keeps the value that begins at `start` from matching."""
    stop = text.find(GS, start)
    value = text[start : stop if stop >= 0 else len(text)]
    if not value:
        return fault(FaultKind.LENGTH, spec.ai, start, "malformed: the value is missing")
    at = 0
    for part in spec.components:
        piece = value[at : at + part.chars_max]
        if part.optional and not piece:
            break
        for offset, character in enumerate(piece):
            if not _is_of(part.charset, character):
                what = f"{character!r} is outside of the character set, which is {CHARACTER_SET_NAMES[part.charset]}"
                return fault(FaultKind.CHARACTER, spec.ai, start + at + offset, f"malformed: {what}")
        if len(piece) < part.chars_min:
            problem = f"malformed: the value {value} is too short, {_lengths(spec)}"
            return fault(FaultKind.LENGTH, spec.ai, start + len(value), problem)
        at += len(piece)
    problem = f"malformed: the value {value} is too long, {_lengths(spec)}"
    return fault(FaultKind.LENGTH, spec.ai, start + at, problem)


def _is_of(charset: str, character: str) -> bool:
    return re.fullmatch(CHARACTER_SETS[charset], character) is not None or (charset, character) == ("Z", "=")


def _lengths(spec: Spec) -> str:
    if spec.chars_min == spec.chars_max:
        return f"it must have {spec.chars_max} characters"
    return f"it must have {spec.chars_min} to {spec.chars_max} characters"


def _position_of(text: str, elements: list[Element], place: int) -> int:
    position = int(text.startswith(GS))
    for ai, value in elements[:place]:
        position += len(ai) + len(value)
        position += int(text.startswith(GS, position))
    return position
