"""What the models find wrong in a request, in our words: where it is, what it must be, and what it is.

A client's developer reads these sentences, so none of them speaks of pydantic, Python or regular expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import TEXT_CHARS_MAX
from bodega_controlplane.api.http.models.words import PATTERNS

_SEEN_CHARS_MAX = 60
_WHOLE = "must be a whole number"
_NUMBER = "must be a number"
_TRUTH = "must be true or false"
_TIME = "must be a time with its offset from UTC, such as 2026-11-23T18:00:00Z"
_WORDS = "must be {expected}"
# pydantic's kinds of faults -> a sentence, with what the kind says of its bound.
_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_attributes_type": "must be a JSON object, sent as Content-Type: application/json",
    "model_type": "must be a JSON object",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "string_unicode": "must be a text of whole Unicode characters",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
    "literal_error": _WORDS,
    "enum": _WORDS,
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items, has {actual_length}",
    "too_long": "must have at most {max_length} items",
    "value_error": "{error}",
}

_TOO_SHORT = ("too_short", "string_too_short")


def invalid_request(errors: Iterable[Mapping[str, Any]]) -> InvalidInput:
    """All faults that the models found, as one error."""
    faults = tuple(FieldFault(_where(error["loc"]), _sentence(error)) for error in errors)
    many = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
    return InvalidInput(f"the request has {many}", hint="mend each fault and send it again", faults=faults)


def _where(loc: Sequence[int | str]) -> str:
    place, *path = loc
    if place == "body" and path and isinstance(path[0], int):
        return "body"  # the position of a syntax error, which the sentence names
    steps = path if place == "body" and path else loc
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")[:TEXT_CHARS_MAX]


def _sentence(error: Mapping[str, Any]) -> str:
    kind, seen, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind == "json_invalid":
        return f"is not JSON: {context.get('error', '')} at character {error['loc'][-1]}"
    if kind == "string_pattern_mismatch":
        text = PATTERNS[context["pattern"]]
    elif kind in _TOO_SHORT and context["min_length"] == 1:
        return "must not be empty"
    elif kind in _SENTENCES:
        text = _SENTENCES[kind].format_map({name: _whole(value) for name, value in context.items()})
    else:
        text = str(error["msg"]).removeprefix("Input ")
    if kind in {"missing", "extra_forbidden"} or not isinstance(seen, (bool, int, float, str)):
        return text
    return f"{text}, is {ascii(seen)[:_SEEN_CHARS_MAX]}"


def _whole(bound: object) -> object:
    """90, not 90.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
